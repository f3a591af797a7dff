// include/xinterp/kernel/kernel.hpp: the rooms of the kernel, put together.
#pragma once

#include <xinterp/commands/command_completion.hpp>
#include <xinterp/commands/commands.hpp>
#include <xinterp/debugger/debugger.hpp>
#include <xinterp/protocol/outbox.hpp>
#include <xinterp/protocol/server.hpp>
#include <xinterp/routing/backend.hpp>
#include <xinterp/routing/cell_outputs.hpp>
#include <xinterp/routing/cell_processes.hpp>
#include <xinterp/routing/crash_report.hpp>
#include <xinterp/routing/input_broker.hpp>
#include <xinterp/routing/interpreters.hpp>
#include <xinterp/routing/process_pipes.hpp>
#include <xinterp/routing/router.hpp>
#include <xinterp/routing/subshells.hpp>
#include <xinterp/services/comms.hpp>
#include <xinterp/services/history.hpp>
#include <xinterp/services/history_file.hpp>
#include <xinterp/services/panel.hpp>

#include <xeus/xkernel.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace xinterp::kernel {

/// What the kernel says of itself and its language.
struct KernelInfo {
    std::string version, banner;
    nlohmann::json language; ///< kernel_info's language_info
    /// Whether there is a debugger. Not known before Python has started: until then kernel_info waits for an answer.
    std::optional<bool> debugger;
    std::string connection_file = {}; ///< its path; it says where clients find the kernel
};

class Kernel final : public modules::FrontEnd, private ServerHandler, private RouterFront {
public:
    /// How long a shutdown may take while main runs a cell, before the process ends without waiting.
    static constexpr std::chrono::milliseconds shutdown_grace{1000};

    /// And if main's cells have ended, so that atexit handlers may be at work. Jupyter sends SIGTERM after 2.5 s.
    static constexpr std::chrono::milliseconds exit_handlers_grace{2300};

    /// How long after a cell's end its pipes stay open: one of its threads may just be starting a subprocess.
    static constexpr std::chrono::milliseconds spawn_time{500};

    /// How long a client that deletes a subshell waits for the end of its thread, which needs main's GIL.
    static constexpr std::chrono::milliseconds subshell_patience{250};

    /// Binds the sockets; throws std::runtime_error with a sentence if it cannot. Any thread.
    Kernel(const xeus::xkernel_configuration& configuration, KernelInfo info, python::Registry& registry);
    ~Kernel() override;

    /// Before serve(): what runs code, and what to do when a client asks for the end (called on the I/O thread).
    void set_backend(Backend& backend, std::function<void()> shut_down);
    /// The I/O thread's work, until stop() or the end of a shutdown's grace.
    void serve();
    /// Closes the sockets, what has been sent goes out. The I/O thread, after serve().
    void close();
    /// An interrupt is on its way there. I/O thread.
    void interrupted(LaneId lane) { debugger_->interrupted(lane); }
    /// Python has started: front ends are told whether there is a debugger. Any thread.
    void python_started(bool has_debugger);
    /// What cells that have not ended have started in that interpreter: the result sends it SIGINT. I/O thread.
    std::function<void()> find_processes_in(InterpreterId interpreter) const;
    /// Ends serve() after what has been posted. Any thread.
    void stop();
    /// As a shutdown_request does. Any thread.
    void request_shutdown();
    /// Main runs no cell any more, and its atexit handlers are next. Any thread.
    void cells_ended() { cells_have_ended_ = true; }

    Outbox& outbox() { return outbox_; }
    Timers& timers() { return server_->timers(); } ///< I/O thread
    /// Passes on what a cell's subprocesses and C code have written: before its end. Any thread.
    void flush_processes(CellId cell);
    /// Puts pipes in the place of descriptors 1 and 2. Before serve().
    void capture_process_output();
    /// The one run that is going on, if there is just one. Any thread.
    void run_began(Source source);
    void run_ended(Source source);

    // modules::FrontEnd, any thread
    void write(Source source, Stream stream, std::string_view text) override;
    bool has_room() const override { return outbox_.has_room(); }
    bool wait_for_room(std::chrono::milliseconds time) override { return outbox_.wait_for_room(time); }
    void publish(Source source, std::string type, nlohmann::json content, nlohmann::json metadata,
                 std::vector<std::string> buffers) override;
    std::shared_ptr<modules::Answer> ask_input(Source source, modules::InputRequest request) override;
    void withdraw_input(const std::shared_ptr<modules::Answer>& answer) override;
    std::shared_ptr<modules::Answer> command(Source source, nlohmann::json request) override;
    void withdraw_command(const std::shared_ptr<modules::Answer>& answer) override;
    bool debugs() const override { return debugger_->is_on(); }
    int process_pipe(Source source, Stream stream) override;
    int worker_pipe(Source source, modules::PoolId pool, Stream stream) override;
    void work_given(Source source, modules::PoolId pool) override { pipes_.give(source, pool); }
    void process_started(Source source, pid_t process, std::chrono::steady_clock::time_point began) override {
        processes_.started(source, process, began);
    }

private:
    class XeusInterpreter;

    // ServerHandler
    void received(Channel channel, Received received) override;
    bool takes_requests() const override { return router_->has_room(); }
    void write_text(Outbox::Text text) override;
    std::optional<Timers::Clock::time_point> next_due() const override { return outputs_->next_due(); }
    void due() override { outputs_->tick(); }

    // RouterFront
    void begin(Cell& cell) override;
    void begin_callback(Cell& cell);
    void abort(Cell& cell) override;
    void routed(const Cell& cell) override;
    void flush(const Cell& cell, const Cell::Run* run) override;
    void write(const Cell& cell, Stream stream, const std::string& text) override;
    void show_error(const Cell& cell, const std::string& label, const nlohmann::json& reply) override;
    void lane_taken(const Cell& cell, const Cell::Run& run) override {
        name_interpreter(run.target, run.label);
        debugger_->before_run(run.target);
        panel_->lane_taken(cell, run);
    }
    void lane_left(const Cell& cell, const Cell::Run& run, const nlohmann::json& reply) override {
        panel_->lane_left(cell, run, reply);
    }
    void became_idle(InterpreterId interpreter) override {
        commands_->became_idle(interpreter);
        if (interpreter == python::main_interpreter) history_file_->main_became_idle();
    }
    void ended(const Cell& cell) override;
    bool read_requests() override { return server_->read_shell(); }
    std::function<void()> find_processes(CellId cell, std::optional<InterpreterId> interpreter) override;
    void run_commands(Cell& cell, std::vector<std::string> lines, std::function<void(nlohmann::json)> done) override;

    void run_next_command(CellId cell, const std::shared_ptr<std::vector<std::string>>& lines, std::size_t index,
                          const std::function<void(nlohmann::json)>& done);
    void refuse(Channel channel, const xeus::xrequest_context& request, nlohmann::json content);
    void answer(Channel channel, xeus::xmessage request, const std::string& lone_surrogate);
    void ask(Channel channel, const xeus::xmessage& request); // kernel_questions.cpp
    std::optional<InputBroker::Asker> asker_of(const xeus::xmessage& request) const;
    // kernel_subshells.cpp
    void execute(Channel channel, xeus::xmessage request, const std::string& lone_surrogate);
    void answer_about_subshells(const xeus::xrequest_context& context, const nlohmann::json& content);
    nlohmann::json interrupt(const xeus::xmessage& request);
    Client client_of(const nlohmann::json& header) const;
    void complete_on_command_line(const CommandCompletion& found, const std::function<void(nlohmann::json)>& reply);
    nlohmann::json parent_message(CellId cell) const;
    nlohmann::json kernel_info() const;
    void answer_kernel_info(Channel channel, const xeus::xrequest_context& request);
    /// Front ends have one light for the kernel, which shows the last status that came.
    void show_busy_again();
    void close_pipes_later(CellId cell);
    void shut_down();
    ProcessOutput::Owner process_output_owner() const;

    KernelInfo info_;
    std::vector<std::pair<Channel, xeus::xrequest_context>> ask_for_info_; ///< before Python has started
    xeus::xkernel_configuration configuration_;
    python::Registry& registry_;
    Outbox outbox_;
    Server* server_ = nullptr; ///< owned by xeus_
    std::unique_ptr<xeus::xkernel> xeus_;
    History history_;
    std::unique_ptr<HistoryFile> history_file_;
    std::unique_ptr<CellOutputs> outputs_;
    std::unique_ptr<InputBroker> inputs_;
    ProcessPipes pipes_;
    CellProcesses processes_;
    std::unique_ptr<ProcessOutput> process_output_;
    Backend* backend_ = nullptr;
    std::unique_ptr<Interpreters> interpreters_;
    Subshells subshells_;
    std::unique_ptr<Router> router_;
    std::unique_ptr<Commands> commands_;
    std::unique_ptr<Comms> comms_;
    std::unique_ptr<Debugger> debugger_;
    std::unique_ptr<Panel> panel_;
    std::function<void()> shut_down_;
    bool shutting_down_ = false;
    std::atomic<bool> cells_have_ended_ = false;
    Cell* beginning_ = nullptr; ///< the cell that xeus is being told of
    std::map<std::shared_ptr<modules::Answer>, std::function<void()>> command_cancels_;

    mutable std::mutex runs_mutex_; ///< guards what process_output_owner() needs
    std::vector<Source> runs_;
    Source last_run_;
    std::atomic<CellId> foreground_ = 0;
};

} // namespace xinterp::kernel
