// `vars` and `diff`.
#include <xinterp/commands/commands.hpp>
#include <xinterp/magics/arguments.hpp>
#include <xinterp/magics/command_results.hpp>
#include <xinterp/magics/table.hpp>

#include <algorithm>
#include <array>
#include <format>
#include <map>
#include <memory>
#include <optional>
#include <utility>

namespace xinterp::kernel {
namespace {

using nlohmann::json;

// How long an interpreter may take to tell its variables before it counts as busy.
constexpr std::chrono::milliseconds reading_patience{200};
// And, on top of that, one in which no cell runs: the machine is slow, or a task of its event loop holds it.
constexpr std::chrono::milliseconds idle_patience{800};
// Of a variable in a table of two interpreters.
constexpr std::size_t column_width = 40;

std::string variable_text(const json& variable) {
    return variable.at("type").get<std::string>() + " " + variable.at("value").get<std::string>();
}

// `variables` are as variables.py describes them, sorted by name.
// What a table leaves out, below it.
json with_remark(json result, const std::string& remark) {
    result["text"] = result["text"].get<std::string>() + remark + "\n";
    result["html"] = result["html"].get<std::string>() + "<p>" + remark + "</p>";
    return result;
}

json variables_table(const std::string& label, const json& read) {
    const json& variables = read.at("variables");
    if (variables.empty()) return success(label + " has no variables.", json::array());
    Rows rows{{"name", "type", "size", "value"}};
    for (const json& each : variables)
        rows.push_back(
            {each.at("name"), each.at("type"), bytes_text(each.at("size").get<std::size_t>()), each.at("value")});
    const std::size_t count = read.at("count");
    if (count == variables.size()) return table(rows, variables);
    return with_remark(table(rows, variables), std::format("... and {} more.", count - variables.size()));
}

json difference_table(const std::array<std::string, 2>& labels, const json& a, const json& b) {
    std::map<std::string, std::array<json, 2>> sides;
    for (const json& each : a.at("variables")) sides[each.at("name")][0] = each;
    for (const json& each : b.at("variables")) sides[each.at("name")][1] = each;
    if (sides.empty()) return success(labels[0] + " and " + labels[1] + " have no variables.", json::array());
    Rows rows{{"name", labels[0], labels[1], ""}};
    json values = json::array();
    for (const auto& [name, pair] : sides) {
        std::array<std::string, 2> texts;
        for (std::size_t i = 0; i < 2; ++i)
            if (!pair[i].is_null()) texts[i] = variable_text(pair[i]);
        // A value that is cut off, or told by its type alone, says no more than that.
        const bool whole = texts[0].find("\u2026") == std::string::npos && texts[0].find('<') == std::string::npos;
        const auto address = [](const json& variable) { return variable.value("address", json{}); };
        const bool shared = !pair[0].is_null() && !pair[1].is_null() && !address(pair[0]).is_null() &&
                            address(pair[0]) == address(pair[1]);
        const std::string same = pair[0].is_null()      ? "only in " + labels[1]
                                 : pair[1].is_null()    ? "only in " + labels[0]
                                 : shared               ? "same memory"
                                 : texts[0] != texts[1] ? "differs"
                                 : whole                ? "equal"
                                                        : "looks equal";
        rows.push_back({name, clipped(texts[0], column_width), clipped(texts[1], column_width), same});
        values.push_back({{"name", name}, {"a", pair[0]}, {"b", pair[1]}, {"same", same}});
    }
    const auto is_cut = [](const json& read) { return read.at("count") != read.at("variables").size(); };
    if (!is_cut(a) && !is_cut(b)) return table(rows, values);
    return with_remark(table(rows, values), "One of them has more: the first 1000 of each are compared.");
}

} // namespace

void Commands::show_variables(const json& request, const Caller& caller, const Done& done) {
    std::vector<InterpreterInfo> infos;
    for (const std::string& target : strings(request, "targets")) infos.push_back(interpreters_.resolve(target));
    const auto is_own = [&](const InterpreterInfo& info) { return caller.interpreter == info.id; };
    if (!request.contains("own") && std::ranges::any_of(infos, is_own)) {
        done({{"ok", true}, {"needs", "variables"}}); // its lane waits for this: it tells them itself
        return;
    }
    const auto gathered = std::make_shared<Gathered>(infos.size(), [infos, done](const std::vector<json>& read) {
        for (const json& each : read)
            if (each.is_string()) {
                done(failure(each));
                return;
            }
        done(infos.size() == 1 ? variables_table(infos[0].label(), read[0])
                               : difference_table({infos[0].label(), infos[1].label()}, read[0], read[1]));
    });
    for (std::size_t i = 0; i < infos.size(); ++i) {
        if (is_own(infos[i])) gathered->give(i, request.at("own"));
        else
            read_variables(infos[i], {infos[i].id, caller.client.subshell},
                           [gathered, i](json read) { gathered->give(i, std::move(read)); });
    }
}

// Interpreters that run a cell are not waited for: two that miss the same name at once would wait for each other.
std::function<void()> Commands::find_variable(const std::string& name, const Caller& caller, const Done& done) {
    struct Search {
        std::vector<InterpreterInfo> asked;
        std::vector<bool> has;
        std::size_t waiting_for;
        std::optional<Timers::Handle> patience{};
        bool over = false;
    };
    const auto search = std::make_shared<Search>();
    for (InterpreterInfo& info : interpreters_.registry().list())
        if (info.id != caller.interpreter && info.state != python::State::closing && !router_.is_busy(info.id))
            search->asked.push_back(std::move(info));
    search->has.resize(search->asked.size());
    search->waiting_for = search->asked.size();
    const auto here = interpreters_.registry().get(caller.interpreter.value_or(python::main_interpreter));
    const auto stop = [this, search] {
        if (search->patience) timers_.cancel(*search->patience);
        return !std::exchange(search->over, true);
    };
    const auto tell = [search, stop, name, done, to = here ? here->label() : "main"] {
        if (!stop()) return;
        std::vector<std::string> labels;
        for (std::size_t i = 0; i < search->asked.size(); ++i)
            if (search->has[i]) labels.push_back(search->asked[i].label());
        if (labels.empty()) {
            done(success(""));
            return;
        }
        const std::string first = labels.front(), last = labels.back();
        labels.pop_back();
        const std::string where = labels.empty() ? last : joined(labels) + " and " + last;
        done({{"ok", true},
              {"text", std::format("{0} exists in {1}: %interp share {0} --from {2} --to {3}", name, where, first, to)},
              {"value", nullptr}});
    };
    if (search->asked.empty()) {
        tell();
        return {};
    }
    search->patience = timers_.after(reading_patience, tell);
    for (std::size_t i = 0; i < search->asked.size(); ++i)
        backend_.ask(search->asked[i].id, "has", {{"name", name}}, [search, tell, i](const json& reply) {
            search->has[i] = reply.value("has", false);
            if (--search->waiting_for == 0) tell();
        });
    return [stop] { stop(); };
}

// Their descriptions, or a sentence.
void Commands::read_variables(const InterpreterInfo& info, LaneId lane, std::function<void(json)> done) {
    const auto answered = std::make_shared<bool>(false);
    const auto answer = [answered, done = std::move(done)](json read) {
        if (!std::exchange(*answered, true)) done(std::move(read));
    };
    backend_.ask(lane, "variables", json::object(), [answer, label = info.label()](const json& reply) {
        if (reply.value("status", "") == "ok") answer(reply);
        else if (reply.value("status", "") == "aborted") answer(label + " was closed meanwhile.");
        else answer(label + " could not tell its variables: " + reply.value("evalue", "it was interrupted") + ".");
    });
    timers_.after(reading_patience, [this, lane, answer, label = info.label()] {
        if (router_.is_busy(lane))
            answer(label +
                   " is busy: its variables can be read when its cell has ended. To end it: %interp interrupt " +
                   label);
        else
            timers_.after(idle_patience, [answer, label] {
                answer(label + " is busy, though no cell runs there: a task of its event loop may hold it. "
                               "Its variables can be read when that has ended.");
            });
    });
}

} // namespace xinterp::kernel
