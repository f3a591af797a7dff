#include <xinterp/debugger/debugger.hpp>
#include <xinterp/protocol/log.hpp>

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <format>
#include <utility>

namespace xinterp::kernel {

using nlohmann::json;

// --- Connecting

void Debugger::answer(InterpreterId interpreter, const json& question, const Reply& reply) {
    const std::string what = question.value("what", "");
    json answered;
    if (what == "path") {
        if (const auto path = cells_.path_of(question.value("count", 0))) answered = *path;
    } else if (what == "connect") {
        const InterpreterId other = question.value("id", python::main_interpreter);
        // One that has refused is asked again before its next cell, and not each time that it is entered.
        const auto refused = refused_.find(other);
        const bool has_refused = refused != refused_.end() && refused->second == generation_;
        if (state_ == State::on && !is_ready(other) && !has_refused && registry_.get(other)) {
            // Where C code keeps the GIL nobody enters: that need not be waited for.
            backend_.consult(other, "debug", attach_question(), [reply, done = connected(other)](const json& attached) {
                reply(nullptr);
                done(attached);
            });
            return;
        }
    } else if (state_ != State::off && question.value("generation", 0) == generation_) {
        if (const int descriptor = open_session(interpreter); descriptor >= 0) answered = descriptor;
    }
    reply(std::move(answered));
}

// The debug server's end of a new connection. What it has to know is on its way when it gets it.
int Debugger::open_session(InterpreterId interpreter) {
    std::array<int, 2> ends{};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        log_warning("the debugger has no connection to an interpreter: there are too many open files.");
        return -1;
    }
    Target& target = targets_[interpreter];
    target = {.generation = generation_};
    target.session = std::make_unique<DebugSession>(
        server_, ends[0], [this, interpreter](const json& event) { received(interpreter, event); },
        [this, interpreter] { lost(interpreter); });
    DebugSession& session = *target.session;
    const auto ignore = [](const json&) {};
    session.request("initialize",
                    {{"adapterID", "xinterp"},
                     {"pathFormat", "path"},
                     {"linesStartAt1", true},
                     {"columnsStartAt1", true},
                     {"supportsVariableType", true}},
                    ignore);
    json options = options_;
    // As in ipykernel: who steps into a library sees it.
    if (!options.contains("justMyCode")) options["debugOptions"] = json::array({"DebugStdLib"});
    // One thread stops, and everything else goes on.
    options["stopAllThreadsOnSuspend"] = false;
    options["steppingResumesAllThreads"] = false;
    session.request("attach", std::move(options), ignore);
    // Of a condition too, whose name is misspelled.
    session.request("setDebuggerProperty", {{"skipPrintBreakpointException", json::array()}}, ignore);
    for (const auto& [path, arguments] : breakpoints_) session.request("setBreakpoints", arguments, ignore);
    for (const auto& [command, arguments] : settings_) session.request(command, arguments, ignore);
    session.request("configurationDone", nullptr, ignore);
    return ends[1];
}

void Debugger::set_connected(InterpreterId interpreter) {
    if (const auto target = targets_.find(interpreter); target != targets_.end()) target->second.ready = true;
}

void Debugger::ask_interpreter(InterpreterId interpreter, const json& question, const Backend::Reply& reply) {
    backend_.consult(interpreter, "debug", question, [this, interpreter, question, reply](json answered) {
        // It is in C code that keeps its GIL: when its cell is over.
        if (answered.value("status", "") == "aborted" && registry_.get(interpreter))
            backend_.ask(interpreter, "debug", question, reply);
        else reply(std::move(answered));
    });
}

json Debugger::attach_question() const { return {{"what", "attach"}, {"generation", generation_}}; }

void Debugger::connect(InterpreterId interpreter) {
    ask_interpreter(interpreter, attach_question(), connected(interpreter));
}

void Debugger::before_run(InterpreterId interpreter) {
    if (state_ != State::on || is_ready(interpreter)) return;
    // Its lane comes to the cell after this.
    backend_.ask(interpreter, "debug", attach_question(), connected(interpreter));
}

bool Debugger::is_ready(InterpreterId interpreter) const {
    const auto target = targets_.find(interpreter);
    return target != targets_.end() && target->second.ready;
}

Backend::Reply Debugger::connected(InterpreterId interpreter) {
    return [this, interpreter, generation = generation_](const json& answered) {
        if (generation != generation_ || state_ != State::on) return;
        const std::string status = answered.value("status", "");
        if (status == "ok") set_connected(interpreter);
        if (status != "error") return;
        refused_[interpreter] = generation;
        const std::string problem = std::format("{} cannot be debugged: {}: {}", label(interpreter),
                                                answered.value("ename", ""), answered.value("evalue", ""));
        log_warning(problem);
        publish("output", {{"category", "important"}, {"output", problem + "\n"}});
    };
}

void Debugger::lost(InterpreterId interpreter) {
    const auto target = targets_.find(interpreter);
    if (target == targets_.end()) return;
    for (const std::int64_t thread : std::set<std::int64_t>{target->second.stopped}) went_on(interpreter, thread);
    const int generation = target->second.generation;
    targets_.erase(target);
    threads_.forget(interpreter);
    references_.forget(interpreter);
    sources_.forget(interpreter);
    // Its server has gone by itself: it is connected again before the next cell.
    const auto info = registry_.get(interpreter);
    if (state_ == State::on && info && info->state != python::State::closing)
        ask_interpreter(interpreter, {{"what", "detach"}, {"generation", generation}}, [](const json&) {});
}

// --- What interpreters tell

void Debugger::received(InterpreterId interpreter, const json& event) {
    const std::string name = event.value("event", "");
    if (name == "terminated") {
        lost(interpreter);
        return;
    }
    // Of the connection, not of what is debugged.
    if (name == "initialized" || name == "process" || name == "exited") return;
    json body = event.value("body", json::object());
    const std::int64_t thread = body.value("threadId", std::int64_t{-1});
    if (name == "continued") {
        went_on(interpreter, thread);
        return;
    }
    if (state_ == State::off) { // it is about to know
        if (name == "stopped")
            targets_[interpreter].session->request("continue", {{"threadId", thread}}, [](const json&) {});
        return;
    }
    if (name == "stopped") {
        targets_[interpreter].stopped.insert(thread);
        std::erase(stops_, DebugHandles::Place{interpreter, thread});
        stops_.push_back({interpreter, thread});
        ++stop_count_;
    }
    translate(body, interpreter);
    publish(name, std::move(body));
}

void Debugger::went_on(InterpreterId interpreter, std::int64_t thread) {
    const auto target = targets_.find(interpreter);
    if (target == targets_.end() || target->second.stopped.erase(thread) == 0) return; // it has been told
    std::erase(stops_, DebugHandles::Place{interpreter, thread});
    if (target->second.stopped.empty()) { // what its frames and variables were called means nothing any more
        target->second.scopes.clear();
        references_.forget(interpreter);
    }
    publish("continued", {{"threadId", threads_.of({interpreter, thread})}, {"allThreadsContinued", false}});
    show_another_later();
}

// A front end that shows one thread has forgotten the others.
void Debugger::show_another_later() {
    if (stops_.empty()) return;
    server_.timers().after(step_time, [this, before = stop_count_] {
        if (!stops_.empty() && before == stop_count_) publish_stop(stops_.back());
    });
}

void Debugger::publish_stop(const DebugHandles::Place& thread) {
    publish("stopped", {{"reason", "pause"},
                        {"threadId", threads_.of(thread)},
                        {"preserveFocusHint", false},
                        {"allThreadsStopped", false}});
}

void Debugger::publish(const std::string& event, json body) {
    held_.emplace_back(event, std::move(body));
    // A front end that asks for all variables, and hears of a stop before it is answered, shows those of the frame
    // first and then, for good, all.
    const bool is_stop = event == "stopped", is_behind_a_stop = held_.size() > 1;
    if (inspections_ == 0 || !(is_stop || is_behind_a_stop)) publish_held();
    else if (is_stop) server_.timers().after(inspection_patience, [this] { publish_held(); });
}

void Debugger::publish_held() {
    for (auto& [event, body] : std::exchange(held_, {}))
        server_.publish(parent_, "debug_event",
                        {{"type", "event"}, {"event", event}, {"seq", ++sequence_}, {"body", std::move(body)}});
}

void Debugger::interrupted(LaneId lane) {
    const auto found = targets_.find(lane.interpreter);
    if (found == targets_.end() || found->second.stopped.empty()) return;
    // Which of its threads is meant, their names tell.
    found->second.session->request("threads", nullptr, [this, lane](const json& response) {
        for (const json& thread : response.value(json::json_pointer{"/body/threads"}, json::array())) {
            const std::string name = thread.value("name", "");
            const bool is_subshells = lane.interpreter == python::main_interpreter && name.starts_with("subshell-");
            if (lane.subshell != 0 ? name == subshell_name(lane.subshell) : !is_subshells)
                resume(lane.interpreter, thread.value("id", std::int64_t{-1}));
        }
    });
}

void Debugger::resume(InterpreterId interpreter, std::int64_t thread) {
    const auto target = targets_.find(interpreter);
    if (target == targets_.end() || !target->second.stopped.contains(thread)) return;
    target->second.session->request("continue", {{"threadId", thread}}, [](const json&) {});
    went_on(interpreter, thread);
}

// --- Numbers

// What the interpreter has numbered gets the numbers that front ends know.
void Debugger::translate(json& value, InterpreterId interpreter) {
    if (value.is_array()) {
        for (json& element : value) translate(element, interpreter);
        return;
    }
    if (!value.is_object()) return;
    const auto renumber = [interpreter](json& object, const char* name, DebugHandles& handles, bool zero_is_none) {
        const auto number = object.find(name);
        if (number == object.end() || !number->is_number_integer() || (zero_is_none && *number == 0)) return;
        *number = handles.of({interpreter, number->get<std::int64_t>()});
    };
    renumber(value, "threadId", threads_, false);
    renumber(value, "variablesReference", references_, true);
    renumber(value, "sourceReference", sources_, true);
    for (auto& [name, part] : value.items()) {
        if (!part.is_array() && !part.is_object()) continue;
        translate(part, interpreter);
        if (name == "stackFrames")
            for (json& frame : part) renumber(frame, "id", references_, false);
        if (name == "threads")
            for (json& thread : part) renumber(thread, "id", threads_, false);
    }
}

std::optional<InterpreterId> Debugger::address(json& arguments) const {
    for (const auto& [name, handles] : {std::pair{"frameId", &references_},
                                        {"variablesReference", &references_},
                                        {"threadId", &threads_},
                                        {"sourceReference", &sources_}}) {
        const auto number = arguments.find(name);
        if (number == arguments.end() || !number->is_number_integer() || *number == 0) continue;
        const auto place = handles->find(number->get<std::int64_t>());
        if (!place) return std::nullopt;
        *number = place->number;
        return place->interpreter;
    }
    return current();
}

// Whom a request means that names nobody: what has stopped last, else main.
InterpreterId Debugger::current() const {
    return stops_.empty() ? python::main_interpreter : stops_.back().interpreter;
}

std::string Debugger::label(InterpreterId interpreter) const {
    const auto info = registry_.get(interpreter);
    return info ? info->label() : std::to_string(interpreter);
}

std::vector<InterpreterId> Debugger::ready() const {
    std::vector<InterpreterId> found;
    for (const auto& [interpreter, target] : targets_)
        if (target.ready) found.push_back(interpreter);
    return found;
}

std::function<void()> Debugger::when_answered(std::size_t count, std::function<void()> done,
                                              std::chrono::milliseconds how_long) {
    if (count == 0) {
        done();
        return [] {};
    }
    const auto missing = std::make_shared<std::size_t>(count);
    server_.timers().after(how_long, [missing, done] {
        if (std::exchange(*missing, 0) != 0) done();
    });
    return [missing, done = std::move(done)] {
        if (*missing == 0) return;
        --*missing;
        if (*missing == 0) done();
    };
}

void Debugger::broadcast(const std::string& command, const json& arguments, std::function<void(const json&)> first) {
    const auto response = std::make_shared<json>();
    // Who is told that breakpoints are set counts on them in every interpreter.
    const auto over = when_answered(ready().size(), [response, first = std::move(first)] { first(*response); });
    // Also to those that are being connected, behind what they were told when that began.
    for (const auto& [interpreter, target] : targets_)
        target.session->request(command, arguments, [response, over, counts = target.ready](const json& answered) {
            if (!counts) return;
            if (response->is_null()) *response = answered;
            over();
        });
}

} // namespace xinterp::kernel
