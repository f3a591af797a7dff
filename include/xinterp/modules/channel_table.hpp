// include/xinterp/modules/channel_table.hpp: the process's channels, and the threads that wait at them. No Python in
// here: every member may be called on any thread, with or without a thread state, and only Waiter::wait waits.
#pragma once

#include <xinterp/python/crossing.hpp>
#include <xinterp/python/registry.hpp>

#include <semaphore.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace xinterp::modules {

using python::Crossing;
using python::InterpreterId;
using ChannelId = std::int64_t;

enum class End { receive, send };

/// How an operation went, or what ended a wait.
enum class Outcome {
    waiting,      ///< not over
    done,         ///< the object has been received
    nobody,       ///< nobody waits at the other end, or nothing has been sent
    unknown,      ///< there is no such channel, or it was closed
    released,     ///< by the interpreter that asks
    senders_gone, ///< nothing has been sent, and all that have sent before have gone
    not_received, ///< all that have received have gone, or the channel was closed over the object
    not_empty,
};

/// A thread that waits at a channel, on its stack. A semaphore and no condition variable: a signal ends its wait.
class Waiter {
public:
    using Clock = std::chrono::steady_clock;

    Waiter();
    ~Waiter();
    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;

    /// Until it is over, a signal comes, or it is that time. True: over.
    bool wait(Clock::time_point until);
    Outcome outcome() const { return outcome_; }
    bool over() const { return outcome_ != Outcome::waiting; }

    Crossing object; ///< to be sent, or received

private:
    friend class ChannelTable;
    void end(Outcome outcome); // with the table locked

    InterpreterId interpreter_ = 0;
    std::atomic<Outcome> outcome_ = Outcome::waiting;
    sem_t ended_;
};

class ChannelTable {
public:
    ChannelId create();
    std::vector<ChannelId> list() const;
    /// How many threads wait to receive and to send; nothing if the channel is unknown.
    std::optional<std::pair<std::size_t, std::size_t>> waiting(ChannelId id) const;
    /// Whether there has been a channel of that number.
    bool has_been(ChannelId id) const;

    /// The channel exists as long as somebody holds it. `holder` is an interpreter or `in_transit`. False: unknown.
    bool hold(ChannelId id, InterpreterId holder);
    void let_go(ChannelId id, InterpreterId holder);
    static constexpr InterpreterId in_transit = -1;

    /// Hands waiter.object to whoever waits to receive. If nobody does, the outcome is `nobody`, unless `queue`: the
    /// waiter then waits in line, in front of it if it was there before (`again`).
    Outcome send(ChannelId id, InterpreterId interpreter, Waiter& waiter, bool queue, bool again = false);
    /// Takes what waits in front into waiter.object, likewise.
    Outcome receive(ChannelId id, InterpreterId interpreter, Waiter& waiter, bool queue, bool again = false);
    /// The waiter waits no longer and nothing of it is left; false if its wait was over before.
    bool withdraw(ChannelId id, Waiter& waiter);

    /// `not_empty` if objects wait there, unless `force`: their senders are told.
    Outcome close(ChannelId id, bool force);
    /// The interpreter will not use that end any more.
    Outcome release(ChannelId id, InterpreterId interpreter, End end);
    /// The interpreter is ending: it uses no channel any more, and its threads wait at none.
    void forget(InterpreterId interpreter);

private:
    // One end's users. Once there was one and there is none any more, the end has gone.
    struct Users {
        std::set<InterpreterId> present, released;
        bool had_any = false;

        bool join(InterpreterId interpreter); // false: it has released the end
        bool gone() const { return had_any && present.empty(); }
    };
    struct Channel {
        Users receivers, senders;
        std::deque<Waiter*> receiving, sending; // one of them is empty
        std::map<InterpreterId, std::size_t> holders;
    };
    using Channels = std::map<ChannelId, Channel>;

    static void tell_who_waits_in_vain(Channel& channel);
    void remove(Channels::iterator position);

    mutable std::mutex mutex_; // guards all; nothing of Python's is called or destroyed while it is held
    Channels channels_;
    ChannelId last_ = 0;
};

} // namespace xinterp::modules
