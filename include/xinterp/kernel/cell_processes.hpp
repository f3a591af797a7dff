// include/xinterp/kernel/cell_processes.hpp: which cell has started which process, so that Stop reaches those.
//
// A terminal's Ctrl-C sends SIGINT to each process of the foreground process group. Here the processes of all cells are
// in the kernel's group. So the kernel remembers who started its children, and looks up their descendants in /proc when
// they are to be interrupted. A process that has gone to a group of its own (a new session, a daemon, a job of an
// interactive shell) gets nothing, as in a terminal. Any thread.
#pragma once

#include <xinterp/modules/front_end.hpp>

#include <sys/types.h>

#include <functional>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace xinterp::kernel {

using modules::Source;

/// One line of the system's table of processes.
struct Process {
    pid_t id, parent, group;
    unsigned long long start = 0; ///< in the system's clock ticks since it was booted
};

/// All processes that have not ended, from /proc.
std::vector<Process> running_processes();

class CellProcesses {
public:
    /// Says whether processes of that source are meant.
    using Chooser = std::function<bool(const Source&)>;

    /// That code has started a process, or given work to it: it belongs to the source from now on.
    void started(Source source, pid_t process);
    /// Looks up the chosen sources' processes and their descendants; the result sends SIGINT to each of them, once. In
    /// two steps, around the interrupt of the code that waits for them: that may kill a process, after which nothing
    /// tells whose children were its children. The result may be called again, for processes that were there already
    /// but whose start had not been told yet.
    std::function<void()> find(Chooser chosen) const;
    /// From now on, what began before this call and is told of later gets SIGINT when it is told of: the code that has
    /// started it is interrupted meanwhile, and may kill it before it is looked up. `chosen` is called on any thread.
    void interrupt_late(Chooser chosen);
    /// The processes of `all` that are found, where `kernel` is the kernel's own.
    std::vector<pid_t> choose(const std::vector<Process>& all, pid_t kernel, const Chooser& chosen) const;

private:
    struct Interrupt {
        Chooser chosen;
        unsigned long long at; ///< in clock ticks since boot
    };
    bool is_late(Source source, pid_t process);
    std::vector<pid_t> look_up(const Chooser& chosen, unsigned long long started_before) const;

    mutable std::mutex mutex_;
    std::unordered_map<pid_t, Source> sources_; ///< a number that is used again is told anew
    std::vector<Interrupt> interrupts_;         ///< of the last seconds
    std::size_t prune_at_ = 64;                 ///< so many are looked through for those that have ended
};

} // namespace xinterp::kernel
