#include <xinterp/modules/channel_table.hpp>

#include <ctime>

#include <utility>

namespace xinterp::modules {
Waiter::Waiter() { sem_init(&ended_, 0, 0); }

Waiter::~Waiter() { sem_destroy(&ended_); }

void Waiter::end(Outcome outcome) {
    outcome_ = outcome;
    sem_post(&ended_);
}

bool Waiter::wait(Clock::time_point until) {
    // It does not look for its end a while first: with the other end's thread on the same core that only takes time.
    const auto time = until.time_since_epoch(); // libstdc++'s steady_clock is CLOCK_MONOTONIC
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
    const timespec moment{.tv_sec = seconds.count(), .tv_nsec = std::chrono::nanoseconds{time - seconds}.count()};
    sem_clockwait(&ended_, CLOCK_MONOTONIC, &moment);
    return over();
}

bool ChannelTable::Users::join(InterpreterId interpreter) {
    if (released.contains(interpreter)) return false;
    present.insert(interpreter);
    had_any = true;
    return true;
}

ChannelId ChannelTable::create() {
    const std::scoped_lock lock{mutex_};
    channels_[++last_];
    return last_;
}

std::vector<ChannelId> ChannelTable::list() const {
    const std::scoped_lock lock{mutex_};
    std::vector<ChannelId> all;
    for (const auto& [id, channel] : channels_) all.push_back(id);
    return all;
}

std::optional<std::pair<std::size_t, std::size_t>> ChannelTable::waiting(ChannelId id) const {
    const std::scoped_lock lock{mutex_};
    const auto found = channels_.find(id);
    if (found == channels_.end()) return std::nullopt;
    return std::pair{found->second.receiving.size(), found->second.sending.size()};
}

bool ChannelTable::has_been(ChannelId id) const {
    const std::scoped_lock lock{mutex_};
    return id > 0 && id <= last_;
}

bool ChannelTable::hold(ChannelId id, InterpreterId holder) {
    const std::scoped_lock lock{mutex_};
    const auto found = channels_.find(id);
    if (found == channels_.end()) return false;
    ++found->second.holders[holder];
    return true;
}

void ChannelTable::let_go(ChannelId id, InterpreterId holder) {
    const std::scoped_lock lock{mutex_};
    const auto found = channels_.find(id);
    if (found == channels_.end()) return;
    auto& holders = found->second.holders;
    const auto held = holders.find(holder);
    if (held != holders.end() && --held->second == 0) holders.erase(held);
    if (holders.empty()) remove(found);
}

Outcome ChannelTable::send(ChannelId id, InterpreterId interpreter, Waiter& waiter, bool queue, bool again) {
    const std::scoped_lock lock{mutex_};
    const auto found = channels_.find(id);
    if (found == channels_.end()) return Outcome::unknown;
    Channel& channel = found->second;
    if (!channel.senders.join(interpreter)) return Outcome::released;
    if (!channel.receiving.empty()) {
        Waiter* receiver = channel.receiving.front();
        channel.receiving.pop_front();
        receiver->object = waiter.object;
        receiver->end(Outcome::done);
        return Outcome::done;
    }
    if (!queue) return Outcome::nobody;
    if (channel.receivers.gone()) return Outcome::not_received;
    waiter.interpreter_ = interpreter;
    if (again) channel.sending.push_front(&waiter);
    else channel.sending.push_back(&waiter);
    return Outcome::waiting;
}

Outcome ChannelTable::receive(ChannelId id, InterpreterId interpreter, Waiter& waiter, bool queue, bool again) {
    const std::scoped_lock lock{mutex_};
    const auto found = channels_.find(id);
    if (found == channels_.end()) return Outcome::unknown;
    Channel& channel = found->second;
    if (!channel.receivers.join(interpreter)) return Outcome::released;
    if (!channel.sending.empty()) {
        Waiter* sender = channel.sending.front();
        channel.sending.pop_front();
        waiter.object = sender->object; // a copy: the sender drops its own
        sender->end(Outcome::done);
        return Outcome::done;
    }
    if (!queue) return Outcome::nobody;
    if (channel.senders.gone()) return Outcome::senders_gone;
    waiter.interpreter_ = interpreter;
    if (again) channel.receiving.push_front(&waiter);
    else channel.receiving.push_back(&waiter);
    return Outcome::waiting;
}

bool ChannelTable::withdraw(ChannelId id, Waiter& waiter) {
    const std::scoped_lock lock{mutex_};
    if (waiter.over()) return false;
    const auto found = channels_.find(id); // exists: a channel's end ends all waits
    std::erase(found->second.receiving, &waiter);
    std::erase(found->second.sending, &waiter);
    return true;
}

Outcome ChannelTable::close(ChannelId id, bool force) {
    const std::scoped_lock lock{mutex_};
    const auto found = channels_.find(id);
    if (found == channels_.end()) return Outcome::unknown;
    if (!force && !found->second.sending.empty()) return Outcome::not_empty;
    remove(found);
    return Outcome::done;
}

void ChannelTable::remove(Channels::iterator position) {
    for (Waiter* sender : position->second.sending) sender->end(Outcome::not_received);
    for (Waiter* receiver : position->second.receiving) receiver->end(Outcome::unknown);
    channels_.erase(position);
}

Outcome ChannelTable::release(ChannelId id, InterpreterId interpreter, End end) {
    const std::scoped_lock lock{mutex_};
    const auto found = channels_.find(id);
    if (found == channels_.end()) return Outcome::unknown;
    Channel& channel = found->second;
    Users& users = end == End::receive ? channel.receivers : channel.senders;
    users.present.erase(interpreter);
    users.released.insert(interpreter);
    std::erase_if(end == End::receive ? channel.receiving : channel.sending, [&](Waiter* waiter) {
        if (waiter->interpreter_ != interpreter) return false;
        waiter->end(Outcome::released);
        return true;
    });
    tell_who_waits_in_vain(channel);
    return Outcome::done;
}

void ChannelTable::tell_who_waits_in_vain(Channel& channel) {
    if (channel.receivers.gone())
        for (Waiter* sender : std::exchange(channel.sending, {})) sender->end(Outcome::not_received);
    if (channel.senders.gone())
        for (Waiter* receiver : std::exchange(channel.receiving, {})) receiver->end(Outcome::senders_gone);
}

void ChannelTable::forget(InterpreterId interpreter) {
    const std::scoped_lock lock{mutex_};
    for (auto position = channels_.begin(); position != channels_.end();) {
        Channel& channel = position->second;
        for (Users* users : {&channel.receivers, &channel.senders}) {
            users->present.erase(interpreter);
            users->released.erase(interpreter);
        }
        for (std::deque<Waiter*>* waiting : {&channel.receiving, &channel.sending})
            std::erase_if(*waiting, [&](Waiter* waiter) {
                if (waiter->interpreter_ != interpreter) return false;
                waiter->end(Outcome::released);
                return true;
            });
        const bool was_held = channel.holders.erase(interpreter) != 0;
        const auto next = std::next(position);
        if (was_held && channel.holders.empty()) remove(position);
        else tell_who_waits_in_vain(channel);
        position = next;
    }
}

} // namespace xinterp::modules
