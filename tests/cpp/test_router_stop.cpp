#include "router_fakes.hpp"

#include <optional>
#include <string>
#include <thread>

using namespace xinterp;
using namespace xinterp::kernel;
using namespace xinterp::kernel::fakes;
using nlohmann::json;

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

TEST_CASE("what arrives within a short while after a failure is aborted, and the reply comes first") {
    Bench bench{std::chrono::milliseconds{5}};
    bench.send("a", "x");
    bench.fail("main");
    CHECK(bench.news() == Lines{"a runs in main", "a shows ValueError: bad"}); // the error at once, the reply not yet
    bench.send("b", "%%interp alice\nx");
    bench.send_from("console", "c", "x"); // no part of it
    CHECK(bench.news() == Lines{"c runs in main"});
    bench.let_replies_come();
    CHECK(bench.news() == Lines{"a: error, ValueError", "b: never began, aborted"});
    bench.send("d", "%%interp alice\nx"); // sent with the reply in view
    CHECK(bench.news() == Lines{"d runs in alice"});
}

TEST_CASE("each request puts the reply to a failure off again, up to a bound") {
    Bench bench{std::chrono::hours{1}}; // so that no pause of this machine is one of the client
    bench.send("a", "x");
    bench.fail("main");
    const auto began = Timers::Clock::now();
    int sent = 0;
    bench.news();
    while (bench.diary.lines.empty()) { // a client that never pauses
        bench.send("b" + std::to_string(++sent), "x");
        std::this_thread::sleep_for(std::chrono::milliseconds{1});
        bench.timers.run_due();
    }
    CHECK(Timers::Clock::now() - began >= Router::longest_rest);
    const Lines news = bench.news();
    CHECK(news.front() == "a: error, ValueError");
    CHECK(news.size() >= 2);
}

TEST_CASE("a reply waits for no rest without stop_on_error, nor when the kernel ends") {
    Bench bench{std::chrono::milliseconds{1000}};
    bench.send("b", "x", {{"stop_on_error", false}});
    bench.fail("main");
    CHECK(bench.news() == Lines{"b runs in main", "b shows ValueError: bad", "b: error, ValueError"});
    bench.send("c", "x");
    bench.fail("main");
    CHECK(bench.news() == Lines{"c runs in main", "c shows ValueError: bad"});
    bench.router.wait_for_no_rest();
    CHECK(bench.news() == Lines{"c: error, ValueError"});
}

TEST_CASE("an interrupt while a reply waits for the rest does nothing to its cell") {
    Bench bench{std::chrono::milliseconds{5}};
    bench.send("a", "%interp close nobody");
    bench.front.command_done(error_reply("UsageError", "no interpreter"));
    bench.news();
    bench.router.interrupt_foreground();
    bench.let_replies_come();
    CHECK(bench.news() == Lines{"a: error, UsageError"});
}

TEST_CASE("requests count as long as they wait or run") {
    Bench bench;
    const std::string large(Router::most_bytes / 4, 'x');
    int sent = 0;
    for (; bench.router.has_room(); ++sent) bench.send("a" + std::to_string(sent), large);
    CHECK(sent == 4);
    bench.fail("main");
    CHECK(bench.router.has_room());
    bench.send("b", "x");
    bench.end("main");
    CHECK(bench.router.has_room());
}

TEST_CASE("a request that cannot run fails when its turn comes") {
    Bench bench;
    bench.send("a", "x");
    bench.router.submit(xeus::xmessage{{"notebook"},
                                       {{"msg_id", "b"}, {"msg_type", "execute_request"}, {"session", "notebook"}},
                                       json::object(),
                                       json::object(),
                                       {{"code", "y"}},
                                       {}},
                        0, error_reply("UnicodeEncodeError", "half"));
    bench.send("c", "x");
    CHECK(bench.news() == Lines{"a runs in main"});
    bench.end("main");
    CHECK(bench.news() == Lines{"a: ok", "b shows UnicodeEncodeError: half", "b: error, UnicodeEncodeError",
                                "c: never began, aborted"});
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

TEST_CASE("stop when no cell runs interrupts what cells have left behind") {
    Bench bench;
    bench.send("a", "x");
    bench.end("main");
    bench.news();
    bench.router.interrupt_foreground();
    CHECK(bench.news() == Lines{"interrupt what runs between cells"});
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
    bench.interpreters.close(bench.alice, 0, [](const std::string&) {});
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
    bench.interpreters.close(bench.alice, 0, [](const std::string&) {});
    bench.end("alice");
    const Lines news = bench.news();
    REQUIRE(news.size() == 5);
    CHECK(news[1] == "b: aborted");
    CHECK(news[2].starts_with("c shows UsageError: interpreter 'alice' is closing."));
    CHECK(news[3] == "c: error, UsageError");
    CHECK(news[4] == "a: ok");
}
