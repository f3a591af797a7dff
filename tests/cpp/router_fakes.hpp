// tests/cpp/router_fakes.hpp: a router with fakes around it that write down what happens, for test_router_*.cpp.
#pragma once

#include "printing.hpp"

#include <xinterp/routing/router.hpp>

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace xinterp::kernel::fakes {

using nlohmann::json;

/// What happens, in its order. Cells are called by their messages' ids, interpreters by their labels.
struct Diary {
    python::Registry& registry;
    Lines lines{};
    std::map<CellId, std::string> cells{};

    void note(std::string line) { lines.push_back(std::move(line)); }
    static std::string name_of(const xeus::xmessage& request) { return request.header().at("msg_id"); }
    std::string name_of(LaneId lane) const {
        const auto info = registry.get(lane.interpreter);
        const std::string label = info ? info->label() : "closed " + std::to_string(lane.interpreter);
        return lane.subshell == 0 ? label : label + "'s subshell " + std::to_string(lane.subshell);
    }
};

/// Runs nothing: a run ends when the test says so, as it would on the I/O thread, between two events.
struct FakeBackend final : Backend {
    explicit FakeBackend(Diary& shared) : diary{shared} {}

    Diary& diary;
    std::map<LaneId, std::pair<CellCode, Reply>> running{};
    std::vector<std::pair<LaneId, Reply>> asked{};
    bool creates_at_once = true;
    InterpreterId last = 0;
    std::vector<std::function<void(std::variant<InterpreterId, std::string>)>> creating{};
    std::map<InterpreterId, std::function<void(std::string)>> closing{};

    void execute(LaneId lane, CellCode code, Reply reply) override {
        REQUIRE(!running.contains(lane)); // it is one thread
        diary.note(diary.cells.at(code.cell) + " runs in " + diary.name_of(lane));
        running.emplace(lane, std::pair{std::move(code), std::move(reply)});
    }
    void ask(LaneId lane, std::string question, json, Reply reply) override {
        diary.note(diary.name_of(lane) + " is asked to " + question);
        asked.emplace_back(lane, std::move(reply));
    }
    void call(InterpreterId interpreter, CellId cell, modules::SharedCommMessage, Reply reply) override {
        CellCode code;
        code.cell = cell;
        execute(interpreter, std::move(code), std::move(reply));
    }
    void ask_at_end(std::string, json) override {}
    std::size_t memory(InterpreterId) override { return 0; }
    bool interrupt(LaneId lane) override {
        diary.note("interrupt in " + diary.name_of(lane));
        return running.contains(lane);
    }
    void interrupt_tasks() override { diary.note("interrupt what runs between cells"); }
    void interrupt_visitors(InterpreterId) override {}
    void interrupt_threads_of(CellId) override {}
    void end_subshell(SubshellNumber subshell, const std::function<void()>& done) override {
        diary.note("the thread of subshell " + std::to_string(subshell) + " ends");
        done();
    }
    std::size_t references(InterpreterId) override { return 0; }
    void create(const python::Configuration& configuration,
                std::function<void(std::variant<InterpreterId, std::string>)> done) override {
        diary.note("create as " + std::string{python::preset_name(configuration.preset)});
        if (creates_at_once) done(++last);
        else creating.push_back(std::move(done));
    }
    void close(InterpreterId interpreter, CellId, std::function<void(std::string)> done) override {
        closing.emplace(interpreter, std::move(done));
    }
};

struct FakeFront final : RouterFront {
    explicit FakeFront(Diary& shared) : diary{shared} {}

    Diary& diary;
    int count = 0;
    bool notes_details = false; ///< also where a cell is routed, flushed and over
    std::function<void()> unread{};
    std::function<void(json)> command_done{};
    std::vector<Cell*> begun{};

    void begin(Cell& cell) override {
        const std::string name = Diary::name_of(cell.request);
        diary.cells[cell.id] = name;
        cell.count = ++count;
        cell.finish = [this, name](const json& reply) {
            diary.note(name + ": " + reply.value("status", "no status") +
                       (reply.contains("ename") ? ", " + reply.value("ename", "") : ""));
            last_reply = reply;
        };
        if (notes_details) diary.note(name + " begins");
    }
    void abort(Cell& cell) override { diary.note(Diary::name_of(cell.request) + ": never began, aborted"); }
    void routed(const Cell& cell) override {
        if (notes_details) diary.note(name(cell) + " is routed");
    }
    void flush(const Cell& cell, const Cell::Run* run) override {
        if (notes_details) diary.note("flush " + name(cell) + (run == nullptr ? "" : " in " + run->label));
    }
    void write(const Cell& cell, Stream stream, const std::string& text) override {
        diary.note(name(cell) + (stream == Stream::out ? " stdout: " : " stderr: ") + text);
    }
    void show_error(const Cell& cell, const std::string& label, const json& reply) override {
        diary.note(name(cell) + " shows " + (label.empty() ? "" : "[" + label + "] ") + reply.value("ename", "") +
                   ": " + reply.value("evalue", ""));
    }
    void ended(const Cell& cell) override {
        if (notes_details) diary.note(name(cell) + " is over");
    }
    bool read_requests() override {
        if (unread) std::exchange(unread, {})();
        return true;
    }
    void run_commands(Cell& cell, std::vector<std::string> commands, std::function<void(json)> done) override {
        diary.note(name(cell) + " is the kernel's:" + commands.front());
        command_done = std::move(done);
        cell.cancel = [this] { command_done(error_reply("KeyboardInterrupt", "")); };
    }

    std::string name(const Cell& cell) const { return diary.cells.at(cell.id); }
    json last_reply{};
};

struct Bench {
    python::Registry registry;
    Diary diary{registry};
    FakeBackend backend{diary};
    Interpreters interpreters{registry, backend};
    Timers timers;
    FakeFront front{diary};
    Router router;
    InterpreterId alice = add("alice"), bob = add("bob");

    /// The replies of cells that fail wait for no further request, unless a test says for how long.
    explicit Bench(std::chrono::milliseconds rest = {}) : router{interpreters, backend, timers, front, rest} {}

    InterpreterId add(const std::string& name) {
        python::InterpreterInfo info;
        info.id = ++backend.last;
        info.name = name;
        registry.add(info);
        return info.id;
    }
    InterpreterId id(const std::string& name) const { return registry.find(name).value().id; }

    void send_from(const std::string& client, const std::string& name, const std::string& code,
                   json options = json::object(), SubshellNumber subshell = 0) {
        options["code"] = code;
        router.submit(xeus::xmessage{{client},
                                     {{"msg_id", name}, {"msg_type", "execute_request"}, {"session", client}},
                                     json::object(),
                                     json::object(),
                                     std::move(options),
                                     {}},
                      subshell);
    }
    void send_through(SubshellNumber subshell, const std::string& name, const std::string& code) {
        send_from("notebook", name, code, json::object(), subshell);
    }
    void call(const std::string& name, const std::vector<std::string>& labels) {
        std::vector<InterpreterInfo> targets;
        for (const std::string& label : labels) targets.push_back(*registry.find(label));
        router.call(xeus::xmessage{{"notebook"},
                                   {{"msg_id", name}, {"msg_type", "comm_msg"}, {"session", "notebook"}},
                                   json::object(),
                                   json::object(),
                                   json::object(),
                                   {}},
                    targets, std::make_shared<modules::CommMessage>());
    }
    void send(const std::string& name, const std::string& code, json options = json::object()) {
        send_from("notebook", name, code, std::move(options));
    }

    void end(const std::string& interpreter, json reply = {{"status", "ok"}}) {
        end_in(id(interpreter), std::move(reply));
    }
    void end_in(LaneId lane, json reply = {{"status", "ok"}}) {
        auto run = backend.running.extract(lane);
        REQUIRE(!run.empty());
        run.mapped().second(std::move(reply));
    }
    /// To the oldest question that it has not answered.
    void answer(const std::string& interpreter, json reply = {{"status", "ok"}}) {
        answer_in(id(interpreter), std::move(reply));
    }
    void answer_in(LaneId lane, json reply = {{"status", "ok"}}) {
        const auto question = std::ranges::find(backend.asked, lane, [](const auto& each) { return each.first; });
        REQUIRE(question != backend.asked.end());
        const Backend::Reply done = question->second;
        backend.asked.erase(question);
        done(std::move(reply));
    }
    void fail(const std::string& interpreter, const std::string& value = "bad") {
        end(interpreter, error_reply("ValueError", value));
    }
    void end_interrupted(const std::string& interpreter) { end(interpreter, error_reply("KeyboardInterrupt", "")); }

    CellCode running_in(const std::string& interpreter) { return backend.running.at(id(interpreter)).first; }
    CellId cell_in(const std::string& interpreter) { return running_in(interpreter).cell; }

    /// Runs what is due within a few milliseconds; reads the clock until then.
    void let_timeouts_pass() {
        const auto due = timers.next_due();
        REQUIRE(due);
        while (Timers::Clock::now() < *due) {
        }
        timers.run_due();
    }

    /// Until replies that wait for the rest of their notebook have come.
    void let_replies_come() {
        const std::size_t before = diary.lines.size();
        while (diary.lines.size() == before) timers.run_due();
    }

    /// What has happened since the last call.
    Lines news() { return std::exchange(diary.lines, {}); }
};

} // namespace xinterp::kernel::fakes
