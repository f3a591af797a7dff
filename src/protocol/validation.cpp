#include <xinterp/protocol/validation.hpp>

#include <algorithm>
#include <map>
#include <string_view>
#include <vector>

namespace xinterp::kernel {
namespace {

using nlohmann::json;

enum class Kind { text, text_or_null, truth, whole_number, whole_number_or_null, object, anything };

struct Field {
    std::string_view name;
    Kind kind;
    bool required;
};

struct RequestType {
    bool on_shell, on_control;
    std::vector<Field> fields;
};

const std::map<std::string, RequestType, std::less<>>& request_types() {
    static const std::map<std::string, RequestType, std::less<>> types{
        {"execute_request",
         {true,
          true,
          {{"code", Kind::text, true},
           {"silent", Kind::truth, false},
           {"store_history", Kind::truth, false},
           {"user_expressions", Kind::object, false},
           {"allow_stdin", Kind::truth, false},
           {"stop_on_error", Kind::truth, false}}}},
        {"complete_request",
         {true, true, {{"code", Kind::text, true}, {"cursor_pos", Kind::whole_number_or_null, false}}}},
        {"inspect_request",
         {true,
          true,
          {{"code", Kind::text, true},
           {"cursor_pos", Kind::whole_number_or_null, false},
           {"detail_level", Kind::whole_number, false}}}},
        {"is_complete_request", {true, true, {{"code", Kind::text, true}}}},
        {"history_request",
         {true,
          true,
          {{"hist_access_type", Kind::text, true},
           {"output", Kind::truth, false},
           {"raw", Kind::truth, false},
           {"session", Kind::whole_number, false},
           {"start", Kind::whole_number, false},
           {"stop", Kind::whole_number_or_null, false},
           {"n", Kind::whole_number_or_null, false},
           {"pattern", Kind::text, false},
           {"unique", Kind::truth, false}}}},
        {"comm_info_request", {true, true, {{"target_name", Kind::anything, false}}}},
        {"comm_open", {true, false, {{"comm_id", Kind::text, true}, {"target_name", Kind::text, true}}}},
        {"comm_msg", {true, false, {{"comm_id", Kind::text, true}}}},
        {"comm_close", {true, false, {{"comm_id", Kind::text, true}}}},
        {"kernel_info_request", {true, true, {}}},
        {"connect_request", {true, true, {}}},
        {"debug_request", {false, true, {{"command", Kind::text, true}}}},
        {"interrupt_request", {true, true, {{"subshell_id", Kind::text_or_null, false}}}},
        {"create_subshell_request", {false, true, {}}},
        {"delete_subshell_request", {false, true, {{"subshell_id", Kind::text, true}}}},
        {"list_subshell_request", {false, true, {}}},
        {"shutdown_request", {true, true, {{"restart", Kind::truth, false}}}},
    };
    return types;
}

bool is_kind(const json& value, Kind kind) {
    switch (kind) {
    case Kind::text: return value.is_string();
    case Kind::text_or_null: return value.is_string() || value.is_null();
    case Kind::truth: return value.is_boolean();
    case Kind::whole_number: return value.is_number_integer();
    case Kind::whole_number_or_null: return value.is_number_integer() || value.is_null();
    case Kind::object: return value.is_object() || value.is_null();
    case Kind::anything: return true;
    }
    return false;
}

std::string_view kind_name(Kind kind) {
    switch (kind) {
    case Kind::text: return "a string";
    case Kind::text_or_null: return "a string or null";
    case Kind::truth: return "true or false";
    case Kind::whole_number:
    case Kind::whole_number_or_null: return "a whole number";
    case Kind::object: return "an object";
    case Kind::anything: return "anything";
    }
    return "";
}

} // namespace

std::string_view channel_name(Channel channel) {
    switch (channel) {
    case Channel::shell: return "shell";
    case Channel::control: return "control";
    case Channel::standard_input: return "stdin";
    }
    return "";
}

std::optional<std::string> header_problem(const json& header) {
    for (const char* name : {"msg_id", "msg_type", "session"}) {
        if (!header.contains(name)) return std::string{"its header has no "} + name;
        if (!header[name].is_string()) return std::string{"its header's "} + name + " is no string";
    }
    return std::nullopt;
}

std::optional<std::string> request_problem(Channel channel, const xeus::xmessage& request) {
    const std::string type = request.header().at("msg_type");
    const auto known = request_types().find(type);
    if (known == request_types().end()) return "'" + type + "' is not a request that this kernel knows.";
    if (channel == Channel::shell ? !known->second.on_shell : !known->second.on_control)
        return "'" + type + "' does not belong on the " + std::string{channel_name(channel)} + " channel.";
    if (const auto subshell = request.header().find("subshell_id");
        subshell != request.header().end() && !is_kind(*subshell, Kind::text_or_null))
        return type + ": its header's subshell_id must be a string or null, not " + subshell->type_name() + ".";
    const json& content = request.content();
    for (const Field& field : known->second.fields) {
        const auto value = content.find(field.name);
        if (value == content.end()) {
            if (field.required) return type + ": '" + std::string{field.name} + "' is missing.";
        } else if (!is_kind(*value, field.kind)) {
            return type + ": '" + std::string{field.name} + "' must be " + std::string{kind_name(field.kind)} +
                   ", not " + std::string{value->type_name()} + ".";
        }
    }
    return std::nullopt;
}

std::string reply_type(const std::string& request_type) {
    constexpr std::string_view suffix = "_request";
    if (!request_type.ends_with(suffix)) return {};
    return request_type.substr(0, request_type.size() - suffix.size()) + "_reply";
}

} // namespace xinterp::kernel
