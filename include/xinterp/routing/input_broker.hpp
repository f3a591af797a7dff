// include/xinterp/routing/input_broker.hpp: who asks the person for a line, and who gets it. I/O thread only.
//
// A front end shows one request at a time, so each client is sent one at a time: the next when it has been answered or
// withdrawn. A reply is matched by its parent; one without a parent answers the request that its client is shown.
#pragma once

#include <xinterp/modules/front_end.hpp>
#include <xinterp/routing/cell_outputs.hpp>

#include <deque>
#include <memory>
#include <optional>
#include <string>

namespace xinterp::kernel {

class InputBroker {
public:
    InputBroker(Server& server, const CellOutputs& outputs) : server_{server}, outputs_{outputs} {}

    /// `label` goes before the prompt; empty in main.
    void ask(Source source, const std::string& label, modules::InputRequest request,
             std::shared_ptr<modules::Answer> answer);
    void withdraw(const std::shared_ptr<modules::Answer>& answer);
    void reply(const xeus::xmessage& message);
    /// Whether code of that interpreter waits for a line.
    bool asks(InterpreterId interpreter) const;
    /// Code that waits for what a client's person types.
    struct Asker {
        Source source;
        unsigned long thread;
    };
    /// `client`: the identities of its messages, which are the same on shell and on stdin.
    std::optional<Asker> shown_to(const xeus::xmessage::guid_list& client) const;

private:
    struct Request {
        Source source;
        modules::InputRequest request;
        std::shared_ptr<modules::Answer> answer;
        std::string message_id; ///< empty until it is shown
    };
    const Request* shown(const xeus::xmessage::guid_list& client) const;
    void show_next();

    Server& server_;
    const CellOutputs& outputs_;
    std::deque<Request> requests_; ///< of each client the first is the one that is shown
};

} // namespace xinterp::kernel
