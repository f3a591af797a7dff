// Requests that make, list and end subshells, or go through one (JEP 91).
#include <xinterp/kernel/kernel.hpp>

#include <utility>

namespace xinterp::kernel {

using nlohmann::json;

Client Kernel::client_of(const json& header) const {
    return {header.value("session", ""), subshells_.of(header).value_or(0)};
}

void Kernel::execute(Channel channel, xeus::xmessage request, const std::string& lone_surrogate) {
    if (const auto subshell = channel == Channel::control ? control_subshell : subshells_.of(request.header())) {
        json refusal;
        if (!lone_surrogate.empty())
            refusal = error_reply("UnicodeEncodeError", "the cell contains " + lone_surrogate +
                                                            ", half of a character (a surrogate without its partner), "
                                                            "in place of which \xEF\xBF\xBD is shown. Type it again.");
        router_->submit(std::move(request), *subshell, std::move(refusal));
        return;
    }
    const json& header = request.header();
    refuse(Channel::shell, xeus::xrequest_context{header, request.identities()},
           error_reply("UsageError", subshells_.unknown(subshell_id(header))));
}

void Kernel::answer_about_subshells(const xeus::xrequest_context& context, const json& content) {
    const std::string type = context.header().at("msg_type");
    const auto reply = [this, context, type](json answer) {
        server_->reply(Channel::control, context, type.substr(0, type.rfind('_')) + "_reply", std::move(answer));
        server_->publish_status(context.header(), "idle");
    };
    if (type == "create_subshell_request") {
        reply({{"status", "ok"}, {"subshell_id", subshells_.create()}});
    } else if (type == "list_subshell_request") {
        reply({{"status", "ok"}, {"subshell_id", subshells_.ids()}});
    } else {
        const std::string id = content.at("subshell_id");
        const auto number = subshells_.remove(id);
        if (!number) {
            reply(error_reply("UsageError", subshells_.unknown(id)));
            return;
        }
        // Who counts threads afterwards finds one less. What still runs there is not waited for.
        const auto answer = [reply, told = std::make_shared<bool>(false)] {
            if (!std::exchange(*told, true)) reply({{"status", "ok"}});
        };
        const bool at_work = router_->is_at_work(*number);
        router_->end_subshell(*number, answer);
        if (at_work) answer();
        else server_->timers().after(subshell_patience, answer);
    }
}

json Kernel::interrupt(const xeus::xmessage& request) {
    std::string id = subshell_id(request.header());
    if (id.empty()) id = subshell_id(request.content());
    if (id.empty()) {
        router_->interrupt_foreground();
    } else if (const auto number = subshells_.find(id)) {
        router_->interrupt_subshell(*number);
    } else {
        return error_reply("UsageError", subshells_.unknown(id));
    }
    return {{"status", "ok"}};
}

} // namespace xinterp::kernel
