#include <xinterp/kernel/history.hpp>

#include <fnmatch.h>

#include <algorithm>
#include <set>

namespace xinterp::kernel {
namespace {

using nlohmann::json;

template <class Entry> json item(const Entry& entry, bool output) {
    if (!output) return json::array({0, entry.line, entry.input});
    return json::array({0, entry.line, json::array({entry.input, entry.output})});
}

json reply(json items) { return {{"status", "ok"}, {"history", std::move(items)}}; }

} // namespace

void History::store_inputs_impl(int, int line, const std::string& input, const std::string& output) {
    entries_.push_back({line, input, output});
}

json History::get_tail_impl(int count, bool, bool output) const {
    json items = json::array();
    const auto wanted = static_cast<std::size_t>(std::max(count, 0));
    for (std::size_t i = entries_.size() - std::min(wanted, entries_.size()); i < entries_.size(); ++i)
        items.push_back(item(entries_[i], output));
    return reply(std::move(items));
}

// Only this session is here: it is number 0, and earlier ones (negative numbers) are empty.
json History::get_range_impl(int session, int start, int stop, bool, bool output) const {
    json items = json::array();
    for (const Entry& entry : entries_)
        if (session == 0 && entry.line >= start && (stop <= 0 || entry.line < stop))
            items.push_back(item(entry, output));
    return reply(std::move(items));
}

json History::search_impl(const std::string& pattern, bool, bool output, int count, bool unique) const {
    std::vector<const Entry*> found;
    std::set<std::string> seen;
    const auto wanted = count <= 0 ? entries_.size() : static_cast<std::size_t>(count);
    for (auto entry = entries_.rbegin(); entry != entries_.rend() && found.size() < wanted; ++entry) {
        if (fnmatch(pattern.c_str(), entry->input.c_str(), 0) != 0) continue;
        if (unique && !seen.insert(entry->input).second) continue;
        found.push_back(&*entry);
    }
    json items = json::array();
    for (auto entry = found.rbegin(); entry != found.rend(); ++entry) items.push_back(item(**entry, output));
    return reply(std::move(items));
}

} // namespace xinterp::kernel
