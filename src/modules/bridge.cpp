#include <xinterp/modules/blocking.hpp>
#include <xinterp/modules/bridge.hpp>
#include <xinterp/modules/channels.hpp>
#include <xinterp/modules/contexts.hpp>
#include <xinterp/modules/convert.hpp>
#include <xinterp/modules/parcels.hpp>
#include <xinterp/modules/queue_waiting.hpp>
#include <xinterp/modules/stream.hpp>
#include <xinterp/modules/waiting.hpp>
#include <xinterp/python/environment.hpp>
#include <xinterp/python/internals.hpp>
#include <xinterp/python/lane.hpp>
#include <xinterp/python/visits.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <new>
#include <utility>

namespace xinterp::modules {
namespace {

using nlohmann::json;
using python::Ref;

bool forked_child = false;
// The pipes of the cell that forks: made before the fork, taken by the child.
thread_local std::array<int, 2> fork_pipes{-1, -1};
thread_local Source fork_source;
thread_local std::chrono::steady_clock::time_point fork_began;

BridgeState& state_of(PyObject* module) { return *static_cast<BridgeState*>(PyModule_GetState(module)); }

// What people show may be of any type.
Ref as_json(PyObject* object) {
    const Ref convert = Ref::steal(PyImport_ImportModuleAttrString("_xinterp_shell.display", "as_json"));
    return Ref::steal(convert ? PyObject_CallOneArg(convert.get(), object) : nullptr);
}

PyObject* publish(PyObject* module, PyObject* arguments) {
    const char* type = nullptr;
    PyObject *content = nullptr, *metadata = Py_None, *buffers = Py_None;
    if (PyArg_ParseTuple(arguments, "sO|OO", &type, &content, &metadata, &buffers) == 0) return nullptr;
    json content_value, metadata_value = json::object();
    if (!to_json(content, content_value, as_json) ||
        (metadata != Py_None && !to_json(metadata, metadata_value, as_json)))
        return nullptr;
    std::vector<std::string> parts;
    if (buffers != Py_None) {
        const Ref sequence = Ref::steal(PySequence_Fast(buffers, "buffers must be a sequence"));
        if (!sequence) return nullptr;
        for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(sequence.get()); ++i) {
            Py_buffer view;
            if (PyObject_GetBuffer(PySequence_Fast_GET_ITEM(sequence.get(), i), &view, PyBUF_FULL_RO) != 0)
                return nullptr;
            parts.emplace_back(static_cast<std::size_t>(view.len), '\0');
            const int copied = PyBuffer_ToContiguous(parts.back().data(), &view, view.len, 'C');
            PyBuffer_Release(&view);
            if (copied != 0) return nullptr;
        }
    }
    const Source source = output_source(state_of(module));
    if (!forked_child && source.cell != unheard_cell) {
        FrontEnd& shower = front_end();
        shower.publish(source, type, std::move(content_value), std::move(metadata_value), std::move(parts));
        if (!shower.has_room() && !wait_for_room(shower)) return nullptr;
    }
    Py_RETURN_NONE;
}

PyObject* ask_input(PyObject* module, PyObject* arguments) {
    PyObject* prompt = nullptr;
    int password = 0;
    if (PyArg_ParseTuple(arguments, "Up", &prompt, &password) == 0) return nullptr;
    if (forked_child) {
        PyErr_SetString(PyExc_EOFError, "a forked child of the kernel cannot ask for input");
        return nullptr;
    }
    const Source source = output_source(state_of(module));
    if (source.cell == unheard_cell) {
        PyErr_SetString(PyExc_EOFError, "completion and inspection cannot ask for input");
        return nullptr;
    }
    const std::shared_ptr<Answer> answer =
        front_end().ask_input(source, {to_utf8(prompt), password != 0, PyThread_get_thread_ident()});
    const auto value = wait_for(*answer);
    if (!value) {
        front_end().withdraw_input(answer);
        return nullptr;
    }
    return to_python(*value).release();
}

// What the calling interpreter has to do itself while its lane waits is `own_part`'s: a wish ("needs", see
// commands.hpp) to what is added to the request.
PyObject* command(PyObject* module, PyObject* arguments) {
    PyObject *request = nullptr, *own_part = nullptr;
    if (PyArg_ParseTuple(arguments, "OO", &request, &own_part) == 0) return nullptr;
    json value;
    if (!to_json(request, value)) return nullptr;
    if (forked_child) {
        PyErr_SetString(PyExc_RuntimeError, "a forked child of the kernel cannot manage interpreters");
        return nullptr;
    }
    const Shipment shipment; // what is packed for the command is gone when it has ended, or its caller was interrupted
    value["shipment"] = shipment.number();
    value["callers"] = python::callers_on_this_thread();
    while (true) {
        const std::shared_ptr<Answer> answer = front_end().command(current_source(state_of(module)), value);
        const auto result = wait_for(*answer);
        if (!result) {
            front_end().withdraw_command(answer);
            return nullptr;
        }
        const Ref told = to_python(*result);
        if (!told || !result->contains("needs")) return Ref{told}.release();
        const Ref part = Ref::steal(PyObject_CallFunction(own_part, "OK", told.get(), shipment.number()));
        json part_value;
        if (!part || !to_json(part.get(), part_value)) return nullptr;
        value.update(part_value);
    }
}

PyObject* in_kernel(PyObject*, PyObject*) { return PyBool_FromLong(static_cast<long>(has_front_end())); }

PyObject* carry_function(PyObject* module, PyObject* function) { return carry(state_of(module), function).release(); }

PyObject* current_cell(PyObject* module, PyObject*) {
    return PyLong_FromUnsignedLongLong(current_source(state_of(module)).cell);
}

PyObject* output_cell(PyObject* module, PyObject*) {
    return PyLong_FromUnsignedLongLong(output_source(state_of(module)).cell);
}

PyObject* show_output_under(PyObject* module, PyObject* cell) {
    const CellId number = PyLong_AsUnsignedLongLong(cell);
    if (PyErr_Occurred() != nullptr) return nullptr;
    BridgeState& state = state_of(module);
    const CellId before = shown_under(state);
    return show_under(state, number) ? PyLong_FromUnsignedLongLong(before) : nullptr;
}

PyObject* is_subshell(PyObject*, PyObject*) {
    const python::Lane* lane = python::Lane::here();
    return PyBool_FromLong(static_cast<long>(lane != nullptr && lane->is_beside()));
}

// What a subprocess of the source gets in place of 1 or 2; -1: none.
int pipe_of(Source source, Stream stream) {
    static const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    return source.cell == unheard_cell ? nowhere : front_end().process_pipe(source, stream);
}

PyObject* process_pipe(PyObject* module, PyObject* descriptor) {
    const long number = PyLong_AsLong(descriptor);
    if (number == -1 && PyErr_Occurred() != nullptr) return nullptr;
    if (number != STDOUT_FILENO && number != STDERR_FILENO) {
        PyErr_SetString(PyExc_ValueError, "process_pipe() takes 1 or 2");
        return nullptr;
    }
    if (forked_child) return PyLong_FromLong(number); // they are the cell's pipes already
    const int pipe = pipe_of(output_source(state_of(module)), number == STDOUT_FILENO ? Stream::out : Stream::err);
    return PyLong_FromLong(pipe < 0 ? static_cast<int>(number) : pipe);
}

using Clock = std::chrono::steady_clock;

bool tell_of_process(PyObject* module, PyObject* process, Clock::time_point began) {
    const long id = PyLong_AsLong(process);
    if (id == -1 && PyErr_Occurred() != nullptr) return false;
    if (!forked_child) front_end().process_started(current_source(state_of(module)), static_cast<pid_t>(id), began);
    return true;
}

PyObject* process_started(PyObject* module, PyObject* process) {
    if (!tell_of_process(module, process, Clock::now())) return nullptr;
    Py_RETURN_NONE;
}

// In C: an interrupt that comes while the process is being started rises in the caller's next instruction, and the
// process would be lost.
PyObject* start_process(PyObject* module, PyObject* arguments) {
    PyObject *start = nullptr, *given = nullptr, *options = nullptr;
    if (PyArg_ParseTuple(arguments, "OO!O!", &start, &PyTuple_Type, &given, &PyDict_Type, &options) == 0)
        return nullptr;
    const auto began = Clock::now();
    Ref process = Ref::steal(PyObject_Call(start, given, options));
    return process && tell_of_process(module, process.get(), began) ? process.release() : nullptr;
}

PyObject* environment(PyObject*, PyObject*) {
    Ref variables = Ref::steal(PyDict_New());
    for (const auto& [name, value] : python::environment()) {
        const Ref key = Ref::steal(PyBytes_FromStringAndSize(name.data(), static_cast<Py_ssize_t>(name.size())));
        const Ref text = Ref::steal(PyBytes_FromStringAndSize(value.data(), static_cast<Py_ssize_t>(value.size())));
        if (!variables || !key || !text || PyDict_SetItem(variables.get(), key.get(), text.get()) != 0) return nullptr;
    }
    return variables.release();
}

PyObject* worker_pipes(PyObject* module, PyObject* pool) {
    const PoolId number = PyLong_AsUnsignedLongLong(pool);
    if (PyErr_Occurred() != nullptr) return nullptr;
    const Source source = output_source(state_of(module));
    const bool is_none = forked_child || source.cell == unheard_cell;
    const int out = is_none ? -1 : front_end().worker_pipe(source, number, Stream::out);
    const int err = is_none ? -1 : front_end().worker_pipe(source, number, Stream::err);
    return Py_BuildValue("ii", out, err);
}

PyObject* work_given(PyObject* module, PyObject* pool) {
    const PoolId number = PyLong_AsUnsignedLongLong(pool);
    if (PyErr_Occurred() != nullptr) return nullptr;
    const Source source = output_source(state_of(module));
    if (!forked_child && source.cell != unheard_cell) front_end().work_given(source, number);
    Py_RETURN_NONE;
}

PyObject* before_fork(PyObject* module, PyObject* arguments) {
    std::array<int, 2> pipes{};
    if (PyArg_ParseTuple(arguments, "ii", &pipes[0], &pipes[1]) == 0) return nullptr;
    fork_source = current_source(state_of(module));
    fork_began = Clock::now();
    fork_pipes = pipes;
    Py_RETURN_NONE;
}

PyObject* after_fork_in_child(PyObject*, PyObject*) {
    if (!forked_child) {
        forked_child = true;
        for (const std::size_t i : {std::size_t{0}, std::size_t{1}})
            if (fork_pipes[i] > STDERR_FILENO) dup2(fork_pipes[i], static_cast<int>(i) + 1);
    }
    Py_RETURN_NONE;
}

PyObject* is_forked_child(PyObject*, PyObject*) { return PyBool_FromLong(static_cast<long>(forked_child)); }

// Without Py_Finalize, which would wait for the threads and locks of the parent.
PyObject* end_child(PyObject*, PyObject* status) {
    const long number = PyLong_AsLong(status);
    if (number == -1 && PyErr_Occurred() != nullptr) return nullptr;
    std::fflush(nullptr);
    _exit(static_cast<int>(number));
}

PyObject* main_thread(PyObject* module, PyObject*) {
    return PyLong_FromUnsignedLong(python::main_thread_of(state_of(module).interpreter));
}

PyObject* stop_requested(PyObject*, PyObject*) {
    if (interrupted()) return nullptr;
    Py_RETURN_NONE;
}

// What has begun runs to its end; an interrupt that came before keeps it from beginning.
PyObject* defer_interrupts(PyObject*, PyObject* const* arguments, Py_ssize_t count) {
    if (count < 1) {
        PyErr_SetString(PyExc_TypeError, "defer_interrupts() takes a function");
        return nullptr;
    }
    const python::internals::DeferredInterrupts deferred;
    if (python::internals::raise_pending_interrupt() || PyErr_CheckSignals() != 0) return nullptr;
    return PyObject_Vectorcall(arguments[0], arguments + 1, static_cast<std::size_t>(count - 1), nullptr);
}

// Whether CPython asks, for an exception that leaves its interpreter: with these two options, both false.
bool is_crossing(PyObject* options) {
    if (options == nullptr || PyDict_GET_SIZE(options) != 2) return false;
    const auto is_off = [options](const char* name) { return PyDict_GetItemString(options, name) == Py_False; };
    return is_off("save_exc_type") && is_off("lookup_lines");
}

// CPython (3.14, 3.15) gives three references back twice if this fails when an exception leaves its interpreter, which
// breaks the heap; and an interrupt makes it fail, or the exception's own class. Then another one is described.
PyObject* describe_exception(PyObject*, PyObject* arguments, PyObject* options) {
    PyObject *describe = nullptr, *type = nullptr, *exception = nullptr;
    if (PyArg_ParseTuple(arguments, "OOO", &describe, &type, &exception) == 0) return nullptr;
    const Ref own = Ref::steal(PyTuple_Pack(2, type, exception));
    Ref described = Ref::steal(own ? PyObject_Call(describe, own.get(), options) : nullptr);
    if (described || !is_crossing(options)) return described.release();
    PyErr_Clear();
    const python::internals::Undisturbed undisturbed;
    const Ref instead = Ref::steal(PyObject_CallFunction(
        PyExc_RuntimeError, "N",
        PyUnicode_FromFormat("the traceback of %s could not be made", Py_TYPE(exception)->tp_name)));
    const Ref others = Ref::steal(instead ? PyTuple_Pack(2, type, instead.get()) : nullptr);
    return others ? PyObject_Call(describe, others.get(), options) : nullptr;
}

// __import__ as importer() makes it; `own` is a tuple of what is asked first, and the original. No frame of the shell's
// stands in tracebacks of imports that the original makes.
PyObject* import_module(PyObject* own, PyObject* arguments, PyObject* options) {
    static constexpr std::array<const char*, 6> names{"name", "globals", "locals", "fromlist", "level", nullptr};
    PyObject *name = nullptr, *globals = Py_None, *locals = Py_None, *wanted = Py_None;
    int level = 0;
    if (PyArg_ParseTupleAndKeywords(arguments, options, "U|OOOi:__import__", const_cast<char**>(names.data()), &name,
                                    &globals, &locals, &wanted, &level) == 0)
        return nullptr;
    PyObject* original = PyTuple_GET_ITEM(own, 1);
    Ref module =
        Ref::steal(PyObject_CallFunction(PyTuple_GET_ITEM(own, 0), "OOOiO", name, globals, wanted, level, original));
    if (!module || module.get() != Py_None) return module.release();
    return PyObject_Call(original, arguments, options);
}

PyMethodDef import_method{"__import__", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(import_module)),
                          METH_VARARGS | METH_KEYWORDS,
                          "__import__(name, globals=None, locals=None, fromlist=(), level=0)\n--\n\n"
                          "Import a module. Use importlib.import_module() instead."};

PyObject* importer(PyObject*, PyObject* own) {
    return PyTuple_GET_SIZE(own) == 2 ? PyCFunction_New(&import_method, own) : PyErr_Format(PyExc_TypeError, "two");
}

// Calls what `find` gives for the original, which is the first argument, with the other arguments.
PyObject* call_found(PyObject* find, PyObject* const* arguments, Py_ssize_t count, PyObject* keywords) {
    if (count < 1) return PyErr_Format(PyExc_TypeError, "there is no original");
    const Ref found = Ref::steal(PyObject_CallOneArg(find, arguments[0]));
    return found ? PyObject_Vectorcall(found.get(), arguments + 1, static_cast<std::size_t>(count - 1), keywords)
                 : nullptr;
}

PyMethodDef call_found_method{"call_found", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(call_found)),
                              METH_FASTCALL | METH_KEYWORDS, nullptr};

PyObject* without_frame(PyObject*, PyObject* find) { return PyCFunction_New(&call_found_method, find); }

template <class Function> PyCFunction fastcall(Function function) {
    return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function));
}

// The types that the caller has checked give their memory without running anybody's code.
PyObject* data_address(PyObject*, PyObject* object) {
    Py_buffer view{};
    if (PyObject_GetBuffer(object, &view, PyBUF_STRIDED_RO) != 0) return nullptr;
    PyObject* address = view.len == 0 ? Py_NewRef(Py_None) : PyLong_FromVoidPtr(view.buf);
    PyBuffer_Release(&view);
    return address;
}

PyMethodDef methods[] = {
    {"publish", guarded<publish, PyObject*, PyObject*>, METH_VARARGS,
     "publish(type, content, metadata=None, buffers=None)\n--\n\nSend a message of the current cell."},
    {"ask_input", guarded<ask_input, PyObject*, PyObject*>, METH_VARARGS,
     "ask_input(prompt, password)\n--\n\nAsk the person: {'value': text} or {'error': sentence}."},
    {"command", guarded<command, PyObject*, PyObject*>, METH_VARARGS,
     "command(request, own_part, /)\n--\n\nRun a management command and wait for its result."},
    {"in_kernel", in_kernel, METH_NOARGS, "in_kernel()\n--\n\nFalse in a python that only has the kernel's modules."},
    {"carry", guarded<carry_function, PyObject*, PyObject*>, METH_O,
     "carry(function)\n--\n\nThe function as part of the current cell, wherever it is called."},
    {"current_cell", guarded<current_cell, PyObject*, PyObject*>, METH_NOARGS,
     "current_cell()\n--\n\nThe number of the cell that the calling code belongs to."},
    {"output_cell", guarded<output_cell, PyObject*, PyObject*>, METH_NOARGS,
     "output_cell()\n--\n\nThe number of the cell under which the calling code's output is shown."},
    {"show_under", guarded<show_output_under, PyObject*, PyObject*>, METH_O,
     "show_under(cell, /)\n--\n\nShow under that cell what the calling thread writes in its context; 0: under its "
     "own. Returns what was set before."},
    {"is_subshell", is_subshell, METH_NOARGS,
     "is_subshell()\n--\n\nWhether the calling thread is a subshell's of main."},
    {"process_pipe", guarded<process_pipe, PyObject*, PyObject*>, METH_O,
     "process_pipe(descriptor)\n--\n\nWhat a subprocess of the current cell gets for 1 or 2."},
    {"process_started", guarded<process_started, PyObject*, PyObject*>, METH_O,
     "process_started(pid, /)\n--\n\nThe process belongs to the current cell: Stop interrupts it too."},
    {"start_process", guarded<start_process, PyObject*, PyObject*>, METH_VARARGS,
     "start_process(function, args, kwargs, /)\n--\n\nCall the function, which starts a process of the current cell "
     "and "
     "returns its number."},
    {"environment", guarded<environment, PyObject*, PyObject*>, METH_NOARGS,
     "environment()\n--\n\nThe process's environment, which is main's: names and values as bytes."},
    {"worker_pipes", guarded<worker_pipes, PyObject*, PyObject*>, METH_O,
     "worker_pipes(pool, /)\n--\n\nWhat a new worker of that pool gets for 1 and 2, to be closed; -1: what it "
     "inherits."},
    {"work_given", guarded<work_given, PyObject*, PyObject*>, METH_O,
     "work_given(pool, /)\n--\n\nWhat the pool's workers write belongs to the current cell from now on."},
    {"before_fork", guarded<before_fork, PyObject*, PyObject*>, METH_VARARGS,
     "before_fork(out, err, /)\n--\n\nWhat the child gets for 1 and 2."},
    {"after_fork_in_child", after_fork_in_child, METH_NOARGS, nullptr},
    {"in_forked_child", is_forked_child, METH_NOARGS,
     "in_forked_child()\n--\n\nWhether this process has forked from the kernel."},
    {"end_child", end_child, METH_O, "end_child(status, /)\n--\n\nEnd this process, a forked child, at once."},
    {"main_thread", main_thread, METH_NOARGS,
     "main_thread()\n--\n\nThe identifier of the thread that runs this interpreter's __main__."},
    {"raise_if_interrupted", stop_requested, METH_NOARGS,
     "raise_if_interrupted()\n--\n\nRaise KeyboardInterrupt if one is on its way."},
    {"defer_interrupts", fastcall(guarded<defer_interrupts, PyObject*, PyObject* const*, Py_ssize_t>), METH_FASTCALL,
     "defer_interrupts(function, /, *arguments)\n--\n\n"
     "Call the function of the kernel's own; an interrupt that comes meanwhile rises when it has returned."},
    {"describe_exception", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(describe_exception)),
     METH_VARARGS | METH_KEYWORDS,
     "describe_exception(function, type, exception, /, **options)\n--\n\n"
     "What the function makes of the exception; of another one if CPython asks and that fails."},
    {"importer", importer, METH_VARARGS,
     "importer(ask, original, /)\n--\n\n"
     "An __import__ that asks ask(name, globals, fromlist, level, original) for the module, and the original if that "
     "is "
     "None."},
    {"without_frame", without_frame, METH_O,
     "without_frame(find, /)\n--\n\n"
     "An implementation for stand_in() that calls find(original) with the arguments, and has no frame of its own."},
    {"data_address", data_address, METH_O,
     "data_address(buffer, /)\n--\n\nWhere a memoryview's or an array's data is in the process's memory; None if it "
     "has none."},
    {"sleep", fastcall(interruptible_sleep), METH_FASTCALL,
     "sleep(original, seconds, /)\n--\n\ntime.sleep(), for stand_in()."},
    {"is_awaited", guarded<is_awaited, PyObject*, PyObject*>, METH_O,
     "is_awaited(shipment, /)\n--\n\nWhether anybody still waits for the shipment."},
    {"pack", guarded<pack, PyObject*, PyObject*>, METH_VARARGS,
     "pack(shipment, content, /)\n--\n\nA parcel: a copy of bytes, the memory of any other object. Its number."},
    {"unpack", guarded<unpack, PyObject*, PyObject*>, METH_O,
     "unpack(number, /)\n--\n\nThe bytes, or a memoryview of the lent memory."},
    {"parcel_count", guarded<parcel_count, PyObject*, PyObject*>, METH_NOARGS,
     "parcel_count()\n--\n\nHow many values are on their way between interpreters."},
    {"queue_version", queue_version, METH_O, "queue_version(id, /)\n--\n\nA number that changes with the queue."},
    {"queue_changed", queue_changed, METH_O, "queue_changed(id, /)\n--\n\nWake those who wait for the queue."},
    {"wait_for_queue", fastcall(wait_for_queue), METH_FASTCALL,
     "wait_for_queue(id, version, until, /)\n--\n\nUntil the version is another, or that time, or a short while."},
    {"announce_end_to_queues", announce_end_to_queues, METH_NOARGS,
     "announce_end_to_queues()\n--\n\nWake those who wait for any queue when this interpreter ends."},
    {"channel_errors", channel_errors, METH_O,
     "channel_errors(classes, /)\n--\n\nWhat channels raise: not found, empty, not empty, not received."},
    {"channel_register_end", channel_register_end, METH_O,
     "channel_register_end(type, /)\n--\n\nInstances of this class of an end are shareable."},
    {"channel_create", guarded<channel_create, PyObject*, PyObject*>, METH_NOARGS,
     "channel_create()\n--\n\nA new channel, which lasts as long as it is held."},
    {"channel_list", guarded<channel_list, PyObject*, PyObject*>, METH_NOARGS,
     "channel_list()\n--\n\nThe numbers of all channels."},
    {"channel_waiting", guarded<channel_waiting, PyObject*, PyObject*>, METH_O,
     "channel_waiting(id, /)\n--\n\nHow many threads wait to receive and to send."},
    {"channel_hold", guarded<channel_hold, PyObject*, PyObject*>, METH_O,
     "channel_hold(id, /)\n--\n\nAn object that keeps the channel as long as it lives."},
    {"channel_accompany", guarded<channel_accompany, PyObject*, PyObject*>, METH_O,
     "channel_accompany(id, /)\n--\n\nKeep the channel until the object that is being sent has arrived."},
    {"channel_send", fastcall(guarded<channel_send, PyObject*, PyObject* const*, Py_ssize_t>), METH_FASTCALL,
     "channel_send(id, object, timeout, /)\n--\n\nSend and wait until the object has been received."},
    {"channel_send_nowait", fastcall(guarded<channel_send_nowait, PyObject*, PyObject* const*, Py_ssize_t>),
     METH_FASTCALL, "channel_send_nowait(id, object, /)\n--\n\nWhether somebody was waiting to receive the object."},
    {"channel_receive", fastcall(guarded<channel_receive, PyObject*, PyObject* const*, Py_ssize_t>), METH_FASTCALL,
     "channel_receive(id, timeout, /)\n--\n\nThe next object; wait for it."},
    {"channel_receive_nowait", fastcall(guarded<channel_receive_nowait, PyObject*, PyObject* const*, Py_ssize_t>),
     METH_FASTCALL, "channel_receive_nowait(id, default, /)\n--\n\nThe next object, or the default."},
    {"channel_close", fastcall(guarded<channel_close, PyObject*, PyObject* const*, Py_ssize_t>), METH_FASTCALL,
     "channel_close(id, force, /)\n--\n\nClose the channel for everybody."},
    {"channel_release", fastcall(guarded<channel_release, PyObject*, PyObject* const*, Py_ssize_t>), METH_FASTCALL,
     "channel_release(id, sends, /)\n--\n\nThis interpreter will not use that end any more."},
    {"is_shareable", is_shareable, METH_O,
     "is_shareable(object, /)\n--\n\nWhether its data can be had in another interpreter without pickling it."},
    {"stand_in", fastcall(guarded<stand_in, PyObject*, PyObject* const*, Py_ssize_t>), METH_FASTCALL,
     "stand_in(owner, function, implementation, /)\n--\n\nLet calls of the function run implementation(original, "
     "...)."},
    {"stand_ins", guarded<list_stand_ins, PyObject*, PyObject*>, METH_NOARGS,
     "stand_ins()\n--\n\nThe originals of the functions that run something else here."},
    {"enter_new_context", enter_new_context, METH_NOARGS,
     "enter_new_context()\n--\n\nA copy of the thread's context, which it is in from now on."},
    {"in_context", in_context, METH_O, "in_context(context, /)\n--\n\nWhether the thread is in just this context."},
    {"outside_context", fastcall(outside_context), METH_FASTCALL,
     "outside_context(context, function, /, *args)\n--\n\nCall the function while the thread is outside the context."},
    {"set_running_loop", guarded<set_running_loop, PyObject*, PyObject*>, METH_VARARGS,
     "set_running_loop(thread, loop, task, /)\n--\n\nMake them the running ones of the code on another thread."},
    {"bracket", bracket, METH_VARARGS,
     "bracket(look, begin, end, /)\n--\n\nFor stand_in(): the original, between begin(look()) and end(look())."},
    {"acquire_lock", fastcall(acquire_lock), METH_FASTCALL | METH_KEYWORDS,
     "acquire_lock(original, lock, /, blocking=True, timeout=-1)\n--\n\nA lock's acquire(), for stand_in()."},
    {"enter_lock", fastcall(enter_lock), METH_FASTCALL | METH_KEYWORDS,
     "enter_lock(original, lock, /)\n--\n\nA lock's __enter__(), for stand_in()."},
    {"join_thread", fastcall(join_thread), METH_FASTCALL | METH_KEYWORDS,
     "join_thread(original, handle, /, timeout=None)\n--\n\nA thread handle's join(), for stand_in()."},
    {"get_item", fastcall(get_item), METH_FASTCALL | METH_KEYWORDS,
     "get_item(original, queue, /, block=True, timeout=None)\n--\n\nA SimpleQueue's get(), for stand_in()."},
    {nullptr, nullptr, 0, nullptr},
};

int execute(PyObject* module) {
    auto& state = *new (PyModule_GetState(module)) BridgeState{};
    state.interpreter = PyInterpreterState_GetID(PyInterpreterState_Get());
    state.cell_variable = PyContextVar_New("xinterp_cell", nullptr);
    state.parent_variable = PyContextVar_New("xinterp_parent", nullptr);
    state.stream_type = make_stream_type(module).release();
    state.carrier_type = PyType_FromModuleAndSpec(module, &carrier_type_spec, nullptr);
    state.stand_ins = create_stand_ins();
    if (state.cell_variable == nullptr || state.parent_variable == nullptr || state.stream_type == nullptr ||
        state.carrier_type == nullptr)
        return -1;
    const Ref out = make_stream(state, Stream::out), err = make_stream(state, Stream::err);
    if (!out || !err || PyModule_AddObjectRef(module, "stdout", out.get()) != 0 ||
        PyModule_AddObjectRef(module, "stderr", err.get()) != 0)
        return -1;
    return PyModule_AddIntConstant(module, "interpreter", static_cast<long>(state.interpreter));
}

int traverse(PyObject* module, visitproc visit, void* arg) {
    auto* state = static_cast<BridgeState*>(PyModule_GetState(module));
    if (state == nullptr) return 0;
    Py_VISIT(state->cell_variable);
    Py_VISIT(state->parent_variable);
    Py_VISIT(state->stream_type);
    Py_VISIT(state->carrier_type);
    Py_VISIT(state->channel_errors);
    return state->stand_ins == nullptr ? 0 : traverse_stand_ins(state->stand_ins, visit, arg);
}

int clear(PyObject* module) {
    auto* state = static_cast<BridgeState*>(PyModule_GetState(module));
    if (state == nullptr) return 0;
    Py_CLEAR(state->cell_variable);
    Py_CLEAR(state->parent_variable);
    Py_CLEAR(state->stream_type);
    Py_CLEAR(state->carrier_type);
    Py_CLEAR(state->channel_errors);
    if (StandIns* all = std::exchange(state->stand_ins, nullptr)) drop_stand_ins(all);
    return 0;
}

PyModuleDef_Slot slots[] = {
    {Py_mod_exec, reinterpret_cast<void*>(execute)},
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
    {0, nullptr},
};

PyModuleDef definition = {PyModuleDef_HEAD_INIT,
                          "_xinterp",
                          "What the shell of an interpreter needs of the kernel.",
                          sizeof(BridgeState),
                          methods,
                          slots,
                          traverse,
                          clear,
                          [](void* module) { clear(static_cast<PyObject*>(module)); }};

} // namespace

PyObject* initialize_bridge() { return PyModuleDef_Init(&definition); }

BridgeState* bridge_state() {
    const Ref module = Ref::steal(PyImport_ImportModule("_xinterp"));
    return module ? static_cast<BridgeState*>(PyModule_GetState(module.get())) : nullptr;
}

bool in_forked_child() { return forked_child; }

void forked(pid_t child) {
    Source source = std::exchange(fork_source, {});
    if (source.cell == 0) source.cell = cell_of_this_thread();
    if (!forked_child && has_front_end()) front_end().process_started(source, child, fork_began);
}

} // namespace xinterp::modules
