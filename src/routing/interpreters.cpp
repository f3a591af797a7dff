#include <xinterp/magics/arguments.hpp>
#include <xinterp/routing/interpreters.hpp>

#include <algorithm>
#include <utility>

namespace xinterp::kernel {

InterpreterInfo Interpreters::resolve(const std::string& target) const {
    const auto found = registry_.find(target);
    if (found && found->state == python::State::closing)
        throw UsageError{"interpreter '" + target + "' is closing. There are " + joined(registry_.labels()) + "."};
    if (found) return *found;
    const std::vector<std::string> labels = registry_.labels();
    const auto near = nearest(target, labels);
    std::string message = "no interpreter '" + target + "'; there " + (labels.size() == 1 ? "is " : "are ") +
                          joined(labels) + "." + (near ? " Did you mean " + *near + "?" : "");
    if (!python::name_problem(target))
        message += "\nCreate it with: %interp create " + target + "   or: %%interp " + target + " --create";
    throw UsageError{message};
}

std::vector<InterpreterInfo> Interpreters::resolve(const std::vector<std::string>& targets) const {
    std::vector<InterpreterInfo> found;
    if (targets.size() == 1 && targets.front() == "all") {
        for (InterpreterInfo& info : registry_.list())
            if (info.id != python::main_interpreter && info.state != python::State::closing)
                found.push_back(std::move(info));
        if (found.empty())
            throw UsageError{"there is no interpreter but main.\nCreate some with: %interp create alice bob"};
        return found;
    }
    for (const std::string& target : targets) {
        InterpreterInfo info = resolve(target);
        if (std::ranges::none_of(found, [&](const InterpreterInfo& other) { return other.id == info.id; }))
            found.push_back(std::move(info));
    }
    return found;
}

void Interpreters::check_name(const std::string& name) const {
    if (const auto problem = python::name_problem(name)) throw UsageError{*problem};
    if (reserved_.contains(name)) throw UsageError{"'" + name + "' is just being created."};
    const auto existing = registry_.find(name);
    if (existing && existing->state == python::State::closing)
        throw UsageError{"interpreter '" + name +
                         "' is closing: its name is free when what runs there has ended. Until then choose another."};
    if (existing)
        throw UsageError{"interpreter '" + name + "' exists already (id " + std::to_string(existing->id) +
                         ").\n--if-missing keeps it, --fresh resets it: %interp create " + name + " --if-missing"};
}

void Interpreters::create(const std::string& name, const python::Configuration& configuration, Created created,
                          const std::string& origin) {
    if (!name.empty()) reserved_.insert(name);
    backend_.create(configuration, [this, name, configuration, created = std::move(created),
                                    origin](std::variant<InterpreterId, std::string> made) {
        reserved_.erase(name);
        if (auto* error = std::get_if<std::string>(&made)) {
            created(std::nullopt, std::move(*error));
            return;
        }
        InterpreterInfo info;
        info.id = std::get<InterpreterId>(made);
        info.name = name;
        info.preset = configuration.preset;
        info.own_gil = configuration.has_own_gil();
        info.origin = origin;
        registry_.add(info);
        created(info, {});
    });
}

void Interpreters::close(InterpreterId id, CellId cell, std::function<void(std::string remark)> done) {
    registry_.set_state(id, python::State::closing);
    closing_(id, cell);
    backend_.close(id, cell, [this, id, done = std::move(done)](std::string remark) {
        registry_.remove(id);
        done(std::move(remark));
    });
}

} // namespace xinterp::kernel
