// What `_interpreters` asks of the kernel: interpreters that Python code makes and gives up.
#include <xinterp/commands/commands.hpp>
#include <xinterp/magics/command_results.hpp>
#include <xinterp/python/visits.hpp>

#include <memory>

namespace xinterp::kernel {

using nlohmann::json;

// {"config": {field of PyInterpreterConfig: int}}; the value of the result is the id.
std::function<void()> Commands::make(const json& request, const Done& done) {
    const json& config = request.at("config");
    PyInterpreterConfig values{};
    values.use_main_obmalloc = config.at("use_main_obmalloc");
    values.allow_fork = config.at("allow_fork");
    values.allow_exec = config.at("allow_exec");
    values.allow_threads = config.at("allow_threads");
    values.allow_daemon_threads = config.at("allow_daemon_threads");
    values.check_multi_interp_extensions = config.at("check_multi_interp_extensions");
    values.gil = config.at("gil");
    const auto withdrawn = std::make_shared<bool>(false);
    interpreters_.create(
        "", python::Configuration{values},
        [this, done, withdrawn](const auto& info, const std::string& error) {
            json result = info ? success("", info->id) : failure(error);
            if (info) result["made"] = info->id;
            if (*withdrawn) undo(result);
            else done(result);
        },
        "Python");
    return [withdrawn] { *withdrawn = true; };
}

void Commands::undo(const json& result) {
    if (result.contains("made")) interpreters_.close(result["made"].get<InterpreterId>(), 0, [](const std::string&) {});
}

// {"id": int}; fails with "gone" or "running", as short as that: the caller words the exception.
void Commands::end(const json& request, const Caller& caller, const Done& done) {
    const auto info = interpreters_.registry().get(request.at("id").get<InterpreterId>());
    if (!info || info->state == python::State::closing) {
        done(failure("gone"));
    } else if (runs_something(info->id) || is_callers_own(info->id, caller)) {
        done(failure("running"));
    } else {
        router_.retire(info->id, info->label() + " was closed before this cell could run there.");
        interpreters_.close(info->id, caller.cell, [done](const std::string& remark) { done(success(remark)); });
    }
}

void Commands::unreferenced(InterpreterId id) {
    unreferenced_.insert(id);
    unreferenced_count_ = unreferenced_.size();
    became_idle(id);
}

void Commands::became_idle(InterpreterId id) {
    if (!unreferenced_.contains(id) || runs_something(id)) return;
    unreferenced_.erase(id);
    unreferenced_count_ = unreferenced_.size();
    // It may have been given a name or a new reference meanwhile.
    const auto info = interpreters_.registry().get(id);
    if (!info || info->state == python::State::closing || !info->name.empty() || info->origin != "Python" ||
        backend_.references(id) != 0)
        return;
    router_.retire(id, info->label() + " was closed before this cell could run there.");
    interpreters_.close(id, 0, [](const std::string&) {});
}

} // namespace xinterp::kernel
