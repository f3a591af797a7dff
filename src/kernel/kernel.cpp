#include <xinterp/kernel/kernel.hpp>
#include <xinterp/magics/command_line.hpp>
#include <xinterp/protocol/log.hpp>
#include <xinterp/python/visits.hpp>
#include <xinterp/services/questions.hpp>

#include <xeus-zmq/xzmq_context.hpp>
#include <xeus/xeus_context.hpp>
#include <xeus/xhelper.hpp>

#include <algorithm>
#include <array>
#include <format>
#include <iostream>
#include <utility>

namespace xinterp::kernel {

using nlohmann::json;

// A process runs before the thread that starts it can tell the kernel; how much before, depends on what else the
// machine does. After an interrupt its processes are looked up again.
constexpr std::array late_starts{std::chrono::milliseconds{50}, std::chrono::milliseconds{250},
                                 std::chrono::milliseconds{1000}};

static Channel channel_of(const Cell& cell) {
    return cell.client.subshell == control_subshell ? Channel::control : Channel::shell;
}

// xeus frames an execute request (busy, execute_input, reply, idle); everything else is answered by the kernel itself,
// because xeus answers it at once, or not at all, or (kernel_info) with another protocol version, or (comms) for one
// interpreter.
class Kernel::XeusInterpreter final : public xeus::xinterpreter {
public:
    explicit XeusInterpreter(Kernel& kernel) : kernel_{kernel} {}

private:
    void configure_impl() override {}

    void execute_request_impl(send_reply_callback callback, int count, const std::string&,
                              xeus::execute_request_config config, json) override {
        Cell& cell = *kernel_.beginning_;
        cell.count = config.silent ? count + 1 : count;
        cell.finish = std::move(callback);
    }

    json kernel_info_request_impl() override { return kernel_.kernel_info(); }
    json complete_request_impl(const std::string&, int) override { return json::object(); }
    json inspect_request_impl(const std::string&, int, int) override { return json::object(); }
    json is_complete_request_impl(const std::string&) override { return json::object(); }
    json shutdown_request_impl(bool) override { return json::object(); }
    json interrupt_request_impl() override { return json::object(); }

    Kernel& kernel_;
};

Kernel::Kernel(const xeus::xkernel_configuration& configuration, KernelInfo info, python::Registry& registry)
    : info_{std::move(info)}, configuration_{configuration}, registry_{registry},
      pipes_{outbox_, ProcessPipes::Watcher{[this](int descriptor, CellId cell) {
                                                outbox_.post(0, [this, descriptor, cell] {
                                                    server_->watch(descriptor,
                                                                   [this, descriptor] { pipes_.read(descriptor); });
                                                    if (router_->cell(cell) == nullptr) close_pipes_later(cell);
                                                });
                                            },
                                            [this](int descriptor) { server_->unwatch(descriptor); }}} {
    const auto build_server = [this](xeus::xcontext& context, const xeus::xconfiguration&, json::error_handler_t) {
        auto server = std::make_unique<Server>(context.get_wrapped_context<zmq::context_t>(), configuration_, outbox_);
        server_ = server.get();
        return server;
    };
    xeus_ = std::make_unique<xeus::xkernel>(xeus::xconfiguration{configuration}, xeus::get_user_name(),
                                            xeus::make_zmq_context(), std::make_unique<XeusInterpreter>(*this),
                                            build_server);
    server_->set_handler(*this);
    outputs_ = std::make_unique<CellOutputs>(*server_);
    inputs_ = std::make_unique<InputBroker>(*server_, *outputs_);
}

Kernel::~Kernel() = default;

void Kernel::set_backend(Backend& backend, std::function<void()> shut_down) {
    backend_ = &backend;
    shut_down_ = std::move(shut_down);
    interpreters_ = std::make_unique<Interpreters>(registry_, backend);
    router_ = std::make_unique<Router>(*interpreters_, backend, server_->timers(), static_cast<RouterFront&>(*this));
    commands_ = std::make_unique<Commands>(*interpreters_, *router_, backend, server_->timers());
    comms_ = std::make_unique<Comms>(*server_, *outputs_, *router_, registry_);
    debugger_ = std::make_unique<Debugger>(*server_, backend, registry_, history_);
    panel_ = std::make_unique<Panel>(*server_, registry_, *router_, *commands_, backend, *inputs_, subshells_);
    outputs_->colour_names([this](const std::string& session, InterpreterId interpreter) {
        return panel_->colour_for(session, interpreter);
    });
    interpreters_->on_closing([this](InterpreterId id, CellId cell) { comms_->interpreter_closes(id, cell); });
    history_file_ = std::make_unique<HistoryFile>(history_, backend, server_->timers(),
                                                  [this] { return router_->is_busy(python::main_interpreter); });
    python::set_visits_ended_hook([this](InterpreterId id) {
        if (commands_->some_wait_to_go()) outbox_.post(0, [this, id] { commands_->became_idle(id); });
    });
}

void Kernel::serve() {
    std::clog.setstate(std::ios_base::failbit); // xeus greets there, which a person would find above the first cell
    xeus_->start();
}

void Kernel::close() {
    if (debugger_) debugger_->end();
    xeus_.reset();
}

void Kernel::python_started(bool has_debugger) {
    outbox_.post(0, [this, has_debugger] {
        info_.debugger = has_debugger;
        for (const auto& [channel, request] : std::exchange(ask_for_info_, {})) answer_kernel_info(channel, request);
    });
}

void Kernel::stop() {
    outbox_.post(0, [this] { server_->stop(); });
}

void Kernel::request_shutdown() {
    outbox_.post(0, [this] { shut_down(); });
}

void Kernel::capture_process_output() {
    process_output_ = std::make_unique<ProcessOutput>(outbox_, [this] { return process_output_owner(); });
    process_output_->report_crashes();
    for (const int descriptor : process_output_->descriptors())
        server_->watch(descriptor, [this] { process_output_->drain(); });
}

void Kernel::run_began(Source source) {
    const std::scoped_lock lock{runs_mutex_};
    runs_.push_back(source);
    last_run_ = source;
}

void Kernel::run_ended(Source source) {
    const std::scoped_lock lock{runs_mutex_};
    std::erase_if(runs_,
                  [&](const Source& run) { return run.cell == source.cell && run.interpreter == source.interpreter; });
}

ProcessOutput::Owner Kernel::process_output_owner() const {
    const std::scoped_lock lock{runs_mutex_};
    if (runs_.size() == 1) return {runs_.front(), true};
    // [process] heads it already: no interpreter's prefix
    const CellId foreground = foreground_;
    return {Source{foreground != 0 ? foreground : last_run_.cell, -1}, false};
}

void Kernel::flush_processes(CellId cell) {
    std::fflush(nullptr);
    if (process_output_) process_output_->drain();
    pipes_.drain(cell);
}

// --- modules::FrontEnd
// ------------------------------------------------------------------------------------------------

void Kernel::write(Source source, Stream stream, std::string_view text) {
    pipes_.drain(source.cell);
    outbox_.write(source, stream, text);
}

void Kernel::publish(Source source, std::string type, json content, json metadata, std::vector<std::string> buffers) {
    pipes_.drain(source.cell);
    std::size_t bytes = size_of(content) + size_of(metadata);
    for (const std::string& buffer : buffers) bytes += buffer.size();
    auto send = [this, source, type = std::move(type), content = std::move(content), metadata = std::move(metadata),
                 buffers = std::move(buffers)]() mutable {
        if (const Cell* cell = type == "execute_result" ? router_->cell(source.cell) : nullptr) {
            const json text = content.value(json::json_pointer{"/data/text~1plain"}, json{});
            if (text.is_string()) history_.set_output(cell->count, text);
        }
        if (type.starts_with("comm_"))
            comms_->sent(source, type, std::move(content), std::move(metadata), std::move(buffers));
        else outputs_->publish(source, type, std::move(content), std::move(metadata), std::move(buffers));
    };
    outbox_.post(source.cell, std::move(send), bytes);
}

std::shared_ptr<modules::Answer> Kernel::ask_input(Source source, modules::InputRequest request) {
    auto answer = std::make_shared<modules::Answer>();
    pipes_.drain(source.cell);
    outbox_.post(source.cell, [this, source, request = std::move(request), answer] {
        const auto info = registry_.get(source.interpreter);
        const std::string label = source.interpreter == python::main_interpreter || !info ? "" : info->label();
        inputs_->ask(source, label, request, answer);
    });
    return answer;
}

void Kernel::withdraw_input(const std::shared_ptr<modules::Answer>& answer) {
    outbox_.post(0, [this, answer] { inputs_->withdraw(answer); });
}

std::shared_ptr<modules::Answer> Kernel::command(Source source, json request) {
    auto answer = std::make_shared<modules::Answer>();
    outbox_.post(source.cell, [this, source, request = std::move(request), answer] {
        const json name = request.is_object() ? request.value("command", json{}) : json{};
        if (name == "parent") {
            answer->give(parent_message(request.at("cell")));
            return;
        }
        if (name == "cell_of") {
            answer->give(outputs_->cell_of(request.at("header")));
            return;
        }
        if (name == "about") {
            json about = kernel_info();
            about.update({{"session", server_->session()}, {"connection_file", info_.connection_file}});
            answer->give(std::move(about));
            return;
        }
        if (name == "subshells") {
            const std::string own = subshell_id(outputs_->parent(source.cell));
            answer->give({{"own", own.empty() ? json(nullptr) : json(own)}, {"all", subshells_.ids()}});
            return;
        }
        if (name == "debugger") {
            debugger_->answer(source.interpreter, request, [answer](json result) { answer->give(std::move(result)); });
            return;
        }
        if (name == "history") {
            answer->give(history_file_->command(request));
            return;
        }
        const xeus::xrequest_context* context = outputs_->context(source.cell);
        Commands::Caller caller{context == nullptr ? Client{} : client_of(context->header()), source.cell,
                                source.interpreter, request.value("callers", std::vector<InterpreterId>{})};
        try {
            auto cancel = commands_->run(request, caller, [this, answer](json result) {
                command_cancels_.erase(answer);
                answer->give(std::move(result));
            });
            if (cancel) command_cancels_.emplace(answer, std::move(cancel));
        } catch (const std::exception& error) { // the caller must not wait for an answer that never comes
            answer->give({{"ok", false}, {"error", error.what()}});
        }
    });
    return answer;
}

void Kernel::withdraw_command(const std::shared_ptr<modules::Answer>& answer) {
    outbox_.post(0, [this, answer] {
        if (const auto cancel = command_cancels_.extract(answer)) cancel.mapped()();
        else if (const auto result = answer->wait_for(std::chrono::milliseconds{0})) commands_->undo(*result);
    });
}

int Kernel::process_pipe(Source source, Stream stream) {
    return ProcessOutput::is_in_place(stream) ? pipes_.write_end(source, stream) : -1;
}

int Kernel::worker_pipe(Source source, modules::PoolId pool, Stream stream) {
    return ProcessOutput::is_in_place(stream) ? pipes_.open_for_worker(source, pool, stream) : -1;
}

// --- RouterFront
// ------------------------------------------------------------------------------------------------------

void Kernel::begin(Cell& cell) {
    outputs_->begin(cell);
    if (cell.callback) {
        begin_callback(cell);
        return;
    }
    beginning_ = &cell;
    const bool counts = !cell.silent && cell.store_history;
    json content{{"code", cell.code},
                 {"silent", !counts},
                 {"store_history", false},
                 {"stop_on_error", false},
                 {"allow_stdin", cell.allow_stdin}};
    server_->pass_to_xeus(xeus::xmessage{cell.request.identities(),
                                         cell.request.header(),
                                         json::object(),
                                         cell.request.metadata(),
                                         std::move(content),
                                         {}});
    beginning_ = nullptr;
    name_cell(cell.id, cell.count);
    cell.finish = [this, finish = std::move(cell.finish), channel = channel_of(cell),
                   started = date(std::chrono::system_clock::now())](json reply) {
        server_->direct_reply(channel, {{"started", started}}); // front ends compute times from it
        finish(std::move(reply));
    };
    if (!cell.silent && !cell.store_history)
        server_->publish(cell.request.header(), "execute_input",
                         json{{"code", cell.code}, {"execution_count", cell.count}});
    if (CellId none = 0; cell.client.subshell != 0) foreground_.compare_exchange_strong(none, cell.id);
    else foreground_ = cell.id;
    if (cell.store_history) { // at once: the cell itself may look at it
        history_.add(cell.count, cell.code);
        history_file_->changed();
    }
}

void Kernel::begin_callback(Cell& cell) {
    server_->publish_status(cell.request.header(), "busy");
    cell.finish = [this, &cell](const json&) {
        comms_->ended(cell.id);
        server_->publish_status(cell.request.header(), "idle");
    };
}

// What Python code sees of the request that its cell, or callback, comes from. Of one that has ended, the header.
json Kernel::parent_message(CellId id) const {
    const Cell* cell = router_->cell(id);
    if (cell != nullptr && cell->callback) return cell->callback->parts;
    return {{"header", outputs_->parent(id)},
            {"metadata", cell == nullptr ? json::object() : cell->request.metadata()},
            {"content", cell == nullptr ? json::object() : cell->request.content()}};
}

void Kernel::abort(Cell& cell) {
    server_->publish_status(cell.request.header(), "busy");
    server_->reply(channel_of(cell), xeus::xrequest_context{cell.request.header(), cell.request.identities()},
                   "execute_reply", json{{"status", "aborted"}});
    server_->publish_status(cell.request.header(), "idle");
}

void Kernel::routed(const Cell& cell) {
    if (CellId own = cell.id; cell.detached && !cell.callback) foreground_.compare_exchange_strong(own, 0);
    outputs_->routed(cell);
}

void Kernel::flush(const Cell& cell, const Cell::Run* run) {
    outputs_->flush(cell.id, run == nullptr ? "" : run->label);
}

// A sentence of the kernel to the whole cell: under no target's prefix.
void Kernel::write(const Cell& cell, Stream stream, const std::string& text) {
    outputs_->write(Source{cell.id, -1}, stream, text);
}

void Kernel::show_error(const Cell& cell, const std::string& label, const json& reply) {
    if (!cell.silent) outputs_->show_error(cell.id, label, reply);
}

void Kernel::ended(const Cell& cell) {
    CellId own = cell.id;
    foreground_.compare_exchange_strong(own, 0);
    close_pipes_later(cell.id);
    outputs_->ended(cell);
}

std::function<void()> Kernel::find_processes(CellId cell, std::optional<InterpreterId> interpreter) {
    auto interrupt = std::make_shared<std::function<void()>>(processes_.find([=](const Source& source) {
        return source.cell == cell && (!interpreter || source.interpreter == *interpreter);
    }));
    return [this, interrupt = std::move(interrupt)] {
        (*interrupt)();
        for (const auto delay : late_starts) server_->timers().after(delay, [interrupt] { (*interrupt)(); });
    };
}

std::function<void()> Kernel::find_processes_in(InterpreterId interpreter) const {
    return processes_.find([this, interpreter](const Source& source) {
        return source.interpreter == interpreter && router_->cell(source.cell) != nullptr;
    });
}

void Kernel::close_pipes_later(CellId cell) {
    server_->timers().after(spawn_time, [this, cell] { pipes_.close_write_ends(cell); });
}

void Kernel::run_commands(Cell& cell, std::vector<std::string> lines, std::function<void(json)> done) {
    run_next_command(cell.id, std::make_shared<std::vector<std::string>>(std::move(lines)), 0, done);
}

void Kernel::run_next_command(CellId id, const std::shared_ptr<std::vector<std::string>>& lines, std::size_t index,
                              const std::function<void(json)>& done) {
    if (index == lines->size()) {
        done(json{{"status", "ok"}});
        return;
    }
    const auto fail = [this, id, done](const std::string& name, const std::string& message) {
        const json reply = error_reply(name, message);
        if (const Cell* cell = router_->cell(id)) show_error(*cell, "", reply);
        done(reply);
    };
    json request;
    try {
        request = parse_command_line(lines->at(index));
    } catch (const UsageError& error) {
        fail("UsageError", error.what());
        return;
    }
    Cell* cell = router_->find(id);
    const Commands::Caller caller{cell->client, id, std::nullopt};
    const auto go_on = [this, id, lines, index, done, fail](const json& result) {
        if (Cell* own = router_->find(id)) own->cancel = nullptr;
        if (!result.at("ok").get<bool>()) {
            fail("UsageError", result.at("error"));
            return;
        }
        const std::string text = result.at("text");
        if (result.contains("html"))
            outputs_->publish(Source{id, -1}, "display_data",
                              json{{"data", {{"text/plain", text}, {"text/html", result["html"]}}},
                                   {"metadata", json::object()},
                                   {"transient", json::object()}},
                              json::object(), {});
        else if (!text.empty()) outputs_->write(Source{id, -1}, Stream::out, text);
        run_next_command(id, lines, index + 1, done);
    };
    std::function<void()> cancel;
    try {
        cancel = commands_->run(request, caller, go_on);
    } catch (const std::exception& error) { // the system has given no memory, thread or descriptor for it
        fail("SystemError", error.what());
        return;
    }
    cell = router_->find(id); // it may have ended meanwhile
    if (cancel && cell != nullptr && !cell->ended)
        cell->cancel = [cancel = std::move(cancel), fail] {
            cancel();
            fail("KeyboardInterrupt", "");
        };
}

// --- ServerHandler
// ----------------------------------------------------------------------------------------------------

void Kernel::write_text(Outbox::Text text) { outputs_->write(text.source, text.stream, text.text); }

void Kernel::received(Channel channel, Received received) {
    const std::string where{channel_name(channel)};
    if (!received.message) {
        log_warning(std::format("a message on {} was dropped: {}.", where, received.problem));
        return;
    }
    xeus::xmessage message = std::move(*received.message);
    if (const auto problem = header_problem(message.header())) {
        log_warning(std::format("a message on {} was dropped: {}.", where, *problem));
        return;
    }
    if (channel == Channel::standard_input) {
        if (!received.problem.empty())
            log_warning(std::format("a message on {} was dropped: {}.", where, received.problem));
        else inputs_->reply(message);
        return;
    }
    const xeus::xrequest_context context{message.header(), message.identities()};
    const std::string type = message.header().at("msg_type");
    if (!received.problem.empty()) {
        refuse(channel, context, error_reply("BadRequest", type + ": " + received.problem + "."));
    } else if (const auto problem = request_problem(channel, message)) {
        refuse(channel, context, error_reply("BadRequest", *problem));
    } else {
        try {
            answer(channel, std::move(message), received.lone_surrogate);
        } catch (const std::exception& error) { // the system has given no memory, thread or descriptor for the answer
            refuse(channel, context, error_reply("SystemError", type + " could not be answered: " + error.what()));
        }
    }
}

// An execute request fails in sight of the person: front ends show what is published, not what a reply says.
void Kernel::refuse(Channel channel, const xeus::xrequest_context& request, json content) {
    const std::string type = reply_type(request.header().at("msg_type"));
    log_warning(std::format("a message on {} was refused: {}", channel_name(channel), text(content, "evalue")));
    server_->publish_status(request.header(), "busy");
    if (type == "execute_reply") {
        server_->publish(
            request.header(), "error",
            {{"ename", content["ename"]}, {"evalue", content["evalue"]}, {"traceback", content["traceback"]}});
        content["execution_count"] = 0;
    }
    if (!type.empty()) server_->reply(channel, request, type, std::move(content));
    server_->publish_status(request.header(), "idle");
}

void Kernel::answer(Channel channel, xeus::xmessage request, const std::string& lone_surrogate) {
    const std::string type = request.header().at("msg_type");
    if (type == "execute_request") {
        execute(channel, std::move(request), lone_surrogate);
        return;
    }
    if (type.starts_with("comm_")) {
        if (Panel::is_its(request)) {
            panel_->received(request);
            show_busy_again();
        } else {
            comms_->received(channel, std::move(request));
        }
        return;
    }
    if (type == "complete_request" || type == "inspect_request" || type == "is_complete_request") {
        ask(channel, request);
        return;
    }
    const xeus::xrequest_context context{request.header(), request.identities()};
    server_->publish_status(request.header(), "busy");
    if (type.ends_with("_subshell_request")) {
        answer_about_subshells(context, request.content());
        return;
    }
    if (type == "debug_request") {
        debugger_->request(request, [this, context](json content) {
            server_->reply(Channel::control, context, "debug_reply", std::move(content));
            server_->publish_status(context.header(), "idle");
            show_busy_again();
        });
        return;
    }
    if (type == "history_request") {
        history_file_->answer(request.content(), Questions::patience, [this, channel, context](json content) {
            server_->reply(channel, context, "history_reply", std::move(content));
            server_->publish_status(context.header(), "idle");
        });
        return;
    }
    if (type == "kernel_info_request") {
        if (info_.debugger) answer_kernel_info(channel, context);
        else ask_for_info_.emplace_back(channel, context);
        return;
    }
    json content{{"status", "ok"}};
    if (type == "connect_request") {
        const auto port = [](const std::string& text) { return text.empty() ? 0 : std::stoi(text); };
        content["shell_port"] = port(configuration_.m_shell_port);
        content["iopub_port"] = port(configuration_.m_iopub_port);
        content["stdin_port"] = port(configuration_.m_stdin_port);
        content["control_port"] = port(configuration_.m_control_port);
        content["hb_port"] = port(configuration_.m_hb_port);
    } else if (type == "interrupt_request") {
        content = interrupt(request);
    } else if (type == "shutdown_request") {
        content["restart"] = request.content().value("restart", false);
        server_->publish(request.header(), "shutdown_reply", content);
    }
    server_->reply(channel, context, reply_type(type), std::move(content));
    server_->publish_status(request.header(), "idle");
    if (type == "shutdown_request") shut_down();
}

void Kernel::answer_kernel_info(Channel channel, const xeus::xrequest_context& request) {
    server_->reply(channel, request, "kernel_info_reply", kernel_info());
    server_->publish_status(request.header(), "idle");
    show_busy_again();
}

json Kernel::kernel_info() const {
    const bool has_debugger = info_.debugger.value_or(false);
    json features = json::array({Subshells::feature});
    if (has_debugger) features.push_back("debugger");
    const auto link = [](const char* text, const std::string& url) { return json{{"text", text}, {"url", url}}; };
    const std::string python = text(info_.language, "version");
    const json links =
        json::array({link("Python Reference", "https://docs.python.org/" + python.substr(0, python.rfind('.'))),
                     link("IPython Reference", "https://ipython.org/documentation.html"),
                     link("NumPy Reference", "https://docs.scipy.org/doc/numpy/reference/"),
                     link("SciPy Reference", "https://docs.scipy.org/doc/scipy/reference/"),
                     link("Matplotlib Reference", "https://matplotlib.org/contents.html"),
                     link("SymPy Reference", "http://docs.sympy.org/latest/index.html"),
                     link("pandas Reference", "https://pandas.pydata.org/pandas-docs/stable/")});
    return {{"status", "ok"},
            {"protocol_version", protocol_version},
            {"implementation", "xinterp"},
            {"implementation_version", info_.version},
            {"language_info", info_.language},
            {"banner", info_.banner},
            {"help_links", links},
            {"supported_features", features},
            {"debugger", has_debugger}}; // the name that it had before protocol 5.5
}

// Front ends have one light for the kernel, which shows the last status that came.
void Kernel::show_busy_again() {
    if (const Cell* cell = router_->some_cell()) server_->publish_status(cell->request.header(), "busy");
}

void Kernel::shut_down() {
    if (std::exchange(shutting_down_, true)) return;
    server_->timers().after(shutdown_grace, [this] {
        if (!cells_have_ended_) server_->stop();
    });
    server_->timers().after(exit_handlers_grace, [this] { server_->stop(); });
    router_->wait_for_no_rest();
    history_file_->end();
    shut_down_();
}

} // namespace xinterp::kernel
