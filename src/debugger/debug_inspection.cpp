// What a debug_request asks for about interpreters, stopped or not: threads, frames, variables, steps.
#include <xinterp/debugger/debugger.hpp>
#include <xinterp/protocol/wire.hpp>

#include <algorithm>
#include <charconv>
#include <format>
#include <utility>

namespace xinterp::kernel {
namespace {

using nlohmann::json;

// As in ipykernel: what nobody has defined himself.
bool is_shown(const std::string& variable) {
    static const std::set<std::string, std::less<>> hidden{"__name__",
                                                           "__doc__",
                                                           "__package__",
                                                           "__loader__",
                                                           "__spec__",
                                                           "__annotations__",
                                                           "__builtins__",
                                                           "__builtin__",
                                                           "__display__",
                                                           "get_ipython",
                                                           "debugpy",
                                                           "exit",
                                                           "quit",
                                                           "In",
                                                           "Out",
                                                           "_oh",
                                                           "_dh",
                                                           "_ih",
                                                           "_",
                                                           "__",
                                                           "___"};
    const bool is_history = variable.starts_with("_i") ||
                            (variable.size() > 1 && variable[0] == '_' && variable[1] >= '0' && variable[1] <= '9');
    return !hidden.contains(variable) && !is_history;
}

void keep_shown(json& variables) {
    json kept = json::array();
    for (json& variable : variables)
        if (is_shown(text(variable, "name"))) kept.push_back(std::move(variable));
    variables = std::move(kept);
}

// Without what runs cells, which is nobody's concern.
void keep_frames_of_cells(json& frames, const std::string& prefix) {
    const auto is_cells = [&](const json& frame) {
        return text(frame.value("source", json::object()), "path").starts_with(prefix);
    };
    const auto outermost = std::find_if(frames.rbegin(), frames.rend(), is_cells);
    if (outermost != frames.rend()) frames.erase(outermost.base(), frames.end());
}

// What is between the quotes: two hexadecimal digits for each byte.
std::string decoded(const std::string& quoted) {
    std::string bytes;
    for (std::size_t i = 1; i + 2 < quoted.size(); i += 2) {
        unsigned char byte = 0;
        std::from_chars(quoted.data() + i, quoted.data() + i + 2, byte, 16);
        bytes.push_back(static_cast<char>(byte));
    }
    return bytes;
}

} // namespace

// --- What is stopped

void Debugger::threads(const Asked& asked) {
    const std::vector<InterpreterId> interpreters = ready();
    const auto threads = std::make_shared<json>(json::array());
    const auto over =
        when_answered(interpreters.size(), [this, asked, threads] { succeed(asked, {{"threads", *threads}}); });
    for (const InterpreterId interpreter : interpreters)
        targets_[interpreter].session->request(
            "threads", nullptr, [this, interpreter, threads, over](const json& response) {
                json body = response.value("body", json::object());
                translate(body, interpreter);
                for (json& thread : body["threads"]) {
                    if (interpreter != python::main_interpreter)
                        thread["name"] = std::format("[{}] {}", label(interpreter), text(thread, "name"));
                    threads->push_back(std::move(thread));
                }
                over();
            });
}

void Debugger::stack_trace(const Asked& asked) {
    forward(asked, "that thread has ended.", [this](InterpreterId interpreter, json& body) {
        if (!body.contains("stackFrames")) return;
        json& frames = body["stackFrames"];
        keep_frames_of_cells(frames, cells_.prefix());
        if (interpreter != python::main_interpreter)
            for (json& frame : frames) frame["name"] = std::format("[{}] {}", label(interpreter), text(frame, "name"));
        body["totalFrames"] = frames.size();
    });
}

void Debugger::variables(const Asked& asked) {
    json arguments = asked.arguments();
    const auto interpreter = address(arguments);
    if (interpreter == explored) {
        const json question{{"what", "variables"}, {"reference", arguments["variablesReference"]}};
        ask_interpreter(python::main_interpreter, question, [this, asked](const json& answered) {
            json body{{"variables", answered.value("variables", json::array())}};
            translate(body, explored);
            if (answered.value("status", "") == "ok") succeed(asked, std::move(body));
            else fail(asked, why(answered), {{"variables", json::array()}});
        });
        return;
    }
    const auto target = interpreter ? targets_.find(*interpreter) : targets_.end();
    const bool of_scope = target != targets_.end() &&
                          target->second.scopes.contains(arguments.value("variablesReference", std::int64_t{0}));
    forward(asked, "what the variables belonged to has gone on.", [of_scope](InterpreterId, json& body) {
        if (of_scope && body.contains("variables")) keep_shown(body["variables"]);
    });
}

void Debugger::scopes(const Asked& asked) {
    forward(asked, "that frame has gone on, or has ended.", [this](InterpreterId interpreter, const json& body) {
        if (const auto found = targets_.find(interpreter); found != targets_.end())
            for (const json& scope : body.value("scopes", json::array()))
                found->second.scopes.insert(scope.value("variablesReference", std::int64_t{0}));
    });
}

void Debugger::pass_on(const Asked& asked) { forward(asked, "what it is about has gone on, or has ended."); }

void Debugger::forward(const Asked& asked, const std::string& gone, Refinement refine) {
    json arguments = asked.arguments();
    const auto interpreter = address(arguments);
    const auto target = interpreter ? targets_.find(*interpreter) : targets_.end();
    if (target == targets_.end()) {
        fail(asked, gone);
        return;
    }
    target->second.session->request(
        asked.message.at("command"), std::move(arguments),
        [this, asked, refine = std::move(refine), interpreter = *interpreter](json response) {
            if (refine && response["body"].is_object()) refine(interpreter, response["body"]);
            give(asked, interpreter, response);
        });
}

void Debugger::copy_to_globals(const Asked& asked) {
    const json arguments = asked.arguments();
    const std::string name = text(arguments, "dstVariableName");
    if (!python::is_identifier(name)) {
        fail(asked, std::format("'{}' is no name of a variable.", name));
        return;
    }
    Asked set = asked;
    set.message["command"] = "setExpression";
    set.message["arguments"] = {{"expression", std::format("globals()['{}']", name)},
                                {"value", text(arguments, "srcVariableName")},
                                {"frameId", arguments.value("srcFrameId", json(0))}};
    set.reply = [asked](json content) {
        content["command"] = "copyToGlobals";
        asked.reply(std::move(content));
    };
    pass_on(set);
}

// --- What is there, stopped or not

void Debugger::inspect_variables(const Asked& asked) {
    references_.forget(explored);
    ++inspections_;
    const json question{{"what", "variables"}, {"reference", nullptr}};
    ask_interpreter(python::main_interpreter, question, [this, asked](const json& answered) {
        json body{{"variables", answered.value("variables", json::array())}};
        keep_shown(body["variables"]);
        translate(body, explored);
        // JupyterLab takes for granted that there is a list.
        if (answered.value("status", "") == "ok") succeed(asked, std::move(body));
        else fail(asked, why(answered), {{"variables", json::array()}});
        if (--inspections_ == 0) publish_held();
    });
}

void Debugger::rich_inspect_variables(const Asked& asked) {
    const json arguments = asked.arguments();
    const std::string name = text(arguments, "variableName");
    if (!python::is_identifier(name)) { // "special variables", a key of a dict
        succeed(asked, {{"data", json::object()}, {"metadata", json::object()}});
        return;
    }
    if (arguments.value("frameId", json{}).is_number_integer() && !stops_.empty()) {
        Asked evaluation = asked;
        evaluation.message["command"] = "evaluate";
        evaluation.message["arguments"] = {
            {"expression",
             std::format("__import__('_xinterp_shell.debug_questions', fromlist=['']).encoded({})", name)},
            {"frameId", arguments["frameId"]},
            {"context", "clipboard"}};
        evaluation.reply = [this, asked](const json& content) {
            if (!content.value("success", false)) {
                fail(asked, text(content, "message"));
                return;
            }
            json rich = json::parse(decoded(text(content.at("body"), "result")), nullptr, false);
            if (rich.is_object()) succeed(asked, std::move(rich));
            else fail(asked, text(content.at("body"), "result"));
        };
        pass_on(evaluation);
        return;
    }
    ask_interpreter(python::main_interpreter, {{"what", "rich"}, {"name", name}}, [this, asked](json answered) {
        if (answered.value("status", "") != "ok") {
            fail(asked, why(answered));
            return;
        }
        answered.erase("status");
        succeed(asked, std::move(answered));
    });
}

void Debugger::modules(const Asked& asked) {
    const json arguments = asked.arguments();
    const std::size_t start = arguments.value("startModule", std::size_t{0});
    const std::size_t count = arguments.value("moduleCount", std::size_t{0});
    ask_interpreter(current(), {{"what", "modules"}}, [this, asked, start, count](const json& answered) {
        const json all = answered.value("modules", json::array());
        json chosen = json::array();
        for (std::size_t i = start; i < all.size() && (count == 0 || i < start + count); ++i) chosen.push_back(all[i]);
        succeed(asked, {{"modules", std::move(chosen)}, {"totalModules", all.size()}});
    });
}

} // namespace xinterp::kernel
