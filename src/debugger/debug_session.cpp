#include <xinterp/debugger/debug_session.hpp>
#include <xinterp/protocol/log.hpp>

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <format>
#include <utility>

namespace xinterp::kernel {
namespace {

using nlohmann::json;

constexpr std::string_view length_header = "Content-Length: ", end_of_header = "\r\n\r\n";
// A server that does not read, because its interpreter is in C code, is written to again after that time.
constexpr std::chrono::milliseconds pause{20};

// Python's text may have halves of pairs of \u escapes (names of files, mostly), which JSON must not.
std::string without_lone_surrogates(std::string text) {
    const auto unit_at = [&](std::size_t at) -> unsigned {
        unsigned unit = 0;
        if (at + 6 <= text.size() && text[at] == '\\' && text[at + 1] == 'u')
            std::from_chars(text.data() + at + 2, text.data() + at + 6, unit, 16);
        return unit;
    };
    for (std::size_t at = text.find('\\'); at != std::string::npos; at = text.find('\\', at)) {
        const unsigned unit = unit_at(at);
        const bool is_first = unit >= 0xd800 && unit < 0xdc00, is_second = unit >= 0xdc00 && unit < 0xe000;
        const unsigned next = is_first ? unit_at(at + 6) : 0;
        if (next >= 0xdc00 && next < 0xe000) {
            at += 12;
            continue;
        }
        if (is_first || is_second) text.replace(at + 2, 4, "fffd");
        at += 2;
    }
    return text;
}

} // namespace

DebugSession::DebugSession(Server& server, int descriptor, Message event, Closed closed)
    : server_{server}, descriptor_{descriptor}, event_{std::move(event)}, closed_{std::move(closed)} {
    server_.watch(descriptor_, [this] { read(); });
}

DebugSession::~DebugSession() {
    *alive_ = false;
    server_.unwatch(descriptor_);
    shutdown(descriptor_, SHUT_RDWR); // a forked child may have it too
    close(descriptor_);
    for (const auto& [sequence, request] : std::exchange(requests_, {})) try {
            request.response({{"type", "response"},
                              {"success", false},
                              {"command", request.command},
                              {"message", "the debugger was switched off, or its interpreter has ended."}});
        } catch (const std::exception& error) {
            log_warning(std::format("a request to the debug server ended badly: {}", error.what()));
        }
}

void DebugSession::request(const std::string& command, json arguments, Message response) {
    const int sequence = ++sequence_;
    json message{{"type", "request"}, {"seq", sequence}, {"command", command}};
    if (!arguments.is_null()) message["arguments"] = std::move(arguments);
    const std::string body = message.dump(-1, ' ', false, json::error_handler_t::replace);
    requests_.emplace(sequence, Request{command, std::move(response)});
    outgoing_ += std::format("{}{}{}{}", length_header, body.size(), end_of_header, body);
    write();
}

void DebugSession::write() {
    const ssize_t written = send(descriptor_, outgoing_.data(), outgoing_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (written > 0) outgoing_.erase(0, static_cast<std::size_t>(written));
    if (!outgoing_.empty() && (written >= 0 || errno == EAGAIN || errno == EINTR)) write_later();
    // Otherwise it has closed its end, which read() sees.
}

void DebugSession::write_later() {
    if (std::exchange(waits_to_write_, true)) return;
    server_.timers().after(pause, [this, alive = alive_] {
        if (!*alive) return;
        waits_to_write_ = false;
        write();
    });
}

void DebugSession::read() {
    std::array<char, 65536> buffer{};
    const ssize_t size = recv(descriptor_, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (size > 0) {
        incoming_.append(buffer.data(), static_cast<std::size_t>(size));
        if (take_messages()) return;
        log_warning("the debug server sends what is no message of its protocol: the debugger lets go of it.");
    }
    const Closed closed = closed_; // it may destroy this
    closed();
}

// False if what has come is not the protocol's. The session may be gone when it returns.
bool DebugSession::take_messages() {
    const std::shared_ptr<bool> alive = alive_;
    while (*alive) {
        const auto header_end = incoming_.find(end_of_header);
        if (header_end == std::string::npos) return true;
        const auto begin = incoming_.find(length_header);
        std::size_t length = 0;
        if (begin >= header_end ||
            std::from_chars(incoming_.data() + begin + length_header.size(), incoming_.data() + header_end, length)
                    .ec != std::errc{})
            return false;
        const std::size_t body = header_end + end_of_header.size();
        if (incoming_.size() - body < length) return true;
        const json message = json::parse(without_lone_surrogates(incoming_.substr(body, length)), nullptr, false);
        incoming_.erase(0, body + length);
        if (message.is_object()) received(message);
        else log_warning("a message of the debug server was dropped: it is no JSON object.");
    }
    return true;
}

void DebugSession::received(const json& message) {
    try {
        if (message.value("type", "") == "event") {
            const Message event = event_; // it may destroy this
            event(message);
            return;
        }
        const auto request = requests_.extract(message.value("request_seq", 0));
        if (request) request.mapped().response(message);
    } catch (const json::exception& error) {
        log_warning(std::format("a message of the debug server was dropped: {}", error.what()));
    }
}

} // namespace xinterp::kernel
