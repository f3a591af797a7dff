// include/xinterp/python/wake_signal.hpp: the signal that brings a lane's thread out of a system call.
// blocking_calls.hpp tells why that takes more than a signal.
#pragma once

namespace xinterp::python {

/// A real-time signal that nothing else in Python uses.
int wake_signal();
/// Its handler does nothing; system calls are not restarted. Once, before the first lane; any thread.
void install_wake_signal();
/// SIGINT reaches the main thread only; every other signal reaches the calling thread as it reaches main, also if the
/// thread that started it blocks them. On each thread that runs Python and is not Python's own, first thing; threads
/// and child processes inherit it.
void block_interrupt_signals();

/// No signal that Python may have a handler for reaches the calling thread, where the handler would end a system call:
/// for the thread that never runs Python and starts those that do. Once.
void block_signals();

/// Main is interrupted by SIGINT, also in a process that was started with that signal ignored, as shells start what
/// runs in the background (`nohup jupyter lab &`). Main thread, attached.
void listen_to_interrupts();

} // namespace xinterp::python
