// include/xinterp/python/internals.hpp: the few things that need CPython's internal headers. src/python/internals.cpp
// and src/python/layout.cpp are the only files that include pycore_*.h.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

struct _xidata; // NOLINT(bugprone-reserved-identifier): the name is CPython's

namespace xinterp::python::internals {

/// Creates an interpreter as the standard library does, but hidden. The calling thread has a thread state attached and
/// has the new one attached afterwards; *previous is the one it had. Null with an exception set in the interpreter
/// that it had when it fails.
PyThreadState* new_interpreter(PyInterpreterConfig* config, PyThreadState** previous);
/// A hidden interpreter is one that nobody has asked for yet, or that is being made or has been given up: what lists
/// interpreters or looks one up passes it over. A process that makes none has none. Any thread.
bool is_hidden(PyInterpreterState* interpreter);
void hide(PyInterpreterState* interpreter);
/// From now on it is one that the standard library has made, with that configuration's permissions.
void publish(PyInterpreterState* interpreter, const PyInterpreterConfig& config);

/// The interpreter of that id, or null. No exception is set. Any thread; what is returned stays valid only as long as
/// something else keeps the interpreter alive.
PyInterpreterState* find_interpreter(std::int64_t id);
/// What can be seen of an interpreter from outside.
struct Glance {
    bool hidden;
    bool made_by_module;     ///< by `_interpreters`; others are "unrecognized" by what is restricted to those
    bool requires_reference; ///< CPython itself destroys it with its last reference
    bool runs_main;
    bool shares_objects;   ///< with the one that looks: they have one GIL and one allocator
    Py_ssize_t references; ///< counted by incref() and decref() of `_interpreters`
};
/// All that are not hidden, by id. Any thread.
struct Listed {
    std::int64_t id;
    long whence;
    bool ready;
};
std::vector<Listed> list_interpreters();
/// Nothing if there is no such interpreter. Attached.
std::optional<Glance> glance_at(std::int64_t id);
/// As CPython reads an id from an object: -1 with its TypeError, ValueError or OverflowError set.
std::int64_t object_to_id(PyObject* object);
/// References that are counted by incref() and decref() of `_interpreters`. Any thread.
Py_ssize_t reference_count(PyInterpreterState* interpreter);
/// From now on CPython itself does not destroy it with its last one. Any thread.
void require_no_reference(std::int64_t id);

/// A thread state of the calling OS thread in an interpreter that is not attached. Null: out of memory.
PyThreadState* new_thread_state(PyInterpreterState* interpreter);
/// A parked thread state belongs to no OS thread: no interrupt reaches it until it is unparked, by its own thread.
void park(PyThreadState* state);
void unpark(PyThreadState* state);

/// Takes from it what its last user has left and the next must not find: context variables, trace and profile
/// functions. Attached.
void refresh(PyThreadState* state);

/// Whether tracemalloc traces the process's memory. Its traces hold objects of the interpreters that have allocated it.
bool traces_memory();

/// Makes asyncio's loop and task the running ones of the code that runs on an OS thread in the attached interpreter.
void set_running_loop(unsigned long thread_ident, PyObject* loop, PyObject* task);

/// Makes KeyboardInterrupt rise in all that runs on an OS thread: in every interpreter that has a thread state there,
/// so that code inside another interpreter's exec() stops as well as its caller. Main's own thread state on the main
/// thread is left to SIGINT. Any thread, no thread state needed: it neither takes a GIL nor waits for one.
/// PyThreadState_SetAsyncExc does the same but must attach first, which waits for that GIL (1.2 s behind a C loop).
void raise_in_thread(unsigned long thread_ident);
/// Likewise in that interpreter's code on the thread alone. False if it has none there.
bool raise_in_thread(unsigned long thread_ident, std::int64_t interpreter);

/// How many of these there have been, in the whole process. Any thread.
std::uint64_t interrupts_sent();

/// Whether a KeyboardInterrupt sent to that OS thread has not risen yet. Any thread.
bool interrupt_pending_in_thread(unsigned long thread_ident);

/// Whether one is pending for that thread state. Any thread, as long as the state lives.
bool interrupt_pending(const PyThreadState* state);

/// Takes a KeyboardInterrupt that has not risen yet away from the calling thread's states.
void drop_interrupts_of_this_thread();
/// Likewise from one of them.
void drop_interrupt(PyThreadState* state);

/// If one is pending for the attached thread state, raises it now: true with the exception set.
bool raise_pending_interrupt();

/// Whether KeyboardInterrupt waits to rise in that thread state, which must be the calling thread's.
bool keyboard_interrupt_waits_for(const PyThreadState* state);
/// Whether an interrupt waits to rise in that thread state, or a signal to be handled by it, which must be the calling
/// thread's. It may be detached.
bool interrupt_waits_for(const PyThreadState* state);

/// Whether Python code is under way in a thread state of the calling thread: attached, or waiting for another state's.
bool runs_code(const PyThreadState* state);
/// Whether it is in any of that interpreter's.
bool runs_code_of(PyInterpreterState* interpreter);

/// Releases its import lock as often as the calling thread has taken it. The interpreter must stay alive.
void give_back_import_lock(PyInterpreterState* interpreter);

/// The part of this process's CPython that is not laid out as in the headers that this was compiled with; null if all
/// of it is. To be called before anything else here, on the main thread with main attached.
const char* unlike_headers();

/// A Python frame as a crash report tells of it: two str objects, which are read without their interpreter's GIL.
struct CrashFrame {
    PyObject* file;
    PyObject* function;
    int line; ///< -1: unknown
};
/// Walks frames without a lock, memory of its own or a reference: for the handler of a signal that ends the process.
/// What it reads may be in the middle of a change, so a second crash is possible.
class CrashStack {
public:
    explicit CrashStack(const PyThreadState* state);
    /// The next frame, the most recent call first; false after the last one.
    bool next(CrashFrame& frame);

private:
    void* frame_;
};
/// Calls `visit` for each thread state of each interpreter, without a lock, as CrashStack does.
void for_each_state_in_crash(void (*visit)(const PyThreadState*, void* context), void* context);
std::int64_t interpreter_of(const PyThreadState* state);
/// The operating system's number of the thread that the state belongs to; 0: none.
unsigned long native_thread_of(const PyThreadState* state);

/// Configures the interpreters that will be made as a console's: sys.argv is [''], and imports look in the current
/// directory first, unless PYTHONSAFEPATH or -I forbids that (-P does not). Main's interpreter is attached. False: out
/// of memory.
bool configure_as_console();

/// The table of builtin modules that every interpreter's imports look in, ending with a null name; null if the runtime
/// is not laid out as the headers say. Main's interpreter is attached.
const _inittab* builtin_modules();
/// Puts a copy of another one (null name included) in its place. No other interpreter exists yet.
bool set_builtin_modules(std::span<const _inittab> modules);

/// A configuration from a dict of its fields, as _interpreters.new_config() has them. False with an exception set.
bool config_from_dict(PyObject* dict, PyInterpreterConfig& config);

/// The interpreter counts as running its __main__ (is_running() is true, destroy is refused) between these.
bool set_running_main(PyInterpreterState* interpreter);
void set_not_running_main(PyInterpreterState* interpreter);

/// While this lives no interrupt rises on the calling, attached thread: those who would send one do not find its state,
/// and SIGINT waits. What had been sent before rises afterwards. No exception is set when it is made.
class Undisturbed {
public:
    Undisturbed();
    ~Undisturbed();
    Undisturbed(const Undisturbed&) = delete;
    Undisturbed& operator=(const Undisturbed&) = delete;

private:
    PyThreadState* state_;
    unsigned long thread_;
    sigset_t before_{};
    PyObject* pending_ = nullptr;
};

/// While this lives no interrupt rises in the attached thread state; one that comes meanwhile rises afterwards. One
/// that was sent before may still rise: see raise_pending_interrupt() and PyErr_CheckSignals(). Other states of the
/// thread are interrupted as ever. The code that it covers must be the kernel's own, and end soon.
class DeferredInterrupts {
public:
    DeferredInterrupts();
    ~DeferredInterrupts();
    DeferredInterrupts(const DeferredInterrupts&) = delete;
    DeferredInterrupts& operator=(const DeferredInterrupts&) = delete;

private:
    PyThreadState* state_;
    sigset_t before_{};
    bool is_outermost_ = false;
};

/// A snapshot of an exception that outlives its interpreter: `_interpreters`' excinfo. To be taken where the exception
/// is and turned into an object where it is wanted.
class ExceptionSnapshot {
public:
    explicit ExceptionSnapshot(PyObject* exception);
    ~ExceptionSnapshot();
    ExceptionSnapshot(const ExceptionSnapshot&) = delete;
    ExceptionSnapshot& operator=(const ExceptionSnapshot&) = delete;
    /// types.SimpleNamespace with type, msg, errdisplay and formatted. Null with an exception set.
    PyObject* as_object() const;

private:
    void* info_;
};

PyObject* interpreter_error();           ///< borrowed: the class InterpreterError
PyObject* interpreter_not_found_error(); ///< borrowed: the class InterpreterNotFoundError

/// Bytes in the interpreter's own small-object arenas; 0 where it uses main's. Any thread: a read of one counter.
std::size_t arena_bytes(PyInterpreterState* interpreter);

/// Has a function called, with the interpreter attached on any of its threads, as soon as one runs Python code. False:
/// there is no room for another. The interpreter must stay alive. Any thread, no thread state needed.
bool add_pending_call(PyInterpreterState* interpreter, int (*function)(void*));

// Cross-interpreter data, CPython's form of an object under way. Attached thread state needed, unless it says
// otherwise.

/// Whether the object's type has registered how its instances cross.
bool is_registered(PyObject* object);
/// How the type has registered it. Null with NotShareableError set.
_xidata* registered_data(PyObject* object);
/// A function as its code; null with NotShareableError set if it uses more than its arguments and builtins.
_xidata* function_data(PyObject* object);
/// Pickled. Null with NotShareableError set, whose cause is what pickle has raised.
_xidata* pickled_data(PyObject* object);
/// Takes the bytes that function_data or pickled_data refer to out of their interpreter: `bytes` holds them from then
/// on, and must live as long as the data.
void make_independent(_xidata* data, std::string& bytes);
/// Whether it refers to its interpreter, which must then free it.
bool needs_owner(const _xidata* data);
/// A new object. Any interpreter's thread state; several at a time.
PyObject* new_object(_xidata* data);
/// With its interpreter attached, or any thread and no thread state if it needs no owner.
void free_data(_xidata* data);
/// Registers how instances of a type of the attached interpreter cross: `leave` fills data in and returns 0, or -1 with
/// an exception set. False with an exception set.
bool register_type(PyTypeObject* type, int (*leave)(PyThreadState*, PyObject*, _xidata*));
/// Fills data in: `arrive` makes a new object of it, `drop` frees the content, which belongs to no interpreter.
void fill_data(_xidata* data, void* content, PyObject* (*arrive)(_xidata*), void (*drop)(void*));
void* content_of(const _xidata* data);
/// concurrent.interpreters.NotShareableError, borrowed.
PyObject* not_shareable_error();

/// In the child of a fork, on main's thread: the other interpreters are gone for it. Their threads do not exist there,
/// and CPython's own clean-up after a fork crashes over their thread states.
void forget_other_interpreters();

/// Thread states of the interpreter besides `own`. Any thread.
std::size_t other_thread_states(PyInterpreterState* interpreter, const PyThreadState* own);

} // namespace xinterp::python::internals
