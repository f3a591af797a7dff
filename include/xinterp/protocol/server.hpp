// include/xinterp/protocol/server.hpp: all sockets, on one thread.
//
// A xeus server whose single I/O thread polls control, shell, stdin, iopub, heartbeat, the outbox and the descriptors
// that are watched. xeus-zmq's own servers do not fit: their high-water marks lose output, and one input() blocks them.
// Everything here is called on the I/O thread, unless it says otherwise. Nothing here touches Python.
#pragma once

#include <xinterp/protocol/outbox.hpp>
#include <xinterp/protocol/publisher.hpp>
#include <xinterp/protocol/timers.hpp>
#include <xinterp/protocol/validation.hpp>
#include <xinterp/protocol/wire.hpp>

#include <xeus/xkernel_configuration.hpp>
#include <xeus/xrequest_context.hpp>
#include <xeus/xserver.hpp>
#include <zmq.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace xinterp::kernel {

/// Who acts on what the server receives.
class ServerHandler {
public:
    virtual ~ServerHandler() = default;
    virtual void received(Channel channel, Received received) = 0;
    /// False while so much waits for its turn that no further request may be read.
    virtual bool takes_requests() const = 0;
    virtual void write_text(Outbox::Text text) = 0;
    /// The time of anything that the handler waits for itself, and a call when it may be due.
    virtual std::optional<Timers::Clock::time_point> next_due() const = 0;
    virtual void due() = 0;
};

class Server final : public xeus::xserver {
public:
    /// Binds all sockets: a client that connects before they are bound waits out ZeroMQ's 100 ms reconnect interval.
    /// Throws zmq::error_t when a port is taken, std::runtime_error for an unknown signature scheme.
    Server(zmq::context_t& context, const xeus::xkernel_configuration& configuration, Outbox& outbox);

    void set_handler(ServerHandler& handler) { handler_ = &handler; }
    Timers& timers() { return timers_; }
    const std::string& session() const { return session_; }

    /// Lets xeus act on a request that has been validated: it publishes busy, replies and publishes idle.
    void pass_to_xeus(xeus::xmessage message);
    void reply(Channel channel, const xeus::xrequest_context& to, const std::string& type, nlohmann::json content);
    void publish(const nlohmann::json& parent, const std::string& type, nlohmann::json content,
                 nlohmann::json metadata = nlohmann::json::object(), std::vector<std::string> buffers = {});
    void publish_text(StreamText text);
    void publish_status(const nlohmann::json& parent, const std::string& state);
    /// Where the next reply that xeus sends goes, and what is added to its metadata. (xeus replies to all cells on
    /// shell.)
    void direct_reply(Channel channel, nlohmann::json metadata) {
        reply_channel_ = channel;
        metadata_ = std::move(metadata);
    }
    /// The id of the input request that was sent.
    std::string send_input_request(const xeus::xrequest_context& to, nlohmann::json content);

    /// Calls `readable` while the descriptor is readable and no client is behind.
    void watch(int descriptor, std::function<void()> readable);
    void unwatch(int descriptor);
    /// Reads requests that have arrived on shell, so that an abort sees them. False if there may be more.
    bool read_shell();

private:
    class NoMessenger;

    // xeus::xserver
    xeus::xcontrol_messenger& get_control_messenger_impl() override;
    void send_shell_impl(xeus::xmessage message) override;
    void send_control_impl(xeus::xmessage message) override;
    void send_stdin_impl(xeus::xmessage message) override;
    void publish_impl(xeus::xpub_message message, xeus::channel channel) override;
    void start_impl(xeus::xpub_message message) override;
    void abort_queue_impl(const listener& listener, long polling_interval) override;
    void stop_impl() override;
    void update_config_impl(xeus::xkernel_configuration& configuration) const override;

    static void send(zmq::socket_t& socket, const Frames& frames);
    std::string topic(const std::string& type) const { return "kernel." + session_ + "." + type; }
    void bind(zmq::socket_t& socket, const std::string& port);
    bool receive(Channel channel, zmq::socket_t& socket); ///< one message, if there is any
    /// As many as may be read at once; false if there may be more.
    bool receive_all(Channel channel, zmq::socket_t& socket);
    void receive_shell();
    void poll_once();
    void drain_outbox();
    std::chrono::milliseconds poll_time();

    xeus::xkernel_configuration configuration_;
    Outbox& outbox_;
    Signer signer_;
    std::string session_;
    zmq::socket_t shell_, control_, stdin_, heartbeat_;
    Publisher publisher_;
    Timers timers_;
    ServerHandler* handler_ = nullptr;
    std::map<int, std::function<void()>> watched_;
    std::unique_ptr<xeus::xcontrol_messenger> messenger_;
    // of the next reply that xeus sends
    Channel reply_channel_ = Channel::shell;
    nlohmann::json metadata_ = nlohmann::json::object();
    bool stopped_ = false;
    bool expecting_ = false; ///< a request has just come in, whose answer may be there at once
};

} // namespace xinterp::kernel
