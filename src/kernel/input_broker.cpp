#include <xinterp/kernel/input_broker.hpp>
#include <xinterp/kernel/log.hpp>

#include <algorithm>
#include <utility>

namespace xinterp::kernel {

using nlohmann::json;

void InputBroker::ask(Source source, const std::string& label, const std::string& prompt, bool password,
                      std::shared_ptr<modules::Answer> answer) {
    if (const std::string_view why = outputs_.why_no_input(source.cell); !why.empty()) {
        answer->give({{"error", why}});
        return;
    }
    requests_.push_back(
        {source, label.empty() ? prompt : "[" + label + "] " + prompt, password, std::move(answer), {}});
    show_next();
}

void InputBroker::show_next() {
    while (!requests_.empty() && requests_.front().message_id.empty()) {
        Request& request = requests_.front();
        const xeus::xrequest_context* context = outputs_.context(request.source.cell);
        if (context != nullptr) {
            request.message_id =
                server_.send_input_request(*context, json{{"prompt", request.prompt}, {"password", request.password}});
            return;
        }
        request.answer->give({{"error", "the cell that asks is long over."}});
        requests_.pop_front();
    }
}

void InputBroker::withdraw(const std::shared_ptr<modules::Answer>& answer) {
    std::erase_if(requests_, [&](const Request& request) { return request.answer == answer; });
    show_next();
}

bool InputBroker::asks(InterpreterId interpreter) const {
    return std::ranges::any_of(
        requests_, [interpreter](const Request& request) { return request.source.interpreter == interpreter; });
}

void InputBroker::reply(const xeus::xmessage& message) {
    const json& content = message.content();
    const auto value = content.find("value");
    if (message.header().value("msg_type", "") != "input_reply" || value == content.end() || !value->is_string()) {
        log_warning("a message on stdin is no input_reply with a text: ignored.");
        return;
    }
    if (requests_.empty()) {
        log_warning("an input_reply came that nobody had asked for.");
        return;
    }
    const json& parent = message.parent_header();
    const std::string id =
        parent.contains("msg_id") && parent["msg_id"].is_string() ? parent["msg_id"].get<std::string>() : "";
    if (!id.empty() && id != requests_.front().message_id) {
        const auto* context = outputs_.context(requests_.front().source.cell);
        if (context == nullptr || context->header().value("msg_id", "") != id) {
            log_warning("an input_reply came for a request that is not open any more.");
            return;
        }
    }
    requests_.front().answer->give({{"value", *value}});
    requests_.pop_front();
    show_next();
}

} // namespace xinterp::kernel
