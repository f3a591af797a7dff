// include/xinterp/debugger/debugger.hpp: JupyterLab's debugger over all interpreters. Each has a debug server of its
// own (debugpy's, see debug_server.py), which speaks the Debug Adapter Protocol (DAP) with the kernel; here they become
// the one debugger that debug_request talks to: breakpoints go to all, everything else to the interpreter that it is
// about. I/O thread only; no call waits, whatever the interpreters do.
//
// An interpreter is connected when the debugger is switched on if it runs something, and if not before its next cell,
// or before code of another one enters it: importing debugpy takes a fifth of a second. Main is connected at once.
#pragma once

#include <xinterp/debugger/debug_cells.hpp>
#include <xinterp/debugger/debug_handles.hpp>
#include <xinterp/debugger/debug_session.hpp>
#include <xinterp/protocol/server.hpp>
#include <xinterp/routing/backend.hpp>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace xinterp::kernel {

class Debugger {
public:
    /// How long an answer of all interpreters waits for those that are in C code.
    static constexpr std::chrono::milliseconds patience{500};
    /// How long the reply to disconnect waits for interpreters that are being left: debugpy's threads end first.
    static constexpr std::chrono::seconds leaving_patience{5};
    /// How long a stop is told later because variables were asked for before it.
    static constexpr std::chrono::milliseconds inspection_patience{250};
    /// When a thread has gone on and does not stop again in that time, another one that is stopped is shown.
    static constexpr std::chrono::milliseconds step_time{300};

    using Reply = std::function<void(nlohmann::json content)>;

    Debugger(Server& server, Backend& backend, const python::Registry& registry, const History& history)
        : server_{server}, backend_{backend}, registry_{registry}, cells_{history} {}

    /// A debug_request; the content of its debug_reply.
    void request(const xeus::xmessage& request, Reply reply);
    /// What an interpreter asks: where the kernel is ("socket"), which cell a file is ("path"); and that another one is
    /// connected ("connect"), which is about to be entered.
    void answer(InterpreterId interpreter, const nlohmann::json& question, const Reply& reply);
    /// Any thread.
    bool is_on() const { return state_ == State::on; }

    /// An interpreter is about to run something: then its breakpoints are known there.
    void before_run(InterpreterId interpreter);
    /// The kernel ends.
    void end() { cells_.remove(); }
    /// An interrupt is on its way: what is stopped goes on, into the interrupt.
    void interrupted(LaneId lane);

private:
    using json = nlohmann::json;

    /// In the place of an interpreter: what is shown of main while nothing is stopped (debug_questions.py).
    static constexpr InterpreterId explored = -1;

    /// An interpreter's debug server.
    struct Target {
        int generation = 0;
        std::unique_ptr<DebugSession> session{};
        bool ready = false;               ///< it knows the breakpoints, and its threads are watched
        std::set<std::int64_t> stopped{}; ///< its threads, by its own numbers
        std::set<std::int64_t> scopes{};  ///< what variables are asked of that belong to a frame, likewise
    };
    /// A request and what answers it.
    struct Asked {
        json message;
        Reply reply;
        json arguments() const;
    };
    using Handler = void (Debugger::*)(const Asked&);
    using Refinement = std::function<void(InterpreterId, json& body)>;
    enum class Needs { nothing, initialized, attached };
    struct Command {
        Handler handler;
        Needs needs; ///< what must have come before
    };
    static const std::map<std::string, Command>& commands();

    // requests: debug_requests.cpp
    void initialize(const Asked& asked);
    void attach(const Asked& asked);
    void configuration_done(const Asked& asked);
    void disconnect(const Asked& asked);
    void terminate(const Asked& asked);
    void debug_info(const Asked& asked);
    void dump_cell(const Asked& asked);
    void source(const Asked& asked);
    void set_breakpoints(const Asked& asked);
    void tell_all(const Asked& asked);
    // debug_inspection.cpp
    void threads(const Asked& asked);
    void stack_trace(const Asked& asked);
    void scopes(const Asked& asked);
    void variables(const Asked& asked);
    void pass_on(const Asked& asked);
    /// To the interpreter that it is about, whose answer is refined; `gone` if there is none any more.
    void forward(const Asked& asked, const std::string& gone, Refinement refine = {});
    void inspect_variables(const Asked& asked);
    void rich_inspect_variables(const Asked& asked);
    void copy_to_globals(const Asked& asked);
    void modules(const Asked& asked);

    // answers
    void succeed(const Asked& asked, json body = json::object());
    void fail(const Asked& asked, const std::string& message, json body = json::object());
    /// A response of an interpreter's, with numbers that are valid here.
    void give(const Asked& asked, InterpreterId interpreter, const json& response);
    static std::string why(const json& answered);

    // interpreters
    void ask_interpreter(InterpreterId interpreter, const json& question, const Backend::Reply& reply);
    json attach_question() const;
    void connect(InterpreterId interpreter);
    bool is_ready(InterpreterId interpreter) const;
    Backend::Reply connected(InterpreterId interpreter);
    int open_session(InterpreterId interpreter);
    void set_connected(InterpreterId interpreter);
    void received(InterpreterId interpreter, const json& event);
    void lost(InterpreterId interpreter);
    void publish(const std::string& event, json body);
    void publish_held();
    void publish_stop(const DebugHandles::Place& thread);
    void switch_off(const std::function<void()>& done);
    void resume(InterpreterId interpreter, std::int64_t thread);
    void went_on(InterpreterId interpreter, std::int64_t thread);
    void show_another_later();
    std::vector<InterpreterId> ready() const;
    /// To be called for each of `count` answers: the last one, or the end of our patience, calls `done`, once.
    std::function<void()> when_answered(std::size_t count, std::function<void()> done,
                                        std::chrono::milliseconds how_long = patience);
    /// To every interpreter that has a session; `first` with the first response, or null if none comes, once all that
    /// are connected have answered or our patience is over.
    void broadcast(const std::string& command, const json& arguments, std::function<void(const json&)> first);

    // numbers
    void translate(json& value, InterpreterId interpreter);
    /// Whom a request is about, its numbers replaced by that interpreter's own; nothing if what it names is gone.
    std::optional<InterpreterId> address(json& arguments) const;
    InterpreterId current() const;
    std::string label(InterpreterId interpreter) const;

    Server& server_;
    Backend& backend_;
    const python::Registry& registry_;
    DebugCells cells_;

    enum class State { off, starting, on };
    std::atomic<State> state_ = State::off;
    int generation_ = 0; ///< how often it was switched on
    int sequence_ = 0;
    json parent_ = json::object(); ///< of events: the last request
    std::map<InterpreterId, Target> targets_;
    std::map<InterpreterId, int> refused_;        ///< those that could not be connected, with the generation
    DebugHandles threads_, references_, sources_; ///< references: of frames, scopes and variables
    std::vector<DebugHandles::Place> stops_;      ///< threads that are stopped, the last one last
    std::uint64_t stop_count_ = 0;
    int inspections_ = 0;                            ///< of all variables, not answered yet
    std::vector<std::pair<std::string, json>> held_; ///< events, from a stop on, that wait for those

    // what every interpreter is told when it is connected
    json options_ = json::object();
    std::map<std::string, json> breakpoints_; ///< by path: the arguments of setBreakpoints
    std::map<std::string, json> settings_;    ///< by command: of setExceptionBreakpoints and the like
};

} // namespace xinterp::kernel
