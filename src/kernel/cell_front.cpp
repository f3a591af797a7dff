#include <xinterp/kernel/cell_front.hpp>
#include <xinterp/magics/command_line.hpp>
#include <xinterp/routing/crash_report.hpp>

#include <array>
#include <chrono>
#include <utility>

namespace xinterp::kernel {
namespace {

using nlohmann::json;

// A process runs before the thread that starts it can tell the kernel; how much before, depends on what else the
// machine does. After an interrupt its processes are looked up again.
constexpr std::array late_starts{std::chrono::milliseconds{50}, std::chrono::milliseconds{250},
                                 std::chrono::milliseconds{1000}};

Channel channel_of(const Cell& cell) {
    return cell.client.subshell == control_subshell ? Channel::control : Channel::shell;
}

} // namespace

void CellFront::begin(Cell& cell) {
    parts_.outputs->begin(cell);
    if (cell.callback) {
        begin_callback(cell);
        return;
    }
    parts_.beginning = &cell;
    const bool counts = !cell.silent && cell.store_history;
    json content{{"code", cell.code},
                 {"silent", !counts},
                 {"store_history", false},
                 {"stop_on_error", false},
                 {"allow_stdin", cell.allow_stdin}};
    parts_.server->pass_to_xeus(xeus::xmessage{cell.request.identities(),
                                               cell.request.header(),
                                               json::object(),
                                               cell.request.metadata(),
                                               std::move(content),
                                               {}});
    parts_.beginning = nullptr;
    name_cell(cell.id, cell.count);
    cell.finish = [this, finish = std::move(cell.finish), channel = channel_of(cell),
                   started = date(std::chrono::system_clock::now())](json reply) {
        parts_.server->direct_reply(channel, {{"started", started}}); // front ends compute times from it
        finish(std::move(reply));
    };
    if (!cell.silent && !cell.store_history)
        parts_.server->publish(cell.request.header(), "execute_input",
                               json{{"code", cell.code}, {"execution_count", cell.count}});
    if (cell.client.subshell != 0) runs_.offer_foreground(cell.id);
    else runs_.set_foreground(cell.id);
    if (cell.store_history) { // at once: the cell itself may look at it
        parts_.history.add(cell.count, cell.code);
        parts_.history_file->changed();
    }
}

void CellFront::begin_callback(Cell& cell) {
    parts_.server->publish_status(cell.request.header(), "busy");
    cell.finish = [this, &cell](const json&) {
        parts_.comms->ended(cell.id);
        parts_.server->publish_status(cell.request.header(), "idle");
    };
}

void CellFront::abort(Cell& cell) {
    parts_.server->publish_status(cell.request.header(), "busy");
    parts_.server->reply(channel_of(cell), xeus::xrequest_context{cell.request.header(), cell.request.identities()},
                         "execute_reply", json{{"status", "aborted"}});
    parts_.server->publish_status(cell.request.header(), "idle");
}

void CellFront::routed(const Cell& cell) {
    if (cell.detached && !cell.callback) runs_.leave_foreground(cell.id);
    parts_.outputs->routed(cell);
}

void CellFront::flush(const Cell& cell, const Cell::Run* run) {
    parts_.outputs->flush(cell.id, run == nullptr ? "" : run->label);
}

void CellFront::show_error(const Cell& cell, const std::string& label, const json& reply) {
    if (!cell.silent) parts_.outputs->show_error(cell.id, label, reply);
}

void CellFront::ended(const Cell& cell) {
    runs_.leave_foreground(cell.id);
    parts_.close_pipes_later(cell.id);
    parts_.outputs->ended(cell);
}

std::function<void()> CellFront::find_processes(CellId cell, std::optional<InterpreterId> interpreter) {
    auto interrupt = std::make_shared<std::function<void()>>(parts_.processes.find([=](const Source& source) {
        return source.cell == cell && (!interpreter || source.interpreter == *interpreter);
    }));
    return [this, interrupt = std::move(interrupt)] {
        (*interrupt)();
        for (const auto delay : late_starts) parts_.server->timers().after(delay, [interrupt] { (*interrupt)(); });
    };
}

void CellFront::run_commands(Cell& cell, std::vector<std::string> lines, std::function<void(json)> done) {
    run_next_command(cell.id, std::make_shared<std::vector<std::string>>(std::move(lines)), 0, done);
}

void CellFront::run_next_command(CellId id, const std::shared_ptr<std::vector<std::string>>& lines, std::size_t index,
                                 const std::function<void(json)>& done) {
    if (index == lines->size()) {
        done(json{{"status", "ok"}});
        return;
    }
    const auto fail = [this, id, done](const std::string& name, const std::string& message) {
        const json reply = error_reply(name, message);
        if (const Cell* cell = parts_.router->cell(id)) show_error(*cell, "", reply);
        done(reply);
    };
    json request;
    try {
        request = parse_command_line(lines->at(index));
    } catch (const UsageError& error) {
        fail("UsageError", error.what());
        return;
    }
    Cell* cell = parts_.router->find(id);
    const Commands::Caller caller{cell->client, id, std::nullopt};
    const auto go_on = [this, id, lines, index, done, fail](const json& result) {
        if (Cell* own = parts_.router->find(id)) own->cancel = nullptr;
        if (!result.at("ok").get<bool>()) {
            fail("UsageError", result.at("error"));
            return;
        }
        const std::string text = result.at("text");
        if (result.contains("html"))
            parts_.outputs->publish(Source{id, -1}, "display_data",
                                    json{{"data", {{"text/plain", text}, {"text/html", result["html"]}}},
                                         {"metadata", json::object()},
                                         {"transient", json::object()}},
                                    json::object(), {});
        else if (!text.empty()) parts_.outputs->write(Source{id, -1}, Stream::out, text);
        run_next_command(id, lines, index + 1, done);
    };
    std::function<void()> cancel;
    try {
        cancel = parts_.commands->run(request, caller, go_on);
    } catch (const std::exception& error) { // the system has given no memory, thread or descriptor for it
        fail("SystemError", error.what());
        return;
    }
    cell = parts_.router->find(id); // it may have ended meanwhile
    if (cancel && cell != nullptr && !cell->ended)
        cell->cancel = [cancel = std::move(cancel), fail] {
            cancel();
            fail("KeyboardInterrupt", "");
        };
}

// A sentence of the kernel to the whole cell: under no target's prefix.
void CellFront::write(const Cell& cell, Stream stream, const std::string& text) {
    parts_.outputs->write(Source{cell.id, -1}, stream, text);
}

void CellFront::lane_taken(const Cell& cell, const Cell::Run& run) {
    name_interpreter(run.target, run.label);
    parts_.debugger->before_run(run.target);
    parts_.panel->lane_taken(cell, run);
}

void CellFront::lane_left(const Cell& cell, const Cell::Run& run, const json& reply) {
    parts_.panel->lane_left(cell, run, reply);
}

void CellFront::became_idle(InterpreterId interpreter) {
    parts_.commands->became_idle(interpreter);
    if (interpreter == python::main_interpreter) parts_.history_file->main_became_idle();
}

} // namespace xinterp::kernel
