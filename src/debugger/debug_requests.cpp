// What a debug_request asks for, one function each: the debugger as a whole, breakpoints and sources; the rest is in
// debug_inspection.cpp. https://jupyter-client.readthedocs.io/en/stable/messaging.html and
// https://microsoft.github.io/debug-adapter-protocol/specification describe them.
#include <xinterp/debugger/debugger.hpp>
#include <xinterp/protocol/log.hpp>
#include <xinterp/protocol/wire.hpp>
#include <xinterp/python/visits.hpp>

#include <algorithm>
#include <filesystem>
#include <format>
#include <utility>

namespace xinterp::kernel {
namespace {

using nlohmann::json;

// What the front end may use.
json capabilities() {
    json offered = json::object();
    for (const char* name :
         {"supportsConfigurationDoneRequest", "supportsConditionalBreakpoints", "supportsHitConditionalBreakpoints",
          "supportsLogPoints", "supportsFunctionBreakpoints", "supportsEvaluateForHovers", "supportsSetVariable",
          "supportsSetExpression", "supportsCompletionsRequest", "supportsModulesRequest",
          "supportsExceptionInfoRequest", "supportsClipboardContext"})
        offered[name] = true;
    const auto filter = [](const char* name, const char* label, bool is_default) {
        return json{{"filter", name}, {"label", label}, {"default", is_default}};
    };
    offered["exceptionBreakpointFilters"] =
        json::array({filter("raised", "Raised Exceptions", false), filter("uncaught", "Uncaught Exceptions", true),
                     filter("userUnhandled", "User Uncaught Exceptions", false)});
    return offered;
}

} // namespace

json Debugger::Asked::arguments() const {
    const auto found = message.find("arguments");
    return found != message.end() && found->is_object() ? *found : json::object();
}

const std::map<std::string, Debugger::Command>& Debugger::commands() {
    static const std::map<std::string, Command> known{
        {"initialize", {&Debugger::initialize, Needs::nothing}},
        {"attach", {&Debugger::attach, Needs::initialized}},
        {"configurationDone", {&Debugger::configuration_done, Needs::initialized}},
        {"disconnect", {&Debugger::disconnect, Needs::nothing}},
        {"terminate", {&Debugger::terminate, Needs::nothing}},
        {"debugInfo", {&Debugger::debug_info, Needs::nothing}},
        {"dumpCell", {&Debugger::dump_cell, Needs::nothing}},
        {"source", {&Debugger::source, Needs::nothing}},
        {"setBreakpoints", {&Debugger::set_breakpoints, Needs::attached}},
        {"setFunctionBreakpoints", {&Debugger::tell_all, Needs::attached}},
        {"setExceptionBreakpoints", {&Debugger::tell_all, Needs::attached}},
        {"threads", {&Debugger::threads, Needs::attached}},
        {"stackTrace", {&Debugger::stack_trace, Needs::attached}},
        {"variables", {&Debugger::variables, Needs::nothing}},
        {"inspectVariables", {&Debugger::inspect_variables, Needs::nothing}},
        {"richInspectVariables", {&Debugger::rich_inspect_variables, Needs::nothing}},
        {"copyToGlobals", {&Debugger::copy_to_globals, Needs::attached}},
        {"modules", {&Debugger::modules, Needs::nothing}},
        {"scopes", {&Debugger::scopes, Needs::attached}},
        {"continue", {&Debugger::pass_on, Needs::attached}},
        {"next", {&Debugger::pass_on, Needs::attached}},
        {"stepIn", {&Debugger::pass_on, Needs::attached}},
        {"stepOut", {&Debugger::pass_on, Needs::attached}},
        {"pause", {&Debugger::pass_on, Needs::attached}},
        {"evaluate", {&Debugger::pass_on, Needs::attached}},
        {"setVariable", {&Debugger::pass_on, Needs::attached}},
        {"setExpression", {&Debugger::pass_on, Needs::attached}},
        {"completions", {&Debugger::pass_on, Needs::attached}},
        {"exceptionInfo", {&Debugger::pass_on, Needs::attached}},
    };
    return known;
}

void Debugger::request(const xeus::xmessage& request, Reply reply) {
    const Asked asked{request.content(), std::move(reply)};
    parent_ = request.header();
    const std::string name = text(asked.message, "command");
    const auto command = commands().find(name);
    if (command == commands().end()) fail(asked, std::format("'{}' is no request that this debugger knows.", name));
    else if (command->second.needs != Needs::nothing && state_ != State::on &&
             !(command->second.needs == Needs::initialized && state_ == State::starting))
        fail(asked, std::format("'{}' needs the debugger, which is off: initialize and attach come first.", name));
    else try {
            (this->*command->second.handler)(asked);
        } catch (const json::exception&) {
            fail(asked, std::format("'{}': what it says makes no sense to this debugger: {}", name,
                                    asked.arguments().dump(-1, ' ', false, json::error_handler_t::replace)));
        }
}

void Debugger::succeed(const Asked& asked, json body) {
    asked.reply({{"type", "response"},
                 {"seq", ++sequence_},
                 {"request_seq", asked.message.value("seq", json(0))},
                 {"command", asked.message.value("command", json(""))},
                 {"success", true},
                 {"body", std::move(body)}});
}

void Debugger::fail(const Asked& asked, const std::string& message, json body) {
    asked.reply({{"type", "response"},
                 {"seq", ++sequence_},
                 {"request_seq", asked.message.value("seq", json(0))},
                 {"command", asked.message.value("command", json(""))},
                 {"success", false},
                 {"message", message},
                 {"body", std::move(body)}});
}

void Debugger::give(const Asked& asked, InterpreterId interpreter, const json& response) {
    if (!response.value("success", false)) {
        fail(asked, text(response, "message"));
        return;
    }
    json body = response.value("body", json::object());
    translate(body, interpreter);
    succeed(asked, std::move(body));
}

// What a question has failed with.
std::string Debugger::why(const json& answered) {
    const std::string name = answered.value("ename", ""), value = answered.value("evalue", "");
    if (name == "ModuleNotFoundError" && value.find("debugpy") != std::string::npos)
        return "the debugger needs debugpy, which is not installed: run %pip install debugpy, and switch the debugger "
               "on again.";
    if (name.empty()) return "the interpreter has ended.";
    return name + ": " + value;
}

// --- On and off

void Debugger::initialize(const Asked& asked) {
    if (state_ != State::off) {
        succeed(asked, capabilities());
        return;
    }
    ask_interpreter(python::main_interpreter, {{"what", "import"}}, [this, asked](const json& answered) {
        if (answered.value("status", "") != "ok") {
            fail(asked, why(answered));
            return;
        }
        if (state_ == State::off) {
            state_ = State::starting;
            ++generation_;
        }
        succeed(asked, capabilities());
    });
}

void Debugger::attach(const Asked& asked) {
    const bool starts = state_.exchange(State::on) == State::starting;
    if (starts) options_ = asked.arguments();
    const InterpreterId main = python::main_interpreter;
    ask_interpreter(main, attach_question(), [this, asked, generation = generation_](const json& answered) {
        if (generation != generation_ || state_ != State::on) {
            fail(asked, "the debugger was switched off meanwhile.");
        } else if (answered.value("status", "") != "ok") {
            switch_off([] {});
            fail(asked, why(answered));
        } else {
            set_connected(python::main_interpreter);
            publish("initialized", json::object());
            succeed(asked);
        }
    });
    if (!starts) return;
    for (const auto& info : registry_.list())
        if (info.id != main && (info.state == python::State::running || python::is_visited(info.id))) connect(info.id);
}

void Debugger::configuration_done(const Asked& asked) { succeed(asked); }

void Debugger::disconnect(const Asked& asked) {
    switch_off([this, asked] { succeed(asked); });
}

// `done` when interpreters are left, so that a cell that comes then meets nothing of the debugger; those that are in C
// code are left when that is over.
void Debugger::switch_off(const std::function<void()>& done) {
    std::set<InterpreterId> connected;
    if (state_.exchange(State::off) != State::off) {
        for (const auto& [interpreter, target] : targets_) connected.insert(interpreter);
        breakpoints_.clear();
        settings_.clear();
    }
    const auto over = when_answered(connected.size(), done, leaving_patience);
    for (const InterpreterId interpreter : connected) {
        Target& target = targets_[interpreter];
        target.ready = false;
        // Its breakpoints are gone before it goes on.
        target.session->request("disconnect", json::object(), [](const json&) {});
        for (const std::int64_t thread : std::set<std::int64_t>{target.stopped}) resume(interpreter, thread);
        const json detach{{"what", "detach"}, {"generation", generation_}};
        backend_.consult(interpreter, "debug", detach, [this, interpreter, detach, over](const json& answered) {
            if (answered.value("status", "") == "aborted" && registry_.get(interpreter))
                backend_.ask(interpreter, "debug", detach, [](const json&) {});
            over();
        });
    }
}

void Debugger::terminate(const Asked& asked) {
    fail(asked, "the debugger does not end the kernel: restart it or shut it down in the Kernel menu.");
}

void Debugger::debug_info(const Asked& asked) {
    json breakpoints = json::array(), stopped = json::array();
    for (const auto& [path, arguments] : breakpoints_)
        breakpoints.push_back({{"source", path}, {"breakpoints", arguments.value("breakpoints", json::array())}});
    for (const DebugHandles::Place& thread : stops_) stopped.push_back(threads_.of(thread));
    std::ranges::reverse(stopped); // the first one is shown
    succeed(asked, {{"isStarted", state_ == State::on},
                    {"hashMethod", DebugCells::hash_method},
                    {"hashSeed", DebugCells::seed},
                    {"tmpFilePrefix", cells_.prefix()},
                    {"tmpFileSuffix", DebugCells::suffix},
                    {"breakpoints", std::move(breakpoints)},
                    {"stoppedThreads", std::move(stopped)},
                    {"richRendering", true},
                    {"exceptionPaths", json::array({"Python Exceptions"})},
                    {"copyToGlobals", true}});
}

// --- Breakpoints and sources

void Debugger::dump_cell(const Asked& asked) {
    const json arguments = asked.arguments();
    if (!arguments.contains("code") || !arguments["code"].is_string()) {
        fail(asked, "dumpCell: 'code' must be a string.");
        return;
    }
    try {
        succeed(asked, {{"sourcePath", cells_.dump(arguments["code"])}});
    } catch (const std::filesystem::filesystem_error& error) {
        fail(asked, error.what());
    }
}

void Debugger::source(const Asked& asked) {
    json arguments = asked.arguments();
    const std::string path = text(arguments.value("source", json::object()), "path");
    if (const auto found = cells_.source(path)) succeed(asked, {{"content", *found}});
    else if (state_ != State::off && arguments.value("sourceReference", json(0)) != 0) pass_on(asked);
    else fail(asked, std::format("there is no source at '{}'.", path));
}

void Debugger::set_breakpoints(const Asked& asked) {
    const json arguments = asked.arguments();
    const std::string path = text(arguments.value("source", json::object()), "path");
    const json wanted = arguments.value("breakpoints", json::array());
    const auto is_breakpoint = [](const json& each) {
        return each.is_object() && each.contains("line") && each["line"].is_number_integer();
    };
    if (path.empty() || !wanted.is_array() || !std::ranges::all_of(wanted, is_breakpoint)) {
        fail(asked,
             "setBreakpoints: 'source' must have a path, and 'breakpoints' must be a list of objects with a line.");
        return;
    }
    if (wanted.empty()) breakpoints_.erase(path);
    else breakpoints_[path] = arguments;
    broadcast("setBreakpoints", arguments, [this, asked, path, wanted](const json& response) {
        json body;
        if (response.is_object() && response.value("success", false)) {
            body = response.value("body", json::object());
        } else {
            json set = json::array();
            for (const json& breakpoint : wanted)
                set.push_back(
                    {{"verified", true}, {"line", breakpoint.value("line", json(1))}, {"source", {{"path", path}}}});
            body["breakpoints"] = std::move(set);
        }
        // Where they really are: a comment's breakpoint moves to the next line of code.
        if (const auto own = breakpoints_.find(path); own != breakpoints_.end() && own->second["breakpoints"] == wanted)
            for (std::size_t i = 0; i < wanted.size() && i < body["breakpoints"].size(); ++i)
                if (const json& line = body["breakpoints"][i].value("line", json{}); line.is_number_integer())
                    own->second["breakpoints"][i]["line"] = line;
        succeed(asked, std::move(body));
    });
}

void Debugger::tell_all(const Asked& asked) {
    const std::string command = asked.message.at("command");
    json arguments = asked.arguments();
    // Every cell's exception is caught in the end, by what runs the cell: what is not caught before ends the cell.
    if (arguments.contains("filters") && arguments["filters"].is_array()) {
        json& filters = arguments["filters"];
        const auto has = [&](const char* name) { return std::ranges::find(filters, json(name)) != filters.end(); };
        if (has("uncaught") && !has("userUnhandled")) filters.push_back("userUnhandled");
    }
    settings_[command] = arguments;
    broadcast(command, arguments, [this, asked](const json& response) {
        succeed(asked, response.is_object() ? response.value("body", json::object()) : json::object());
    });
}

} // namespace xinterp::kernel
