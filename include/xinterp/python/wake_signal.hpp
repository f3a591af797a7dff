// include/xinterp/python/wake_signal.hpp: the signal that brings a lane's thread out of a system call.
//
// CPython retries a call that a signal interrupted, off the main thread without looking for interrupts. So the
// executable defines the names of the blocking calls (src/python/blocking_calls.cpp): on EINTR, with an interrupt
// pending, they report "nothing happened", Python code goes on, and KeyboardInterrupt rises at its next instruction.
#pragma once

namespace xinterp::python {

/// A real-time signal that nothing else in Python uses.
int wake_signal();
/// Its handler does nothing; system calls are not restarted. Once, before the first lane; any thread.
void install_wake_signal();
/// SIGINT reaches the main thread only. On each other thread that is not Python's, first thing; threads inherit it.
void block_interrupt_signals();

} // namespace xinterp::python
