// include/xinterp/routing/cell_processes.hpp: which cell has started which process, so that Stop reaches those.
//
// A terminal's Ctrl-C sends SIGINT to each process of the foreground process group. Here the processes of all cells are
// in the kernel's group. So the kernel remembers who started its children, and looks up their descendants in /proc when
// they are to be interrupted. A process that has gone to a group of its own (a new session, a daemon, a job of an
// interactive shell) gets nothing, as in a terminal. Any thread.
#pragma once

#include <xinterp/modules/front_end.hpp>

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace xinterp::kernel {

using modules::Source;

/// One line of the system's table of processes.
struct Process {
    pid_t id, parent, group;
};

/// All processes that have not ended, from /proc.
std::vector<Process> running_processes();

class CellProcesses {
public:
    using Clock = std::chrono::steady_clock;
    /// A process that the kernel knows of.
    struct Start {
        Source source;
        pid_t process = 0;
        Clock::time_point began; ///< just before the call that has made the process
    };

    /// Code has started a process, or given work to it: it belongs to the source from now on.
    void started(Source source, pid_t process, Clock::time_point began);
    /// Looks up the chosen sources' processes and their descendants; the result sends SIGINT to each of them, once. In
    /// two steps, around the interrupt of the code that waits for them: that may kill a process, after which nothing
    /// tells whose children were its children. The result may be called again, for processes whose start was under way
    /// and had not been told yet.
    std::function<void()> find(std::function<bool(const Source&)> chosen) const;
    /// The processes of `all` that are chosen, or descend from such; `kernel` is the kernel's own.
    std::vector<pid_t> choose(const std::vector<Process>& all, pid_t kernel,
                              const std::function<bool(const Start&)>& chosen) const;

private:
    std::vector<pid_t> look_up(const std::function<bool(const Start&)>& chosen) const;

    mutable std::mutex mutex_;
    std::unordered_map<pid_t, Start> starts_; ///< a number that is used again is told anew
    std::size_t prune_at_ = 64;               ///< at this size, those that have ended are removed
};

} // namespace xinterp::kernel
