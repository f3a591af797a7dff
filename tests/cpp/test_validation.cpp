#include "printing.hpp"

#include <xinterp/protocol/validation.hpp>

#include <optional>
#include <string>

using namespace xinterp::kernel;
using nlohmann::json;

namespace {

std::optional<std::string> problem(Channel channel, const std::string& type, json content) {
    return request_problem(channel, xeus::xmessage{{},
                                                   {{"msg_id", "1"}, {"msg_type", type}, {"session", "s"}},
                                                   json::object(),
                                                   json::object(),
                                                   std::move(content),
                                                   {}});
}

std::optional<std::string> on_shell(const std::string& type, json content = json::object()) {
    return problem(Channel::shell, type, std::move(content));
}

} // namespace

TEST_CASE("a header needs an id, a type and a session, all of them text") {
    const json sound{{"msg_id", "1"}, {"msg_type", "kernel_info_request"}, {"session", "s"}};
    CHECK(!header_problem(sound));
    CHECK(header_problem(json::object()) == "its header has no msg_id");
    for (const std::string field : {"msg_id", "msg_type", "session"}) {
        json header = sound;
        header.erase(field);
        CHECK(header_problem(header) == "its header has no " + field);
        for (const json& wrong : {json(1), json(nullptr), json::array(), json::object()}) {
            header[field] = wrong;
            CHECK(header_problem(header) == "its header's " + field + " is no string");
        }
    }
}

TEST_CASE("what front ends send is served") {
    CHECK(!on_shell("execute_request", {{"code", "x"},
                                        {"silent", false},
                                        {"store_history", true},
                                        {"user_expressions", json::object()},
                                        {"allow_stdin", true},
                                        {"stop_on_error", true}}));
    CHECK(!on_shell("execute_request", {{"code", ""}}));
    CHECK(!on_shell("complete_request", {{"code", "x."}, {"cursor_pos", 2}}));
    CHECK(!on_shell("inspect_request", {{"code", "x"}, {"cursor_pos", 1}, {"detail_level", 0}}));
    CHECK(!on_shell("is_complete_request", {{"code", "x"}}));
    CHECK(!on_shell("history_request",
                    {{"hist_access_type", "tail"}, {"n", 100}, {"output", false}, {"raw", true}, {"unique", true}}));
    CHECK(!on_shell("comm_info_request"));
    CHECK(!on_shell("comm_open", {{"comm_id", "c"}, {"target_name", "t"}, {"data", json::object()}}));
    CHECK(!on_shell("kernel_info_request"));
    CHECK(!problem(Channel::control, "kernel_info_request", json::object()));
    CHECK(!problem(Channel::control, "interrupt_request", json::object()));
    CHECK(!problem(Channel::control, "shutdown_request", {{"restart", true}}));
}

TEST_CASE("a field that front ends may leave open may be null") {
    CHECK(!on_shell("complete_request", {{"code", "x"}, {"cursor_pos", nullptr}}));
    CHECK(!on_shell("execute_request", {{"code", "x"}, {"user_expressions", nullptr}}));
    CHECK(!on_shell("history_request", {{"hist_access_type", "range"}, {"stop", nullptr}, {"n", nullptr}}));
}

TEST_CASE("a field of the wrong type is named, with what it must be") {
    CHECK(on_shell("execute_request") == "execute_request: 'code' is missing.");
    CHECK(on_shell("execute_request", {{"code", 1}}) == "execute_request: 'code' must be a string, not number.");
    CHECK(on_shell("execute_request", {{"code", "x"}, {"silent", "no"}}) ==
          "execute_request: 'silent' must be true or false, not string.");
    CHECK(on_shell("execute_request", {{"code", "x"}, {"user_expressions", json::array()}}) ==
          "execute_request: 'user_expressions' must be an object, not array.");
    CHECK(on_shell("complete_request", {{"code", "x"}, {"cursor_pos", "2"}}) ==
          "complete_request: 'cursor_pos' must be a whole number, not string.");
    CHECK(on_shell("complete_request", {{"code", "x"}, {"cursor_pos", 1.5}}));
    CHECK(on_shell("comm_open", {{"comm_id", "c"}}) == "comm_open: 'target_name' is missing.");
    CHECK(on_shell("comm_msg", {{"comm_id", nullptr}}) == "comm_msg: 'comm_id' must be a string, not null.");
}

TEST_CASE("a type that the kernel does not know is refused") {
    CHECK(on_shell("debug_request") == "'debug_request' does not belong on the shell channel.");
    CHECK(on_shell("execute_reply") == "'execute_reply' is not a request that this kernel knows.");
    CHECK(on_shell("") == "'' is not a request that this kernel knows.");
}

TEST_CASE("cells and questions may come on the control channel, comm messages may not") {
    CHECK(!problem(Channel::control, "execute_request", {{"code", "x"}}));
    CHECK(!problem(Channel::control, "complete_request", {{"code", "x"}}));
    CHECK(problem(Channel::control, "comm_msg", {{"comm_id", "c"}}) ==
          "'comm_msg' does not belong on the control channel.");
}

TEST_CASE("every request has a reply, and messages that are none have no reply") {
    CHECK(reply_type("execute_request") == "execute_reply");
    CHECK(reply_type("is_complete_request") == "is_complete_reply");
    CHECK(reply_type("comm_msg").empty());
    CHECK(reply_type("").empty());
}
