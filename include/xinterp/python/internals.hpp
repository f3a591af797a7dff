// include/xinterp/python/internals.hpp: the few things that need CPython's internal headers. src/python/internals.cpp
// is the only file that includes pycore_*.h.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <cstddef>
#include <span>

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

/// In the child of a fork, on main's thread: the other interpreters are gone for it. Their threads do not exist there,
/// and CPython's own clean-up after a fork crashes over their thread states.
void forget_other_interpreters();

/// Thread states of the interpreter besides `own`. Any thread.
std::size_t other_thread_states(PyInterpreterState* interpreter, const PyThreadState* own);

} // namespace xinterp::python::internals
