#include "printing.hpp"

#include <xinterp/kernel/router.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

using namespace xinterp;
using namespace xinterp::kernel;
using nlohmann::json;

namespace {

/// What happens, in its order. Cells are called by their messages' ids, interpreters by their labels.
struct Diary {
    python::Registry& registry;
    Lines lines{};
    std::map<CellId, std::string> cells{};

    void note(std::string line) { lines.push_back(std::move(line)); }
    static std::string name_of(const xeus::xmessage& request) { return request.header().at("msg_id"); }
    std::string name_of(InterpreterId id) const {
        const auto info = registry.get(id);
        return info ? info->label() : "closed " + std::to_string(id);
    }
};

/// Runs nothing: a run ends when the test says so, as it would on the I/O thread, between two events.
struct FakeBackend final : Backend {
    explicit FakeBackend(Diary& shared) : diary{shared} {}

    Diary& diary;
    std::map<InterpreterId, std::pair<CellCode, Reply>> running{};
    bool creates_at_once = true;
    InterpreterId last = 0;
    std::vector<std::function<void(std::variant<InterpreterId, std::string>)>> creating{};
    std::map<InterpreterId, std::function<void(std::string)>> closing{};

    void execute(InterpreterId interpreter, CellCode code, Reply reply) override {
        REQUIRE(!running.contains(interpreter)); // its lane is one thread
        diary.note(diary.cells.at(code.cell) + " runs in " + diary.name_of(interpreter));
        running.emplace(interpreter, std::pair{std::move(code), std::move(reply)});
    }
    void ask(InterpreterId, std::string, json, Reply) override {}
    std::size_t memory(InterpreterId) override { return 0; }
    void interrupt(InterpreterId interpreter) override { diary.note("interrupt in " + diary.name_of(interpreter)); }
    void create(python::Preset preset, std::function<void(std::variant<InterpreterId, std::string>)> done) override {
        diary.note("create as " + std::string{python::preset_name(preset)});
        if (creates_at_once) done(++last);
        else creating.push_back(std::move(done));
    }
    void close(InterpreterId interpreter, std::function<void(std::string)> done) override {
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
    void read_requests() override {
        if (unread) std::exchange(unread, {})();
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
    Router router{interpreters, backend, timers, front};
    InterpreterId alice = add("alice"), bob = add("bob");

    InterpreterId add(const std::string& name) {
        python::InterpreterInfo info;
        info.id = ++backend.last;
        info.name = name;
        registry.add(info);
        return info.id;
    }
    InterpreterId id(const std::string& name) const { return registry.find(name).value().id; }

    void send_from(const std::string& client, const std::string& name, const std::string& code,
                   json options = json::object()) {
        options["code"] = code;
        router.submit(xeus::xmessage{{client},
                                     {{"msg_id", name}, {"msg_type", "execute_request"}, {"session", client}},
                                     json::object(),
                                     json::object(),
                                     std::move(options),
                                     {}});
    }
    void send(const std::string& name, const std::string& code, json options = json::object()) {
        send_from("notebook", name, code, std::move(options));
    }

    void end(const std::string& interpreter, json reply = {{"status", "ok"}}) {
        auto run = backend.running.extract(id(interpreter));
        REQUIRE(!run.empty());
        run.mapped().second(std::move(reply));
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

    /// What has happened since the last call.
    Lines news() { return std::exchange(diary.lines, {}); }
};

} // namespace

// --- order

TEST_CASE("a cell is begun, routed, run, flushed, replied to and over, in this order") {
    Bench bench;
    bench.front.notes_details = true;
    bench.send("a", "%%interp alice\nx = 1");
    CHECK(bench.news() == Lines{"a begins", "a is routed", "a runs in alice"});
    bench.fail("alice");
    CHECK(bench.news() ==
          Lines{"flush a in alice", "a shows ValueError: bad", "flush a", "a: error, ValueError", "a is over"});
}

TEST_CASE("a client's cells run one after another, whichever interpreters they use") {
    Bench bench;
    bench.send("a", "x");
    bench.send("b", "%%interp alice\nx");
    bench.send("c", "%%interp bob\nx");
    CHECK(bench.news() == Lines{"a runs in main"});
    bench.end("main");
    CHECK(bench.news() == Lines{"a: ok", "b runs in alice"});
    bench.end("alice");
    CHECK(bench.news() == Lines{"b: ok", "c runs in bob"});
}

TEST_CASE("a detached cell does not hold up the next one") {
    Bench bench;
    bench.send("a", "%%interp alice &\nx");
    bench.send("b", "x");
    CHECK(bench.news() == Lines{"a runs in alice", "b runs in main"});
    bench.end("main");
    bench.send("c", "x");
    CHECK(bench.news() == Lines{"b: ok", "c runs in main"});
    bench.end("alice");
    CHECK(bench.news() == Lines{"a: ok"});
}

TEST_CASE("the cells of one interpreter run in order, detached or not") {
    Bench bench;
    bench.send("a", "%%interp alice &\nx");
    bench.send("b", "%%interp alice &\nx");
    bench.send("c", "%%interp alice\nx");
    bench.send("d", "x");
    CHECK(bench.news() == Lines{"a runs in alice"});
    bench.end("alice");
    CHECK(bench.news() == Lines{"a: ok", "b runs in alice"});
    bench.end("alice");
    CHECK(bench.news() == Lines{"b: ok", "c runs in alice"});
    bench.end("alice");
    CHECK(bench.news() == Lines{"c: ok", "d runs in main"});
}

TEST_CASE("two clients do not hold up each other, except in one interpreter") {
    Bench bench;
    bench.send_from("notebook", "a", "%%interp alice\nx");
    bench.send_from("console", "b", "%%interp bob\nx");
    bench.send_from("editor", "c", "%%interp alice\nx");
    CHECK(bench.news() == Lines{"a runs in alice", "b runs in bob"});
    bench.end("alice");
    CHECK(bench.news() == Lines{"a: ok", "c runs in alice"});
}

TEST_CASE("the backend gets the cell with its number, without the magic, and as typed") {
    Bench bench;
    bench.send("a", "x");
    bench.end("main");
    bench.send("b", "%%interp alice\nx = 1",
               {{"allow_stdin", false}, {"silent", true}, {"user_expressions", {{"y", "x"}}}});
    const CellCode code = bench.running_in("alice");
    CHECK(code.count == 2);
    CHECK(code.code == "\nx = 1");
    CHECK(code.typed == "%%interp alice\nx = 1");
    CHECK(!code.allow_stdin);
    CHECK(code.silent);
    CHECK(!code.store_history); // a silent cell leaves no trace
    CHECK(code.user_expressions == json{{"y", "x"}});
}

TEST_CASE("a request says what it wants, and the rest is as the protocol has it") {
    Bench bench;
    bench.send("a", "x", {{"user_expressions", nullptr}});
    const CellCode code = bench.running_in("main");
    CHECK(!code.silent);
    CHECK(code.store_history);
    CHECK(code.allow_stdin);
    CHECK(code.user_expressions == json::object());
}

TEST_CASE("an interpreter is shown as running while a cell runs there, and counts it") {
    Bench bench;
    bench.send("a", "%%interp alice\nx");
    CHECK(bench.registry.find("alice")->state == python::State::running);
    CHECK(bench.registry.find("alice")->cells_run == 0);
    CHECK(bench.router.is_busy(bench.alice));
    CHECK(!bench.router.is_busy(bench.bob));
    bench.end("alice");
    CHECK(bench.registry.find("alice")->state == python::State::idle);
    CHECK(bench.registry.find("alice")->cells_run == 1);
    CHECK(!bench.router.is_busy(bench.alice));
}

// --- targets

TEST_CASE("the target is decided when the cell starts, not when it arrives") {
    Bench bench;
    bench.send("a", "x");
    bench.send("b", "%%interp carol\nx");
    bench.add("carol");
    bench.end("main");
    CHECK(bench.news() == Lines{"a runs in main", "a: ok", "b runs in carol"});
}

TEST_CASE("a cell for an interpreter that was reset meanwhile runs in the fresh one") {
    Bench bench;
    bench.send("a", "x");
    bench.send("b", "%%interp alice\nx");
    bench.registry.remove(bench.alice);
    const InterpreterId fresh = bench.add("alice");
    bench.end("main");
    CHECK(bench.backend.running.contains(fresh));
}

TEST_CASE("an unknown target is an error that says what exists; nothing runs") {
    Bench bench;
    bench.send("a", "%%interp alcie\nx");
    CHECK(bench.news() ==
          Lines{"a shows UsageError: no interpreter 'alcie'; there are main, alice, bob. Did you mean alice?\n"
                "Create it with: %interp create alcie   or: %%interp alcie --create",
                "a: error, UsageError"});
    bench.send("b", "%%interp alice,nobody_at_all\nx");
    CHECK(bench.news() == Lines{"b shows UsageError: no interpreter 'nobody_at_all'; there are main, alice, bob.\n"
                                "Create it with: %interp create nobody_at_all   or: %%interp nobody_at_all --create",
                                "b: error, UsageError"});
    CHECK(bench.backend.running.empty());
}

TEST_CASE("the mistakes of a detached cell do not stop the next one") {
    Bench bench;
    bench.send("a", "x");
    bench.send("b", "%%interp nobody_at_all &\nx");
    bench.send("c", "x");
    bench.news();
    bench.end("main");
    const Lines news = bench.news();
    REQUIRE(news.size() == 4);
    CHECK(news[2] == "b: error, UsageError");
    CHECK(news[3] == "c runs in main");
}

TEST_CASE("a missing target is created first, if the cell says so") {
    Bench bench;
    bench.send("a", "%%interp carol,alice,dave --create --preset shared\nx");
    CHECK(bench.news() ==
          Lines{"create as shared", "create as shared", "a runs in carol", "a runs in alice", "a runs in dave"});
    CHECK(bench.id("carol") < bench.id("dave"));
    CHECK(bench.registry.find("carol")->preset == python::Preset::shared);
    CHECK(bench.registry.find("carol")->origin == "%interp");
}

TEST_CASE("what --create creates is a notebook interpreter, and what exists is not created again") {
    Bench bench;
    bench.send("a", "%%interp carol --create\nx");
    bench.end("carol");
    bench.send("b", "%%interp carol --create\nx");
    CHECK(bench.news() == Lines{"create as notebook", "a runs in carol", "a: ok", "b runs in carol"});
}

TEST_CASE("a target that cannot be created ends the cell, and the next one starts") {
    Bench bench;
    bench.send("a", "%%interp 7 --create\nx");
    CHECK(bench.news() ==
          Lines{"a shows UsageError: '7' cannot be a name: a name is a Python identifier, such as alice or worker_2.",
                "a: error, UsageError"});
    bench.backend.creates_at_once = false;
    bench.send("b", "%%interp carol --create\nx", {{"stop_on_error", false}});
    bench.send("c", "x");
    CHECK(bench.news() == Lines{"create as notebook"});
    bench.backend.creating.front()("no memory");
    CHECK(bench.news() == Lines{"b shows UsageError: the interpreter could not be created: no memory",
                                "b: error, UsageError", "c runs in main"});
    CHECK(!bench.registry.find("carol"));
}

TEST_CASE("a cell behind a detached one that creates its target finds that target") {
    for (const std::string next : {"%%interp carol\nx", "%%interp carol & --create\nx"}) {
        CAPTURE(next);
        Bench bench;
        bench.backend.creates_at_once = false;
        bench.send("a", "%%interp carol & --create\nx");
        bench.send("b", next);
        CHECK(bench.news() == Lines{"create as notebook"});
        bench.backend.creating.front()(++bench.backend.last);
        CHECK(bench.news() == Lines{"a runs in carol"});
        bench.end("carol");
        CHECK(bench.news() == Lines{"a: ok", "b runs in carol"});
    }
}

TEST_CASE("all is every interpreter but main, and but those that are closing") {
    Bench bench;
    const InterpreterId carol = bench.add("carol");
    bench.interpreters.close(carol, [](const std::string&) {});
    bench.send("a", "%%interp all\nx");
    CHECK(bench.news() == Lines{"a runs in alice", "a runs in bob"});
}

TEST_CASE("the magic alone prints its help and runs nothing") {
    Bench bench;
    bench.send("a", "%%interp");
    CHECK(bench.news() == Lines{"a stdout: " + cell_magic_help(), "a: ok"});
}

TEST_CASE("a target as it is typed tells where completions come from") {
    Bench bench;
    CHECK(bench.router.target_of("notebook", "x.") == python::main_interpreter);
    CHECK(bench.router.target_of("notebook", "%%interp bob,alice\nx.") == bench.bob);
    bench.router.use("notebook", {bench.alice});
    CHECK(bench.router.target_of("notebook", "x.") == bench.alice);
    CHECK(bench.router.target_of("console", "x.") == python::main_interpreter);
    CHECK(bench.router.target_of("notebook", "%%interp nob\nx.") == bench.alice); // still being typed
    bench.registry.remove(bench.alice);
    CHECK(bench.router.target_of("notebook", "x.") == python::main_interpreter);
}

// --- several targets

TEST_CASE("a cell with several targets runs in all of them at once and ends with the last") {
    Bench bench;
    bench.send("a", "%%interp alice,bob\nx");
    bench.send("b", "x");
    CHECK(bench.news() == Lines{"a runs in alice", "a runs in bob"});
    bench.end("bob");
    CHECK(bench.news() == Lines{});
    bench.end("alice");
    CHECK(bench.news() == Lines{"a: ok", "b runs in main"});
}

TEST_CASE("each target of a cell starts when its own lane is free") {
    Bench bench;
    bench.send("a", "%%interp alice &\nx");
    bench.send("b", "%%interp alice,bob\nx");
    CHECK(bench.news() == Lines{"a runs in alice", "b runs in bob"});
    bench.end("bob");
    bench.end("alice");
    CHECK(bench.news() == Lines{"a: ok", "b runs in alice"});
    bench.end("alice");
    CHECK(bench.news() == Lines{"b: ok"});
}

TEST_CASE("the errors of all targets are shown together at the end, each under its name") {
    Bench bench;
    bench.add("carol");
    bench.send("a", "%%interp alice,bob,carol\nx");
    bench.fail("carol", "third");
    bench.end("bob");
    CHECK(bench.news() == Lines{"a runs in alice", "a runs in bob", "a runs in carol"});
    bench.fail("alice", "first");
    CHECK(bench.news() ==
          Lines{"a shows [alice] ValueError: first", "a shows [carol] ValueError: third", "a: error, ValueError"});
    CHECK(bench.front.last_reply.at("evalue") == "in alice: first; in carol: third");
}

TEST_CASE("a cell with one target says nothing of where its error was") {
    Bench bench;
    bench.send("a", "%%interp alice\nx");
    bench.fail("alice", "bad");
    CHECK(bench.front.last_reply.at("evalue") == "bad");
}

// --- errors

TEST_CASE("an error aborts what waits behind the cell, also what has arrived and has not been read") {
    Bench bench;
    bench.send("a", "x");
    bench.send("b", "%%interp alice\nx");
    bench.front.unread = [&] { bench.send("c", "x"); };
    bench.news();
    bench.fail("main");
    CHECK(bench.news() == Lines{"a shows ValueError: bad", "a: error, ValueError", "b: never began, aborted",
                                "c: never began, aborted"});
    bench.send("d", "x");
    CHECK(bench.news() == Lines{"d runs in main"});
}

TEST_CASE("an error of one client aborts nothing of another, and no detached cell") {
    Bench bench;
    bench.send("a", "%%interp alice &\nx");
    bench.send("b", "x");
    bench.send_from("console", "c", "%%interp bob\nx");
    bench.send_from("console", "d", "x");
    bench.news();
    bench.fail("main");
    CHECK(bench.news() == Lines{"b shows ValueError: bad", "b: error, ValueError"});
    bench.end("bob");
    CHECK(bench.news() == Lines{"c: ok", "d runs in main"});
    bench.end("alice");
    CHECK(bench.news() == Lines{"a: ok"});
}

TEST_CASE("a cell that says stop_on_error false aborts nothing") {
    Bench bench;
    bench.send("a", "x", {{"stop_on_error", false}});
    bench.send("b", "x");
    bench.send("c", "%%interp alice &\nx", {{"stop_on_error", false}});
    bench.send("d", "%%interp alice &\nx");
    bench.news();
    bench.fail("main");
    CHECK(bench.news() == Lines{"a shows ValueError: bad", "a: error, ValueError", "b runs in main"});
    bench.end("main");
    CHECK(bench.news() == Lines{"b: ok", "c runs in alice"});
    bench.fail("alice");
    CHECK(bench.news() == Lines{"c shows ValueError: bad", "c: error, ValueError", "d runs in alice"});
}

TEST_CASE("a detached cell that fails aborts only what waits in its own lane") {
    Bench bench;
    bench.send("a", "%%interp alice &\nx");
    bench.send("b", "%%interp bob &\nx");
    bench.send("c", "%%interp alice &\nx");
    bench.send("d", "%%interp bob &\nx");
    bench.send("e", "x");
    bench.send("f", "x");
    bench.news();
    bench.fail("alice");
    CHECK(bench.news() == Lines{"a shows ValueError: bad", "a: error, ValueError", "c: aborted"});
    bench.end("bob");
    bench.end("main");
    CHECK(bench.news() == Lines{"b: ok", "d runs in bob", "e: ok", "f runs in main"});
}

TEST_CASE("a foreground cell that waits in the lane of a failing detached cell is aborted, and the next one starts") {
    Bench bench;
    bench.send("a", "%%interp alice &\nx");
    bench.send("b", "%%interp alice\nx");
    bench.send("c", "%%interp alice\nx");
    bench.news();
    bench.fail("alice");
    CHECK(bench.news() == Lines{"a shows ValueError: bad", "a: error, ValueError", "b: aborted", "c runs in alice"});
}

TEST_CASE("a foreground cell that fails leaves the lane to the detached cells of others") {
    Bench bench;
    bench.send("a", "%%interp alice\nx");
    bench.send_from("console", "b", "%%interp alice &\nx");
    bench.news();
    bench.fail("alice");
    CHECK(bench.news() == Lines{"a shows ValueError: bad", "a: error, ValueError", "b runs in alice"});
}

TEST_CASE("a detached cell with several targets aborts the lane where it failed, while it still runs in another") {
    Bench bench;
    bench.send("a", "%%interp alice,bob &\nx");
    bench.send("b", "%%interp alice &\nx");
    bench.send("c", "%%interp bob &\nx");
    bench.news();
    bench.fail("alice");
    CHECK(bench.news() == Lines{"b: aborted"});
    bench.end("bob");
    CHECK(bench.news() == Lines{"a shows [alice] ValueError: bad", "a: error, ValueError", "c runs in bob"});
}

TEST_CASE("a cell that was aborted in one of its targets is aborted, whatever the others say") {
    Bench bench;
    bench.send("a", "%%interp alice &\nx");
    bench.send("b", "%%interp alice,bob &\nx");
    bench.fail("alice");
    bench.news();
    bench.end("bob");
    CHECK(bench.news() == Lines{"b: aborted"});
}

TEST_CASE("what starts because a failing detached cell has ended does not change what is aborted") {
    Bench bench;
    bench.send("a", "%%interp alice &\nx");
    bench.send_from("console", "b", "%%interp alice\nx");
    bench.send("c", "%interp wait alice");
    bench.router.wait({bench.alice}, 0, [&] { bench.front.command_done({{"status", "ok"}}); });
    bench.send("d", "%%interp alice\nx");
    bench.news();
    bench.fail("alice");
    const Lines news = bench.news();
    CHECK(news == Lines{"a shows ValueError: bad", "a: error, ValueError", "c: ok", "d runs in alice", "b: aborted"});
}

TEST_CASE("the lines of a sentence of the kernel's are its traceback, and a sentence that says nothing is its name") {
    CHECK(error_reply("UsageError", "one\ntwo").at("traceback") == json{"one", "two"});
    CHECK(error_reply("UsageError", "one\ntwo").at("evalue") == "one\ntwo");
    CHECK(error_reply("KeyboardInterrupt", "").at("traceback") == json::array({"KeyboardInterrupt"}));
}

// --- stop

TEST_CASE("stop interrupts the foreground cell in all its targets, and no detached cell") {
    Bench bench;
    bench.add("carol");
    bench.send("a", "%%interp carol &\nx");
    bench.send("b", "%%interp alice,bob\nx");
    bench.news();
    bench.router.interrupt_foreground();
    CHECK(bench.news() == Lines{"interrupt in alice", "interrupt in bob"});
}

TEST_CASE("stop aborts what waits behind the foreground cell, and leaves other lanes alone") {
    Bench bench;
    bench.send("a", "%%interp alice &\nx");
    bench.send("b", "x");
    bench.send("c", "x");
    bench.news();
    bench.router.interrupt_foreground();
    bench.end_interrupted("main");
    CHECK(bench.news() == Lines{"interrupt in main", "b shows KeyboardInterrupt: ", "b: error, KeyboardInterrupt",
                                "c: never began, aborted"});
    bench.end("alice");
    CHECK(bench.news() == Lines{"a: ok"});
}

TEST_CASE("stop takes a foreground cell out of the lanes where it still waits") {
    Bench bench;
    bench.send("a", "%%interp alice &\nx");
    bench.send("b", "%%interp alice,bob\nx");
    bench.send("c", "x");
    bench.news();
    bench.router.interrupt_foreground();
    CHECK(bench.news() == Lines{"interrupt in bob"});
    bench.end_interrupted("bob");
    CHECK(bench.news() == Lines{"b shows [alice] KeyboardInterrupt: ", "b shows [bob] KeyboardInterrupt: ",
                                "b: error, KeyboardInterrupt", "c: never began, aborted"});
    bench.end("alice");
    CHECK(bench.news() == Lines{"a: ok"});
    CHECK(!bench.router.is_busy(bench.alice));
}

TEST_CASE("stop with only detached cells interrupts all of them, also those that wait") {
    Bench bench;
    bench.send("a", "%%interp alice &\nx");
    bench.send("b", "%%interp bob &\nx");
    bench.send_from("console", "c", "%%interp alice &\nx");
    bench.news();
    bench.router.interrupt_foreground();
    CHECK(bench.news() == Lines{"interrupt in alice", "interrupt in bob",
                                "c shows KeyboardInterrupt: ", "c: error, KeyboardInterrupt"});
    bench.end_interrupted("bob");
    CHECK(bench.news() == Lines{"b shows KeyboardInterrupt: ", "b: error, KeyboardInterrupt"});
}

TEST_CASE("stop reaches the foreground cells of all clients") {
    Bench bench;
    bench.send_from("console", "a", "%%interp alice\nx");
    bench.send_from("notebook", "b", "x");
    bench.news();
    bench.router.interrupt_foreground();
    CHECK(bench.news() == Lines{"interrupt in alice", "interrupt in main"});
}

TEST_CASE("stop ends a command that the kernel itself waits for") {
    Bench bench;
    bench.send("a", "%%interp alice &\nx");
    bench.send("b", "%interp wait");
    bench.send("c", "x");
    bench.news();
    bench.router.interrupt_foreground();
    CHECK(bench.news() == Lines{"b: error, KeyboardInterrupt", "c: never began, aborted"});
}

TEST_CASE("stop when nothing runs does nothing") {
    Bench bench;
    bench.send("a", "x");
    bench.end("main");
    bench.news();
    bench.router.interrupt_foreground();
    CHECK(bench.news() == Lines{});
}

TEST_CASE("an interrupt reaches the cell of that interpreter only, and tells when it has ended there") {
    Bench bench;
    bench.send("a", "%%interp alice,bob &\nx");
    bench.send("b", "%%interp alice &\nx");
    bench.news();
    std::optional<bool> stopped;
    CHECK(bench.router.interrupt(bench.alice, [&](bool ended) { stopped = ended; }));
    CHECK(bench.news() == Lines{"interrupt in alice"});
    CHECK(!stopped);
    bench.end_interrupted("alice");
    CHECK(stopped == true);
    CHECK(bench.news() == Lines{"b: aborted"}); // an interrupted cell is a failed one
}

TEST_CASE("where nothing runs there is nothing to interrupt") {
    Bench bench;
    bool told = false;
    CHECK(!bench.router.interrupt(bench.alice, [&](bool) { told = true; }));
    CHECK(!told);
    CHECK(bench.news() == Lines{});
}

// --- timeouts

TEST_CASE("a timeout interrupts the cell in that target and reports it") {
    Bench bench;
    bench.send("a", "%%interp alice --timeout 0.001\nx");
    bench.news();
    bench.let_timeouts_pass();
    CHECK(bench.news() == Lines{"interrupt in alice"});
    bench.end_interrupted("alice");
    CHECK(bench.news() == Lines{"a shows TimeoutError: the cell ran longer than 0.001 s in alice and was interrupted.",
                                "a: error, TimeoutError"});
}

TEST_CASE("a timeout is each target's own") {
    Bench bench;
    bench.send("a", "%%interp alice,bob --timeout 0.001\nx");
    bench.end("bob");
    bench.news();
    bench.let_timeouts_pass();
    CHECK(bench.news() == Lines{"interrupt in alice"});
    bench.end_interrupted("alice");
    CHECK(bench.news() ==
          Lines{"a shows [alice] TimeoutError: the cell ran longer than 0.001 s in alice and was interrupted.",
                "a: error, TimeoutError"});
}

TEST_CASE("the time of a cell that waits in its lane does not count") {
    Bench bench;
    bench.send("a", "%%interp alice &\nx");
    bench.send("b", "%%interp alice --timeout 1000\nx");
    CHECK(!bench.timers.next_due());
    bench.end("alice");
    CHECK(bench.timers.next_due());
}

TEST_CASE("a cell that ends in time is not interrupted") {
    Bench bench;
    bench.send("a", "%%interp alice --timeout 1000\nx");
    bench.end("alice");
    CHECK(!bench.timers.next_due());
    CHECK(bench.news() == Lines{"a runs in alice", "a: ok"});
}

TEST_CASE("a cell that handles the interrupt of its timeout ends as it says") {
    Bench bench;
    bench.send("a", "%%interp alice --timeout 0.001\nx");
    bench.let_timeouts_pass();
    bench.news();
    bench.end("alice");
    CHECK(bench.news() == Lines{"a: ok"});
}

TEST_CASE("somebody else's interrupt of a cell with a timeout is no timeout") {
    Bench bench;
    bench.send("a", "%%interp alice --timeout 1000\nx");
    bench.router.interrupt_foreground();
    bench.news();
    bench.end_interrupted("alice");
    CHECK(bench.news() == Lines{"a shows KeyboardInterrupt: ", "a: error, KeyboardInterrupt"});
}

// --- use

TEST_CASE("plain cells of a client go where it has said, and those of other clients do not") {
    Bench bench;
    bench.router.use("notebook", {bench.alice});
    bench.send("a", "x");
    bench.send_from("console", "b", "x");
    CHECK(bench.news() == Lines{"a runs in alice", "b runs in main"});
    bench.end("alice");
    bench.send("c", "%%interp bob\nx");
    CHECK(bench.news() == Lines{"a: ok", "c runs in bob"});
    bench.end("bob");
    bench.router.use("notebook", {python::main_interpreter});
    bench.end("main");
    bench.send("d", "x");
    CHECK(bench.news() == Lines{"c: ok", "b: ok", "d runs in main"});
}

TEST_CASE("plain cells may go to several interpreters") {
    Bench bench;
    bench.router.use("notebook", {bench.alice, bench.bob});
    bench.send("a", "x");
    CHECK(bench.news() == Lines{"a runs in alice", "a runs in bob"});
}

TEST_CASE("when the interpreter of plain cells has closed, they go back to main, with one sentence") {
    Bench bench;
    bench.router.use("notebook", {bench.alice});
    bench.interpreters.close(bench.alice, [](const std::string&) {});
    bench.send("a", "x");
    CHECK(bench.news() == Lines{"a stderr: alice has been closed; plain cells run in main again.\n", "a runs in main"});
    bench.end("main");
    bench.send("b", "x");
    CHECK(bench.news() == Lines{"a: ok", "b runs in main"});
}

TEST_CASE("who used an interpreter that is reset uses the fresh one") {
    Bench bench;
    bench.router.use("notebook", {bench.alice, bench.bob});
    bench.registry.remove(bench.alice);
    bench.router.replace(bench.alice, bench.add("alice"));
    bench.send("a", "x");
    CHECK(bench.news() == Lines{"a runs in alice", "a runs in bob"});
}

// --- retire

TEST_CASE("what waits in the lane of an interpreter that closes is aborted, with a sentence") {
    Bench bench;
    bench.send("a", "%%interp alice &\nx");
    bench.send("b", "%%interp alice &\nx");
    bench.send("c", "%%interp alice,bob &\nx");
    bench.news();
    bench.router.retire(bench.alice, "alice was closed.");
    CHECK(bench.news() == Lines{"b stderr: alice was closed.\n", "b: aborted", "c stderr: alice was closed.\n"});
    bench.end("bob");
    CHECK(bench.news() == Lines{"c: aborted"});
    bench.end("alice"); // what ran there ends as it says
    CHECK(bench.news() == Lines{"a: ok"});
}

TEST_CASE("an interpreter that is closing stays so when its last cell ends") {
    Bench bench;
    bench.send("a", "%%interp alice &\nx");
    bench.router.retire(bench.alice, "alice was closed.");
    bench.interpreters.close(bench.alice, [](const std::string&) {});
    bench.end("alice");
    CHECK(bench.registry.get(bench.alice)->state == python::State::closing);
}

TEST_CASE("a cell that starts because its predecessor is aborted by a close does not wait for ever") {
    Bench bench;
    bench.send("a", "%%interp alice &\nx");
    bench.send("b", "%%interp alice\nx");
    bench.send("c", "%%interp alice\nx");
    bench.news();
    bench.router.retire(bench.alice, "alice was closed.");
    bench.interpreters.close(bench.alice, [](const std::string&) {});
    bench.end("alice");
    const Lines news = bench.news();
    REQUIRE(news.size() == 5);
    CHECK(news[1] == "b: aborted");
    CHECK(news[2].starts_with("c shows UsageError: interpreter 'alice' is closing."));
    CHECK(news[3] == "c: error, UsageError");
    CHECK(news[4] == "a: ok");
}

// --- the kernel's own commands

TEST_CASE("a cell of nothing but commands runs in no interpreter, also while main is busy with another client's") {
    Bench bench;
    bench.send_from("console", "a", "x");
    bench.send("b", "%interp list");
    CHECK(bench.news() == Lines{"a runs in main", "b is the kernel's: list"});
    bench.send("c", "%%interp alice\nx");
    CHECK(bench.news() == Lines{});
    bench.front.command_done({{"status", "ok"}});
    CHECK(bench.news() == Lines{"b: ok", "c runs in alice"});
}

TEST_CASE("a command that fails aborts what waits behind it") {
    Bench bench;
    bench.send("a", "%interp close nobody");
    bench.send("b", "x");
    bench.news();
    bench.front.command_done(error_reply("UsageError", "no interpreter"));
    CHECK(bench.news() == Lines{"a: error, UsageError", "b: never began, aborted"});
}

// --- wait

TEST_CASE("waiting is over at once if nothing is detached") {
    Bench bench;
    bench.send("a", "%%interp alice\nx");
    bool over = false;
    bench.router.wait({}, 0, [&] { over = true; });
    CHECK(over);
}

TEST_CASE("waiting for some interpreters ends with the last detached cell there") {
    Bench bench;
    bench.send("a", "%%interp alice &\nx");
    bench.send("b", "%%interp alice &\nx");
    bench.send("c", "%%interp bob &\nx");
    bool alice_over = false, all_over = false;
    bench.router.wait({bench.alice}, 0, [&] { alice_over = true; });
    bench.router.wait({}, 0, [&] { all_over = true; });
    bench.end("alice");
    CHECK(!alice_over);
    bench.end("alice");
    CHECK(alice_over);
    CHECK(!all_over);
    bench.end("bob");
    CHECK(all_over);
}

TEST_CASE("waiting for one of a cell's targets does not wait for the others") {
    Bench bench;
    bench.send("a", "%%interp alice,bob &\nx");
    bool over = false;
    bench.router.wait({bench.alice}, 0, [&] { over = true; });
    bench.end("alice");
    CHECK(over);
}

TEST_CASE("a cell that waits does not wait for itself, nor for what waits behind it in its lane") {
    Bench bench;
    bench.send("a", "%%interp alice &\nxinterp.wait()");
    bench.send("b", "%%interp alice &\nx");
    bench.send("c", "%%interp bob &\nx");
    bool over = false;
    bench.router.wait({}, bench.cell_in("alice"), [&] { over = true; });
    CHECK(!over);
    bench.end("bob");
    CHECK(over);
}

TEST_CASE("who has stopped waiting is not told") {
    Bench bench;
    bench.send("a", "%%interp alice &\nx");
    bool over = false;
    bench.router.stop_waiting(bench.router.wait({}, 0, [&] { over = true; }));
    bench.end("alice");
    CHECK(!over);
}

TEST_CASE("a detached cell is over for a waiting one after its reply has been sent") {
    Bench bench;
    bench.send("a", "%%interp alice &\nx");
    bench.news();
    bench.router.wait({}, 0, [&] { bench.diary.note("waiting is over"); });
    bench.end("alice");
    CHECK(bench.news() == Lines{"a: ok", "waiting is over"});
}

TEST_CASE("waiting ends with a cell's part that is taken out of its lane") {
    Bench bench;
    bench.send_from("console", "a", "%%interp alice\nx");
    bench.send("b", "%%interp alice,bob &\nx");
    bool over = false;
    bench.router.wait({bench.alice}, 0, [&] { over = true; });
    bench.router.retire(bench.alice, "alice was closed.");
    CHECK(over);
}
