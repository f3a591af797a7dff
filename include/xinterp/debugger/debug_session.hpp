// include/xinterp/debugger/debug_session.hpp: one interpreter's debug server at the other end of a socket pair, which
// speaks the Debug Adapter Protocol: JSON behind a Content-Length header. I/O thread only; no call waits.
#pragma once

#include <xinterp/protocol/server.hpp>

#include <nlohmann/json.hpp>

#include <functional>
#include <map>
#include <string>

namespace xinterp::kernel {

class DebugSession {
public:
    /// What the server has sent: an event, or the response to a request.
    using Message = std::function<void(const nlohmann::json&)>;
    using Closed = std::function<void()>;

    /// Owns the descriptor. `closed` is called once if the other side has gone. Both may destroy the session.
    DebugSession(Server& server, int descriptor, Message event, Closed closed);
    ~DebugSession();
    DebugSession(const DebugSession&) = delete;
    DebugSession& operator=(const DebugSession&) = delete;

    /// `response` is called once; {"success": false, ...} if the other side goes before. Arguments of null: none.
    void request(const std::string& command, nlohmann::json arguments, Message response);

private:
    void read();
    bool take_messages();
    void received(const nlohmann::json& message);
    void write();
    void write_later();

    Server& server_;
    int descriptor_;
    Message event_;
    Closed closed_;
    std::string incoming_, outgoing_;
    int sequence_ = 0;
    bool waits_to_write_ = false;
    struct Request {
        std::string command;
        Message response;
    };
    std::map<int, Request> requests_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

} // namespace xinterp::kernel
