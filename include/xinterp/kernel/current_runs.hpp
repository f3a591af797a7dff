// include/xinterp/kernel/current_runs.hpp: which cells run now, to tell whose it is that the process itself writes.
#pragma once

#include <xinterp/routing/process_pipes.hpp>

#include <atomic>
#include <mutex>
#include <vector>

namespace xinterp::kernel {

/// Any thread.
class CurrentRuns {
public:
    void began(Source source);
    void ended(Source source);
    /// The foreground cell of some client; 0: there is none.
    void set_foreground(CellId cell) { foreground_ = cell; }
    /// The same, if there is none yet.
    void offer_foreground(CellId cell);
    /// The cell is not in the foreground any more, if it was.
    void leave_foreground(CellId cell);
    /// Of what is written to the process's descriptors 1 and 2: the one run that goes on, if there is just one.
    ProcessOutput::Owner owner() const;

private:
    mutable std::mutex mutex_; ///< guards runs_ and last_
    std::vector<Source> runs_;
    Source last_;
    std::atomic<CellId> foreground_ = 0;
};

} // namespace xinterp::kernel
