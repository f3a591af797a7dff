// include/xinterp/commands/commands.hpp: `%interp`, `import xinterp` and, one day, the panel: one implementation.
// I/O thread only; nothing here takes a GIL.
//
// A request is {"command": name, ...options as the commands' Python functions have them}, or {"line": what follows
// `%interp`}. A result is
//   {"ok": true, "value": ..., "text": what a person reads, "html": the same, rich (list only)}   or
//   {"ok": false, "error": one or two plain lines}   or
//   {"ok": true, "needs": what}: the calling interpreter, whose lane waits for this, does that part itself and asks
//   again: its variables' descriptions ("own"), its variables packed ("packed") or unpacked ("unpacked"). What is
//   packed for such a request belongs to its "shipment" (parcels.hpp), which ends with the call.
#pragma once

#include <xinterp/routing/interpreters.hpp>
#include <xinterp/routing/router.hpp>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace xinterp::kernel {

class Commands {
public:
    /// Who asks.
    struct Caller {
        Client client;
        CellId cell = 0;
        std::optional<InterpreterId>
            interpreter;                      ///< where the calling code runs; nothing for a cell of `%interp` lines
        std::vector<InterpreterId> callers{}; ///< whose code waits for that of `interpreter`
    };
    using Done = std::function<void(nlohmann::json result)>;

    Commands(Interpreters& interpreters, Router& router, Backend& backend, Timers& timers)
        : interpreters_{interpreters}, router_{router}, backend_{backend}, timers_{timers} {}

    /// Never throws; `done` is called once, at once or later. The result cancels what can be waited for: `done` is then
    /// not called any more.
    std::function<void()> run(const nlohmann::json& request, const Caller& caller, const Done& done);
    /// Nobody has seen that result any more: what it has made goes.
    void undo(const nlohmann::json& result);
    /// Nothing runs in that interpreter any more: it goes if nobody refers to it.
    void became_idle(InterpreterId id);
    /// Whether there are interpreters that wait for that. Any thread.
    bool some_wait_to_go() const { return unreferenced_count_ != 0; }

private:
    std::function<void()> dispatch(const nlohmann::json& request, const Caller& caller, const Done& done);
    nlohmann::json list();
    /// What `create` has to make, and has made.
    struct Plan {
        std::vector<std::string> names;
        std::vector<std::optional<InterpreterInfo>> existing;
        bool fresh;
        std::string cell; ///< the notebook's cell that asks, by the id that its front end gives it; empty: none
        python::Preset preset;
        std::vector<nlohmann::json> results;
        Done done;
    };
    void create(const nlohmann::json& request, const Caller& caller, Done done);
    void create_next(const std::shared_ptr<Plan>& plan);
    bool was_made_by(const std::string& cell, const InterpreterInfo& info) const;
    void close(const nlohmann::json& request, const Caller& caller, Done done);
    void reset(const nlohmann::json& request, const Caller& caller, const Done& done);
    void interrupt(const nlohmann::json& request, const Done& done);
    std::function<void()> wait(const nlohmann::json& request, const Caller& caller, const Done& done);
    struct Sharing;
    std::function<void()> share(const nlohmann::json& request, const Caller& caller, const Done& done);
    void take_packed(const std::shared_ptr<Sharing>& sharing, const nlohmann::json& request,
                     const nlohmann::json& packed);
    void ask(const std::shared_ptr<Sharing>& sharing, InterpreterId interpreter, const char* question,
             nlohmann::json content, Backend::Reply reply);
    static void tell(Sharing& sharing);
    void show_variables(const nlohmann::json& request, const Caller& caller, const Done& done);
    /// Not for people: the line that a NameError adds, in "text".
    std::function<void()> find_variable(const std::string& name, const Caller& caller, const Done& done);
    void read_variables(const InterpreterInfo& info, LaneId lane, std::function<void(nlohmann::json)> done);
    bool runs_something(InterpreterId id) const;
    static bool is_callers_own(InterpreterId id, const Caller& caller);
    void look_whether_it_stops(InterpreterId id, Timers::Clock::time_point until, std::function<void(bool)> done);
    // What `_interpreters` asks for (command_python.cpp).
    std::function<void()> make(const nlohmann::json& request, const Done& done);
    void end(const nlohmann::json& request, const Caller& caller, const Done& done);
    void unreferenced(InterpreterId id);
    void check_may_end(const InterpreterInfo& info, bool force, const Caller& caller, const std::string& command) const;
    void replace(const InterpreterInfo& old, std::function<void(nlohmann::json)> done);
    void replace_from(std::size_t index, const std::shared_ptr<const std::vector<InterpreterInfo>>& old,
                      const std::shared_ptr<std::vector<nlohmann::json>>& results, const Done& done);

    Interpreters& interpreters_;
    Router& router_;
    Backend& backend_;
    Timers& timers_;
    std::map<InterpreterId, std::string> makers_; ///< the notebooks' cells that have created interpreters
    std::set<InterpreterId> unreferenced_;        ///< made by Python code, running when the last reference to them went
    std::atomic<std::size_t> unreferenced_count_ = 0;
};

} // namespace xinterp::kernel
