// include/xinterp/kernel/input_broker.hpp: who asks the person for a line, and who gets it. I/O thread only.
//
// A front end shows one request at a time, so one is sent at a time: the next when it has been answered or withdrawn. A
// reply is matched by its parent; one without a parent answers the request that is shown.
#pragma once

#include <xinterp/kernel/cell_outputs.hpp>
#include <xinterp/modules/front_end.hpp>

#include <deque>
#include <memory>
#include <string>

namespace xinterp::kernel {

class InputBroker {
public:
    InputBroker(Server& server, const CellOutputs& outputs) : server_{server}, outputs_{outputs} {}

    /// `label` goes before the prompt; empty in main.
    void ask(Source source, const std::string& label, const std::string& prompt, bool password,
             std::shared_ptr<modules::Answer> answer);
    void withdraw(const std::shared_ptr<modules::Answer>& answer);
    void reply(const xeus::xmessage& message);
    /// Whether code of that interpreter waits for a line.
    bool asks(InterpreterId interpreter) const;

private:
    struct Request {
        Source source;
        std::string prompt;
        bool password;
        std::shared_ptr<modules::Answer> answer;
        std::string message_id; ///< empty until it is shown
    };
    void show_next();

    Server& server_;
    const CellOutputs& outputs_;
    std::deque<Request> requests_; ///< the first is the one that is shown
};

} // namespace xinterp::kernel
