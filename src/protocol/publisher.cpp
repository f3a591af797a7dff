#include <xinterp/protocol/log.hpp>
#include <xinterp/protocol/publisher.hpp>

#include <utility>

namespace xinterp::kernel {
namespace {

std::size_t cost(const std::variant<Frames, StreamText>& message) {
    std::size_t bytes = Outbox::entry_overhead;
    if (const auto* text = std::get_if<StreamText>(&message)) return bytes + text->text.size();
    for (const std::string& frame : std::get<Frames>(message)) bytes += frame.size();
    return bytes;
}

} // namespace

Publisher::Publisher(zmq::context_t& context, Outbox& outbox, Maker maker)
    : socket_{context, zmq::socket_type::xpub}, outbox_{outbox}, maker_{std::move(maker)} {
    socket_.set(zmq::sockopt::sndhwm, queue_messages);
    socket_.set(zmq::sockopt::xpub_verbose, 1);
    socket_.set(zmq::sockopt::xpub_nodrop, true);
    const int milliseconds = static_cast<int>(std::chrono::milliseconds{patience}.count());
    zmq_setsockopt(socket_.handle(), ZMQ_TCP_MAXRT, &milliseconds, sizeof milliseconds);
}

bool Publisher::try_send(const Frames& frames) {
    for (std::size_t i = 0; i < frames.size(); ++i) {
        const auto more = i + 1 < frames.size() ? zmq::send_flags::sndmore : zmq::send_flags::none;
        if (!socket_.send(zmq::buffer(frames[i]), more | zmq::send_flags::dontwait))
            return false; // only ever the first
    }
    return true;
}

void Publisher::send(Frames frames) {
    if (audience_ && waiting_.empty() && try_send(frames)) return;
    wait(std::move(frames));
}

void Publisher::send(StreamText text) {
    if (audience_ && waiting_.empty() && try_send(maker_.stream(text))) return;
    wait(std::move(text));
}

void Publisher::wait(Waiting message) {
    if (!audience_ && !outbox_.has_room()) discard();
    if (waiting_.empty() || !audience_) last_progress_ = Clock::now();
    outbox_.charge(cost(message));
    waiting_.push_back(std::move(message));
}

void Publisher::discard() {
    for (const Waiting& message : waiting_) outbox_.release(cost(message));
    waiting_.clear();
}

std::optional<Publisher::Clock::time_point> Publisher::next_try() const {
    if (waiting_.empty()) return std::nullopt;
    return audience_ ? Clock::now() + congestion_interval : last_progress_ + audience_patience;
}

void Publisher::flush() {
    if (!audience_) {
        if (Clock::now() - last_progress_ >= audience_patience) discard();
        return;
    }
    while (!waiting_.empty()) {
        Waiting& next = waiting_.front();
        if (auto* text = std::get_if<StreamText>(&next)) {
            Frames frames = maker_.stream(*text);
            const std::size_t before = cost(next);
            next = std::move(frames); // once: it may have to be tried again
            outbox_.charge(cost(next));
            outbox_.release(before);
        }
        const Frames& frames = std::get<Frames>(next);
        if (try_send(frames)) {
            given_up_ = false;
        } else {
            if (!given_up_ && Clock::now() - last_progress_ < last_resort) return;
            if (!given_up_) log_warning("an iopub client reads nothing: it loses messages until it reads again.");
            given_up_ = true;
            socket_.set(zmq::sockopt::xpub_nodrop, false);
            try_send(frames);
            socket_.set(zmq::sockopt::xpub_nodrop, true);
        }
        last_progress_ = Clock::now();
        outbox_.release(cost(next));
        waiting_.pop_front();
    }
}

void Publisher::receive_subscriptions() {
    zmq::message_t message;
    while (socket_.recv(message, zmq::recv_flags::dontwait)) {
        const auto* bytes = message.data<char>();
        if (message.size() == 0 || bytes[0] != 1) continue;
        Frames welcome = maker_.welcome(std::string{bytes + 1, message.size() - 1});
        if (!std::exchange(audience_, true)) {
            outbox_.charge(cost(welcome));
            waiting_.emplace_front(std::move(welcome)); // before what has waited for this
        } else {
            send(std::move(welcome));
        }
    }
}

} // namespace xinterp::kernel
