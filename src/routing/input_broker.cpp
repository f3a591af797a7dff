#include <xinterp/protocol/log.hpp>
#include <xinterp/protocol/wire.hpp>
#include <xinterp/routing/input_broker.hpp>

#include <algorithm>
#include <utility>

namespace xinterp::kernel {

using nlohmann::json;

void InputBroker::ask(Source source, const std::string& label, modules::InputRequest request,
                      std::shared_ptr<modules::Answer> answer) {
    if (const std::string_view why = outputs_.why_no_input(source.cell); !why.empty()) {
        answer->give({{"error", why}});
        return;
    }
    if (!label.empty()) request.prompt = "[" + label + "] " + request.prompt;
    requests_.push_back({source, std::move(request), std::move(answer), {}});
    show_next();
}

const InputBroker::Request* InputBroker::shown(const xeus::xmessage::guid_list& client) const {
    const auto found = std::ranges::find_if(requests_, [&](const Request& request) {
        const xeus::xrequest_context* context = outputs_.context(request.source.cell);
        return !request.message_id.empty() && context != nullptr && context->id() == client;
    });
    return found == requests_.end() ? nullptr : &*found;
}

void InputBroker::show_next() {
    std::erase_if(requests_, [&](const Request& request) {
        if (outputs_.context(request.source.cell) != nullptr) return false;
        request.answer->give({{"error", "the cell that asks is long over."}});
        return true;
    });
    for (Request& request : requests_) {
        const xeus::xrequest_context& context = *outputs_.context(request.source.cell);
        if (shown(context.id()) != nullptr) continue;
        request.message_id = server_.send_input_request(
            context, json{{"prompt", request.request.prompt}, {"password", request.request.password}});
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

std::optional<InputBroker::Asker> InputBroker::shown_to(const xeus::xmessage::guid_list& client) const {
    const Request* request = shown(client);
    return request == nullptr ? std::nullopt : std::optional<Asker>{{request->source, request->request.thread}};
}

void InputBroker::reply(const xeus::xmessage& message) {
    const json& content = message.content();
    const auto value = content.find("value");
    if (text(message.header(), "msg_type") != "input_reply" || value == content.end() || !value->is_string()) {
        log_warning("a message on stdin is no input_reply with a text: ignored.");
        return;
    }
    const Request* request = shown(message.identities());
    if (request == nullptr) {
        log_warning("an input_reply came that nobody had asked for.");
        return;
    }
    const std::string id = text(message.parent_header(), "msg_id");
    if (!id.empty() && id != request->message_id && id != text(outputs_.parent(request->source.cell), "msg_id")) {
        log_warning("an input_reply came for a request that is not open any more.");
        return;
    }
    request->answer->give({{"value", *value}});
    withdraw(request->answer);
}

} // namespace xinterp::kernel
