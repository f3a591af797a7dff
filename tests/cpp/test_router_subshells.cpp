#include "router_fakes.hpp"

using namespace xinterp;
using namespace xinterp::kernel;
using namespace xinterp::kernel::fakes;
using nlohmann::json;

namespace {

const LaneId first{python::main_interpreter, 1}, second{python::main_interpreter, 2};

} // namespace

TEST_CASE("a subshell's cells run beside main's, in their own order") {
    Bench bench;
    bench.send("m1", "1");
    bench.send("m2", "2");
    bench.send_through(1, "a1", "1");
    bench.send_through(1, "a2", "2");
    bench.send_through(2, "b1", "1");
    CHECK(bench.news() == Lines{"m1 runs in main", "a1 runs in main's subshell 1", "b1 runs in main's subshell 2"});
    CHECK(bench.registry.get(python::main_interpreter)->state == python::State::running);
    bench.end_in(first);
    bench.end("main");
    CHECK(bench.news() == Lines{"a1: ok", "a2 runs in main's subshell 1", "m1: ok", "m2 runs in main"});
    bench.end("main");
    bench.end_in(first);
    CHECK(bench.registry.get(python::main_interpreter)->state == python::State::running);
    bench.end_in(second);
    CHECK(bench.registry.get(python::main_interpreter)->state == python::State::idle);
}

TEST_CASE("other interpreters have one lane for all subshells") {
    Bench bench;
    bench.send_through(1, "a", "%%interp alice\n1");
    bench.send_through(2, "b", "%%interp alice\n2");
    CHECK(bench.news() == Lines{"a runs in alice"});
    bench.end("alice");
    CHECK(bench.news() == Lines{"a: ok", "b runs in alice"});
}

TEST_CASE("an error aborts what waits in its own subshell") {
    Bench bench;
    for (const SubshellNumber subshell : {0, 1, 2}) {
        const std::string name = std::to_string(subshell);
        bench.send_through(subshell, name + "a", "1");
        bench.send_through(subshell, name + "b", "2");
    }
    bench.news();
    bench.end_in(first, error_reply("ValueError", "bad"));
    CHECK(bench.news() == Lines{"1a shows ValueError: bad", "1a: error, ValueError", "1b: never began, aborted"});
    bench.end("main", error_reply("ValueError", "bad"));
    CHECK(bench.news() == Lines{"0a shows ValueError: bad", "0a: error, ValueError", "0b: never began, aborted"});
    bench.end_in(second);
    CHECK(bench.news() == Lines{"2a: ok", "2b runs in main's subshell 2"});
}

TEST_CASE("stop is for main's own cells, and for those of subshells if there is none") {
    Bench bench;
    bench.send("m", "1");
    bench.send_through(1, "a", "1");
    bench.send_through(2, "b", "1");
    bench.news();
    bench.router.interrupt_foreground();
    CHECK(bench.news() == Lines{"interrupt in main"});
    bench.end_interrupted("main");
    bench.news();
    bench.router.interrupt_foreground();
    CHECK(bench.news() == Lines{"interrupt in main's subshell 1", "interrupt in main's subshell 2"});
}

TEST_CASE("one subshell is interrupted and no other, wherever its cell runs") {
    Bench bench;
    bench.send("m", "1");
    bench.send_through(1, "a", "1");
    bench.send_through(2, "b", "%%interp alice\n1");
    bench.news();
    bench.router.interrupt_subshell(1);
    CHECK(bench.news() == Lines{"interrupt in main's subshell 1"});
    bench.router.interrupt_subshell(2);
    CHECK(bench.news() == Lines{"interrupt in alice"});
    bench.router.interrupt_subshell(3);
    CHECK(bench.news() == Lines{"interrupt in main's subshell 3"}); // the tasks that cells have left behind
}

TEST_CASE("%interp interrupt main stops main's own cell, and subshells if it runs none") {
    Bench bench;
    bench.send("m", "1");
    bench.send_through(1, "a", "1");
    bench.news();
    CHECK(bench.router.interrupt(python::main_interpreter, [](bool) {}));
    CHECK(bench.news() == Lines{"interrupt in main"});
    bench.end_interrupted("main");
    bench.news();
    CHECK(bench.router.interrupt(python::main_interpreter, [](bool) {}));
    CHECK(bench.news() == Lines{"interrupt in main's subshell 1"});
}

TEST_CASE("a subshell that is deleted lets its cell end and aborts what waits") {
    Bench bench;
    bench.send_through(1, "a", "1");
    bench.send_through(1, "b", "1");
    bench.send_from("console", "c", "1", json::object(), 1);
    bench.news();
    bool over = false;
    bench.router.end_subshell(1, [&] { over = true; });
    CHECK(bench.news() == Lines{"b: never began, aborted",
                                "c stderr: its subshell was deleted before this cell could run there.\n",
                                "c: aborted"});
    CHECK(!over);
    bench.end_in(first);
    CHECK(bench.news() == Lines{"a: ok", "the thread of subshell 1 ends"});
    CHECK(over);
}

TEST_CASE("a subshell that runs nothing is deleted at once") {
    Bench bench;
    bool over = false;
    bench.router.end_subshell(1, [&] { over = true; });
    CHECK(bench.news() == Lines{"the thread of subshell 1 ends"});
    CHECK(over);
}

TEST_CASE("%interp use is a subshell's own") {
    Bench bench;
    bench.router.use({"notebook", 1}, {bench.alice});
    bench.send("m", "1");
    bench.send_through(1, "a", "1");
    CHECK(bench.news() == Lines{"m runs in main", "a runs in alice"});
    CHECK(bench.router.target_of({"notebook", 1}, "x.") == bench.alice);
    CHECK(bench.router.uses() == std::map<Client, std::vector<InterpreterId>>{{{"notebook", 1}, {bench.alice}}});
    bench.router.end_subshell(1, [] {});
    CHECK(bench.router.uses().empty());
}

TEST_CASE("--in and --out are taken from and brought to main on the subshell's thread") {
    Bench bench;
    bench.send("m", "1");
    bench.news();
    bench.send_through(1, "a", "%%interp alice --in x --out y\n1");
    CHECK(bench.news() == Lines{"main's subshell 1 is asked to pack"});
    bench.answer_in(first, {{"status", "ok"}, {"parcels", {{{"name", "x"}}}}});
    CHECK(bench.news() == Lines{"alice is asked to unpack"});
    bench.answer("alice");
    bench.end("alice");
    bench.answer("alice", {{"status", "ok"}, {"parcels", {{{"name", "y"}}}}});
    CHECK(bench.news() == Lines{"a runs in alice", "alice is asked to pack", "main's subshell 1 is asked to unpack"});
    bench.answer_in(first);
    CHECK(bench.news() == Lines{"a: ok"});
}

TEST_CASE("a callback runs in its interpreter's own lane") {
    Bench bench;
    bench.send_through(1, "a", "1");
    bench.call("click", {"main"});
    CHECK(bench.news() == Lines{"a runs in main's subshell 1", "click runs in main"});
}
