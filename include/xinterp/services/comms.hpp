// include/xinterp/services/comms.hpp: comm messages between front ends and the interpreters whose code they call. I/O
// thread only; who has which comm is known here, so that no GIL is needed to answer or to route.
//
// A message calls code of its interpreter as a detached cell of its own does: between cells, in order, to be stopped as
// they are; what that prints has the message for its parent.
#pragma once

#include <xinterp/protocol/server.hpp>
#include <xinterp/routing/cell_outputs.hpp>
#include <xinterp/routing/router.hpp>
#include <xinterp/services/comm_registry.hpp>
#include <xinterp/services/widget_states.hpp>

#include <map>
#include <set>
#include <string>
#include <vector>

namespace xinterp::kernel {

class Comms {
public:
    /// How long a page that is loaded again waits for interpreters that are busy: theirs are the states that they have
    /// told before. (ipywidgets' front end waits for 4 s, and then for ever.)
    static constexpr std::chrono::milliseconds states_patience{500};

    Comms(Server& server, CellOutputs& outputs, Router& router, const python::Registry& registry)
        : server_{server}, outputs_{outputs}, router_{router}, registry_{registry} {}

    /// comm_open, comm_msg, comm_close and comm_info_request, validated.
    void received(Channel channel, xeus::xmessage request);
    /// What an interpreter's `comm` package sends: comm_open, comm_msg, comm_close for front ends; "comm_target"
    /// {"target_name", "registered"} and "comm_join" {"comm_id", "target_name"} for this kernel alone.
    void sent(Source source, const std::string& type, nlohmann::json content, nlohmann::json metadata,
              std::vector<std::string> buffers);
    /// Its comms are closed for front ends, as part of that cell.
    void interpreter_closes(InterpreterId interpreter, CellId cell);
    /// The code that a message called has ended everywhere; idle is next.
    void ended(CellId cell);

private:
    /// Answers to one `request_states`, until all have come or the time is up.
    struct Gathering {
        std::string comm;
        std::set<InterpreterId> missing;
        MergedStates states;
        bool told = false;
    };

    void call(xeus::xmessage request, const std::vector<InterpreterId>& owners);
    void open(xeus::xmessage request);
    void deliver(xeus::xmessage request);
    bool gathers(Source source, const nlohmann::json& content, std::vector<std::string>& buffers);
    void tell(CellId cell, Gathering& gathering);
    void publish(CellId cell, const std::string& type, nlohmann::json content, nlohmann::json metadata,
                 std::vector<std::string> buffers);

    Server& server_;
    CellOutputs& outputs_;
    Router& router_;
    const python::Registry& registry_;
    CommRegistry comms_;
    WidgetStates widgets_;
    std::map<CellId, Gathering> gatherings_;
    std::set<InterpreterId> closed_;
    std::string expected_; ///< a comm that a page tries on every kernel: no news for the log
};

} // namespace xinterp::kernel
