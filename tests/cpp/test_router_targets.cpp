#include "router_fakes.hpp"

#include <string>

using namespace xinterp;
using namespace xinterp::kernel;
using namespace xinterp::kernel::fakes;
using nlohmann::json;

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
    bench.interpreters.close(carol, 0, [](const std::string&) {});
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
    CHECK(bench.router.target_of({"notebook"}, "x.") == python::main_interpreter);
    CHECK(bench.router.target_of({"notebook"}, "%%interp bob,alice\nx.") == bench.bob);
    bench.router.use({"notebook"}, {bench.alice});
    CHECK(bench.router.target_of({"notebook"}, "x.") == bench.alice);
    CHECK(bench.router.target_of({"console"}, "x.") == python::main_interpreter);
    CHECK(bench.router.target_of({"notebook"}, "%%interp nob\nx.") == bench.alice); // still being typed
    bench.registry.remove(bench.alice);
    CHECK(bench.router.target_of({"notebook"}, "x.") == python::main_interpreter);
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

// --- use

TEST_CASE("plain cells of a client go where it has said, and those of other clients do not") {
    Bench bench;
    bench.router.use({"notebook"}, {bench.alice});
    bench.send("a", "x");
    bench.send_from("console", "b", "x");
    CHECK(bench.news() == Lines{"a runs in alice", "b runs in main"});
    bench.end("alice");
    bench.send("c", "%%interp bob\nx");
    CHECK(bench.news() == Lines{"a: ok", "c runs in bob"});
    bench.end("bob");
    bench.router.use({"notebook"}, {python::main_interpreter});
    bench.end("main");
    bench.send("d", "x");
    CHECK(bench.news() == Lines{"c: ok", "b: ok", "d runs in main"});
}

TEST_CASE("plain cells may go to several interpreters") {
    Bench bench;
    bench.router.use({"notebook"}, {bench.alice, bench.bob});
    bench.send("a", "x");
    CHECK(bench.news() == Lines{"a runs in alice", "a runs in bob"});
}

TEST_CASE("when the interpreter of plain cells has closed, they go back to main, with one sentence") {
    Bench bench;
    bench.router.use({"notebook"}, {bench.alice});
    bench.interpreters.close(bench.alice, 0, [](const std::string&) {});
    bench.send("a", "x");
    CHECK(bench.news() == Lines{"a stderr: alice has been closed; plain cells run in main again.\n", "a runs in main"});
    bench.end("main");
    bench.send("b", "x");
    CHECK(bench.news() == Lines{"a: ok", "b runs in main"});
}

TEST_CASE("who used an interpreter that is reset uses the fresh one") {
    Bench bench;
    bench.router.use({"notebook"}, {bench.alice, bench.bob});
    bench.registry.remove(bench.alice);
    bench.router.replace(bench.alice, bench.add("alice"));
    bench.send("a", "x");
    CHECK(bench.news() == Lines{"a runs in alice", "a runs in bob"});
}
