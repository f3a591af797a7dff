// include/xinterp/kernel/publisher.hpp: the iopub socket. I/O thread only.
//
// Nothing is lost while clients read, however slowly: when a client's queue is full, messages wait here, the outbox
// fills and writers wait. A client that takes nothing for 5 s loses its own messages and its connection, and nobody
// waits for it any more.
#pragma once

#include <xinterp/kernel/wire.hpp>

#include <zmq.hpp>

#include <chrono>
#include <deque>
#include <functional>
#include <string>

namespace xinterp::kernel {

class Publisher {
public:
    using Clock = std::chrono::steady_clock;
    static constexpr std::chrono::seconds patience{5};
    static constexpr int queue_messages = 1000; ///< per client

    /// `welcome` makes the message for a new subscription to a topic.
    Publisher(zmq::context_t& context, std::function<Frames(const std::string& topic)> welcome);

    zmq::socket_t& socket() { return socket_; }
    void send(Frames frames);
    /// Sends what waits, as far as clients take it.
    void flush();
    /// Reads subscriptions and welcomes them.
    void receive_subscriptions();
    /// Messages wait for a client.
    bool congested() const { return !waiting_.empty(); }

private:
    bool try_send(const Frames& frames);

    zmq::socket_t socket_;
    std::function<Frames(const std::string&)> welcome_;
    std::deque<Frames> waiting_;
    Clock::time_point last_progress_;
    bool given_up_ = false; ///< some client has taken nothing for too long
};

} // namespace xinterp::kernel
