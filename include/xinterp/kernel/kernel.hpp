// include/xinterp/kernel/kernel.hpp: the kernel, put together, and its life.
#pragma once

#include <xinterp/kernel/cell_front.hpp>
#include <xinterp/kernel/current_runs.hpp>
#include <xinterp/kernel/parts.hpp>
#include <xinterp/kernel/python_front.hpp>
#include <xinterp/kernel/requests.hpp>

#include <atomic>
#include <functional>
#include <memory>

namespace xinterp::kernel {

class Kernel final {
public:
    /// How long a shutdown may take while main runs a cell, before the process ends without waiting.
    static constexpr std::chrono::milliseconds shutdown_grace{1000};

    /// And if main's cells have ended, so that atexit handlers may be at work. Jupyter sends SIGTERM after 2.5 s.
    static constexpr std::chrono::milliseconds exit_handlers_grace{2300};

    /// Binds the sockets; throws std::runtime_error with a sentence if it cannot. Any thread.
    Kernel(const xeus::xkernel_configuration& configuration, KernelInfo info, python::Registry& registry);

    /// Before serve(): what runs code, and what to do when a client asks for the end (called on the I/O thread).
    void set_backend(Backend& backend, std::function<void()> shut_down);
    /// The I/O thread's work, until stop() or the end of a shutdown's grace.
    void serve();
    /// Closes the sockets, what has been sent goes out. The I/O thread, after serve().
    void close();
    /// An interrupt is on its way there. I/O thread.
    void interrupted(LaneId lane) { parts_.debugger->interrupted(lane); }
    /// Python has started: front ends are told whether there is a debugger. Any thread.
    void python_started(bool has_debugger);
    /// What cells that have not ended have started in that interpreter: the result sends it SIGINT. I/O thread.
    std::function<void()> find_processes_in(InterpreterId interpreter) const;
    /// Ends serve() after what has been posted. Any thread.
    void stop();
    /// As a shutdown_request does. Any thread.
    void request_shutdown();
    /// Main runs no cell any more, and its atexit handlers are next. Any thread.
    void cells_ended() { cells_have_ended_ = true; }

    /// What Python code in cells talks to. Any thread.
    modules::FrontEnd& front_end() { return python_; }
    Outbox& outbox() { return parts_.outbox; }
    Timers& timers() { return parts_.server->timers(); } ///< I/O thread
    /// Passes on what a cell's subprocesses and C code have written: before its end. Any thread.
    void flush_processes(CellId cell);
    /// Puts pipes in the place of descriptors 1 and 2. Before serve().
    void capture_process_output();
    /// Any thread.
    CurrentRuns& runs() { return runs_; }

private:
    void shut_down();

    Parts parts_;
    CurrentRuns runs_;
    Requests requests_;
    CellFront cells_;
    PythonFront python_;
    std::unique_ptr<ProcessOutput> process_output_;
    std::function<void()> shut_down_;
    bool shutting_down_ = false;
    std::atomic<bool> cells_have_ended_ = false;
};

} // namespace xinterp::kernel
