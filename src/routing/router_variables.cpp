// When the variables of a cell cross: the router's part of `--in` and `--out`.
#include <xinterp/routing/router.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace xinterp::kernel {
namespace {

using nlohmann::json;
using State = Cell::Run::State;

std::string lines(const CellVariables::Problems& problems) {
    std::string text;
    for (const std::string& problem : problems) text += (text.empty() ? "" : "\n") + problem;
    return text;
}

} // namespace

// The cell already waits in its lanes: it keeps its place there while main is busy.
void Router::take_variables(Cell& cell) {
    if (!cell.variables->comes_in()) return;
    cell.variables->take([this, id = cell.id](const CellVariables::Problems& problems) {
        Cell& waiting = *find(id);
        if (!problems.empty()) {
            end_before_running(waiting, error_reply("UsageError", lines(problems)));
            return;
        }
        for (std::size_t i = 0; i < waiting.runs.size(); ++i)
            if (waiting.runs[i].state == State::preparing) bind_variables({id, i});
    });
}

// The run has its lane: it holds it while its variables are on their way.
void Router::bind_variables(const Queued& queued) {
    Cell& cell = *find(queued.cell);
    cell.runs[queued.run].state = State::preparing;
    if (!cell.variables->taken()) return;
    cell.variables->bind(queued.run, [this, queued] {
        Cell& bound = *find(queued.cell);
        if (bound.runs[queued.run].state != State::preparing) return; // interrupted meanwhile
        bound.runs[queued.run].state = State::ready;
        begin_when_ready(bound);
    });
}

// Nothing runs in any target before the variables have come to all of them.
void Router::begin_when_ready(Cell& cell) {
    if (!cell.variables || !cell.variables->comes_in() || cell.variables->has_begun()) return;
    if (std::ranges::any_of(cell.runs, [](const Cell::Run& run) {
            return run.state == State::waiting || run.state == State::preparing;
        }))
        return;
    if (const auto problems = cell.variables->problems(); !problems.empty()) {
        end_before_running(cell, error_reply("UsageError", lines(problems)));
        return;
    }
    cell.variables->begin();
    for (std::size_t i = 0; i < cell.runs.size(); ++i)
        if (cell.runs[i].state == State::ready) begin_run({cell.id, i});
}

// It leaves all its lanes; one error stands for all targets.
void Router::end_before_running(Cell& cell, const json& reply) {
    if (cell.variables->waits_for_main()) stop_asking(cell.home());
    std::vector<LaneId> freed;
    std::deque<Queued> aborted;
    for (std::size_t i = 0; i < cell.runs.size(); ++i) {
        Cell::Run& run = cell.runs[i];
        const LaneId lane = cell.lane_of(run);
        std::deque<Queued>& waiting = lanes_[lane].waiting;
        if (run.state == State::waiting) {
            std::erase_if(waiting, [&](const Queued& queued) { return queued.cell == cell.id; });
        } else if (run.state != State::done) {
            if (cell.variables->is_binding(i)) backend_.interrupt(lane);
            front_.lane_left(cell, run, reply);
            free_lane(lane);
            freed.push_back(lane);
            if (cell.detached && cell.stop_on_error)
                std::ranges::move(std::exchange(waiting, {}), std::back_inserter(aborted));
        }
        run.state = State::done;
    }
    front_.show_error(cell, "", reply);
    end_cell(cell, reply);
    abort(aborted, {});
    for (const LaneId lane : freed) pump(lane);
    tell_waiters();
}

// The code has ended well; the run keeps its lane until what it has made is packed.
void Router::return_variables(const Queued& queued, json reply) {
    find(queued.cell)->variables->pack(queued.run, [this, queued, reply = std::move(reply)](const json& failure) {
        Cell& cell = *find(queued.cell);
        const bool stopped = failure.is_null() && cell.runs[queued.run].stop_missed;
        leave_lane(cell, queued.run, stopped ? interrupted_reply() : failure.is_null() ? reply : failure);
    });
}

// All runs have ended well; the cell waits until main is between cells.
void Router::deliver_variables(Cell& cell, json reply) {
    cell.cancel = [this, id = cell.id] {
        Cell& waiting = *find(id);
        stop_asking(waiting.home());
        front_.show_error(waiting, "", interrupted_reply());
        end_cell(waiting, interrupted_reply());
    };
    cell.variables->deliver([this, id = cell.id, reply = std::move(reply)](const CellVariables::Problems& problems) {
        Cell& waiting = *find(id);
        waiting.cancel = nullptr;
        if (problems.empty()) end_cell(waiting, reply);
        else end_with_usage_error(waiting, lines(problems));
    });
}

// If a cell runs there, what is asked for waits for the end of that cell, and is then found to be unwanted.
void Router::stop_asking(LaneId lane) {
    if (!lanes_[lane].running) backend_.interrupt(lane);
}

} // namespace xinterp::kernel
