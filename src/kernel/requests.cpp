#include <xinterp/kernel/requests.hpp>
#include <xinterp/protocol/log.hpp>
#include <xinterp/protocol/validation.hpp>
#include <xinterp/services/questions.hpp>

#include <format>
#include <utility>

namespace xinterp::kernel {

using nlohmann::json;

void Requests::python_started(bool has_debugger) {
    parts_.info.debugger = has_debugger;
    for (const auto& [channel, request] : std::exchange(ask_for_info_, {})) answer_kernel_info(channel, request);
}

void Requests::write_text(Outbox::Text text) { parts_.outputs->write(text.source, text.stream, text.text); }

void Requests::received(Channel channel, Received received) {
    const std::string where{channel_name(channel)};
    if (!received.message) {
        log_warning(std::format("a message on {} was dropped: {}.", where, received.problem));
        return;
    }
    xeus::xmessage message = std::move(*received.message);
    if (const auto problem = header_problem(message.header())) {
        log_warning(std::format("a message on {} was dropped: {}.", where, *problem));
        return;
    }
    if (channel == Channel::standard_input) {
        if (!received.problem.empty())
            log_warning(std::format("a message on {} was dropped: {}.", where, received.problem));
        else parts_.inputs->reply(message);
        return;
    }
    const xeus::xrequest_context context{message.header(), message.identities()};
    const std::string type = message.header().at("msg_type");
    if (!received.problem.empty()) {
        refuse(channel, context, error_reply("BadRequest", type + ": " + received.problem + "."));
    } else if (const auto problem = request_problem(channel, message)) {
        refuse(channel, context, error_reply("BadRequest", *problem));
    } else {
        try {
            answer(channel, std::move(message), received.lone_surrogate);
        } catch (const std::exception& error) { // the system has given no memory, thread or descriptor for the answer
            refuse(channel, context, error_reply("SystemError", type + " could not be answered: " + error.what()));
        }
    }
}

// An execute request fails in sight of the person: front ends show what is published, not what a reply says.
void Requests::refuse(Channel channel, const xeus::xrequest_context& request, json content) {
    const std::string type = reply_type(request.header().at("msg_type"));
    log_warning(std::format("a message on {} was refused: {}", channel_name(channel), text(content, "evalue")));
    parts_.server->publish_status(request.header(), "busy");
    if (type == "execute_reply") {
        parts_.server->publish(
            request.header(), "error",
            {{"ename", content["ename"]}, {"evalue", content["evalue"]}, {"traceback", content["traceback"]}});
        content["execution_count"] = 0;
    }
    if (!type.empty()) parts_.server->reply(channel, request, type, std::move(content));
    parts_.server->publish_status(request.header(), "idle");
}

void Requests::answer(Channel channel, xeus::xmessage request, const std::string& lone_surrogate) {
    const std::string type = request.header().at("msg_type");
    if (type == "execute_request") {
        execute(channel, std::move(request), lone_surrogate);
        return;
    }
    if (type.starts_with("comm_")) {
        if (Panel::is_its(request)) {
            parts_.panel->received(request);
            show_busy_again();
        } else {
            parts_.comms->received(channel, std::move(request));
        }
        return;
    }
    if (type == "complete_request" || type == "inspect_request" || type == "is_complete_request") {
        questions_.ask(channel, request);
        return;
    }
    const xeus::xrequest_context context{request.header(), request.identities()};
    parts_.server->publish_status(request.header(), "busy");
    if (type.ends_with("_subshell_request")) {
        answer_about_subshells(context, request.content());
        return;
    }
    if (type == "debug_request") {
        parts_.debugger->request(request, [this, context](json content) {
            parts_.server->reply(Channel::control, context, "debug_reply", std::move(content));
            parts_.server->publish_status(context.header(), "idle");
            show_busy_again();
        });
        return;
    }
    if (type == "history_request") {
        parts_.history_file->answer(request.content(), Questions::patience, [this, channel, context](json content) {
            parts_.server->reply(channel, context, "history_reply", std::move(content));
            parts_.server->publish_status(context.header(), "idle");
        });
        return;
    }
    if (type == "kernel_info_request") {
        if (parts_.info.debugger) answer_kernel_info(channel, context);
        else ask_for_info_.emplace_back(channel, context);
        return;
    }
    json content{{"status", "ok"}};
    if (type == "connect_request") {
        const auto port = [](const std::string& text) { return text.empty() ? 0 : std::stoi(text); };
        content["shell_port"] = port(parts_.configuration.m_shell_port);
        content["iopub_port"] = port(parts_.configuration.m_iopub_port);
        content["stdin_port"] = port(parts_.configuration.m_stdin_port);
        content["control_port"] = port(parts_.configuration.m_control_port);
        content["hb_port"] = port(parts_.configuration.m_hb_port);
    } else if (type == "interrupt_request") {
        content = interrupt(request);
    } else if (type == "shutdown_request") {
        content["restart"] = request.content().value("restart", false);
        parts_.server->publish(request.header(), "shutdown_reply", content);
    }
    parts_.server->reply(channel, context, reply_type(type), std::move(content));
    parts_.server->publish_status(request.header(), "idle");
    if (type == "shutdown_request") shut_down_();
}

void Requests::answer_kernel_info(Channel channel, const xeus::xrequest_context& request) {
    parts_.server->reply(channel, request, "kernel_info_reply", kernel_info_content(parts_.info));
    parts_.server->publish_status(request.header(), "idle");
    show_busy_again();
}

void Requests::show_busy_again() {
    if (const Cell* cell = parts_.router->some_cell()) parts_.server->publish_status(cell->request.header(), "busy");
}

// Requests that make, list and end subshells, or go through one (JEP 91).

void Requests::execute(Channel channel, xeus::xmessage request, const std::string& lone_surrogate) {
    if (const auto subshell = channel == Channel::control ? control_subshell : parts_.subshells.of(request.header())) {
        json refusal;
        if (!lone_surrogate.empty())
            refusal = error_reply("UnicodeEncodeError", "the cell contains " + lone_surrogate +
                                                            ", half of a character (a surrogate without its partner), "
                                                            "in place of which \xEF\xBF\xBD is shown. Type it again.");
        parts_.router->submit(std::move(request), *subshell, std::move(refusal));
        return;
    }
    const json& header = request.header();
    refuse(Channel::shell, xeus::xrequest_context{header, request.identities()},
           error_reply("UsageError", parts_.subshells.unknown(subshell_id(header))));
}

void Requests::answer_about_subshells(const xeus::xrequest_context& context, const json& content) {
    const std::string type = context.header().at("msg_type");
    const auto reply = [this, context, type](json answer) {
        parts_.server->reply(Channel::control, context, type.substr(0, type.rfind('_')) + "_reply", std::move(answer));
        parts_.server->publish_status(context.header(), "idle");
    };
    if (type == "create_subshell_request") {
        reply({{"status", "ok"}, {"subshell_id", parts_.subshells.create()}});
    } else if (type == "list_subshell_request") {
        reply({{"status", "ok"}, {"subshell_id", parts_.subshells.ids()}});
    } else {
        const std::string id = content.at("subshell_id");
        const auto number = parts_.subshells.remove(id);
        if (!number) {
            reply(error_reply("UsageError", parts_.subshells.unknown(id)));
            return;
        }
        // Who counts threads afterwards finds one less. What still runs there is not waited for.
        const auto answer = [reply, told = std::make_shared<bool>(false)] {
            if (!std::exchange(*told, true)) reply({{"status", "ok"}});
        };
        const bool at_work = parts_.router->is_at_work(*number);
        parts_.router->end_subshell(*number, answer);
        if (at_work) answer();
        else parts_.server->timers().after(subshell_patience, answer);
    }
}

json Requests::interrupt(const xeus::xmessage& request) {
    std::string id = subshell_id(request.header());
    if (id.empty()) id = subshell_id(request.content());
    if (id.empty()) {
        parts_.router->interrupt_foreground();
    } else if (const auto number = parts_.subshells.find(id)) {
        parts_.router->interrupt_subshell(*number);
    } else {
        return error_reply("UsageError", parts_.subshells.unknown(id));
    }
    return {{"status", "ok"}};
}

} // namespace xinterp::kernel
