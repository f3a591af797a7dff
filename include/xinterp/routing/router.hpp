// include/xinterp/routing/router.hpp: which cell runs where, and when. I/O thread only; no sockets, no Python.
//
// Each client's cells wait in the client's own queue, in the order in which they came; what it sends through a subshell
// has a queue of its own. A cell starts when it is first there and the client has no foreground cell: its target is
// decided then, and it joins the queue of each target's lane. A detached cell (`&`) does not hold up the client's next
// cells; the cells of one interpreter run in order anyway, but for those of subshells in main, where each has a lane of
// its own.
#pragma once

#include <xinterp/protocol/timers.hpp>
#include <xinterp/routing/backend.hpp>
#include <xinterp/routing/cell_variables.hpp>
#include <xinterp/routing/interpreters.hpp>

#include <xeus/xmessage.hpp>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace xinterp::kernel {

using modules::Stream;

/// Whose cells wait for each other.
struct Client {
    std::string session;
    SubshellNumber subshell = 0;
    auto operator<=>(const Client&) const = default;
};

/// Counts what a request takes in a total, from its arrival to its end.
class Load {
public:
    Load() = default;
    Load(std::size_t& total, std::size_t bytes) : total_{&total}, bytes_{bytes} { *total_ += bytes_; }
    ~Load() {
        if (total_ != nullptr) *total_ -= bytes_;
    }
    Load(const Load&) = delete;
    Load& operator=(const Load&) = delete;
    Load(Load&& other) noexcept : total_{std::exchange(other.total_, nullptr)}, bytes_{other.bytes_} {}
    Load& operator=(Load&& other) noexcept {
        std::swap(total_, other.total_);
        std::swap(bytes_, other.bytes_);
        return *this;
    }

private:
    std::size_t* total_ = nullptr;
    std::size_t bytes_ = 0;
};

/// A cell from its arrival to its reply.
struct Cell {
    /// One target's part.
    struct Run {
        InterpreterId target = python::main_interpreter;
        std::string label;
        /// `preparing` and `ready`: it has its lane, but its cell's `--in` has not come yet, here or in all targets.
        enum class State { waiting, preparing, ready, running, done } state = State::waiting;
        nlohmann::json reply;
        bool timed_out = false;
        bool has_not_stopped = false; ///< it was interrupted, and that took longer than interrupt_patience
        bool stop_missed = false;     ///< it was to be interrupted when its code had just ended
        std::optional<Timers::Handle> timer;
        std::vector<std::function<void(bool)>> interrupters; ///< who wants to know whether it stopped
    };

    LaneId lane_of(const Run& run) const { return {run.target, client.subshell}; }
    /// Main, as its code sees it.
    LaneId home() const { return {python::main_interpreter, client.subshell}; }

    CellId id = 0;
    Load load;
    Client client; ///< that sent it
    xeus::xmessage request;
    std::string code; ///< as typed
    bool silent = false, store_history = true, allow_stdin = true, stop_on_error = true;
    nlohmann::json user_expressions;
    nlohmann::json refusal; ///< null, or why it cannot run at all

    // from its start
    int count = 0;                              ///< its In [n]
    std::function<void(nlohmann::json)> finish; ///< sends the reply and idle
    bool detached = false;
    std::vector<Run> runs;
    std::optional<std::chrono::duration<double>> timeout;
    std::unique_ptr<CellVariables> variables; ///< if it has --in or --out
    std::function<void()> cancel; ///< stops what it waits for: a command, the creation of its target, main for --out
    bool ended = false;

    modules::SharedCommMessage callback; ///< then it is no cell of a notebook: it calls code that waits for messages
};

/// Whom the router tells what happens to a cell.
class RouterFront {
public:
    virtual ~RouterFront() = default;
    /// Publishes busy and execute_input; sets the cell's count and finish.
    virtual void begin(Cell& cell) = 0;
    /// For one that never began: busy, a reply with status aborted, idle.
    virtual void abort(Cell& cell) = 0;
    /// The targets are known: from here its output is attributed.
    virtual void routed(const Cell& cell) = 0;
    /// Everything that the run (a run of null: the cell) has written so far goes out.
    virtual void flush(const Cell& cell, const Cell::Run* run) = 0;
    virtual void write(const Cell& cell, Stream stream, const std::string& text) = 0;
    /// An `error` message; `label` heads it where the cell has several targets.
    virtual void show_error(const Cell& cell, const std::string& label, const nlohmann::json& reply) = 0;
    /// The run begins to use its lane, and has used it; with the content of its reply.
    virtual void lane_taken(const Cell&, const Cell::Run&) {}
    virtual void lane_left(const Cell&, const Cell::Run&, const nlohmann::json& /*reply*/) {}
    /// An interpreter has run a cell in its own lane, and has none waiting there.
    virtual void became_idle(InterpreterId) {}
    /// The cell is over. Late output of its threads still belongs to it.
    virtual void ended(const Cell& cell) = 0;
    /// Reads requests that have arrived, so that an abort reaches them. False if there may be more.
    virtual bool read_requests() = 0;
    /// Looks up the processes that the cell has started, all or those of one interpreter; the result sends them SIGINT.
    virtual std::function<void()> find_processes(CellId, std::optional<InterpreterId> /*interpreter*/) {
        return [] {};
    }
    /// Runs `%interp` lines; `done` with the content of the cell's reply. Sets cell.cancel while it waits.
    virtual void run_commands(Cell& cell, std::vector<std::string> lines, std::function<void(nlohmann::json)> done) = 0;
};

class Router {
public:
    /// Front ends send the cells of a whole notebook one after the other: what a client sends within that time after
    /// a failure, or after its last request, is the rest of the notebook. The reply of a cell that fails waits for it,
    /// so that the abort reaches the cells below, and never a cell that was sent after the reply has been seen.
    static constexpr std::chrono::milliseconds rest_time{50};
    /// A reply waits no longer than that, however long a client goes on sending.
    static constexpr std::chrono::seconds longest_rest{1};
    /// Of all requests that wait or run. Past it no more are read: they wait in their connections.
    static constexpr std::size_t most_bytes = 64 * 1024 * 1024;
    /// What a request costs besides its content.
    static constexpr std::size_t request_overhead = 4096;

    Router(Interpreters& interpreters, Backend& backend, Timers& timers, RouterFront& front,
           std::chrono::milliseconds rest = rest_time)
        : interpreters_{interpreters}, backend_{backend}, timers_{timers}, front_{front}, rest_{rest} {}

    /// An execute_request that has been validated, and the subshell that it came through. With a refusal, the content
    /// of a reply, the cell fails with that when its turn comes.
    void submit(xeus::xmessage request, SubshellNumber subshell = 0, nlohmann::json refusal = {});
    /// A comm message: it calls those interpreters' code as a detached cell of its own.
    void call(xeus::xmessage request, const std::vector<InterpreterInfo>& targets, modules::SharedCommMessage message);
    bool has_room() const { return load_ < most_bytes; }
    /// Replies that wait for the rest of their notebook are sent, now and from now on: the kernel ends.
    void wait_for_no_rest();
    /// The number of the cell that comes next.
    CellId next_cell() const { return last_cell_ + 1; }

    /// How long an interrupt may take before the cell is told that it has not stopped.
    static constexpr std::chrono::seconds interrupt_patience{1};

    /// Stop: the foreground cells in all their targets, and callbacks that they wait for; if there is none, those of
    /// subshells, and the callbacks that run; if there is none either, every detached cell; if there is no cell, the
    /// tasks that cells have left behind.
    void interrupt_foreground();
    /// The same of what came through one subshell, and of nothing else.
    void interrupt_subshell(SubshellNumber subshell);
    /// KeyboardInterrupt in that interpreter's cell; if none runs in its own lane, in those of subshells. `done` when
    /// the cell has ended there (true), or has not in time (false: it catches the interrupt, or is in C code that holds
    /// the GIL). False at once if nothing runs there.
    bool interrupt(InterpreterId interpreter, std::function<void(bool stopped)> done);

    /// Stops what that lane packs or unpacks between cells, whose result is no longer wanted: it may run endless code.
    void stop_asking(LaneId lane);

    /// What waits behind a subshell's cells is aborted; when those that have started are over, its thread ends, and
    /// then `done` is called.
    void end_subshell(SubshellNumber subshell, std::function<void()> done);
    /// Whether a cell that came through it has started and not ended.
    bool is_at_work(SubshellNumber subshell) const;

    /// Plain cells of the client go there from now on.
    void use(const Client& client, const std::vector<InterpreterId>& targets);
    /// An interpreter was reset: who used the old one uses the new one.
    void replace(InterpreterId old_id, InterpreterId new_id);
    /// Where plain cells go of those clients for whom that is not main.
    std::map<Client, std::vector<InterpreterId>> uses() const;
    /// Where a piece of code of that client would run (the first of several targets).
    InterpreterId target_of(const Client& client, const std::string& code) const;

    bool is_busy(LaneId id) const;
    bool runs_callback(InterpreterId interpreter) const;
    // Of all its lanes.
    /// How many cells wait.
    std::size_t queued(InterpreterId interpreter) const;
    /// Whether anything that runs was interrupted, and goes on.
    bool has_not_stopped(InterpreterId interpreter) const;
    /// What waits in its lane is aborted, with a sentence; nothing new starts there.
    void retire(InterpreterId interpreter, const std::string& sentence);
    /// Calls `done` once all detached cells there (any, if empty) have ended, `except` and its lanes aside. A handle
    /// for stop_waiting().
    std::uint64_t wait(std::vector<InterpreterId> interpreters, CellId except, std::function<void()> done);
    void stop_waiting(std::uint64_t handle);

    /// A cell that has started and not ended, one that holds others up if there is any; or null.
    const Cell* some_cell() const;
    /// A cell that has started and not ended, or null.
    const Cell* cell(CellId id) const;
    Cell* find(CellId id);

private:
    struct Queued {
        CellId cell;
        std::size_t run;
    };
    struct LaneQueue {
        std::optional<Queued> running;
        std::deque<Queued> waiting;
    };
    struct Waiter {
        std::set<InterpreterId> interpreters;
        CellId except;
        std::function<void()> done;
    };

    void advance(const Client& client);
    void start(std::unique_ptr<Cell> owned);
    void route(Cell& cell, std::vector<std::string> missing, const CellMagic& magic);
    void enqueue(Cell& cell, const std::vector<InterpreterInfo>& targets, const std::string& code);
    void pump(LaneId id);
    void begin_run(const Queued& queued);
    void run_ended(CellId id, std::size_t index, nlohmann::json reply);
    void leave_lane(Cell& cell, std::size_t index, nlohmann::json reply);
    void free_lane(LaneId id);
    void end_run(Cell& cell, Cell::Run& run, nlohmann::json reply);
    void end_cell(Cell& cell, nlohmann::json reply);
    void end_with_rest(CellId id);
    void finish(Cell& cell, nlohmann::json reply, const std::deque<std::unique_ptr<Cell>>& aborted);
    void fail(Cell& cell, nlohmann::json reply);
    void end_with_usage_error(Cell& cell, const std::string& message);
    void abort(const std::deque<Queued>& waiting, const std::string& sentence);
    void abort_lane(LaneId id, const std::string& sentence);
    void interrupt_cells(const std::vector<CellId>& chosen);
    void interrupt_cell(Cell& cell);
    void end_subshell_if_over(SubshellNumber subshell);
    void interrupt_run(const Queued& queued);
    bool is_running(const Queued& queued) const;
    // router_variables.cpp
    void take_variables(Cell& cell);
    void bind_variables(const Queued& queued);
    void begin_when_ready(Cell& cell);
    void end_before_running(Cell& cell, const nlohmann::json& reply);
    void return_variables(const Queued& queued, nlohmann::json reply);
    void deliver_variables(Cell& cell, nlohmann::json reply);
    bool detached_cells_remain(const Waiter& waiter) const;
    void tell_waiters();
    std::vector<InterpreterInfo> default_targets(Cell& cell);
    InterpreterId plain_target(const Client& client) const;

    Interpreters& interpreters_;
    Backend& backend_;
    Timers& timers_;
    RouterFront& front_;
    std::chrono::milliseconds rest_;

    std::size_t load_ = 0; ///< before all cells, which count in it
    CellId last_cell_ = 0;
    std::map<CellId, std::unique_ptr<Cell>> cells_; ///< that have started and not ended
    std::map<CellId, std::string> code_;            ///< what is left to run of them
    std::map<Client, std::deque<std::unique_ptr<Cell>>> queues_;
    std::map<Client, Timers::Clock::time_point> last_arrivals_;
    struct Failure {
        nlohmann::json reply;
        Timers::Clock::time_point time;
    };
    std::map<CellId, Failure> failures_; ///< of cells that have ended and whose replies wait for the rest
    std::map<Client, CellId> foreground_;
    std::set<Client> advancing_;
    std::map<LaneId, LaneQueue> lanes_;
    std::map<SubshellNumber, std::function<void()>> ending_subshells_;
    std::set<InterpreterId> retired_;
    struct Use {
        std::vector<InterpreterId> targets;
        std::vector<std::string> labels;
    };
    std::map<Client, Use> uses_;
    std::map<std::uint64_t, Waiter> waiters_;
    std::uint64_t last_waiter_ = 0;
};

bool failed(const nlohmann::json& reply);
nlohmann::json interrupted_reply();
/// The content of a reply (and of an `error` message) for one of the kernel's own sentences.
nlohmann::json error_reply(const std::string& name, const std::string& message);

} // namespace xinterp::kernel
