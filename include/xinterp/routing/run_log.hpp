// include/xinterp/routing/run_log.hpp: what ran where in the last minutes. I/O thread only; no sockets, no Python.
#pragma once

#include <xinterp/routing/backend.hpp>

#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace xinterp::kernel {

/// One interpreter's part of a cell, or another stretch of time in which code ran there.
struct RunRecord {
    using Time = std::chrono::system_clock::time_point;
    enum class Kind {
        cell,
        callback, ///< of a comm
        code,     ///< that a thread of another interpreter runs there
    };

    std::uint64_t id = 0; ///< RunLog's
    InterpreterId interpreter = 0;
    SubshellNumber subshell = 0; ///< whose lane it runs in; 0: the interpreter's own
    std::string label;           ///< of the interpreter, which may be gone
    std::string_view colour;     ///< static
    Kind kind = Kind::cell;
    std::optional<int> count; ///< its In [n]
    std::string message;      ///< the msg_id of its request; empty: none
    std::string cell;         ///< the id that the front end has given its cell; empty: none
    bool detached = false;
    Time start{};
    std::optional<Time> end;
    std::string status; ///< of one that has ended: ok, error, aborted
};

/// As docs/panel-protocol.md has it.
nlohmann::json to_json(const RunRecord& record);
/// Seconds since 1970, to the millisecond.
double seconds(RunRecord::Time time);

class RunLog {
public:
    using Time = RunRecord::Time;
    static constexpr std::chrono::minutes memory{10};
    static constexpr std::size_t most = 1000;

    /// It is what that lane runs now.
    void began(RunRecord record);
    /// What that lane runs has ended. Nothing, if nothing runs there.
    void ended(LaneId lane, std::string status, Time now);
    /// What runs there, or null.
    const RunRecord* current(LaneId lane) const;
    /// What runs in the interpreter: in its own lane, or in that of its first subshell that runs something.
    const RunRecord* any_current(InterpreterId interpreter) const;
    /// In the order in which they began, without those that ended too long ago. The last one of each cell stays: where
    /// a cell ran is shown as long as the cell is there.
    std::vector<RunRecord> all(Time now);
    /// Those that have begun or ended since the last call.
    std::vector<RunRecord> take_changed();

private:
    void forget(Time now);
    bool is_last_of_its_cell(const RunRecord& record) const;

    std::map<std::uint64_t, RunRecord> runs_;
    std::map<LaneId, std::uint64_t> current_;
    std::set<std::uint64_t> changed_;
    std::map<std::string, std::string> last_messages_; ///< of each cell with runs, by its id
    std::uint64_t last_ = 0;
};

} // namespace xinterp::kernel
