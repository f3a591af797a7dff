// include/xinterp/protocol/publisher.hpp: the iopub socket. I/O thread only.
//
// Nothing is lost while clients read, however slowly: when a client's queue is full, messages wait here, in a compact
// form, and past the outbox's bound writers wait. A client that takes nothing for 5 s loses its connection (it may come
// back) and what was queued for it, and nobody waits for it any more. Until somebody has subscribed at all, messages
// are kept for a second: a client that has just started the kernel may be heard on shell before its subscription is in
// place, and one that misses the idle of its first cell waits for ever.
#pragma once

#include <xinterp/protocol/outbox.hpp>
#include <xinterp/protocol/wire.hpp>

#include <zmq.hpp>

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>

namespace xinterp::kernel {

/// Text of a cell that becomes a message only when it is sent.
struct StreamText {
    std::shared_ptr<const std::string> parent; ///< the parent header as JSON, shared by all messages of a cell
    Stream stream = Stream::out;
    std::string text;
};

class Publisher {
public:
    using Clock = std::chrono::steady_clock;
    /// What makes frames of text, and a message for a new subscription to a topic.
    struct Maker {
        std::function<Frames(const StreamText& text)> stream;
        std::function<Frames(const std::string& topic)> welcome;
    };
    /// The system ends the connection of a client whose TCP window stays shut for so long.
    static constexpr std::chrono::seconds patience{5};
    /// Where that does not happen (other transports), messages are dropped for clients that are full after this time.
    static constexpr std::chrono::seconds last_resort{10};
    /// How long messages are kept, from the last one on, while nobody has subscribed yet.
    static constexpr std::chrono::seconds audience_patience{1};
    /// How often waiting messages are tried again: a full XPUB pipe does not wake a poll.
    static constexpr std::chrono::milliseconds congestion_interval{2};
    static constexpr int queue_messages = 256; ///< per client, in ZeroMQ

    Publisher(zmq::context_t& context, Outbox& outbox, Maker maker);

    zmq::socket_t& socket() { return socket_; }
    void send(Frames frames);
    void send(StreamText text);
    /// Sends what waits, as far as clients take it.
    void flush();
    /// Reads subscriptions and welcomes them.
    void receive_subscriptions();
    /// When flush() may get further, if messages wait.
    std::optional<Clock::time_point> next_try() const;

private:
    using Waiting = std::variant<Frames, StreamText>;
    void wait(Waiting message);
    void discard();
    bool try_send(const Frames& frames);

    zmq::socket_t socket_;
    Outbox& outbox_;
    Maker maker_;
    std::deque<Waiting> waiting_;
    Clock::time_point last_progress_;
    bool audience_ = false; ///< somebody has subscribed, ever
    bool given_up_ = false; ///< some client has taken nothing for too long
};

} // namespace xinterp::kernel
