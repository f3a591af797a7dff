#include <xinterp/protocol/log.hpp>
#include <xinterp/protocol/server.hpp>

#include <xeus/xguid.hpp>

#include <algorithm>
#include <array>
#include <format>
#include <iostream>
#include <stdexcept>
#include <utility>

namespace xinterp::kernel {
namespace {

using nlohmann::json;

constexpr const char* user = "xinterp";
constexpr int messages_at_once = 64;
// The end of a short cell is awaited awake: being woken takes as long as many a cell, a tenth of the whole reply time.
constexpr std::chrono::microseconds short_cell{100};
constexpr int entries_at_once = 256;
constexpr int unread_requests = 1000; // per client, in ZeroMQ: more of them wait at the client

json header_of(const std::string& type, const std::string& session) { return xeus::make_header(type, user, session); }

} // namespace

class Server::NoMessenger final : public xeus::xcontrol_messenger {
    json send_to_shell_impl(const json&) override { return json::object(); }
};

Server::Server(zmq::context_t& context, const xeus::xkernel_configuration& configuration, Outbox& outbox)
    : configuration_{configuration}, outbox_{outbox}, signer_{configuration.m_key, configuration.m_signature_scheme},
      session_{xeus::new_xguid()}, shell_{context, zmq::socket_type::router},
      control_{context, zmq::socket_type::router}, stdin_{context, zmq::socket_type::router},
      heartbeat_{context, zmq::socket_type::router},
      publisher_{context,
                 outbox,
                 {.stream =
                      [this](const StreamText& text) {
                          return serialize(topic("stream"), header_of("stream", session_), *text.parent,
                                           json{{"name", modules::stream_name(text.stream)}, {"text", text.text}},
                                           session_, signer_);
                      },
                  .welcome =
                      [this](const std::string& topic) {
                          return serialize(topic, header_of("iopub_welcome", session_), "{}",
                                           json{{"subscription", topic}}, session_, signer_);
                      }}},
      messenger_{std::make_unique<NoMessenger>()} {
    for (zmq::socket_t* socket : {&shell_, &control_, &stdin_, &heartbeat_}) {
        socket->set(zmq::sockopt::sndhwm, 0); // a reply is never dropped; clients ask for each one
        socket->set(zmq::sockopt::rcvhwm, socket == &shell_ ? unread_requests : 0);
        socket->set(zmq::sockopt::router_handover, true); // a client that reconnects under its identity is the same one
    }
    for (zmq::socket_t* socket : {&shell_, &control_, &stdin_, &heartbeat_, &publisher_.socket()})
        socket->set(zmq::sockopt::linger, 500);
    bind(shell_, configuration.m_shell_port);
    bind(control_, configuration.m_control_port);
    bind(stdin_, configuration.m_stdin_port);
    bind(heartbeat_, configuration.m_hb_port);
    bind(publisher_.socket(), configuration.m_iopub_port);
}

void Server::bind(zmq::socket_t& socket, const std::string& port) {
    const std::string separator = configuration_.m_transport == "ipc" ? "-" : ":";
    const std::string address = configuration_.m_transport + "://" + configuration_.m_ip + separator + port;
    try {
        socket.bind(address);
    } catch (const zmq::error_t& error) {
        throw std::runtime_error{"cannot listen on " + address + ": " + error.what()};
    }
}

void Server::send(zmq::socket_t& socket, const Frames& frames) {
    for (std::size_t i = 0; i < frames.size(); ++i) {
        const auto more = i + 1 < frames.size() ? zmq::send_flags::sndmore : zmq::send_flags::none;
        socket.send(zmq::buffer(frames[i]), more | zmq::send_flags::dontwait);
    }
}

void Server::pass_to_xeus(xeus::xmessage message) { notify_shell_listener(std::move(message)); }

void Server::reply(Channel channel, const xeus::xrequest_context& to, const std::string& type, json content) {
    send(channel == Channel::control ? control_ : shell_,
         serialize(
             xeus::xmessage{to.id(), header_of(type, session_), to.header(), json::object(), std::move(content), {}},
             session_, signer_));
}

void Server::publish(const json& parent, const std::string& type, json content, json metadata,
                     std::vector<std::string> buffers) {
    Frames frames = serialize(
        xeus::xpub_message{topic(type), header_of(type, session_), parent, std::move(metadata), std::move(content), {}},
        session_, signer_);
    for (std::string& buffer : buffers) frames.push_back(std::move(buffer)); // they are not signed
    publisher_.send(std::move(frames));
}

void Server::publish_text(StreamText text) { publisher_.send(std::move(text)); }

void Server::publish_status(const json& parent, const std::string& state) {
    publish(parent, "status", json{{"execution_state", state}});
}

std::string Server::send_input_request(const xeus::xrequest_context& to, json content) {
    json header = header_of("input_request", session_);
    std::string id = header["msg_id"];
    send(stdin_,
         serialize(xeus::xmessage{to.id(), std::move(header), to.header(), json::object(), std::move(content), {}},
                   session_, signer_));
    return id;
}

void Server::watch(int descriptor, std::function<void()> readable) { watched_[descriptor] = std::move(readable); }

void Server::unwatch(int descriptor) { watched_.erase(descriptor); }

xeus::xcontrol_messenger& Server::get_control_messenger_impl() { return *messenger_; }

void Server::send_shell_impl(xeus::xmessage message) {
    json metadata = message.metadata();
    metadata.update(std::exchange(metadata_, json::object()));
    const bool is_for_control = std::exchange(reply_channel_, Channel::shell) == Channel::control;
    send(is_for_control ? control_ : shell_, serialize(xeus::xmessage{message.identities(),
                                                                      message.header(),
                                                                      message.parent_header(),
                                                                      std::move(metadata),
                                                                      message.content(),
                                                                      {}},
                                                       session_, signer_));
}

void Server::send_control_impl(xeus::xmessage message) { send(control_, serialize(message, session_, signer_)); }

void Server::send_stdin_impl(xeus::xmessage message) { send(stdin_, serialize(message, session_, signer_)); }

void Server::publish_impl(xeus::xpub_message message, xeus::channel) {
    publisher_.send(serialize(message, session_, signer_));
}

// The router aborts by itself, with the replies that ipykernel gives.
void Server::abort_queue_impl(const listener&, long) {}

void Server::update_config_impl(xeus::xkernel_configuration& configuration) const { configuration = configuration_; }

void Server::start_impl(xeus::xpub_message message) {
    std::clog.clear(); // see Kernel::serve
    publisher_.send(serialize(message, session_, signer_));
    publish_status(json::object(), "idle");
    while (!stopped_) {
        try {
            poll_once();
        } catch (const std::exception& error) { // the kernel outlives whatever one event brings about
            log_warning(std::format("the I/O thread goes on after an error: {}", error.what()));
        }
    }
    publisher_.flush();
}

void Server::stop_impl() { stopped_ = true; }

bool Server::receive(Channel channel, zmq::socket_t& socket) {
    Frames frames;
    zmq::message_t part;
    if (!socket.recv(part, zmq::recv_flags::dontwait)) return false;
    frames.push_back(part.to_string());
    while (part.more()) {
        if (!socket.recv(part, zmq::recv_flags::none)) break;
        frames.push_back(part.to_string());
    }
    try {
        handler_->received(channel, parse(std::move(frames), signer_));
    } catch (const std::exception& error) { // not one that a client should be able to cause
        log_warning(std::format("a message on {} could not be handled: {}", channel_name(channel), error.what()));
    }
    return true;
}

bool Server::receive_all(Channel channel, zmq::socket_t& socket) {
    for (int count = 0; count < messages_at_once; ++count)
        if (!receive(channel, socket)) return true;
    return false;
}

void Server::receive_shell() {
    for (int count = 0; count < messages_at_once && handler_->takes_requests(); ++count) {
        if (!receive(Channel::shell, shell_)) return;
        receive_all(Channel::control, control_); // an interrupt waits for no flood of requests
    }
}

bool Server::read_shell() { return !handler_->takes_requests() || receive_all(Channel::shell, shell_); }

std::chrono::milliseconds Server::poll_time() {
    using namespace std::chrono;
    const auto now = Timers::Clock::now();
    auto due = now + hours{1};
    for (const auto& candidate : {timers_.next_due(), handler_->next_due(), outbox_.next_due(), publisher_.next_try()})
        if (candidate) due = std::min(due, *candidate);
    return due <= now ? milliseconds{0} : ceil<milliseconds>(due - now);
}

void Server::poll_once() {
    // Past the bound of what waits here, requests wait in their connections.
    const short requests = handler_->takes_requests() ? ZMQ_POLLIN : 0;
    std::vector<zmq::pollitem_t> items{{control_.handle(), 0, ZMQ_POLLIN, 0},
                                       {stdin_.handle(), 0, ZMQ_POLLIN, 0},
                                       {publisher_.socket().handle(), 0, ZMQ_POLLIN, 0},
                                       {heartbeat_.handle(), 0, ZMQ_POLLIN, 0},
                                       {shell_.handle(), 0, requests, 0},
                                       {nullptr, outbox_.descriptor(), ZMQ_POLLIN, 0}};
    if (outbox_.has_room())
        for (const auto& [descriptor, readable] : watched_) items.push_back({nullptr, descriptor, ZMQ_POLLIN, 0});
    if (std::exchange(expecting_, false)) outbox_.await_task(short_cell);
    zmq::poll(items, poll_time());

    // Control first: an interrupt or a shutdown overtakes everything.
    if (items[0].revents != 0) receive_all(Channel::control, control_);
    if (items[1].revents != 0) receive_all(Channel::standard_input, stdin_);
    if (items[2].revents != 0) publisher_.receive_subscriptions();
    if (items[3].revents != 0) {
        zmq::message_t part;
        while (heartbeat_.recv(part, zmq::recv_flags::dontwait)) {
            const auto more = part.more() ? zmq::send_flags::sndmore : zmq::send_flags::none;
            heartbeat_.send(part, more | zmq::send_flags::dontwait);
        }
    }
    if (items[4].revents != 0) {
        receive_shell();
        expecting_ = true;
    }
    if (items[5].revents != 0) outbox_.acknowledge();
    for (std::size_t i = 6; i < items.size(); ++i)
        if (const auto watched = watched_.find(items[i].fd); items[i].revents != 0 && watched != watched_.end()) {
            const auto readable = watched->second; // it may unwatch itself
            readable();
        }
    publisher_.flush();
    // What has been answered counts, however late this thread gets to look at it: before the limits of time.
    drain_outbox();
    timers_.run_due();
    handler_->due();
}

void Server::drain_outbox() {
    // Bounded, so that a flood does not keep an interrupt waiting.
    for (int count = 0; count < entries_at_once; ++count) {
        std::optional<Outbox::Entry> entry = outbox_.take(Outbox::Clock::now());
        if (!entry) return;
        try {
            if (auto* text = std::get_if<Outbox::Text>(&*entry)) handler_->write_text(std::move(*text));
            else std::get<Outbox::Task> (*entry)();
        } catch (const std::exception& error) { // the entries after it are others'
            log_warning(std::format("what a cell has sent could not be passed on: {}", error.what()));
        }
    }
}

} // namespace xinterp::kernel
