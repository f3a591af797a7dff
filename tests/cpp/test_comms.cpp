// The registry of comms, the states of widgets, and callbacks among cells.
#include "router_fakes.hpp"

#include <xinterp/services/comm_registry.hpp>
#include <xinterp/services/widget_states.hpp>

#include <doctest/doctest.h>

using namespace xinterp;
using namespace xinterp::kernel;
using namespace xinterp::kernel::fakes;
using nlohmann::json;

using Ids = std::vector<InterpreterId>;
using Names = std::vector<std::string>;

// --- CommRegistry

TEST_CASE("a target is known as long as an interpreter has registered it") {
    CommRegistry comms;
    CHECK(comms.registered("t") == Ids{});
    comms.add_target("t", 2);
    comms.add_target("t", 1);
    comms.add_target("t", 2);
    CHECK(comms.registered("t") == Ids{2, 1});
    comms.remove_target("t", 2);
    CHECK(comms.registered("t") == Ids{1});
    CHECK(comms.forget(1) == Names{});
    CHECK(comms.registered("t") == Ids{});
}

TEST_CASE("a comm that several have is closed when the last of them has closed it") {
    CommRegistry comms;
    comms.open("c", "t", {1, 2});
    comms.join("c", "t", 2);
    CHECK(comms.find("c")->owners == Ids{1, 2});
    CHECK_FALSE(comms.leave("c", 1));
    CHECK(comms.leave("c", 2));
    CHECK(comms.find("c") == nullptr);
    CHECK(comms.leave("c", 2));
}

TEST_CASE("an interpreter that ends takes those comms along that nobody else has") {
    CommRegistry comms;
    comms.open("b", "t", {1});
    comms.open("a", "t", {1});
    comms.open("c", "t", {1, 2});
    comms.open("d", "t", {2});
    CHECK(comms.forget(1) == Names{"a", "b"});
    CHECK(comms.find("c")->owners == Ids{2});
    CHECK(comms.info(std::nullopt) == json{{"c", {{"target_name", "t"}}}, {"d", {{"target_name", "t"}}}});
}

TEST_CASE("comm_info names all comms, or those of a target") {
    CommRegistry comms;
    CHECK(comms.info(std::nullopt) == json::object());
    comms.open("a", "t", {1});
    comms.join("b", "u", 1);
    CHECK(comms.info("u") == json{{"b", {{"target_name", "u"}}}});
    CHECK(comms.info("v") == json::object());
}

// --- WidgetStates

TEST_CASE("answers of several interpreters become one") {
    MergedStates merged;
    merged.add({{"states", {{"a", {{"state", {{"x", 1}}}}}}}, {"buffer_paths", {{"a", "state", "data"}}}}, {"A"});
    merged.add({{"states", {{"b", 2}, {"c", 3}}}, {"buffer_paths", {{"b", "state", "p", 0}, {"c", "state", "q"}}}},
               {"B", "C"});
    CHECK(merged.data() ==
          json{{"method", "update_states"},
               {"states", {{"a", {{"state", {{"x", 1}}}}}, {"b", 2}, {"c", 3}}},
               {"buffer_paths", {{"a", "state", "data"}, {"b", "state", "p", 0}, {"c", "state", "q"}}}});
    CHECK(merged.buffers == Names{"A", "B", "C"});
}

TEST_CASE("an answer that is none adds nothing, and one with too few buffers those that it has") {
    MergedStates merged;
    for (const json& none : {json{}, json{3}, json{{"states", {1, 2}}}, json{{"method", "update_states"}}})
        merged.add(none, {"x"});
    merged.add({{"states", json::object()}, {"buffer_paths", {"a", json::array(), {1}, {"b", "data"}, {"c", "data"}}}},
               {"1", "2", "3", "4"});
    CHECK(merged.buffer_paths == json::array({json::array({"b", "data"})}));
    CHECK(merged.buffers == Names{"4"});
}

TEST_CASE("a widget's state is what it was opened with and all updates since") {
    WidgetStates widgets;
    widgets.update("w", {{"state", {{"_model_name", "M"}, {"value", 1}, {"max", 9}}}}, {});
    widgets.update("w", {{"method", "update"}, {"state", {{"value", 2}}}, {"buffer_paths", json::array()}}, {});
    MergedStates merged;
    widgets.add_to(merged, "w");
    widgets.add_to(merged, "nobody's");
    CHECK(merged.states == json{{"w",
                                 {{"model_name", "M"},
                                  {"model_module", nullptr},
                                  {"model_module_version", nullptr},
                                  {"state", {{"_model_name", "M"}, {"value", 2}, {"max", 9}}}}}});
    widgets.forget("w");
    MergedStates later;
    widgets.add_to(later, "w");
    CHECK(later.states == json::object());
}

TEST_CASE("the last buffers of a widget's values are kept, and no others") {
    WidgetStates widgets;
    widgets.update("w", {{"state", {{"rows", {nullptr, 1}}}}, {"buffer_paths", {{"image"}, {"rows", 0}}}},
                   {"old", "row"});
    widgets.update("w", {{"state", json::object()}, {"buffer_paths", {{"image"}}}}, {"new"});
    MergedStates merged;
    widgets.add_to(merged, "w");
    CHECK(merged.buffer_paths == json{{"w", "state", "rows", 0}, {"w", "state", "image"}});
    CHECK(merged.buffers == Names{"row", "new"});
    widgets.update("w", {{"state", {{"rows", json::array()}}}}, {});
    MergedStates later;
    widgets.add_to(later, "w");
    CHECK(later.buffers == Names{"new"});
}

// --- callbacks among cells

TEST_CASE("a callback runs between its interpreter's cells and holds up nobody else") {
    Bench bench;
    bench.send("a", "%%interp alice &\nx");
    bench.call("message", {"alice"});
    bench.send("b", "x");
    bench.send("c", "%%interp alice\nx");
    CHECK(bench.news() == Lines{"a runs in alice", "b runs in main"});
    bench.end("alice");
    CHECK(bench.news() == Lines{"a: ok", "message runs in alice"});
    bench.end("main");
    CHECK(bench.news() == Lines{"b: ok"});
    CHECK(bench.router.is_busy(bench.alice));
    bench.end("alice");
    CHECK(bench.news() == Lines{"message: ok", "c runs in alice"});
    CHECK(bench.registry.get(bench.alice)->cells_run == 1);
}

TEST_CASE("a callback that fails aborts nothing") {
    Bench bench;
    bench.call("message", {"alice"});
    bench.send("a", "%%interp alice &\nx");
    bench.news();
    bench.fail("alice");
    CHECK(bench.news() == Lines{"message shows ValueError: bad", "message: error, ValueError", "a runs in alice"});
}

TEST_CASE("stop interrupts a callback that a foreground cell waits for, and that cell") {
    Bench bench;
    bench.call("message", {"main"});
    bench.call("other", {"alice"});
    bench.send("a", "x");
    bench.news();
    bench.router.interrupt_foreground();
    CHECK(bench.news() == Lines{"interrupt in main", "a shows KeyboardInterrupt: ", "a: error, KeyboardInterrupt"});
}

TEST_CASE("stop without a foreground cell interrupts callbacks rather than detached cells") {
    Bench bench;
    bench.send("a", "%%interp alice &\nx");
    bench.call("message", {"bob"});
    bench.call("waiting", {"bob"});
    bench.news();
    bench.router.interrupt_foreground();
    CHECK(bench.news() == Lines{"interrupt in bob"});
    bench.end_interrupted("bob");
    CHECK(bench.news() ==
          Lines{"message shows KeyboardInterrupt: ", "message: error, KeyboardInterrupt", "waiting runs in bob"});
}

TEST_CASE("what waits to call an interpreter that closes is aborted") {
    Bench bench;
    bench.call("first", {"alice"});
    bench.call("second", {"alice"});
    bench.news();
    bench.router.retire(bench.alice, "alice was closed.");
    CHECK(bench.news() ==
          Lines{"second stderr: alice ended before this callback could run there.\n", "second: aborted"});
    bench.call("nobody", {});
    CHECK(bench.news() == Lines{"nobody: aborted"});
}
