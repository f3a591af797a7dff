#include <xinterp/protocol/log.hpp>
#include <xinterp/protocol/wire.hpp>
#include <xinterp/python/visits.hpp>
#include <xinterp/services/panel.hpp>

#include <algorithm>
#include <format>
#include <utility>

namespace xinterp::kernel {
namespace {

using nlohmann::json;
using System = std::chrono::system_clock;

// How long a change may wait for others that come with it.
constexpr std::chrono::milliseconds gathering{5};

std::string session_of(const xeus::xmessage& request) { return text(request.header(), "session"); }

System::time_point system_time(std::chrono::steady_clock::time_point time) {
    const auto ago = std::chrono::steady_clock::now() - time;
    return System::now() - std::chrono::duration_cast<System::duration>(ago);
}

} // namespace

bool Panel::is_its(const xeus::xmessage& request) {
    return text(request.content(), "comm_id") == comm || text(request.content(), "target_name") == comm;
}

void Panel::received(const xeus::xmessage& request) {
    const std::string type = request.header().at("msg_type");
    server_.publish_status(request.header(), "busy");
    if (type == "comm_open") open(request);
    else if (type == "comm_msg") tell(request);
    else colour_sessions_.erase(session_of(request)); // it stays open for the others
    server_.publish_status(request.header(), "idle");
}

void Panel::open(const xeus::xmessage& request) {
    const std::string id = request.content().at("comm_id");
    if (id != comm) {
        log_warning(std::format("a comm was opened for '{0}' under the id '{1}': its id is '{0}' too.", comm, id));
        server_.publish(request.header(), "comm_close", json{{"comm_id", id}, {"data", json::object()}});
        return;
    }
    const json data = request.content().value("data", json::object());
    const json wanted = data.is_object() ? data.value("version", json{}) : json{};
    if (wanted != version) {
        send(request.header(),
             {{"type", "refusal"},
              {"session", session_of(request)},
              {"error", std::format("this kernel speaks version {} of the panel's protocol, not {}: install the "
                                    "extension that has come with it.",
                                    version, wanted.dump())}});
        return;
    }
    if (data.value("colours", json{}) == true) colour_sessions_.insert(session_of(request));
    watched_ = true;
    look();
    send_snapshot(request.header());
}

void Panel::tell(const xeus::xmessage& request) {
    const json data = request.content().value("data", json::object());
    const std::string type = text(data, "type"), id = text(data, "id");
    if (type == "snapshot") {
        look();
        send_snapshot(request.header());
    } else if (type == "command" && !id.empty()) {
        run(request, id, data.value("request", json::object()));
    } else if (type == "cancel") {
        if (const auto cancel = cancels_.extract(id)) cancel.mapped()();
    } else {
        log_warning("a message for the panel was dropped: " +
                    data.dump(-1, ' ', false, json::error_handler_t::replace));
    }
}

void Panel::run(const xeus::xmessage& request, const std::string& id, const json& command) {
    const auto answered = std::make_shared<bool>(false);
    const auto answer = [this, id, answered, parent = request.header()](json result) {
        *answered = true;
        cancels_.erase(id);
        result.erase("html");
        result["type"] = "result";
        result["id"] = id;
        look(); // what it has changed is known before
        send(parent, std::move(result));
    };
    const Client client{session_of(request), subshells_.of(request.header()).value_or(0)};
    auto cancel = commands_.run(command, Commands::Caller{client, 0, std::nullopt}, answer);
    if (cancel && !*answered) cancels_[id] = std::move(cancel);
}

// --- What is told

void Panel::send(const json& parent, json data) {
    data["time"] = seconds(System::now());
    server_.publish(parent, "comm_msg", json{{"comm_id", comm}, {"data", std::move(data)}});
}

void Panel::send_snapshot(const json& parent) {
    json interpreters = json::array(), runs = json::array();
    for (const auto& [id, row] : told_) interpreters.push_back(row.to_json(id));
    for (const RunRecord& record : runs_.all(System::now())) runs.push_back(to_json(record));
    send(parent, {{"type", "snapshot"},
                  {"version", version},
                  {"sequence", sequence_},
                  {"interpreters", std::move(interpreters)},
                  {"runs", std::move(runs)},
                  {"uses", told_uses_}});
}

json Panel::Row::to_json(InterpreterId id) const {
    json told = fixed;
    told["id"] = id;
    told["name"] = name.empty() ? json(nullptr) : json(name);
    told["label"] = label;
    told["colour"] = colour;
    told["state"] = state;
    told["run"] = run ? json(*run) : json(nullptr);
    told["asks"] = asks;
    told["queued"] = queued;
    told["cells"] = cells;
    if (!told.contains("memory")) told["memory"] = memory;
    return told;
}

Panel::Row Panel::row_of(const InterpreterInfo& info) {
    Row row;
    row.name = info.name;
    row.label = info.label();
    row.colour = colours_.of(info);
    const RunRecord* current = runs_.any_current(info.id);
    if (current != nullptr) row.run = current->id;
    const bool runs = info.state == python::State::running || current != nullptr;
    row.state = info.state == python::State::closing ? "closing"
                : router_.has_not_stopped(info.id)   ? "not stopping"
                : runs                               ? "running"
                                                     : "idle";
    row.asks = inputs_.asks(info.id);
    row.queued = router_.queued(info.id);
    row.cells = info.cells_run;
    row.memory = memory_[info.id];
    if (const auto told = told_.find(info.id); told != told_.end()) {
        row.fixed = told->second.fixed;
    } else {
        row.fixed = {{"preset", info.preset_label()},
                     {"gil", info.gil()},
                     {"created", seconds(system_time(info.created))},
                     {"origin", info.origin}};
        if (!info.own_gil) row.fixed["memory"] = nullptr;
    }
    return row;
}

Panel::Uses Panel::uses() const {
    Uses uses;
    for (auto& [client, targets] : router_.uses()) {
        const std::string key =
            client.subshell == 0 ? client.session : client.session + "/" + subshells_.id_of(client.subshell);
        uses.emplace(key, targets);
    }
    return uses;
}

// --- What is looked at

void Panel::look() {
    const std::vector<InterpreterInfo> infos = registry_.list();
    looked_ = Clock::now();
    look_at_visits(infos);
    look_at_memory(infos);

    json changed = json::array(), gone = json::array(), runs = json::array();
    std::set<InterpreterId> living;
    bool something_runs = false;
    for (const InterpreterInfo& info : infos) {
        living.insert(info.id);
        Row row = row_of(info);
        something_runs = something_runs || row.state != "idle";
        Row& told = told_[info.id];
        if (told == row) continue;
        told = std::move(row);
        changed.push_back(told.to_json(info.id));
    }
    for (auto told = told_.begin(); told != told_.end();) {
        if (living.contains(told->first)) {
            ++told;
            continue;
        }
        runs_.ended(told->first, "aborted", System::now());
        colours_.forget(told->first);
        memory_.erase(told->first);
        gone.push_back(told->first);
        told = told_.erase(told);
    }
    for (const RunRecord& record : runs_.take_changed()) runs.push_back(to_json(record));
    json event{{"type", "event"}};
    if (!changed.empty()) event["interpreters"] = std::move(changed);
    if (!gone.empty()) event["gone"] = std::move(gone);
    if (!runs.empty()) event["runs"] = std::move(runs);
    if (Uses now = uses(); now != told_uses_) {
        told_uses_ = std::move(now);
        event["uses"] = told_uses_;
    }
    if (event.size() > 1) {
        event["sequence"] = ++sequence_;
        send(json::object(), std::move(event));
    }
    look_at(looked_ + (something_runs ? interval : idle_interval));
}

void Panel::look_soon() {
    if (watched_) look_at(std::max(Clock::now() + gathering, looked_ + interval));
}

void Panel::look_at(Clock::time_point when) {
    if (next_look_ && next_look_->first <= when && next_look_->first > looked_) return;
    if (next_look_) server_.timers().cancel(*next_look_);
    next_look_ = server_.timers().after(when - Clock::now(), [this] { look(); });
}

void Panel::look_at_visits(const std::vector<InterpreterInfo>& infos) {
    for (const InterpreterInfo& info : infos) {
        const RunRecord* current = runs_.current(info.id);
        const bool visited = python::is_visited(info.id);
        if (visited && current == nullptr) {
            RunRecord record;
            record.interpreter = info.id;
            record.label = info.label();
            record.colour = colours_.of(info);
            record.kind = RunRecord::Kind::code;
            record.start = System::now();
            runs_.began(std::move(record));
        } else if (!visited && current != nullptr && current->kind == RunRecord::Kind::code) {
            runs_.ended(info.id, "ok", System::now());
        }
    }
}

void Panel::look_at_memory(const std::vector<InterpreterInfo>& infos) {
    const bool due = looked_ >= memory_read_ + memory_interval;
    if (due) memory_read_ = looked_;
    for (const InterpreterInfo& info : infos)
        if (info.own_gil && (due || !memory_.contains(info.id))) memory_[info.id] = backend_.memory(info.id);
}

// --- What the router tells

void Panel::lane_taken(const Cell& cell, const Cell::Run& run) {
    const auto info = registry_.get(run.target);
    if (!info) return;
    RunRecord record;
    record.interpreter = run.target;
    record.subshell = cell.lane_of(run).subshell;
    record.label = run.label;
    record.colour = colours_.of(*info);
    record.kind = cell.callback ? RunRecord::Kind::callback : RunRecord::Kind::cell;
    if (!cell.callback) record.count = cell.count;
    record.message = text(cell.request.header(), "msg_id");
    record.cell = text(cell.request.metadata(), "cellId");
    record.detached = cell.detached;
    record.start = System::now();
    runs_.began(std::move(record));
    look_soon();
}

void Panel::lane_left(const Cell& cell, const Cell::Run& run, const json& reply) {
    runs_.ended(cell.lane_of(run), reply.value("status", "ok"), System::now());
    memory_.erase(run.target); // %interp shows what it is now
    look_soon();
}

std::optional<std::string_view> Panel::colour_for(const std::string& session, InterpreterId interpreter) {
    const auto info = colour_sessions_.contains(session) ? registry_.get(interpreter) : std::nullopt;
    return info ? std::optional{colours_.of(*info)} : std::nullopt;
}

} // namespace xinterp::kernel
