// include/xinterp/services/history_file.hpp: IPython's history file, through main. I/O thread only.
//
// One SQLite library may have a file open in a process: closing it in a second one would drop the first one's locks. It
// is Python's own, and main writes (src/shell/_xinterp_shell/history.py), when it has nothing else to do.
#pragma once

#include <xinterp/protocol/timers.hpp>
#include <xinterp/routing/backend.hpp>
#include <xinterp/services/history.hpp>

#include <chrono>
#include <functional>
#include <optional>
#include <string>

namespace xinterp::kernel {

class HistoryFile {
public:
    /// How long main must have been idle before it writes; the first time it imports sqlite3.
    static constexpr std::chrono::milliseconds idle_time{1500};
    /// Until it is tried again when somebody else has the file locked.
    static constexpr std::chrono::seconds lock_pause{2};
    /// How long an answer may take once main works on it: a long file on a slow disk.
    static constexpr std::chrono::seconds reading_time{10};

    HistoryFile(History& history, Backend& backend, Timers& timers, std::function<bool()> main_is_busy);

    /// There is a new entry.
    void changed() { write_after(idle_time); }
    /// Main has run a cell and has none waiting.
    void main_became_idle();
    /// The content of a history_request to that of its reply: of this session alone if main is busy for longer than
    /// `patience`.
    void answer(const nlohmann::json& request, std::chrono::milliseconds patience, Backend::Reply reply);
    /// What IPython's history manager in some interpreter asks for: {"ok", "session", "entries"}; or it tells what
    /// IPython has made of a cell ("line", "transformed").
    nlohmann::json command(const nlohmann::json& request);
    /// The kernel ends: the rest is written and the session closed.
    void end();

private:
    void write_after(std::chrono::milliseconds time);
    void write();
    void written(std::size_t count, const nlohmann::json& result);
    void complain(const nlohmann::json& result);
    nlohmann::json request() const;

    History& history_;
    Backend& backend_;
    Timers& timers_;
    std::function<bool()> main_is_busy_;
    std::size_t written_ = 0;               ///< so many of the history's entries are in the file
    std::size_t changed_ = 0;               ///< and so many still are as they were when the last write began
    nlohmann::json session_;                ///< its row in the file: {"number", null until it is known; "started"}
    std::optional<Timers::Handle> waiting_; ///< for the time to write
    bool writing_ = false;
    bool wants_to_write_ = false; ///< when main is idle
    bool useless_ = false;        ///< the file cannot be written
    bool ended_ = false;
    std::string last_problem_;
};

} // namespace xinterp::kernel
