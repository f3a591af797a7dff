#include <xinterp/kernel/parts.hpp>
#include <xinterp/python/visits.hpp>

#include <xeus-zmq/xzmq_context.hpp>
#include <xeus/xeus_context.hpp>
#include <xeus/xhelper.hpp>

#include <utility>

namespace xinterp::kernel {
namespace {

using nlohmann::json;

// xeus frames an execute request (busy, execute_input, reply, idle); everything else is answered by the kernel itself,
// because xeus answers it at once, or not at all, or (kernel_info) with another protocol version, or (comms) for one
// interpreter.
class XeusInterpreter final : public xeus::xinterpreter {
public:
    explicit XeusInterpreter(Parts& parts) : parts_{parts} {}

private:
    void configure_impl() override {}

    void execute_request_impl(send_reply_callback callback, int count, const std::string&,
                              xeus::execute_request_config config, json) override {
        Cell& cell = *parts_.beginning;
        cell.count = config.silent ? count + 1 : count;
        cell.finish = std::move(callback);
    }

    json kernel_info_request_impl() override { return kernel_info_content(parts_.info); }
    json complete_request_impl(const std::string&, int) override { return json::object(); }
    json inspect_request_impl(const std::string&, int, int) override { return json::object(); }
    json is_complete_request_impl(const std::string&) override { return json::object(); }
    json shutdown_request_impl(bool) override { return json::object(); }
    json interrupt_request_impl() override { return json::object(); }

    Parts& parts_;
};

} // namespace

Parts::Parts(const xeus::xkernel_configuration& configuration, KernelInfo info, python::Registry& registry)
    : info{std::move(info)}, configuration{configuration}, registry{registry},
      pipes{outbox, ProcessPipes::Watcher{[this](int descriptor, CellId cell) {
                                              outbox.post(0, [this, descriptor, cell] {
                                                  server->watch(descriptor,
                                                                [this, descriptor] { pipes.read(descriptor); });
                                                  if (router->cell(cell) == nullptr) close_pipes_later(cell);
                                              });
                                          },
                                          [this](int descriptor) { server->unwatch(descriptor); }}} {
    const auto build_server = [this](xeus::xcontext& context, const xeus::xconfiguration&, json::error_handler_t) {
        auto built =
            std::make_unique<Server>(context.get_wrapped_context<zmq::context_t>(), this->configuration, outbox);
        server = built.get();
        return built;
    };
    xeus = std::make_unique<xeus::xkernel>(xeus::xconfiguration{configuration}, xeus::get_user_name(),
                                           xeus::make_zmq_context(), std::make_unique<XeusInterpreter>(*this),
                                           build_server);
    outputs = std::make_unique<CellOutputs>(*server);
    inputs = std::make_unique<InputBroker>(*server, *outputs);
}

void Parts::add(Backend& runs_code, RouterFront& cells) {
    backend = &runs_code;
    interpreters = std::make_unique<Interpreters>(registry, runs_code);
    router = std::make_unique<Router>(*interpreters, runs_code, server->timers(), cells);
    commands = std::make_unique<Commands>(*interpreters, *router, runs_code, server->timers());
    comms = std::make_unique<Comms>(*server, *outputs, *router, registry);
    debugger = std::make_unique<Debugger>(*server, runs_code, registry, history);
    panel = std::make_unique<Panel>(*server, registry, *router, *commands, runs_code, *inputs, subshells);
    outputs->colour_names([this](const std::string& session, InterpreterId interpreter) {
        return panel->colour_for(session, interpreter);
    });
    interpreters->on_closing([this](InterpreterId id, CellId cell) { comms->interpreter_closes(id, cell); });
    history_file = std::make_unique<HistoryFile>(history, runs_code, server->timers(),
                                                 [this] { return router->is_busy(python::main_interpreter); });
    python::set_visits_ended_hook([this](InterpreterId id) {
        if (commands->some_wait_to_go()) outbox.post(0, [this, id] { commands->became_idle(id); });
    });
}

Client Parts::client_of(const json& header) const {
    return {header.value("session", ""), subshells.of(header).value_or(0)};
}

void Parts::close_pipes_later(CellId cell) {
    server->timers().after(spawn_time, [this, cell] { pipes.close_write_ends(cell); });
}

} // namespace xinterp::kernel
