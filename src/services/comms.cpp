#include <xinterp/protocol/log.hpp>
#include <xinterp/protocol/wire.hpp>
#include <xinterp/services/comms.hpp>

#include <algorithm>
#include <format>
#include <utility>

namespace xinterp::kernel {
namespace {

using nlohmann::json;

constexpr std::string_view widget_target = "jupyter.widget";
constexpr std::string_view widget_control_target = "jupyter.widget.control";

const json& data_of(const json& content) {
    static const json none = json::object();
    const auto found = content.find("data");
    return found != content.end() && found->is_object() ? *found : none;
}

std::vector<std::string> strings(const xeus::buffer_sequence& buffers) {
    std::vector<std::string> copies;
    for (const xeus::binary_buffer& buffer : buffers) copies.emplace_back(buffer.begin(), buffer.end());
    return copies;
}

} // namespace

void Comms::received(Channel channel, xeus::xmessage request) {
    const std::string type = request.header().at("msg_type");
    if (type == "comm_info_request") {
        const std::string target = text(request.content(), "target_name");
        server_.publish_status(request.header(), "busy");
        server_.reply(channel, xeus::xrequest_context{request.header(), request.identities()}, "comm_info_reply",
                      json{{"status", "ok"},
                           {"comms", comms_.info(target.empty() ? std::nullopt : std::optional<std::string>{target})}});
        server_.publish_status(request.header(), "idle");
    } else if (type == "comm_open") {
        open(std::move(request));
    } else {
        deliver(std::move(request));
    }
}

void Comms::open(xeus::xmessage request) {
    const json& content = request.content();
    const std::string id = content.at("comm_id"), target = content.at("target_name");
    const std::vector<InterpreterId> owners = comms_.registered(target);
    if (owners.empty()) {
        if (target == widget_control_target) expected_ = id;
        else
            log_warning(
                std::format("a comm was opened for '{}', a target that no interpreter has registered.", target));
        server_.publish_status(request.header(), "busy");
        server_.publish(request.header(), "comm_close", json{{"comm_id", id}, {"data", json::object()}});
        server_.publish_status(request.header(), "idle");
        return;
    }
    comms_.open(id, target, owners);
    if (target == widget_target) widgets_.update(id, data_of(content), strings(request.buffers()));
    call(std::move(request), owners);
}

void Comms::deliver(xeus::xmessage request) {
    const json& content = request.content();
    const std::string id = content.at("comm_id");
    const CommRegistry::Comm* comm = comms_.find(id);
    if (comm == nullptr) {
        const std::string type = request.header().at("msg_type");
        if (id != expected_) log_warning(std::format("a {} came for a comm that nobody has: '{}'.", type, id));
        server_.publish_status(request.header(), "busy");
        server_.publish_status(request.header(), "idle");
        return;
    }
    const std::vector<InterpreterId> owners = comm->owners;
    if (request.header().at("msg_type") == "comm_close") {
        comms_.close(id);
        widgets_.forget(id);
    } else if (comm->target == widget_target && text(data_of(content), "method") == "update") {
        widgets_.update(id, data_of(content), strings(request.buffers()));
    } else if (comm->target == widget_control_target && text(data_of(content), "method") == "request_states") {
        const CellId cell = router_.next_cell();
        gatherings_.emplace(cell, Gathering{id, {owners.begin(), owners.end()}, {}, false});
        server_.timers().after(states_patience, [this, cell] {
            if (const auto found = gatherings_.find(cell); found != gatherings_.end()) tell(cell, found->second);
        });
    }
    call(std::move(request), owners);
}

void Comms::call(xeus::xmessage request, const std::vector<InterpreterId>& owners) {
    std::vector<InterpreterInfo> targets;
    for (const InterpreterId owner : owners)
        if (const auto info = registry_.get(owner)) targets.push_back(*info);
    xeus::xmessage bare{request.identities(), request.header(), json::object(), json::object(), json::object(), {}};
    auto message = std::make_shared<modules::CommMessage>();
    message->parts = {{"header", request.header()},
                      {"parent_header", request.parent_header()},
                      {"metadata", request.metadata()},
                      {"content", request.content()}};
    message->buffers = std::move(request).buffers();
    router_.call(std::move(bare), targets, std::move(message));
}

void Comms::sent(Source source, const std::string& type, json content, json metadata,
                 std::vector<std::string> buffers) {
    const InterpreterId interpreter = source.interpreter;
    if (closed_.contains(interpreter)) return; // its last words: front ends know that its comms are closed
    const std::string id = text(content, "comm_id"), target = text(content, "target_name");
    if (type == "comm_target") {
        if (content.value("registered", false)) comms_.add_target(target, interpreter);
        else comms_.remove_target(target, interpreter);
        return;
    }
    if (type == "comm_join") {
        comms_.join(id, target, interpreter);
        return;
    }
    if (type == "comm_open") {
        comms_.open(id, target, {interpreter});
        if (target == widget_target) widgets_.update(id, data_of(content), buffers);
    } else if (type == "comm_close") {
        if (!comms_.leave(id, interpreter)) return;
        widgets_.forget(id);
    } else {
        if (gathers(source, content, buffers)) return;
        const CommRegistry::Comm* comm = comms_.find(id);
        if (comm != nullptr && comm->target == widget_target && text(data_of(content), "method") == "update")
            widgets_.update(id, data_of(content), buffers);
    }
    publish(source.cell, type, std::move(content), std::move(metadata), std::move(buffers));
}

bool Comms::gathers(Source source, const json& content, std::vector<std::string>& buffers) {
    const auto found = gatherings_.find(source.cell);
    // On whichever of its control comms: ipywidgets answers on the last that was opened, for all pages.
    if (found == gatherings_.end() || text(data_of(content), "method") != "update_states") return false;
    Gathering& gathering = found->second;
    if (!gathering.told && gathering.missing.erase(source.interpreter) != 0)
        gathering.states.add(data_of(content), std::move(buffers));
    if (gathering.missing.empty()) tell(found->first, gathering);
    return true;
}

// A front end takes the first answer and no other.
void Comms::tell(CellId cell, Gathering& gathering) {
    if (std::exchange(gathering.told, true)) return;
    for (const auto& [id, comm] : comms_.all())
        if (comm.target == widget_target &&
            std::ranges::any_of(comm.owners, [&](InterpreterId owner) { return gathering.missing.contains(owner); }))
            widgets_.add_to(gathering.states, id);
    publish(cell, "comm_msg", json{{"comm_id", gathering.comm}, {"data", gathering.states.data()}}, json::object(),
            std::move(gathering.states.buffers));
    gathering.states = {};
}

void Comms::ended(CellId cell) {
    const auto found = gatherings_.find(cell);
    if (found == gatherings_.end()) return;
    tell(cell, found->second);
    gatherings_.erase(found);
}

void Comms::interpreter_closes(InterpreterId interpreter, CellId cell) {
    closed_.insert(interpreter);
    for (const std::string& id : comms_.forget(interpreter)) {
        widgets_.forget(id);
        publish(cell, "comm_close", json{{"comm_id", id}, {"data", json::object()}}, json::object(), {});
    }
}

void Comms::publish(CellId cell, const std::string& type, json content, json metadata,
                    std::vector<std::string> buffers) {
    server_.publish(outputs_.parent(cell), type, std::move(content), std::move(metadata), std::move(buffers));
}

} // namespace xinterp::kernel
