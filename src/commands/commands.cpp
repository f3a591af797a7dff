#include <xinterp/commands/commands.hpp>
#include <xinterp/magics/arguments.hpp>
#include <xinterp/magics/command_line.hpp>
#include <xinterp/magics/command_results.hpp>
#include <xinterp/magics/table.hpp>
#include <xinterp/protocol/wire.hpp>
#include <xinterp/python/visits.hpp>

#include <algorithm>
#include <array>
#include <format>
#include <memory>
#include <utility>

namespace xinterp::kernel {
namespace {

using nlohmann::json;
using python::main_interpreter;

// How long a forced close waits for the cell that it interrupts before it reports back.
constexpr std::chrono::seconds close_patience{2};
// How often it is looked whether interrupted code has ended.
constexpr std::chrono::milliseconds look_interval{5};

} // namespace

std::function<void()> Commands::run(const json& request, const Caller& caller, const Done& done) {
    try {
        return dispatch(request, caller, done);
    } catch (const UsageError& error) {
        done(failure(error.what()));
    } catch (const json::exception&) {
        done(failure("arguments of the wrong type: " + request.dump(-1, ' ', false, json::error_handler_t::replace)));
    }
    return {};
}

std::function<void()> Commands::dispatch(const json& request, const Caller& caller, const Done& done) {
    if (request.contains("line")) {
        json parsed = parse_command_line(request.at("line"));
        for (const char* part : {"shipment", "own", "packed", "unpacked"})
            if (request.contains(part)) parsed[part] = request.at(part);
        return dispatch(parsed, caller, done);
    }
    const std::string command = request.at("command");
    const std::vector<std::string> targets = strings(request, "targets");
    const bool may_be_empty = command == "wait" || !request.contains("targets");
    if (targets.empty() && !may_be_empty)
        throw UsageError{command + " needs a target: a name, an id or a list.\n" + usage_line(command)};

    if (command == "list") {
        done(list());
    } else if (command == "help") {
        done(command_help());
    } else if (command == "get") {
        const InterpreterInfo info =
            interpreters_.resolve(strings(json{{"target", {request.at("target")}}}, "target").front());
        done(success("", {{"id", info.id}, {"name", info.name}}));
    } else if (command == "create") {
        create(request, caller, done);
    } else if (command == "use") {
        std::vector<InterpreterId> ids;
        std::vector<std::string> labels;
        for (const InterpreterInfo& info : interpreters_.resolve(targets)) {
            ids.push_back(info.id);
            labels.push_back(info.label());
        }
        router_.use(caller.client, ids);
        done(success("plain cells run in " + joined(labels) + " from now on."));
    } else if (command == "close") {
        close(request, caller, done);
    } else if (command == "reset") {
        reset(request, caller, done);
    } else if (command == "rename") {
        const InterpreterInfo info =
            interpreters_.resolve(strings(json{{"target", {request.at("target")}}}, "target").front());
        const std::string name = request.at("name");
        if (info.id == main_interpreter) throw UsageError{"main keeps its name."};
        if (info.name != name) interpreters_.check_name(name);
        interpreters_.registry().rename(info.id, name);
        done(success(info.label() + " is called " + name + " now."));
    } else if (command == "interrupt") {
        interrupt(request, done);
    } else if (command == "wait") {
        return wait(request, caller, done);
    } else if (command == "make") {
        return make(request, done);
    } else if (command == "end") {
        end(request, caller, done);
    } else if (command == "unreferenced") {
        unreferenced(request.at("id").get<InterpreterId>());
        done(success(""));
    } else if (command == "share") {
        return share(request, caller, done);
    } else if (command == "vars" || command == "diff") {
        if (command == "vars" && targets.size() != 1)
            throw UsageError{"vars shows one interpreter.\n" + usage_line(command)};
        if (command == "diff" && targets.size() != 2)
            throw UsageError{"diff compares two interpreters.\n" + usage_line(command)};
        show_variables(request, caller, done);
    } else if (command == "whereabouts") {
        return find_variable(request.at("name"), caller, done);
    } else {
        throw UsageError{"no command '" + command + "'."};
    }
    return {};
}

json Commands::list() {
    Rows rows{{"id", "name", "preset", "GIL", "state", "cells", "memory", "age", "from"}};
    json values = json::array();
    const auto now = std::chrono::steady_clock::now();
    for (const InterpreterInfo& info : interpreters_.registry().list()) {
        const bool own_memory = info.own_gil;
        const std::size_t bytes = own_memory ? backend_.memory(info.id) : 0;
        const double age = std::chrono::duration<double>{now - info.created}.count();
        const bool runs = info.state == python::State::idle && python::is_visited(info.id);
        const std::string state{python::state_name(runs ? python::State::running : info.state)};
        rows.push_back({std::to_string(info.id), info.name, std::string{info.preset_label()}, std::string{info.gil()},
                        state, std::to_string(info.cells_run), own_memory ? bytes_text(bytes) : "with main",
                        age_text(age), info.origin});
        values.push_back({{"id", info.id},
                          {"name", info.name.empty() ? json(nullptr) : json(info.name)},
                          {"preset", info.preset_label()},
                          {"gil", info.gil()},
                          {"state", state},
                          {"cells", info.cells_run},
                          {"memory", own_memory ? json(bytes) : json(nullptr)},
                          {"age", age},
                          {"origin", info.origin}});
    }
    return table(rows, values);
}

void Commands::create(const json& request, const Caller& caller, Done done) {
    std::vector<std::string> names = strings(request, "names");
    const bool if_missing = request.value("if_missing", false), fresh = request.value("fresh", false);
    const auto preset = request.contains("preset") && request["preset"].is_string() ? parse_preset(request["preset"])
                                                                                    : python::Preset::notebook;
    if (if_missing && fresh) throw UsageError{"--if-missing keeps an interpreter and --fresh resets it: choose one."};
    if (request.contains("n") && request["n"].is_number_integer()) {
        if (!names.empty())
            throw UsageError{"-n creates interpreters with ids only: give names or -n, not both.\n" +
                             usage_line("create")};
        if (request["n"] < 1 || request["n"] > 1000) throw UsageError{"n is a whole number from 1 to 1000."};
        names.resize(request["n"].get<std::size_t>());
    }
    if (names.empty()) throw UsageError{"create needs a name, or -n and how many.\n" + usage_line("create")};

    const Cell* cell = router_.cell(caller.cell);
    std::string maker = cell == nullptr ? "" : text(cell->request.metadata(), "cellId");
    std::erase_if(makers_, [this](const auto& made) { return !interpreters_.registry().get(made.first); });

    // Everything is checked before anything is made.
    std::vector<std::optional<InterpreterInfo>> existing;
    for (const std::string& name : names) {
        std::optional<InterpreterInfo> found;
        if (!name.empty() && !python::name_problem(name)) found = interpreters_.registry().find(name);
        if (found && found->state == python::State::closing) found.reset(); // nothing to keep, and its name is not free
        existing.push_back(found);
        const bool same = found && found->preset == preset && was_made_by(maker, *found);
        if (found && fresh) check_may_end(*found, false, caller, "create --fresh");
        else if (!(found && if_missing) && !same && !name.empty()) interpreters_.check_name(name);
    }
    create_next(std::make_shared<Plan>(
        Plan{std::move(names), std::move(existing), fresh, std::move(maker), preset, {}, std::move(done)}));
}

// A notebook's cell that is run again keeps what it has made, as the cells of main keep main's variables.
bool Commands::was_made_by(const std::string& cell, const InterpreterInfo& info) const {
    const auto maker = makers_.find(info.id);
    return !cell.empty() && maker != makers_.end() && maker->second == cell;
}

// One after the other: ids rise in the order of the names.
void Commands::create_next(const std::shared_ptr<Plan>& plan) {
    const std::size_t i = plan->results.size();
    if (i == plan->names.size()) {
        plan->done(combine(plan->results));
        return;
    }
    const auto go_on = [this, plan](json result) {
        if (result.at("ok").get<bool>() && !plan->cell.empty()) makers_[result.at("value")] = plan->cell;
        plan->results.push_back(std::move(result));
        create_next(plan);
    };
    const std::optional<InterpreterInfo>& existing = plan->existing[i];
    if (existing && plan->fresh) {
        replace(*existing, go_on);
    } else if (existing) {
        const std::string_view why = was_made_by(plan->cell, *existing) ? ": this cell made it" : "";
        plan->results.push_back(
            success(std::format("{} exists already (id {}){}.", existing->name, existing->id, why), existing->id));
        create_next(plan);
    } else {
        interpreters_.create(plan->names[i], plan->preset, [plan, go_on](const auto& info, const std::string& error) {
            if (!info) {
                plan->names.resize(plan->results.size() + 1); // nor could the others be
                go_on(failure("the interpreter could not be created: " + error));
            } else if (info->name.empty()) {
                go_on(success(std::format("created interpreter {} ({}).", info->id, info->preset_label()), info->id));
            } else {
                go_on(success(std::format("created {} (id {}, {}).", info->name, info->id, info->preset_label()),
                              info->id));
            }
        });
    }
}

bool Commands::is_callers_own(InterpreterId id, const Caller& caller) {
    return caller.interpreter == id || std::ranges::find(caller.callers, id) != caller.callers.end();
}

bool Commands::runs_something(InterpreterId id) const { return router_.is_busy(id) || python::is_visited(id); }

// Code that a thread of another interpreter runs there tells nobody of its end.
void Commands::look_whether_it_stops(InterpreterId id, Timers::Clock::time_point until,
                                     std::function<void(bool)> done) {
    const bool stopped = !python::is_visited(id);
    if (stopped || Timers::Clock::now() >= until) {
        done(stopped);
        return;
    }
    timers_.after(look_interval, [this, id, until, done = std::move(done)]() mutable {
        look_whether_it_stops(id, until, std::move(done));
    });
}

void Commands::check_may_end(const InterpreterInfo& info, bool force, const Caller& caller,
                             const std::string& command) const {
    if (info.id == main_interpreter) {
        if (command == "close")
            throw UsageError{"main cannot be closed: it is the kernel itself. Shut the kernel down instead."};
        throw UsageError{"main cannot be reset. Restart the kernel instead."};
    }
    if (is_callers_own(info.id, caller))
        throw UsageError{"this cell runs in " + info.label() + ": close or reset it from another interpreter."};
    if (runs_something(info.id) && !force)
        throw UsageError{info.label() + " is running " +
                         (router_.runs_callback(info.id) ? "a callback"
                          : router_.is_busy(info.id)     ? "a cell"
                                                         : "code") +
                         ". To interrupt it first: %interp " + (command == "create --fresh" ? "reset" : command) + " " +
                         info.label() + " --force"};
}

void Commands::close(const json& request, const Caller& caller, Done done) {
    const bool force = request.value("force", false);
    const std::vector<InterpreterInfo> infos = interpreters_.resolve(strings(request, "targets"));
    for (const InterpreterInfo& info : infos) check_may_end(info, force, caller, "close");
    const auto gathered = std::make_shared<Gathered>(
        infos.size(), [done = std::move(done)](const std::vector<json>& results) { done(combine(results)); });
    for (std::size_t i = 0; i < infos.size(); ++i) {
        const InterpreterInfo& info = infos[i];
        const std::string label = info.label();
        const auto told = std::make_shared<bool>(false);
        const auto tell = [gathered, i, told](json result) {
            if (!std::exchange(*told, true)) gathered->give(i, std::move(result));
        };
        router_.retire(info.id, label + " was closed before this cell could run there.");
        router_.interrupt(info.id, [](bool) {});
        backend_.interrupt_visitors(info.id);
        interpreters_.close(info.id, caller.cell, [tell, label](const std::string& remark) {
            tell(success("closed " + label + "." + (remark.empty() ? "" : " But " + remark + ".")));
        });
        timers_.after(close_patience, [tell, label] {
            tell(success(label + " has not stopped yet; it will be closed as soon as it does."));
        });
    }
}

void Commands::replace(const InterpreterInfo& old, std::function<void(json)> done) {
    router_.retire(old.id, old.label() + " was reset before this cell could run there.");
    router_.interrupt(old.id, [](bool) {});
    backend_.interrupt_visitors(old.id);
    interpreters_.registry().rename(old.id, "");
    interpreters_.close(old.id, 0, [](const std::string&) {});
    const std::string maker = makers_[old.id];
    interpreters_.create(
        old.name, old.preset, [this, old, maker, done = std::move(done)](const auto& info, const std::string& error) {
            if (!info) {
                done(failure(old.label() + " is closed, but a fresh one could not be created: " + error));
                return;
            }
            router_.replace(old.id, info->id);
            makers_[info->id] = maker;
            done(success(
                std::format("{} is a fresh interpreter now (id {}, {}).", old.label(), info->id, info->preset_label()),
                info->id));
        });
}

// One after the other: their new ids are in the order of the old ones.
void Commands::replace_from(std::size_t index, const std::shared_ptr<const std::vector<InterpreterInfo>>& old,
                            const std::shared_ptr<std::vector<json>>& results, const Done& done) {
    if (index == old->size()) {
        done(combine(*results));
        return;
    }
    replace((*old)[index], [this, index, old, results, done](json result) {
        results->push_back(std::move(result));
        replace_from(index + 1, old, results, done);
    });
}

void Commands::reset(const json& request, const Caller& caller, const Done& done) {
    const bool force = request.value("force", false);
    const std::vector<InterpreterInfo> infos = interpreters_.resolve(strings(request, "targets"));
    for (const InterpreterInfo& info : infos) check_may_end(info, force, caller, "reset");
    replace_from(0, std::make_shared<const std::vector<InterpreterInfo>>(infos), std::make_shared<std::vector<json>>(),
                 done);
}

void Commands::interrupt(const json& request, const Done& done) {
    const std::vector<InterpreterInfo> infos = interpreters_.resolve(strings(request, "targets"));
    const auto gathered =
        std::make_shared<Gathered>(infos.size(), [done](const std::vector<json>& results) { done(combine(results)); });
    for (std::size_t i = 0; i < infos.size(); ++i) {
        const std::string label = infos[i].label();
        const auto tell = [gathered, i, label](bool stopped) {
            gathered->give(i, success(stopped ? "interrupted " + label + "."
                                              : label + " has not stopped yet: it handles the interrupt itself, or is "
                                                        "in C code that cannot be interrupted.",
                                      stopped));
        };
        if (python::is_visited(infos[i].id)) { // then a cell, if there is one, waits for that to end
            backend_.interrupt_visitors(infos[i].id);
            look_whether_it_stops(infos[i].id, Timers::Clock::now() + Router::interrupt_patience, tell);
        } else if (!router_.interrupt(infos[i].id, tell)) {
            gathered->give(i, success("nothing runs in " + label + ".", false));
        }
    }
}

std::function<void()> Commands::wait(const json& request, const Caller& caller, const Done& done) {
    std::vector<InterpreterId> ids;
    const std::vector<std::string> targets = strings(request, "targets");
    if (!targets.empty() && !(targets.size() == 1 && targets.front() == "all"))
        for (const InterpreterInfo& info : interpreters_.resolve(targets)) ids.push_back(info.id);
    struct Waiting {
        std::uint64_t handle = 0;
        std::optional<Timers::Handle> timer;
        bool over = false;
    };
    const auto waiting = std::make_shared<Waiting>();
    auto stop = [this, waiting] {
        waiting->over = true;
        router_.stop_waiting(waiting->handle);
        if (waiting->timer) timers_.cancel(*waiting->timer);
    };
    if (request.contains("timeout") && request["timeout"].is_number()) {
        const double seconds = request["timeout"];
        if (!(seconds > 0 && seconds < 1e9)) throw UsageError{"timeout is a number of seconds above 0."};
        waiting->timer =
            timers_.after(std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>{seconds}),
                          [stop, done, seconds] {
                              stop();
                              done(failure(std::format("detached cells still run after {:g} s.", seconds)));
                          });
    }
    const std::uint64_t handle = router_.wait(std::move(ids), caller.cell, [stop, done] {
        stop();
        done(success(""));
    });
    if (!waiting->over) waiting->handle = handle;
    return stop;
}

} // namespace xinterp::kernel
