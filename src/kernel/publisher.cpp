#include <xinterp/kernel/log.hpp>
#include <xinterp/kernel/publisher.hpp>

#include <utility>

namespace xinterp::kernel {

Publisher::Publisher(zmq::context_t& context, std::function<Frames(const std::string&)> welcome)
    : socket_{context, zmq::socket_type::xpub}, welcome_{std::move(welcome)} {
    socket_.set(zmq::sockopt::sndhwm, queue_messages);
    socket_.set(zmq::sockopt::xpub_verbose, 1);
    socket_.set(zmq::sockopt::xpub_nodrop, true);
    // The kernel of the machine ends the connection of a client whose window stays shut: its queue goes with it.
    const int milliseconds = static_cast<int>(std::chrono::milliseconds{patience}.count());
    zmq_setsockopt(socket_.handle(), ZMQ_TCP_MAXRT, &milliseconds, sizeof milliseconds);
}

bool Publisher::try_send(const Frames& frames) {
    for (std::size_t i = 0; i < frames.size(); ++i) {
        const auto flags =
            zmq::send_flags::dontwait | (i + 1 < frames.size() ? zmq::send_flags::sndmore : zmq::send_flags::none);
        if (!socket_.send(zmq::buffer(frames[i]), flags)) return false; // only ever the first frame
    }
    return true;
}

void Publisher::send(Frames frames) {
    if (waiting_.empty()) last_progress_ = Clock::now();
    waiting_.push_back(std::move(frames));
    flush();
}

void Publisher::flush() {
    while (!waiting_.empty()) {
        if (try_send(waiting_.front())) {
            if (given_up_) log_warning("all iopub clients read again.");
            given_up_ = false;
        } else {
            if (!given_up_ && Clock::now() - last_progress_ < patience) return;
            if (!given_up_)
                log_warning("an iopub client has read nothing for 5 s: it loses messages until it reads again.");
            given_up_ = true;
            socket_.set(zmq::sockopt::xpub_nodrop, false);
            try_send(waiting_.front());
            socket_.set(zmq::sockopt::xpub_nodrop, true);
        }
        last_progress_ = Clock::now();
        waiting_.pop_front();
    }
}

void Publisher::receive_subscriptions() {
    zmq::message_t message;
    while (socket_.recv(message, zmq::recv_flags::dontwait)) {
        const auto* bytes = message.data<char>();
        if (message.size() == 0 || bytes[0] != 1) continue;
        send(welcome_(std::string{bytes + 1, message.size() - 1}));
    }
}

} // namespace xinterp::kernel
