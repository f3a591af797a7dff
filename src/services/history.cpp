#include <xinterp/routing/router.hpp>
#include <xinterp/services/history.hpp>

#include <fnmatch.h>

#include <algorithm>
#include <set>
#include <string_view>

namespace xinterp::kernel {
namespace {

using nlohmann::json;

std::string_view stripped(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n\f\v";
    const auto first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) + 1 - first);
}

// exit, quit(), exit (1): who walks back through the history does not want to land on these.
bool leaves(std::string_view code) {
    code = stripped(code);
    if (!code.starts_with("exit") && !code.starts_with("quit")) return false;
    const std::string_view rest = stripped(code.substr(4));
    return rest.empty() || (rest.starts_with('(') && rest.ends_with(')') && rest.find('\n') == std::string_view::npos);
}

std::optional<std::int64_t> number(const json& request, const char* key) {
    const auto found = request.find(key);
    if (found == request.end() || !found->is_number_integer()) return std::nullopt;
    return found->get<std::int64_t>();
}

} // namespace

void History::add(int line, const std::string& typed) {
    if (leaves(typed)) return;
    std::string source = typed;
    source.erase(source.find_last_not_of('\n') + 1);
    const std::size_t newlines = typed.size() - source.size();
    entries_.push_back({line, std::move(source), newlines, {}, {}});
}

History::Entry* History::find(int line) {
    const auto found = std::ranges::lower_bound(entries_, line, {}, &Entry::line);
    return found == entries_.end() || found->line != line ? nullptr : &*found;
}

std::optional<std::string> History::typed(int line) const {
    const auto found = std::ranges::lower_bound(entries_, line, {}, &Entry::line);
    if (found == entries_.end() || found->line != line) return std::nullopt;
    return found->typed + std::string(found->newlines_at_end, '\n');
}

void History::set_output(int line, std::string text) {
    if (Entry* entry = find(line)) entry->output = std::move(text);
}

std::optional<std::size_t> History::set_transformed(int line, std::string source) {
    Entry* entry = find(line);
    if (entry == nullptr) return std::nullopt;
    entry->transformed = std::move(source);
    return static_cast<std::size_t>(entry - entries_.data());
}

json History::entries(std::size_t first) const {
    json all = json::array();
    for (std::size_t i = first; i < entries_.size(); ++i) {
        const Entry& entry = entries_[i];
        all.push_back({entry.line, entry.transformed.value_or(entry.typed), entry.typed,
                       entry.output ? json(*entry.output) : json(nullptr)});
    }
    return all;
}

json History::answer(const json& request) const {
    const std::string access = request.at("hist_access_type");
    Chosen chosen;
    if (access == "tail") {
        chosen = tail(number(request, "n").value_or(10));
    } else if (access == "range") {
        chosen = range(number(request, "session").value_or(0), number(request, "start").value_or(0),
                       number(request, "stop").value_or(0));
    } else if (access == "search") {
        chosen = search(request.value("pattern", "*"), number(request, "n"), request.value("unique", false));
    } else {
        return error_reply("BadRequest",
                           "history_request: hist_access_type is tail, range or search, not '" + access + "'.");
    }
    const bool raw = request.value("raw", true), output = request.value("output", false);
    json items = json::array();
    for (const Entry* entry : chosen) {
        json source = raw ? entry->typed : entry->transformed.value_or(entry->typed);
        // As in IPython, whose file has no results.
        if (output) source = {source, access == "range" && entry->output ? json(*entry->output) : json(nullptr)};
        items.push_back({0, entry->line, std::move(source)});
    }
    return {{"status", "ok"}, {"history", std::move(items)}};
}

History::Chosen History::tail(std::int64_t count) const {
    Chosen chosen;
    const auto wanted = static_cast<std::size_t>(std::max<std::int64_t>(count, 0));
    for (std::size_t i = entries_.size() - std::min(wanted, entries_.size()); i < entries_.size(); ++i)
        chosen.push_back(&entries_[i]);
    return chosen;
}

// Only this session is here: it is number 0. Negative lines count from its end.
History::Chosen History::range(std::int64_t session, std::int64_t start, std::int64_t stop) const {
    Chosen chosen;
    const std::int64_t end = entries_.empty() ? 1 : entries_.back().line + 1;
    if (start < 0) start += end;
    if (stop < 0) stop += end;
    else if (stop == 0) stop = end;
    for (const Entry& entry : entries_)
        if (session == 0 && entry.line >= start && entry.line < stop) chosen.push_back(&entry);
    return chosen;
}

History::Chosen History::search(const std::string& pattern, std::optional<std::int64_t> count, bool unique) const {
    Chosen chosen;
    std::set<std::string_view> seen;
    const auto wanted =
        count && *count >= 0 ? std::min(entries_.size(), static_cast<std::size_t>(*count)) : entries_.size();
    for (auto entry = entries_.rbegin(); entry != entries_.rend() && chosen.size() < wanted; ++entry) {
        if (fnmatch(pattern.c_str(), entry->typed.c_str(), FNM_NOESCAPE) != 0) continue;
        if (unique && !seen.insert(entry->typed).second) continue;
        chosen.push_back(&*entry);
    }
    std::ranges::reverse(chosen);
    return chosen;
}

} // namespace xinterp::kernel
