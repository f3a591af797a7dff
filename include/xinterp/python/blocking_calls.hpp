// include/xinterp/python/blocking_calls.hpp: system calls that an interrupt can end in any interpreter.
//
// CPython retries a call that a signal has ended, and off the main thread it does not look for interrupts first. So the
// calls that it makes are diverted (linkage.hpp): on EINTR, with an interrupt pending for the lane, they report that
// nothing has happened, Python code goes on, and KeyboardInterrupt rises at its next instruction. write() to
// descriptors 1 and 2 is seen by the hook of raw_output.hpp on its way, a fork by the hook below; setenv() and its like
// hold the lock of environment.hpp.
#pragma once

#include <sys/types.h>

namespace xinterp::python {

/// Diverts the blocking calls of all objects that have been loaded since the last call. False if this Python's calls
/// cannot be diverted (it is linked statically): waiting in one then cannot be interrupted off the main thread. Any
/// thread, no thread state needed; under a microsecond when nothing has been loaded.
bool divert_blocking_calls();

/// Called in the parent after each fork of those objects, on the thread that has forked.
using ForkHook = void (*)(pid_t child);
void set_fork_hook(ForkHook hook);

} // namespace xinterp::python
