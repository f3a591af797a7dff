// What stops cells: the stop button, an interrupt of one interpreter or subshell, the end of a subshell.
#include <xinterp/routing/router.hpp>

#include <algorithm>
#include <utility>

namespace xinterp::kernel {

void Router::interrupt_cell(Cell& cell) {
    const CellId id = cell.id;
    if (cell.cancel) {
        const auto cancel = std::exchange(cell.cancel, nullptr);
        cancel();
        return;
    }
    if (cell.variables && cell.variables->comes_in() && !cell.variables->has_begun()) {
        end_before_running(cell, interrupted_reply());
        return;
    }
    const auto interrupt_processes = front_.find_processes(id, {});
    for (std::size_t i = 0; find(id) != nullptr && i < cell.runs.size(); ++i) {
        Cell::Run& run = cell.runs[i];
        if (run.state == Cell::Run::State::running) {
            interrupt_run({id, i});
        } else if (run.state == Cell::Run::State::waiting) {
            std::erase_if(lanes_[cell.lane_of(run)].waiting,
                          [&](const Queued& queued) { return queued.cell == id && queued.run == i; });
            end_run(cell, run, interrupted_reply());
        }
    }
    // After the cell, which may wait for them: it would go on when they have ended.
    backend_.interrupt_threads_of(id);
    interrupt_processes();
}

void Router::interrupt_foreground() {
    std::vector<CellId> chosen;
    const auto choose = [&](bool of_subshells) {
        for (const auto& [client, id] : foreground_) {
            if ((client.subshell != 0) != of_subshells) continue;
            for (const Cell::Run& run : find(id)->runs)
                if (run.state == Cell::Run::State::waiting && find(id)->lane_of(run).subshell == 0 &&
                    runs_callback(run.target))
                    chosen.push_back(lanes_.at(run.target).running->cell);
            chosen.push_back(id);
        }
    };
    choose(false);
    if (chosen.empty()) {
        choose(true);
        for (const auto& [id, lane] : lanes_)
            if (id.subshell == 0 && runs_callback(id.interpreter)) chosen.push_back(lane.running->cell);
    }
    if (chosen.empty())
        for (const auto& [id, cell] : cells_) chosen.push_back(id);
    if (chosen.empty()) backend_.interrupt_tasks();
    interrupt_cells(chosen);
}

void Router::interrupt_subshell(SubshellNumber subshell) {
    std::vector<CellId> chosen;
    for (const auto& [client, id] : foreground_)
        if (client.subshell == subshell) chosen.push_back(id);
    if (chosen.empty())
        for (const auto& [id, cell] : cells_)
            if (cell->client.subshell == subshell) chosen.push_back(id);
    if (chosen.empty()) backend_.interrupt({python::main_interpreter, subshell});
    interrupt_cells(chosen);
}

void Router::interrupt_cells(const std::vector<CellId>& chosen) {
    for (const CellId id : chosen)
        if (Cell* cell = find(id)) interrupt_cell(*cell);
    tell_waiters();
}

bool Router::is_at_work(SubshellNumber subshell) const {
    return std::ranges::any_of(cells_, [=](const auto& entry) { return entry.second->client.subshell == subshell; });
}

void Router::end_subshell(SubshellNumber subshell, std::function<void()> done) {
    ending_subshells_.emplace(subshell, std::move(done));
    for (auto& [client, queue] : queues_) {
        if (client.subshell != subshell) continue;
        for (const auto& waiting : std::exchange(queue, {})) front_.abort(*waiting);
    }
    std::erase_if(uses_, [subshell](const auto& entry) { return entry.first.subshell == subshell; });
    abort_lane({python::main_interpreter, subshell}, "its subshell was deleted before this cell could run there.");
    end_subshell_if_over(subshell);
}

void Router::end_subshell_if_over(SubshellNumber subshell) {
    if (!ending_subshells_.contains(subshell) || is_at_work(subshell)) return;
    lanes_.erase({python::main_interpreter, subshell});
    std::erase_if(queues_, [this, subshell](const auto& entry) {
        return entry.first.subshell == subshell && !advancing_.contains(entry.first);
    });
    backend_.end_subshell(subshell, ending_subshells_.extract(subshell).mapped());
}

bool Router::interrupt(InterpreterId interpreter, std::function<void(bool)> done) {
    std::vector<Queued> chosen;
    for (const auto& [id, lane] : lanes_) { // its own lane comes first
        if (id.interpreter != interpreter || !lane.running) continue;
        chosen.push_back(*lane.running);
        if (id.subshell == 0) break;
    }
    if (chosen.empty()) return false;
    find(chosen.front().cell)->runs[chosen.front().run].interrupters.push_back(std::move(done));
    for (const Queued& queued : chosen)
        if (find(queued.cell) != nullptr) {
            const auto interrupt_processes = front_.find_processes(queued.cell, interpreter);
            interrupt_run(queued);
            interrupt_processes();
        }
    return true;
}

void Router::interrupt_run(const Queued& queued) {
    Cell::Run& interrupted = find(queued.cell)->runs[queued.run];
    interrupted.stop_missed = !backend_.interrupt(find(queued.cell)->lane_of(interrupted)) && !interrupted.timed_out;
    if (!is_running(queued)) { // its variables have not come
        leave_lane(*find(queued.cell), queued.run, interrupted_reply());
        return;
    }
    timers_.after(interrupt_patience, [this, queued] {
        if (!is_running(queued)) return;
        Cell& cell = *find(queued.cell);
        Cell::Run& run = cell.runs[queued.run];
        run.has_not_stopped = true;
        front_.write(
            cell, Stream::err,
            run.label +
                " has not stopped yet: it handles the interrupt itself, or is in C code that cannot be interrupted.\n");
        for (const auto& done : std::exchange(run.interrupters, {})) done(false);
    });
}

bool Router::has_not_stopped(InterpreterId interpreter) const {
    return std::ranges::any_of(lanes_, [&](const auto& entry) {
        const auto& [id, lane] = entry;
        return id.interpreter == interpreter && lane.running &&
               cell(lane.running->cell)->runs[lane.running->run].has_not_stopped;
    });
}

} // namespace xinterp::kernel
