#include <xinterp/magics/arguments.hpp>
#include <xinterp/magics/command_results.hpp>

#include <format>

namespace xinterp::kernel {

using nlohmann::json;

json success(const std::string& text, json value) {
    return {{"ok", true}, {"text", text.empty() ? "" : text + "\n"}, {"value", std::move(value)}};
}

json failure(const std::string& error) { return {{"ok", false}, {"error", error}}; }

std::vector<std::string> strings(const json& request, const char* key) {
    std::vector<std::string> all;
    if (const auto found = request.find(key); found != request.end() && found->is_array())
        for (const json& each : *found) {
            if (!each.is_string() && !each.is_number_integer())
                throw UsageError{std::format("{} are names or ids, not {}.", key, each.dump())};
            all.push_back(each.is_string() ? each.get<std::string>() : each.dump());
        }
    return all;
}

json table(const Rows& rows, json value) {
    return {{"ok", true}, {"text", plain_table(rows)}, {"html", html_table(rows)}, {"value", std::move(value)}};
}

std::vector<std::string> crossing_problems(const json& reply, const std::string& prefix, const std::string& label) {
    std::vector<std::string> problems;
    const std::string status = reply.value("status", "");
    if (status == "aborted") problems.push_back(label + " was closed before the variables had crossed.");
    else if (status != "ok") problems.push_back(label + " was interrupted before the variables had crossed.");
    else
        for (const json& sentence : reply.value("refused", json::array()))
            problems.push_back(prefix + sentence.get<std::string>());
    return problems;
}

json combine(const std::vector<json>& results) {
    std::string text, errors;
    json values = json::array();
    for (const json& result : results) {
        if (result.at("ok").get<bool>()) {
            text += result.at("text").get<std::string>();
            values.push_back(result.at("value"));
        } else {
            errors += (errors.empty() ? "" : "\n") + result.at("error").get<std::string>();
        }
    }
    if (!errors.empty()) return failure(errors);
    return {{"ok", true}, {"text", text}, {"value", values}};
}

} // namespace xinterp::kernel
