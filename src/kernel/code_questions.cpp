#include <xinterp/kernel/code_questions.hpp>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace xinterp::kernel {
namespace {

using nlohmann::json;

constexpr const char* types_key = "_jupyter_types_experimental"; // JupyterLab shows these

json completions(const std::vector<CommandCompletion::Match>& matches, std::size_t start, std::size_t end) {
    json texts = json::array(), types = json::array();
    for (const auto& [text, kind] : matches) {
        texts.push_back(text);
        types.push_back({{"start", start}, {"end", end}, {"text", text}, {"type", kind}, {"signature", ""}});
    }
    return {{"status", "ok"},
            {"matches", std::move(texts)},
            {"cursor_start", start},
            {"cursor_end", end},
            {"metadata", {{types_key, std::move(types)}}}};
}

json nothing_for(const std::string& question, std::size_t cursor) {
    if (question == "complete") return completions({}, cursor, cursor);
    if (question == "inspect")
        return {{"status", "ok"}, {"found", false}, {"data", json::object()}, {"metadata", json::object()}};
    return {{"status", "unknown"}};
}

} // namespace

void CodeQuestions::ask(Channel channel, const xeus::xmessage& request) {
    const std::string type = request.header().at("msg_type");
    const std::string question = type.substr(0, type.find("_request"));
    const std::string code = request.content().at("code");
    parts_.server->publish_status(request.header(), "busy");
    const xeus::xrequest_context context{request.header(), request.identities()};
    const auto reply = [this, channel, context, type](json content) {
        parts_.server->reply(channel, context, reply_type(type), std::move(content));
        parts_.server->publish_status(context.header(), "idle");
    };
    const json position = request.content().value("cursor_pos", json{});
    const std::size_t length = code_points(code);
    const std::size_t cursor = position.is_number_integer()
                                   ? static_cast<std::size_t>(std::clamp<std::int64_t>(
                                         position.get<std::int64_t>(), 0, static_cast<std::int64_t>(length)))
                                   : length;
    if (question == "complete") {
        if (const auto found = complete_command(code, cursor, parts_.registry.list())) {
            complete_on_command_line(*found, reply);
            return;
        }
    } else if (question == "inspect") {
        if (const auto help = help_at(code, cursor)) {
            reply({{"status", "ok"}, {"found", true}, {"data", {{"text/plain", *help}}}, {"metadata", json::object()}});
            return;
        }
    }
    json content = request.content();
    content["code"] = without_cell_magic(code);
    content["has_cell_magic"] = content["code"] != code;
    const InterpreterId target = parts_.router->target_of(parts_.client_of(context.header()), code);
    const auto consult = [this, target, question, reply, nothing = nothing_for(question, cursor)](json of) {
        parts_.backend->consult(target, question, std::move(of), [reply, nothing](const json& answer) {
            const std::string status = answer.value("status", "error");
            reply(status == "aborted" || status == "error" ? nothing : answer);
        });
    };
    const auto asker = question == "complete" ? asker_of(request) : std::nullopt;
    if (!asker) {
        consult(std::move(content));
        return;
    }
    // Its prompt or a cell that is being written: who is at the prompt answers first.
    json asked = content;
    asked["asking"] = asker->thread;
    parts_.backend->consult(asker->source.interpreter, question, std::move(asked),
                            [reply, consult, content = std::move(content)](const json& answer) {
                                if (answer.value("matches", json::array()).empty()) consult(content);
                                else reply(answer);
                            });
}

// Who waits for a line from the client that asks, if that may be what it completes: no cell with a target of its own,
// and none that is being written while a detached cell waits.
std::optional<InputBroker::Asker> CodeQuestions::asker_of(const xeus::xmessage& request) const {
    const std::string code = request.content().at("code");
    if (code.find('\n') != std::string::npos || without_cell_magic(code) != code) return std::nullopt;
    auto asker = parts_.inputs->shown_to(request.identities());
    const Cell* cell = asker ? parts_.router->cell(asker->source.cell) : nullptr;
    return cell != nullptr && !cell->detached ? asker : std::nullopt;
}

void CodeQuestions::complete_on_command_line(const CommandCompletion& found, const std::function<void(json)>& reply) {
    const auto of = found.variables ? parts_.registry.find(found.variables->target) : std::nullopt;
    if (!of) {
        reply(completions(found.matches, found.start, found.end));
        return;
    }
    parts_.backend->consult(of->id, "names", {{"begun", found.variables->begun}},
                            [reply, start = found.start, end = found.end](const json& answer) {
                                std::vector<CommandCompletion::Match> matches;
                                for (const std::string& name : answer.value("names", std::vector<std::string>{}))
                                    matches.push_back({name, "variable"});
                                reply(completions(matches, start, end));
                            });
}

} // namespace xinterp::kernel
