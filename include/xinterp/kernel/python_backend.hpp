// include/xinterp/kernel/python_backend.hpp: CPython's interpreters as what runs cells.
#pragma once

#include <xinterp/kernel/kernel.hpp>
#include <xinterp/modules/shell.hpp>
#include <xinterp/python/lane.hpp>
#include <xinterp/python/warm_pool.hpp>
#include <xinterp/routing/backend.hpp>
#include <xinterp/services/questions.hpp>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace xinterp::kernel {

class PythonBackend final : public Backend {
public:
    /// How long main must have been idle before a spare interpreter is made.
    static constexpr std::chrono::milliseconds idle_time{300}, idle_time_before_use{1500};
    /// From one spare to the next: each takes main's GIL for about 9 ms.
    static constexpr std::chrono::milliseconds pause_between_spares{30};
    /// What closed interpreters leave behind goes back to the system after that time, once for many.
    static constexpr std::chrono::milliseconds trim_delay{200};
    static constexpr std::size_t spares_before_use = 1, spares_after_use = 4;

    /// I/O thread, or before it runs.
    explicit PythonBackend(Kernel& kernel);

    /// Main's lane is there: what came for it meanwhile runs. Throws std::runtime_error if it cannot be set up. Main
    /// thread, attached.
    void attach_main(std::shared_ptr<python::Lane> lane);
    /// Interrupts what runs, ends all lanes but main's, then main's loop. I/O thread.
    void shut_down();
    /// Until no question is being answered in main; false after that time. Main thread, detached.
    bool wait_for_questions(std::chrono::milliseconds time);
    /// Before main is finalized: its shell. Main thread, attached.
    void detach_main();

    void execute(LaneId lane, CellCode code, Reply reply) override;
    void ask(LaneId lane, std::string question, nlohmann::json content, Reply reply) override;
    void call(InterpreterId interpreter, CellId cell, modules::SharedCommMessage message, Reply reply) override;
    void ask_at_end(std::string question, nlohmann::json content) override;
    void consult(InterpreterId interpreter, std::string question, nlohmann::json content, Reply reply) override;
    std::size_t memory(InterpreterId interpreter) override;
    bool interrupt(LaneId lane) override;
    void interrupt_tasks() override;
    void interrupt_visitors(InterpreterId interpreter) override;
    void interrupt_threads_of(CellId cell) override;
    void create(const python::Configuration& configuration,
                std::function<void(std::variant<InterpreterId, std::string>)> done) override;
    void close(InterpreterId interpreter, CellId cell, std::function<void(std::string remark)> done) override;
    void end_subshell(SubshellNumber subshell, const std::function<void()>& done) override;
    std::size_t references(InterpreterId interpreter) override;

private:
    using Job = std::function<void(modules::Shell&)>;
    using Code = std::function<nlohmann::json(modules::Shell&)>;
    struct Question;
    /// A cell on its way to its lane, which may be stopped before it has begun. Shared with the lane.
    enum class Start { waiting, begun, stopped };

    std::string begin_lane(python::Lane& lane);
    std::shared_ptr<python::Lane> start_subshell(SubshellNumber subshell);
    void keep_shell(python::Lane& lane, std::unique_ptr<modules::Shell> shell);
    void end_lane(python::Lane& lane);
    modules::Shell* find_shell(InterpreterId interpreter);
    void adopt(const std::shared_ptr<python::Lane>& lane, const python::Configuration& configuration);
    /// `asked` gets an error if the lane is a subshell's that cannot be started.
    void post(LaneId lane, Job job, std::shared_ptr<Question> asked);
    /// What prints as the source: all that it, and its subprocesses, have written comes before the reply.
    void run(LaneId lane, CellId cell, Code code, Reply reply);
    void wake_until_taken(std::shared_ptr<python::Lane> lane);
    void wake_visitors_until_taken();
    void refill_when_idle();
    void refill_after(std::chrono::milliseconds time);
    void trim_later();

    Kernel& kernel_;
    python::WarmPool pool_;
    Questions questions_;
    // I/O thread
    std::map<LaneId, std::shared_ptr<python::Lane>> lanes_;
    struct Waiting {
        LaneId lane;
        Job job;
        std::shared_ptr<Question> asked;
    };
    std::vector<Waiting> waiting_for_main_;
    std::map<LaneId, std::weak_ptr<std::atomic<Start>>> starts_; ///< of the last cell of each
    std::size_t main_jobs_ = 0;                                  ///< cells and questions that main has not finished
    std::uint64_t activity_ = 0;
    bool used_ = false; ///< an interpreter has been asked for
    bool ending_ = false;
    bool trimming_ = false;

    std::mutex mutex_; ///< guards what follows; a shell is used on its lane only, and for questions
    std::map<const python::Lane*, std::unique_ptr<modules::Shell>> shells_;
    std::vector<std::pair<std::string, nlohmann::json>> last_questions_; ///< to main
    std::map<const python::Lane*, CellId> closing_cells_;                ///< likewise: the cell that closes the lane
};

} // namespace xinterp::kernel
