#include <xinterp/protocol/wire.hpp>
#include <xinterp/routing/router.hpp>

#include <algorithm>
#include <format>
#include <utility>

namespace xinterp::kernel {
namespace {

using nlohmann::json;

// In a reply: the interpreter has sent the error itself, because hooks follow that write below it.
constexpr const char* is_shown = "is_shown";
// In a failed run's reply: the cells behind it still run, because it was stopped at the prompt of its debugger.
constexpr const char* keeps_queue = "keeps_queue";

bool stops_others(const json& reply) { return failed(reply) && !reply.value(keeps_queue, false); }
bool was_aborted(const json& reply) { return reply.value("status", "") == "aborted"; }

std::string seconds_text(std::chrono::duration<double> time) { return std::format("{:g} s", time.count()); }

} // namespace

bool failed(const json& reply) { return reply.value("status", "") == "error"; }

json interrupted_reply() { return error_reply("KeyboardInterrupt", ""); }

json error_reply(const std::string& name, const std::string& message) {
    json lines = json::array();
    std::string_view rest = message.empty() ? std::string_view{name} : std::string_view{message};
    while (true) {
        const auto end = rest.find('\n');
        lines.push_back(rest.substr(0, end));
        if (end == std::string_view::npos) break;
        rest.remove_prefix(end + 1);
    }
    return {{"status", "error"},        {"ename", name},
            {"evalue", message},        {"traceback", lines},
            {"payload", json::array()}, {"user_expressions", json::object()}};
}

const Cell* Router::cell(CellId id) const {
    const auto found = cells_.find(id);
    return found == cells_.end() ? nullptr : found->second.get();
}

const Cell* Router::some_cell() const {
    if (!foreground_.empty()) return cell(foreground_.begin()->second);
    return cells_.empty() ? nullptr : cells_.begin()->second.get();
}

Cell* Router::find(CellId id) {
    const auto found = cells_.find(id);
    return found == cells_.end() ? nullptr : found->second.get();
}

void Router::submit(xeus::xmessage request, SubshellNumber subshell, json refusal) {
    auto cell = std::make_unique<Cell>();
    cell->id = ++last_cell_;
    cell->client = {request.header().at("session"), subshell};
    const json& content = request.content();
    cell->load = Load{load_, request_overhead + size_of(content)};
    cell->code = content.at("code");
    cell->silent = content.value("silent", false);
    const bool blank = cell->code.find_first_not_of(" \t\r\n\f\v") == std::string::npos; // no cell, as in IPython
    cell->store_history = content.value("store_history", true) && !cell->silent && !blank;
    cell->allow_stdin = content.value("allow_stdin", true);
    cell->stop_on_error = content.value("stop_on_error", true);
    if (const auto expressions = content.find("user_expressions");
        expressions != content.end() && expressions->is_object())
        cell->user_expressions = *expressions;
    else cell->user_expressions = json::object();
    cell->request = std::move(request);
    cell->refusal = std::move(refusal);
    const Client client = cell->client;
    last_arrivals_[client] = Timers::Clock::now();
    queues_[client].push_back(std::move(cell));
    advance(client);
}

void Router::call(xeus::xmessage request, const std::vector<InterpreterInfo>& targets,
                  modules::SharedCommMessage message) {
    auto owned = std::make_unique<Cell>();
    Cell& cell = *owned;
    cell.id = ++last_cell_;
    cell.load = Load{load_, request_overhead + size_of(request.content()) + size_of(request.buffers())};
    cell.client.session = request.header().at("session");
    cell.store_history = cell.allow_stdin = cell.stop_on_error = false;
    cell.detached = true;
    cell.request = std::move(request);
    cell.callback = std::move(message);
    cells_.emplace(cell.id, std::move(owned));
    front_.begin(cell);
    if (targets.empty()) end_cell(cell, json{{"status", "aborted"}});
    else enqueue(cell, targets, "");
}

void Router::advance(const Client& client) {
    if (!advancing_.insert(client).second) return; // an outer call goes on
    const auto queue = queues_.find(client);
    while (queue != queues_.end() && !queue->second.empty() && !foreground_.contains(client)) {
        std::unique_ptr<Cell> cell = std::move(queue->second.front());
        queue->second.pop_front();
        try {
            start(std::move(cell));
        } catch (...) {
            advancing_.erase(client); // the client's next request tries again
            throw;
        }
    }
    advancing_.erase(client);
}

void Router::start(std::unique_ptr<Cell> owned) {
    Cell& cell = *owned;
    cells_.emplace(cell.id, std::move(owned));
    foreground_[cell.client] = cell.id; // until it is known to be detached
    front_.begin(cell);
    if (!cell.refusal.is_null()) {
        fail(cell, cell.refusal);
        return;
    }
    try {
        ParsedCell parsed = parse_cell(cell.code);
        if (auto* magic = std::get_if<CellMagic>(&parsed)) {
            cell.detached = magic->detached;
            cell.timeout = magic->timeout;
            std::vector<std::string> missing;
            for (const std::string& target : magic->targets) {
                if (!magic->create || interpreters_.registry().find(target)) continue;
                interpreters_.check_name(target);
                missing.push_back(target);
            }
            route(cell, std::move(missing), *magic);
        } else if (auto* commands = std::get_if<CommandLines>(&parsed)) {
            const CellId id = cell.id;
            front_.run_commands(cell, std::move(commands->lines), [this, id](json reply) {
                if (Cell* running = find(id)) end_cell(*running, std::move(reply));
            });
        } else if (std::holds_alternative<CellMagicHelp>(parsed)) {
            front_.write(cell, Stream::out, cell_magic_help());
            end_cell(cell, json{{"status", "ok"}});
        } else {
            enqueue(cell, default_targets(cell), cell.code);
        }
    } catch (const UsageError& error) {
        end_with_usage_error(cell, error.what());
    } catch (const std::exception& error) { // out of memory, mostly
        fail(cell, error_reply("SystemError", error.what()));
    }
}

void Router::route(Cell& cell, std::vector<std::string> missing, const CellMagic& magic) {
    if (missing.empty()) {
        const std::vector<InterpreterInfo> targets = interpreters_.resolve(magic.targets);
        cell.variables = CellVariables::of(cell.id, cell.home(), magic, targets, backend_);
        enqueue(cell, targets, magic.code);
        return;
    }
    cell.cancel = [this, id = cell.id] {
        const json reply = interrupted_reply();
        front_.show_error(*find(id), "", reply);
        end_cell(*find(id), reply);
    };
    const std::string name = std::move(missing.front()); // one after the other: ids rise in the order of the names
    missing.erase(missing.begin());
    interpreters_.create(name, magic.preset.value_or(python::Preset::notebook),
                         [this, id = cell.id, client = cell.client, missing = std::move(missing),
                          magic](const auto& created, const std::string& error) {
                             Cell* waiting = find(id);
                             if (waiting == nullptr) return;
                             try {
                                 if (!created) throw UsageError{"the interpreter could not be created: " + error};
                                 route(*waiting, missing, magic);
                             } catch (const UsageError& problem) {
                                 end_with_usage_error(*waiting, problem.what());
                             }
                             advance(client);
                         });
}

void Router::enqueue(Cell& cell, const std::vector<InterpreterInfo>& targets, const std::string& code) {
    cell.cancel = nullptr;
    // Only now: the cells behind a detached one may need the interpreters that it has created.
    if (cell.detached && !cell.callback) foreground_.erase(cell.client);
    code_[cell.id] = code;
    for (const InterpreterInfo& info : targets) {
        Cell::Run run;
        run.target = info.id;
        run.label = info.label();
        cell.runs.push_back(std::move(run));
    }
    front_.routed(cell);
    const CellId id = cell.id;
    if (cell.variables) take_variables(cell);
    const Client client = cell.client;
    for (std::size_t i = 0; i < targets.size(); ++i)
        lanes_[{targets[i].id, client.subshell}].waiting.push_back({id, i});
    for (const InterpreterInfo& info : targets) pump({info.id, client.subshell});
}

void Router::pump(LaneId id) {
    const auto found = lanes_.find(id);
    if (found == lanes_.end()) return; // a subshell's, which is over
    LaneQueue& lane = found->second;
    if (lane.running || lane.waiting.empty() || retired_.contains(id.interpreter)) return;
    const Queued next = lane.waiting.front();
    lane.waiting.pop_front();
    lane.running = next;
    interpreters_.registry().set_state(id.interpreter, python::State::running);
    const Cell& cell = *find(next.cell);
    front_.lane_taken(cell, cell.runs[next.run]);
    if (cell.variables && cell.variables->comes_in()) bind_variables(next);
    else begin_run(next);
}

void Router::begin_run(const Queued& next) {
    Cell& cell = *find(next.cell);
    Cell::Run& run = cell.runs[next.run];
    run.state = Cell::Run::State::running;
    if (cell.timeout)
        run.timer = timers_.after(std::chrono::duration_cast<std::chrono::nanoseconds>(*cell.timeout), [this, next] {
            Cell* running = find(next.cell);
            if (!is_running(next)) return;
            running->runs[next.run].timed_out = true;
            const auto interrupt_processes = front_.find_processes(next.cell, running->runs[next.run].target);
            interrupt_run(next);
            interrupt_processes();
        });
    if (cell.callback) {
        backend_.call(run.target, cell.id, cell.callback,
                      [this, next](json reply) { run_ended(next.cell, next.run, std::move(reply)); });
        return;
    }
    backend_.execute(cell.lane_of(run),
                     CellCode{cell.id, cell.count, code_[cell.id], cell.code, cell.silent, cell.store_history,
                              cell.allow_stdin, cell.user_expressions},
                     [this, next](json reply) { run_ended(next.cell, next.run, std::move(reply)); });
}

void Router::run_ended(CellId id, std::size_t index, json reply) {
    Cell* cell = find(id);
    if (!is_running({id, index})) return;
    Cell::Run& run = cell->runs[index];
    if (run.timer) timers_.cancel(*run.timer);
    if (run.timed_out && reply.value("ename", "") == "KeyboardInterrupt") {
        const std::string message =
            "the cell ran longer than " + seconds_text(*cell->timeout) + " in " + run.label + " and was interrupted.";
        reply["ename"] = "TimeoutError";
        reply["evalue"] = message;
        if (reply.contains("traceback") && reply["traceback"].is_array())
            reply["traceback"].push_back("TimeoutError: " + message);
    }
    if (!cell->callback) interpreters_.registry().count_cell(run.target);
    if (reply.erase("stop_missed") != 0) run.stop_missed = true;
    if (cell->variables && cell->variables->goes_out() && !failed(reply))
        return_variables({id, index}, std::move(reply));
    else leave_lane(*cell, index, std::move(reply));
}

void Router::free_lane(LaneId id) {
    lanes_[id].running.reset();
    for (const auto& [other, lane] : lanes_)
        if (other.interpreter == id.interpreter && lane.running) return;
    const auto info = interpreters_.registry().get(id.interpreter);
    if (info && info->state == python::State::running)
        interpreters_.registry().set_state(id.interpreter, python::State::idle);
}

void Router::leave_lane(Cell& cell, std::size_t index, json reply) {
    Cell::Run& run = cell.runs[index];
    const LaneId lane = cell.lane_of(run);
    const auto interrupters = std::exchange(run.interrupters, {});
    front_.lane_left(cell, run, reply);
    free_lane(lane);
    // Exactly what waits now: the end of the cell may start others.
    std::deque<Queued> aborted;
    const bool fails = stops_others(reply) || (cell.variables && !cell.variables->problems(index).empty());
    if (cell.detached && cell.stop_on_error && fails) std::swap(aborted, lanes_[lane].waiting);
    end_run(cell, run, std::move(reply));
    abort(aborted, {});
    pump(lane);
    if (lane.subshell == 0 && !is_busy(lane.interpreter)) front_.became_idle(lane.interpreter);
    tell_waiters();
    for (const auto& done : interrupters) done(true);
}

void Router::end_run(Cell& cell, Cell::Run& run, json reply) {
    front_.flush(cell, &run);
    run.reply = std::move(reply);
    run.state = Cell::Run::State::done;
    if (std::ranges::any_of(cell.runs, [](const Cell::Run& other) { return other.state != Cell::Run::State::done; })) {
        begin_when_ready(cell);
        return;
    }

    std::vector<const Cell::Run*> failures;
    bool aborted = false;
    for (const Cell::Run& each : cell.runs) {
        if (failed(each.reply)) failures.push_back(&each);
        aborted = aborted || was_aborted(each.reply);
    }
    for (const Cell::Run* failure : failures)
        if (!failure->reply.value(is_shown, false))
            front_.show_error(cell, cell.runs.size() > 1 ? failure->label : "", failure->reply);
    json final = failures.empty() ? cell.runs.front().reply : failures.front()->reply;
    final.erase(is_shown);
    if (!failures.empty())
        final[keeps_queue] =
            std::ranges::none_of(failures, [](const Cell::Run* failure) { return stops_others(failure->reply); });
    if (failures.empty() && aborted) final = json{{"status", "aborted"}};
    if (cell.runs.size() > 1 && !failures.empty()) {
        std::string values;
        for (const Cell::Run* failure : failures)
            values += (values.empty() ? "" : "; ") +
                      std::format("in {}: {}", failure->label, failure->reply.value("evalue", ""));
        final["evalue"] = values;
    }
    if (cell.variables && cell.variables->goes_out() && failures.empty() && !aborted)
        deliver_variables(cell, std::move(final));
    else end_cell(cell, std::move(final));
}

void Router::end_with_usage_error(Cell& cell, const std::string& message) {
    fail(cell, error_reply("UsageError", message));
}

void Router::fail(Cell& cell, json reply) {
    front_.show_error(cell, "", reply);
    end_cell(cell, std::move(reply));
}

void Router::end_cell(Cell& cell, json reply) {
    if (std::exchange(cell.ended, true)) return;
    cell.cancel = nullptr;
    front_.flush(cell, nullptr);
    if (cell.silent && !reply.contains("status")) reply["status"] = "ok";
    if (cell.detached || !cell.stop_on_error || !stops_others(reply)) {
        finish(cell, std::move(reply), {});
        return;
    }
    cell.variables.reset();
    failures_.emplace(cell.id, Failure{std::move(reply), Timers::Clock::now()});
    end_with_rest(cell.id);
}

// What waits is what has arrived before the reply: a client that has seen it may send the next cell at once.
void Router::end_with_rest(CellId id) {
    const auto found = failures_.find(id);
    if (found == failures_.end()) return;
    const Client client = find(id)->client;
    const bool all_read = front_.read_requests(); // they queue behind this cell, which still holds the foreground
    const auto now = Timers::Clock::now();
    const auto complete =
        std::min(std::max(last_arrivals_[client], found->second.time) + rest_, found->second.time + longest_rest);
    if (!all_read || now < complete) {
        timers_.after(std::max(complete - now, Timers::Clock::duration::zero()), [this, id] { end_with_rest(id); });
        return;
    }
    const auto failure = failures_.extract(found);
    finish(*find(id), std::move(failure.mapped().reply), std::exchange(queues_[client], {}));
}

void Router::wait_for_no_rest() {
    rest_ = {};
    std::vector<CellId> waiting;
    for (const auto& [id, failure] : failures_) waiting.push_back(id);
    for (const CellId id : waiting) end_with_rest(id);
}

void Router::finish(Cell& cell, json reply, const std::deque<std::unique_ptr<Cell>>& aborted) {
    const CellId id = cell.id;
    const Client client = cell.client;
    reply.erase(keeps_queue);
    cell.finish(std::move(reply));
    front_.ended(cell);
    for (const auto& waiting : aborted) front_.abort(*waiting);
    if (const auto own = foreground_.find(client); own != foreground_.end() && own->second == id)
        foreground_.erase(client);
    code_.erase(id);
    cells_.erase(id);
    tell_waiters();
    advance(client);
    end_subshell_if_over(client.subshell);
}

void Router::abort_lane(LaneId id, const std::string& sentence) {
    abort(std::exchange(lanes_[id].waiting, {}), sentence);
}

void Router::abort(const std::deque<Queued>& waiting, const std::string& sentence) {
    for (const Queued& queued : waiting) {
        Cell& cell = *find(queued.cell);
        const std::string label = cell.runs[queued.run].label;
        if (!sentence.empty())
            front_.write(cell, Stream::err,
                         (cell.callback ? label + " ended before this callback could run there." : sentence) + "\n");
        end_run(cell, cell.runs[queued.run], json{{"status", "aborted"}});
    }
}

bool Router::is_running(const Queued& queued) const {
    const Cell* running = cell(queued.cell);
    return running != nullptr && running->runs[queued.run].state == Cell::Run::State::running;
}

bool Router::is_busy(LaneId id) const {
    const auto lane = lanes_.find(id);
    return lane != lanes_.end() && (lane->second.running || !lane->second.waiting.empty());
}

bool Router::runs_callback(InterpreterId interpreter) const {
    const auto lane = lanes_.find(interpreter);
    return lane != lanes_.end() && lane->second.running && cell(lane->second.running->cell)->callback;
}

std::size_t Router::queued(InterpreterId interpreter) const {
    std::size_t count = 0;
    for (const auto& [id, lane] : lanes_)
        if (id.interpreter == interpreter) count += lane.waiting.size();
    return count;
}

void Router::retire(InterpreterId interpreter, const std::string& sentence) {
    retired_.insert(interpreter);
    interpreters_.registry().set_state(interpreter, python::State::closing); // a cell that starts now finds it closing
    abort_lane(interpreter, sentence);
    tell_waiters();
}

std::uint64_t Router::wait(std::vector<InterpreterId> interpreters, CellId except, std::function<void()> done) {
    Waiter waiter{{interpreters.begin(), interpreters.end()}, except, std::move(done)};
    if (!detached_cells_remain(waiter)) {
        waiter.done();
        return 0;
    }
    waiters_.emplace(++last_waiter_, std::move(waiter));
    return last_waiter_;
}

void Router::stop_waiting(std::uint64_t handle) { waiters_.erase(handle); }

bool Router::detached_cells_remain(const Waiter& waiter) const {
    std::set<LaneId> own_lanes; // what waits behind the asking cell cannot end before it
    if (const Cell* asking = cell(waiter.except))
        for (const Cell::Run& run : asking->runs) own_lanes.insert(asking->lane_of(run));
    for (const auto& [id, cell] : cells_) {
        if (!cell->detached || id == waiter.except) continue;
        if (cell->variables && cell->variables->waits_for_main() && own_lanes.contains(cell->home())) continue;
        for (const Cell::Run& run : cell->runs)
            if (run.state != Cell::Run::State::done && !own_lanes.contains(cell->lane_of(run)) &&
                (waiter.interpreters.empty() || waiter.interpreters.contains(run.target)))
                return true;
    }
    return false;
}

void Router::tell_waiters() {
    std::vector<std::function<void()>> satisfied;
    for (auto waiter = waiters_.begin(); waiter != waiters_.end();) {
        if (detached_cells_remain(waiter->second)) {
            ++waiter;
            continue;
        }
        satisfied.push_back(std::move(waiter->second.done));
        waiter = waiters_.erase(waiter);
    }
    for (const auto& done : satisfied) done();
}

} // namespace xinterp::kernel
