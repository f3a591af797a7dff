// include/xinterp/modules/shell.hpp: an interpreter's shell (src/shell, written in Python) as C++ sees it.
// All members but consult(): on the interpreter's lane, attached. Nothing throws; no exception is left set.
#pragma once

#include <xinterp/modules/comm_message.hpp>
#include <xinterp/modules/origin.hpp>

#include <memory>
#include <string>

namespace xinterp::modules {

/// One interpreter's part of a cell.
struct ShellCell {
    CellId cell = 0;
    int count = 0;
    std::string code, typed;
    bool silent = false, store_history = true;
    nlohmann::json user_expressions;
};

class Shell {
public:
    /// Sets the attached interpreter up: streams, input(), attribution, interruptible waiting. Null, with the reason in
    /// `error`, when that fails.
    static std::unique_ptr<Shell> create(std::string& error);
    /// What runs cells on a thread beside the attached interpreter's lane, in the same namespace. The thread is called
    /// that for Python's code. Null, with the reason in `error`, when that fails.
    static std::unique_ptr<Shell> create_beside(const std::string& name, std::string& error);
    /// The end of one that was created beside: its event loop goes.
    void end_beside();

    /// What runs in the interpreter from now on belongs to that cell.
    void enter(CellId cell);
    /// The content of an execute_reply; with "stop_missed" if it was interrupted too late to notice. So ask().
    nlohmann::json execute(const ShellCell& cell);
    /// A method of the shell: what it is asked, to what it answers. "cell": whose output it makes, if any.
    nlohmann::json ask(const std::string& question, const nlohmann::json& content);
    /// What waits for that comm's messages, as part of that cell.
    nlohmann::json call(CellId cell, const CommMessage& message);
    /// A method of the shell that looks at code and namespace ("complete", "inspect", "is_complete"), beside what the
    /// lane runs. What people's code prints meanwhile is dropped. Any thread, attached in the interpreter.
    nlohmann::json consult(const std::string& question, const nlohmann::json& content);
    /// Lane's idle hook: runs the interpreter's event loop until the descriptor is readable. False if it has nothing to
    /// do.
    bool wait_in_loop(int descriptor);

private:
    static std::unique_ptr<Shell> wrap(python::Ref object, BridgeState* state, std::string& error);
    Shell(python::Ref object, BridgeState* state) : object_{std::move(object)}, state_{state} {}
    nlohmann::json invoke(const char* method, PyObject* argument);
    nlohmann::json run(CellId cell, const char* method, PyObject* argument);

    python::Ref object_;
    BridgeState* state_;
};

} // namespace xinterp::modules
