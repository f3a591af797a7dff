// include/xinterp/python/internals.hpp: the few things that need CPython's internal headers. src/python/internals.cpp
// is the only file that includes pycore_*.h.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <cstddef>
#include <span>
#include <string>

struct _xidata; // NOLINT(bugprone-reserved-identifier): the name is CPython's

namespace xinterp::python::internals {

/// Creates an interpreter as the standard library does. The calling thread has main's thread state attached and has the
/// new one attached afterwards; *previous is the one it had. Null with an exception set in main when it fails.
PyThreadState* new_interpreter(PyInterpreterConfig* config, PyThreadState** previous);

/// Makes KeyboardInterrupt rise in all that runs on an OS thread: in every interpreter that has a thread state there,
/// so that code inside another interpreter's exec() stops as well as its caller. Main's own thread state on the main
/// thread is left to SIGINT. Any thread, no thread state needed: it neither takes a GIL nor waits for one.
/// PyThreadState_SetAsyncExc does the same but must attach first, which waits for that GIL (1.2 s behind a C loop).
void raise_in_thread(unsigned long thread_ident);

/// Whether a KeyboardInterrupt sent to that OS thread has not risen yet. Any thread.
bool interrupt_pending_in_thread(unsigned long thread_ident);

/// Takes a KeyboardInterrupt that has not risen yet away from the calling thread's states.
void drop_interrupts_of_this_thread();

/// If one is pending for the attached thread state, raises it now: true with the exception set.
bool raise_pending_interrupt();

/// Whether an interrupt waits to rise in that thread state, or a signal to be handled by it, which must be the calling
/// thread's. It may be detached.
bool interrupt_waits_for(const PyThreadState* state);

/// Whether this process's CPython lays its structures out as the headers that this was compiled with; to be asked
/// before anything else here is used in a CPython that was not linked.
bool layout_is_ours();

/// Configures the interpreters that will be made as a console's: sys.argv is [''], and imports look in the current
/// directory first, unless Python's safe_path forbids that. Main's interpreter is attached. False: out of memory.
bool configure_as_console();

/// The table of builtin modules that every interpreter's imports look in, ending with a null name; null if the runtime
/// is not laid out as the headers say. Main's interpreter is attached.
const _inittab* builtin_modules();
/// Puts a copy of another one (null name included) in its place. No other interpreter exists yet.
bool set_builtin_modules(std::span<const _inittab> modules);

/// The interpreter counts as running its __main__ (is_running() is true, destroy is refused) between these.
bool set_running_main(PyInterpreterState* interpreter);
void set_not_running_main(PyInterpreterState* interpreter);

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
