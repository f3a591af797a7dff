#include "router_fakes.hpp"

#include <string>

using namespace xinterp;
using namespace xinterp::kernel;
using namespace xinterp::kernel::fakes;
using nlohmann::json;

namespace {

const json refused{{"status", "ok"}, {"refused", {"x (lock) cannot cross: it is a lock."}}};

// What a sentence of the kernel's leaves in the diary.
Lines error_of(const std::string& cell, const std::string& sentence) {
    return {cell + " shows UsageError: " + sentence, cell + ": error, UsageError"};
}

} // namespace

TEST_CASE("what comes in is packed in main once and unpacked in every target before anything runs") {
    Bench bench;
    bench.send("a", "%%interp alice,bob --in x\nx");
    CHECK(bench.news() == Lines{"main is asked to pack"});
    bench.answer("main");
    CHECK(bench.news() == Lines{"alice is asked to unpack", "bob is asked to unpack"});
    bench.answer("bob");
    CHECK(bench.news() == Lines{});
    bench.answer("alice");
    CHECK(bench.news() == Lines{"a runs in alice", "a runs in bob"});
}

TEST_CASE("a cell that waits for main keeps its place in its lane, and no other lane waits for it") {
    Bench bench;
    bench.send("a", "%%interp alice & --in x\nx");
    bench.send("b", "%%interp alice &\nx");
    bench.send("c", "%%interp bob\nx");
    CHECK(bench.news() == Lines{"main is asked to pack", "c runs in bob"});
    CHECK(bench.router.is_busy(bench.alice));
    bench.answer("main");
    bench.answer("alice");
    CHECK(bench.news() == Lines{"alice is asked to unpack", "a runs in alice"});
    bench.end("alice");
    CHECK(bench.news() == Lines{"a: ok", "b runs in alice"});
}

TEST_CASE("a cell that waits for a lane holds the others, and does not start when one of them is taken from it") {
    Bench bench;
    bench.send("a", "%%interp bob &\nx");
    bench.send("b", "%%interp alice,bob & --in x\nx");
    bench.answer("main");
    bench.answer("alice");
    bench.news();
    bench.fail("bob"); // which aborts what waits in its lane
    CHECK(bench.news() == Lines{"a shows ValueError: bad", "a: error, ValueError", "b runs in alice"});
    bench.end("alice");
    CHECK(bench.news() == Lines{"b: aborted"});
}

TEST_CASE("what is refused in main, or in one target, keeps the cell from running in any") {
    Bench bench;
    bench.send("a", "%%interp alice,bob --in x\nx");
    bench.news();
    bench.answer("main", refused);
    CHECK(bench.news() == error_of("a", "x (lock) cannot cross: it is a lock."));
    bench.send("b", "%%interp alice,bob --in x\nx");
    bench.answer("main");
    bench.answer("bob", refused);
    bench.news();
    bench.answer("alice");
    CHECK(bench.news() == error_of("b", "bob: x (lock) cannot cross: it is a lock."));
    bench.send("c", "%%interp alice,bob\nx");
    CHECK(bench.news() == Lines{"c runs in alice", "c runs in bob"});
}

TEST_CASE("a detached cell whose variables are refused aborts what waits in the lanes that it had") {
    Bench bench;
    bench.send("a", "%%interp alice & --in x\nx");
    bench.send("b", "%%interp alice &\nx");
    bench.send("c", "%%interp bob &\nx");
    bench.news();
    bench.answer("main", refused);
    CHECK(bench.news() ==
          Lines{"a shows UsageError: x (lock) cannot cross: it is a lock.", "a: error, UsageError", "b: aborted"});
}

TEST_CASE("stop ends the wait for variables, and what main does for them if no cell runs there") {
    Bench bench;
    bench.send("a", "%%interp alice --in x\nx");
    bench.news();
    bench.router.interrupt_foreground();
    CHECK(bench.news() == Lines{"interrupt in main", "a shows KeyboardInterrupt: ", "a: error, KeyboardInterrupt"});
    bench.answer("main"); // too late
    bench.send("a", "%%interp alice --in x\nx");
    bench.answer("main");
    bench.news();
    bench.router.interrupt_foreground();
    CHECK(bench.news() == Lines{"interrupt in alice", "a shows KeyboardInterrupt: ", "a: error, KeyboardInterrupt"});
    bench.answer("alice"); // too late
    bench.send_from("console", "b", "%%interp main &\nx");
    bench.send("c", "%%interp alice --in x\nx");
    bench.news();
    bench.router.interrupt_foreground();
    CHECK(bench.news() == Lines{"c shows KeyboardInterrupt: ", "c: error, KeyboardInterrupt"});
    bench.send("d", "%%interp alice\nx");
    CHECK(bench.news() == Lines{"d runs in alice"});
}

TEST_CASE("an interrupt of one target leaves the others waiting for their variables") {
    Bench bench;
    bench.send("a", "%%interp alice,bob --in x\nx");
    bool stopped = false;
    CHECK(bench.router.interrupt(bench.alice, [&](bool has) { stopped = has; }));
    CHECK(stopped);
    bench.answer("main");
    bench.news();
    bench.answer("bob");
    CHECK(bench.news() == Lines{"a runs in bob"});
    bench.end("bob");
    CHECK(bench.news() == Lines{"a shows [alice] KeyboardInterrupt: ", "a: error, KeyboardInterrupt"});
}

TEST_CASE("a wait in main's code does not wait for what waits for main") {
    Bench bench;
    bench.send("a", "%%interp main &\nx");
    bench.send("b", "%%interp alice & --in x\nx");
    bool over = false;
    bench.router.wait({bench.alice}, bench.cell_in("main"), [&] { over = true; });
    CHECK(over);
}

TEST_CASE("the time that a cell may run begins when its code does and ends with it") {
    Bench bench;
    bench.send("a", "%%interp alice --in x --out y --timeout 0.001\nx");
    CHECK(!bench.timers.next_due());
    bench.answer("main");
    bench.answer("alice");
    CHECK(bench.timers.next_due());
    bench.end("alice");
    CHECK(!bench.timers.next_due());
}

TEST_CASE("what goes out is packed before the lane goes on, and unpacked in main before the reply") {
    Bench bench;
    bench.send("a", "%%interp alice & --out y\ny");
    bench.send("b", "%%interp alice &\nx");
    bench.news();
    bench.end("alice");
    CHECK(bench.news() == Lines{"alice is asked to pack"});
    bench.answer("alice", {{"status", "ok"}, {"parcels", {{{"name", "y"}}}}});
    CHECK(bench.news() == Lines{"main is asked to unpack", "b runs in alice"});
    bench.answer("main");
    CHECK(bench.news() == Lines{"a: ok"});
}

TEST_CASE("what cannot go out fails the cell, and aborts what waits behind a detached one") {
    Bench bench;
    bench.send("a", "%%interp alice & --out x\nx");
    bench.send("b", "%%interp alice &\nx");
    bench.end("alice");
    bench.news();
    bench.answer("alice", refused);
    CHECK(bench.news() == Lines{"a shows UsageError: alice: x (lock) cannot cross: it is a lock.",
                                "a: error, UsageError", "b: aborted"});
}

TEST_CASE("a cell that fails in one target returns nothing from any") {
    Bench bench;
    bench.send("a", "%%interp alice,bob --out y\ny");
    bench.end("alice");
    bench.answer("alice", {{"status", "ok"}, {"parcels", {{{"name", "y"}}}}});
    bench.news();
    bench.fail("bob");
    CHECK(bench.news() == Lines{"a shows [bob] ValueError: bad", "a: error, ValueError"});
}

TEST_CASE("stop ends the wait until main takes what goes out") {
    Bench bench;
    bench.send_from("console", "a", "%%interp main &\nx");
    bench.send("b", "%%interp alice --out y\ny");
    bench.end("alice");
    bench.answer("alice", {{"status", "ok"}, {"parcels", {{{"name", "y"}}}}});
    bench.news();
    bench.router.interrupt_foreground();
    CHECK(bench.news() == Lines{"b shows KeyboardInterrupt: ", "b: error, KeyboardInterrupt"});
    bench.answer("main"); // too late
    CHECK(bench.news() == Lines{});
}

TEST_CASE("a stop that comes between the end of the code and the end of the packing counts") {
    Bench bench;
    bench.send("a", "%%interp alice --out y\ny");
    bench.end("alice");
    bench.router.interrupt_foreground();
    bench.news();
    bench.answer("alice", {{"status", "ok"}, {"parcels", {{{"name", "y"}}}}});
    CHECK(bench.news() == Lines{"a shows KeyboardInterrupt: ", "a: error, KeyboardInterrupt"});
}

TEST_CASE("an interpreter that ends while it packs or unpacks is told") {
    Bench bench;
    bench.send("a", "%%interp alice --in x\nx");
    bench.answer("main");
    bench.news();
    bench.answer("alice", {{"status", "aborted"}});
    CHECK(bench.news() == error_of("a", "alice was closed before the variables had crossed."));
    bench.send("b", "%%interp bob --out x\nx");
    bench.end("bob");
    bench.news();
    bench.answer("bob", {{"status", "aborted"}});
    CHECK(bench.news() == error_of("b", "bob was closed before the variables had crossed."));
}

TEST_CASE("main is no target for variables of its own") {
    for (const std::string targets : {"main", "0", "alice,main"}) {
        Bench bench;
        bench.send("a", "%%interp " + targets + " --in x\nx");
        CHECK(
            bench.news() ==
            error_of("a", "main has its variables already: --in and --out are for cells in other interpreters alone."));
    }
}
