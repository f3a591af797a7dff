// include/xinterp/routing/backend.hpp: what runs code. Python in the kernel, an echo in the tests of the server and
// router. All calls and all callbacks are on the I/O thread; no call waits.
#pragma once

#include <xinterp/modules/comm_message.hpp>
#include <xinterp/modules/front_end.hpp>

#include <nlohmann/json.hpp>

#include <compare>
#include <functional>
#include <string>
#include <variant>

namespace xinterp::kernel {

using modules::CellId;
using modules::InterpreterId;
using modules::Source;

/// Numbers the subshells of a kernel's life from 1; 0 is no subshell.
using SubshellNumber = std::uint64_t;

/// One order of cells: an interpreter's own lane, or that of a subshell beside main's.
struct LaneId {
    InterpreterId interpreter = python::main_interpreter;
    SubshellNumber subshell = 0; ///< of main alone
    LaneId() = default;
    LaneId(InterpreterId own)
        : interpreter{own} {} // NOLINT(google-explicit-constructor): its own lane is what is meant
    LaneId(InterpreterId target, SubshellNumber beside)
        : interpreter{target}, subshell{target == python::main_interpreter ? beside : 0} {}
    auto operator<=>(const LaneId&) const = default;
};

/// Runs the cells that come on the control channel: beside those of the shell channel, whatever these do.
inline constexpr SubshellNumber control_subshell = ~SubshellNumber{0};

/// Of its thread, for the system and in Python.
inline std::string subshell_name(SubshellNumber subshell) {
    return "subshell-" + (subshell == control_subshell ? "ctrl" : std::to_string(subshell));
}

/// One interpreter's part of a cell.
struct CellCode {
    CellId cell = 0;
    int count = 0;     ///< its In [n]
    std::string code;  ///< without the %%interp line
    std::string typed; ///< as typed: what In[n] holds
    bool silent = false, store_history = true, allow_stdin = true;
    nlohmann::json user_expressions = nlohmann::json::object();
};

class Backend {
public:
    /// The content of an execute_reply: {"status": "ok", ...} or {"status": "error", "ename", "evalue", "traceback"}.
    using Reply = std::function<void(nlohmann::json)>;

    virtual ~Backend() = default;
    /// Runs it in that lane, which runs nothing else.
    virtual void execute(LaneId lane, CellCode code, Reply reply) = 0;
    /// A method of the shell ("complete", "variables", "pack", ...): the request's content to the reply's, between
    /// cells. {"status": "aborted"} if the interpreter ends before.
    virtual void ask(LaneId lane, std::string question, nlohmann::json content, Reply reply) = 0;
    /// Calls what waits there for that comm's messages, as a cell of that number. {"status": "aborted"} if the
    /// interpreter ends before.
    virtual void call(InterpreterId interpreter, CellId cell, modules::SharedCommMessage message, Reply reply) = 0;
    /// The same of main, at the end of the kernel, when nothing runs in it any more; nobody waits for the answer.
    virtual void ask_at_end(std::string question, nlohmann::json content) = 0;
    /// What somebody who types wants to know ("complete", "inspect", "is_complete"): answered also beside a cell.
    /// {"status": "aborted"} if the interpreter is busy where nobody can come between, or takes too long.
    virtual void consult(InterpreterId interpreter, std::string question, nlohmann::json content, Reply reply) {
        ask(interpreter, std::move(question), std::move(content), std::move(reply));
    }
    /// Bytes in its small-object arenas; 0 where it has none of its own.
    virtual std::size_t memory(InterpreterId interpreter) = 0;
    /// KeyboardInterrupt in what its lane runs, and in the run that waits for it; false if there is neither.
    virtual bool interrupt(LaneId lane) = 0;
    /// Likewise in the tasks that run between cells, in every interpreter.
    virtual void interrupt_tasks() {}
    /// Likewise in what threads of other interpreters run there.
    virtual void interrupt_visitors(InterpreterId interpreter) = 0;
    /// Likewise in what threads of that cell run in other interpreters.
    virtual void interrupt_threads_of(CellId cell) = 0;
    /// A new interpreter's id, or why there is none.
    virtual void create(const python::Configuration& configuration,
                        std::function<void(std::variant<InterpreterId, std::string>)> done) = 0;
    /// Finalizes it after what runs there, as part of that cell; `remark` says what was left behind, if anything was.
    virtual void close(InterpreterId interpreter, CellId cell, std::function<void(std::string remark)> done) = 0;
    /// A subshell is over, and runs nothing any more: its thread ends, if it has one.
    virtual void end_subshell(SubshellNumber /*subshell*/, const std::function<void()>& done) { done(); }
    /// How many of Python's Interpreter objects refer to it.
    virtual std::size_t references(InterpreterId interpreter) = 0;
};

} // namespace xinterp::kernel
