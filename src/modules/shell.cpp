#include <xinterp/modules/bridge.hpp>
#include <xinterp/modules/convert.hpp>
#include <xinterp/modules/shell.hpp>
#include <xinterp/modules/waiting.hpp>
#include <xinterp/python/internals.hpp>
#include <xinterp/python/lane.hpp>
#include <xinterp/python/visits.hpp>

#include <unistd.h>

#include <cstdio>

namespace xinterp::modules {
namespace {

using nlohmann::json;
using python::Ref;

// The exception that is set, as the content of a reply; it is cleared. Only what escapes the shell's own Python code
// comes here: a KeyboardInterrupt that arrives as the cell ends.
json take_error() {
    const Ref error = Ref::steal(PyErr_GetRaisedException());
    const Ref text = Ref::steal(error ? PyObject_Str(error.get()) : nullptr);
    if (!text) PyErr_Clear();
    const std::string name = error ? Py_TYPE(error.get())->tp_name : "SystemError";
    const std::string value = text ? to_utf8(text.get()) : "";
    return {{"status", "error"},
            {"ename", name},
            {"evalue", value},
            {"traceback", {value.empty() ? name : name + ": " + value}}};
}

// Another thread's code may be running there (`_interpreters.exec`): the cell waits for its end. False with an
// exception set when it is interrupted meanwhile.
bool begin_running(PyInterpreterState* interpreter) {
    if (python::Lane::here()->is_beside()) return true;
    while (!python::internals::set_running_main(interpreter)) {
        PyErr_Clear();
        {
            const python::Detached detached;
            python::wait_until_left(PyInterpreterState_GetID(interpreter), interrupt_slice);
        }
        if (interrupted()) return false;
    }
    python::claim_main_thread();
    return true;
}

} // namespace

std::unique_ptr<Shell> Shell::create(std::string& error) {
    BridgeState* state = bridge_state();
    const Ref module = Ref::steal(state != nullptr ? PyImport_ImportModule("_xinterp_shell") : nullptr);
    return wrap(Ref::steal(module ? PyObject_CallMethod(module.get(), "create", nullptr) : nullptr), state, error);
}

std::unique_ptr<Shell> Shell::create_beside(const std::string& name, std::string& error) {
    BridgeState* state = bridge_state();
    const Ref module = Ref::steal(state != nullptr ? PyImport_ImportModule("_xinterp_shell.subshells") : nullptr);
    return wrap(Ref::steal(module ? PyObject_CallMethod(module.get(), "begin", "s", name.c_str()) : nullptr), state,
                error);
}

std::unique_ptr<Shell> Shell::wrap(Ref object, BridgeState* state, std::string& error) {
    if (object) return std::unique_ptr<Shell>{new Shell{std::move(object), state}};
    const json reply = take_error();
    error = reply["ename"].get<std::string>() + ": " + reply["evalue"].get<std::string>();
    return nullptr;
}

void Shell::end_beside() { invoke("end", Py_None); }

namespace {

json with_name(const std::string& question, json content) {
    content["question"] = question;
    return content;
}

} // namespace

json Shell::invoke(const char* method, PyObject* argument) {
    const Ref result =
        Ref::steal(argument != nullptr ? PyObject_CallMethod(object_.get(), method, "O", argument) : nullptr);
    json value;
    if (!result || !to_json(result.get(), value)) return take_error();
    return value;
}

json Shell::execute(const ShellCell& cell) {
    const Ref request = to_python({{"count", cell.count},
                                   {"code", cell.code},
                                   {"typed", cell.typed},
                                   {"silent", cell.silent},
                                   {"store_history", cell.store_history},
                                   {"user_expressions", cell.user_expressions}});
    return run(cell.cell, "execute", request.get());
}

json Shell::call(CellId cell, const CommMessage& message) {
    const Ref request = to_python(message.parts), buffers = Ref::steal(PyList_New(0));
    if (!request || !buffers || PyDict_SetItemString(request.get(), "buffers", buffers.get()) != 0) return take_error();
    for (const std::vector<char>& buffer : message.buffers) {
        const Ref bytes = Ref::steal(PyBytes_FromStringAndSize(buffer.data(), static_cast<Py_ssize_t>(buffer.size())));
        const Ref view = Ref::steal(bytes ? PyMemoryView_FromObject(bytes.get()) : nullptr);
        if (!view || PyList_Append(buffers.get(), view.get()) != 0) return take_error();
    }
    return run(cell, "call_back", request.get());
}

// What a person has asked for: code that runs alone in its interpreter and can be interrupted.
json Shell::run(CellId cell, const char* method, PyObject* argument) {
    PyInterpreterState* interpreter = PyInterpreterState_Get();
    python::Lane* lane = python::Lane::here();
    if (!enter_cell(*state_, cell)) return take_error();
    lane->begin_interruptible();
    json reply;
    if (begin_running(interpreter)) {
        reply = invoke(method, argument);
        if (!lane->is_beside()) python::internals::set_not_running_main(interpreter);
    } else {
        reply = take_error();
    }
    if (lane->end_interruptible()) reply["stop_missed"] = true;
    if (in_forked_child()) { // which has not even come to its own end (forks.py): interrupts have kept it from that
        std::fflush(nullptr);
        _exit(1);
    }
    return reply;
}

void Shell::enter(CellId cell) {
    if (!enter_cell(*state_, cell)) PyErr_Clear();
}

json Shell::ask(const std::string& question, const json& content) {
    python::Lane* lane = python::Lane::here();
    const Ref request = to_python(with_name(question, content));
    // What people's code prints while values are packed for a cell belongs to that cell.
    const CellId before = cell_of_this_thread();
    const CellId cell = content.value("cell", before);
    if (cell != before && !enter_cell(*state_, cell)) return take_error();
    lane->begin_interruptible();
    json reply = invoke("ask", request.get());
    if (lane->end_interruptible()) reply["stop_missed"] = true;
    if (cell != before && !enter_cell(*state_, before)) return take_error();
    return reply;
}

json Shell::consult(const std::string& question, const json& content) {
    const Unheard unheard;
    const Ref request = to_python(with_name(question, content));
    return invoke("consult", request.get());
}

bool Shell::wait_in_loop(int descriptor) {
    const Ref number = Ref::steal(PyLong_FromLong(descriptor));
    python::Lane* lane = python::Lane::here();
    lane->begin_interruptible(); // a task that spins
    const json waited = invoke("wait_in_loop", number.get());
    lane->end_interruptible();
    if (waited.is_boolean()) return waited.get<bool>();
    return waited.value("ename", "") == "KeyboardInterrupt"; // it came between two tasks: they go on
}

} // namespace xinterp::modules
