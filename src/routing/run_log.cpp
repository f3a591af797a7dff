#include <xinterp/routing/run_log.hpp>

#include <utility>

namespace xinterp::kernel {
namespace {

using nlohmann::json;

std::string_view kind_name(RunRecord::Kind kind) {
    switch (kind) {
    case RunRecord::Kind::cell: return "cell";
    case RunRecord::Kind::callback: return "callback";
    case RunRecord::Kind::code: return "code";
    }
    return "";
}

json text_or_null(const std::string& text) { return text.empty() ? json(nullptr) : json(text); }

} // namespace

double seconds(RunRecord::Time time) {
    return static_cast<double>(std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count()) /
           1000;
}

json to_json(const RunRecord& record) {
    return {{"id", record.id},
            {"interpreter", record.interpreter},
            {"label", record.label},
            {"colour", record.colour},
            {"subshell", record.subshell == 0 ? json(nullptr) : json(record.subshell)},
            {"kind", kind_name(record.kind)},
            {"count", record.count ? json(*record.count) : json(nullptr)},
            {"message", text_or_null(record.message)},
            {"cell", text_or_null(record.cell)},
            {"detached", record.detached},
            {"start", seconds(record.start)},
            {"end", record.end ? json(seconds(*record.end)) : json(nullptr)},
            {"status", text_or_null(record.status)}};
}

void RunLog::began(RunRecord record) {
    const LaneId lane{record.interpreter, record.subshell};
    ended(lane, "ok", record.start);
    forget(record.start);
    record.id = ++last_;
    current_[lane] = record.id;
    changed_.insert(record.id);
    if (!record.cell.empty()) last_messages_[record.cell] = record.message;
    runs_.emplace(record.id, std::move(record));
}

void RunLog::ended(LaneId lane, std::string status, Time now) {
    const auto current = current_.extract(lane);
    if (!current) return;
    RunRecord& record = runs_.at(current.mapped());
    record.end = now;
    record.status = std::move(status);
    changed_.insert(record.id);
}

const RunRecord* RunLog::current(LaneId lane) const {
    const auto current = current_.find(lane);
    return current == current_.end() ? nullptr : &runs_.at(current->second);
}

const RunRecord* RunLog::any_current(InterpreterId interpreter) const {
    const auto first = current_.lower_bound(interpreter);
    return first == current_.end() || first->first.interpreter != interpreter ? nullptr : &runs_.at(first->second);
}

bool RunLog::is_last_of_its_cell(const RunRecord& record) const {
    const auto last = last_messages_.find(record.cell);
    return last != last_messages_.end() && last->second == record.message;
}

void RunLog::forget(Time now) {
    bool full = runs_.size() >= most;
    for (auto run = runs_.begin(); run != runs_.end();) {
        const RunRecord& record = run->second;
        const bool old = record.end && *record.end + memory < now, last = is_last_of_its_cell(record);
        if (record.end && !old && !full) return; // what began later is looked at when this one goes
        if (!record.end || (last && !full)) {
            ++run;
            continue;
        }
        full = false;
        if (last) last_messages_.erase(record.cell);
        changed_.erase(run->first);
        run = runs_.erase(run);
    }
}

std::vector<RunRecord> RunLog::all(Time now) {
    forget(now);
    std::vector<RunRecord> records;
    for (const auto& [id, record] : runs_) records.push_back(record);
    return records;
}

std::vector<RunRecord> RunLog::take_changed() {
    std::vector<RunRecord> records;
    for (const std::uint64_t id : std::exchange(changed_, {})) records.push_back(runs_.at(id));
    return records;
}

} // namespace xinterp::kernel
