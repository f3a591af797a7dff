#include "router_fakes.hpp"

using namespace xinterp;
using namespace xinterp::kernel;
using namespace xinterp::kernel::fakes;
using nlohmann::json;

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
