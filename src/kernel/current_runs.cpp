#include <xinterp/kernel/current_runs.hpp>

namespace xinterp::kernel {

void CurrentRuns::began(Source source) {
    const std::scoped_lock lock{mutex_};
    runs_.push_back(source);
    last_ = source;
}

void CurrentRuns::ended(Source source) {
    const std::scoped_lock lock{mutex_};
    std::erase_if(runs_,
                  [&](const Source& run) { return run.cell == source.cell && run.interpreter == source.interpreter; });
}

void CurrentRuns::offer_foreground(CellId cell) {
    CellId none = 0;
    foreground_.compare_exchange_strong(none, cell);
}

void CurrentRuns::leave_foreground(CellId cell) { foreground_.compare_exchange_strong(cell, 0); }

ProcessOutput::Owner CurrentRuns::owner() const {
    const std::scoped_lock lock{mutex_};
    if (runs_.size() == 1) return {runs_.front(), true};
    // [process] heads it already: no interpreter's prefix
    const CellId foreground = foreground_;
    return {Source{foreground != 0 ? foreground : last_.cell, -1}, false};
}

} // namespace xinterp::kernel
