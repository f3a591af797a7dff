// include/xinterp/services/panel.hpp: what front ends see and do of the interpreters, over one comm that the kernel
// itself has (docs/panel-protocol.md). I/O thread only; no GIL is needed to answer or to tell.
//
// Not everything that changes tells of it (code of one interpreter that enters another, memory): while somebody
// watches, it is looked at in intervals, and what differs from what was told is told.
#pragma once

#include <xinterp/commands/commands.hpp>
#include <xinterp/magics/colours.hpp>
#include <xinterp/protocol/server.hpp>
#include <xinterp/routing/input_broker.hpp>
#include <xinterp/routing/router.hpp>
#include <xinterp/routing/run_log.hpp>
#include <xinterp/routing/subshells.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace xinterp::kernel {

class Panel {
public:
    /// Of the comm: its target and its id, the same for all front ends.
    static constexpr std::string_view comm = "xinterp.panel";
    static constexpr int version = 1;
    /// Between two looks while something runs, and between two events.
    static constexpr std::chrono::milliseconds interval{50};
    /// Between two looks while nothing runs.
    static constexpr std::chrono::milliseconds idle_interval{150};
    /// Between two looks at the memory.
    static constexpr std::chrono::seconds memory_interval{1};

    Panel(Server& server, const python::Registry& registry, const Router& router, Commands& commands, Backend& backend,
          const InputBroker& inputs, const Subshells& subshells)
        : server_{server}, registry_{registry}, router_{router}, commands_{commands}, backend_{backend},
          inputs_{inputs}, subshells_{subshells} {}

    /// Whether a comm message is for the panel.
    static bool is_its(const xeus::xmessage& request);
    /// comm_open, comm_msg, comm_close for it, validated.
    void received(const xeus::xmessage& request);

    // What the router tells.
    void lane_taken(const Cell& cell, const Cell::Run& run);
    void lane_left(const Cell& cell, const Cell::Run& run, const nlohmann::json& reply);

    /// How the names before the output of that client's cells are shown: coloured, if the client has said that it can.
    std::optional<std::string_view> colour_for(const std::string& session, InterpreterId interpreter);

private:
    using Clock = Timers::Clock;
    /// What an interpreter's row has been told to be.
    struct Row {
        std::string name, label, state;
        std::string_view colour;
        std::optional<std::uint64_t> run;
        bool asks = false;
        std::size_t queued = 0;
        std::uint64_t cells = 0;
        std::size_t memory = 0;
        nlohmann::json fixed; ///< what never changes
        bool operator==(const Row&) const = default;
        nlohmann::json to_json(InterpreterId id) const;
    };
    /// By client: its session, and after a slash the id of its subshell if it uses one.
    using Uses = std::map<std::string, std::vector<InterpreterId>>;

    void look();
    void look_soon();
    void look_at(Clock::time_point when);
    void look_at_visits(const std::vector<InterpreterInfo>& infos);
    void look_at_memory(const std::vector<InterpreterInfo>& infos);
    Row row_of(const InterpreterInfo& info);
    Uses uses() const;
    void open(const xeus::xmessage& request);
    void tell(const xeus::xmessage& request);
    void run(const xeus::xmessage& request, const std::string& id, const nlohmann::json& command);
    void send_snapshot(const nlohmann::json& parent);
    void send(const nlohmann::json& parent, nlohmann::json data);

    Server& server_;
    const python::Registry& registry_;
    const Router& router_;
    Commands& commands_;
    Backend& backend_;
    const InputBroker& inputs_;
    const Subshells& subshells_;

    bool watched_ = false;
    std::set<std::string> colour_sessions_;
    std::uint64_t sequence_ = 0;
    Colours colours_;
    RunLog runs_;
    std::map<InterpreterId, Row> told_;
    Uses told_uses_;
    std::map<InterpreterId, std::size_t> memory_;
    Clock::time_point memory_read_{};
    Clock::time_point looked_{};
    std::optional<Timers::Handle> next_look_;
    std::map<std::string, std::function<void()>> cancels_; ///< of commands that wait, by their ids
};

} // namespace xinterp::kernel
