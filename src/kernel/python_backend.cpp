#include <xinterp/kernel/python_backend.hpp>
#include <xinterp/modules/channels.hpp>
#include <xinterp/protocol/log.hpp>
#include <xinterp/python/visits.hpp>

#include <malloc.h>

#include <utility>

namespace xinterp::kernel {
namespace {

using nlohmann::json;
using python::Lane;

// A wake signal that comes just before a system call is lost; it is sent again until the interrupt has been taken.
constexpr std::chrono::milliseconds wake_interval{50};

} // namespace

PythonBackend::PythonBackend(Kernel& kernel)
    : kernel_{kernel},
      pool_{Lane::Lifecycle{[this](Lane& lane) { return begin_lane(lane); }, [this](Lane& lane) { end_lane(lane); }}},
      questions_{kernel.outbox(), kernel.timers(),
                 [this](InterpreterId interpreter) { return find_shell(interpreter); }} {}

std::string PythonBackend::begin_lane(Lane& lane) {
    std::string error;
    std::unique_ptr<modules::Shell> shell = modules::Shell::create(error);
    if (shell) keep_shell(lane, std::move(shell));
    return error;
}

void PythonBackend::keep_shell(Lane& lane, std::unique_ptr<modules::Shell> shell) {
    modules::Shell* raw = shell.get();
    lane.set_idle_hook([raw](int descriptor) { return raw->wait_in_loop(descriptor); });
    const std::scoped_lock lock{mutex_};
    shells_[&lane] = std::move(shell);
}

std::shared_ptr<Lane> PythonBackend::start_subshell(SubshellNumber subshell) {
    const std::string name = subshell_name(subshell);
    return Lane::start_beside_main(name, {[this, name](Lane& lane) {
                                              std::string error;
                                              auto shell = modules::Shell::create_beside(name, error);
                                              if (shell) keep_shell(lane, std::move(shell));
                                              else log_warning(name + " could not be set up: " + error);
                                              return error;
                                          },
                                          [this](Lane& lane) {
                                              std::unique_ptr<modules::Shell> shell;
                                              {
                                                  const std::scoped_lock lock{mutex_};
                                                  if (auto found = shells_.extract(&lane))
                                                      shell = std::move(found.mapped());
                                              }
                                              if (shell) shell->end_beside();
                                          }});
}

void PythonBackend::end_subshell(SubshellNumber subshell, const std::function<void()>& done) {
    const LaneId id{python::main_interpreter, subshell};
    starts_.erase(id);
    const auto lane = lanes_.extract(id);
    if (!lane) {
        done();
        return;
    }
    lane.mapped()->stop([this, done](InterpreterId, const std::string&) { kernel_.outbox().post(0, done); });
}

void PythonBackend::end_lane(Lane& lane) {
    modules::end_channels(); // threads that wait there would hold up the end
    std::unique_ptr<modules::Shell> shell;
    CellId cell = 0;
    {
        const std::scoped_lock lock{mutex_};
        if (const auto found = shells_.extract(&lane)) shell = std::move(found.mapped());
        if (const auto found = closing_cells_.extract(&lane)) cell = found.mapped();
    }
    if (shell && cell != 0) shell->enter(cell); // what its finalization prints
    lane.set_idle_hook({});
    shell.reset();
}

void PythonBackend::attach_main(std::shared_ptr<Lane> lane) {
    if (const std::string error = begin_lane(*lane); !error.empty())
        throw std::runtime_error{"main could not be set up: " + error};
    kernel_.outbox().post(0, [this, lane = std::move(lane)]() mutable {
        lanes_[python::main_interpreter] = std::move(lane);
        for (auto& [id, job, asked] : std::exchange(waiting_for_main_, {})) post(id, std::move(job), std::move(asked));
        questions_.start(python::main_interpreter);
        refill_when_idle();
        if (ending_) lanes_[python::main_interpreter]->stop();
    });
}

void PythonBackend::detach_main() {
    std::vector<std::pair<std::string, json>> questions;
    modules::Shell* shell = nullptr;
    {
        const std::scoped_lock lock{mutex_};
        questions = std::move(last_questions_);
        if (const auto found = shells_.find(Lane::here()); found != shells_.end()) shell = found->second.get();
    }
    if (shell != nullptr)
        for (const auto& [question, content] : questions) shell->ask(question, content);
    end_lane(*Lane::here());
}

void PythonBackend::ask_at_end(std::string question, json content) {
    const std::scoped_lock lock{mutex_};
    last_questions_.emplace_back(std::move(question), std::move(content));
}

// Answers also if its job is dropped: the interpreter has ended.
struct PythonBackend::Question {
    Kernel& kernel;
    Reply reply;
    CellId cell = 0; ///< whose output comes before the answer

    void answer(json result) {
        kernel.outbox().post(cell, [reply = std::exchange(reply, {}), result = std::move(result)]() mutable {
            reply(std::move(result));
        });
    }
    ~Question() {
        if (reply) answer({{"status", "aborted"}});
    }
};

void PythonBackend::post(LaneId id, Job job, std::shared_ptr<Question> asked) {
    auto found = lanes_.find(id);
    if (found == lanes_.end()) {
        if (id.interpreter != python::main_interpreter || ending_) return;
        if (!lanes_.contains(python::main_interpreter)) {
            waiting_for_main_.emplace_back(id, std::move(job), std::move(asked));
            return;
        }
        try {
            found = lanes_.emplace(id, start_subshell(id.subshell)).first;
        } catch (const std::exception& error) {
            asked->answer(error_reply("OSError", subshell_name(id.subshell) + " cannot be started: " + error.what()));
            return;
        }
    }
    Lane* lane = found->second.get();
    lane->post([this, lane, job = std::move(job)] {
        modules::Shell* shell = nullptr;
        {
            const std::scoped_lock lock{mutex_};
            shell = shells_.at(lane).get();
        }
        job(*shell);
    });
}

void PythonBackend::ask(LaneId lane, std::string question, json content, Reply reply) {
    const auto asked = std::shared_ptr<Question>{new Question{kernel_, std::move(reply), 0}};
    post(
        lane,
        [asked, question = std::move(question), content = std::move(content)](modules::Shell& shell) {
            json result;
            try {
                result = shell.ask(question, content);
            } catch (const std::exception& error) {
                result = error_reply("SystemError", error.what());
            }
            asked->answer(std::move(result));
        },
        asked);
}

void PythonBackend::run(LaneId lane, CellId cell, Code code, Reply reply) {
    const Source source{cell, lane.interpreter};
    ++activity_;
    main_jobs_ += source.interpreter == python::main_interpreter;
    Reply over = [this, source, reply = std::move(reply)](json result) {
        main_jobs_ -= source.interpreter == python::main_interpreter;
        refill_when_idle();
        reply(std::move(result));
    };
    const auto asked = std::shared_ptr<Question>{new Question{kernel_, std::move(over), source.cell}};
    post(
        lane,
        [this, source, code = std::move(code), asked](modules::Shell& shell) {
            kernel_.runs().began(source);
            json result;
            try {
                result = code(shell);
            } catch (const std::exception& error) { // out of memory, mostly: the cell fails, the lane goes on
                result = error_reply("SystemError", error.what());
            }
            kernel_.flush_processes(source.cell);
            kernel_.runs().ended(source);
            asked->answer(std::move(result));
        },
        asked);
}

void PythonBackend::execute(LaneId lane, CellCode code, Reply reply) {
    const auto start = std::make_shared<std::atomic<Start>>(Start::waiting);
    starts_[lane] = start;
    const CellId cell = code.cell;
    auto execute = [start, code = std::move(code)](modules::Shell& shell) {
        Start expected = Start::waiting;
        if (!start->compare_exchange_strong(expected, Start::begun)) return interrupted_reply();
        return shell.execute(
            {code.cell, code.count, code.code, code.typed, code.silent, code.store_history, code.user_expressions});
    };
    run(lane, cell, std::move(execute), std::move(reply));
}

void PythonBackend::call(InterpreterId interpreter, CellId cell, modules::SharedCommMessage message, Reply reply) {
    auto call = [cell, message = std::move(message)](modules::Shell& shell) { return shell.call(cell, *message); };
    run(interpreter, cell, std::move(call), std::move(reply));
}

void PythonBackend::consult(InterpreterId interpreter, std::string question, json content, Reply reply) {
    const bool there = lanes_.contains(interpreter);
    if (ending_ || (!there && interpreter != python::main_interpreter)) {
        reply({{"status", "aborted"}});
        return;
    }
    questions_.ask(interpreter, std::move(question), std::move(content), std::move(reply), there);
}

modules::Shell* PythonBackend::find_shell(InterpreterId interpreter) {
    const std::scoped_lock lock{mutex_};
    for (const auto& [lane, shell] : shells_)
        if (lane->id() == interpreter && !lane->is_beside()) return shell.get();
    return nullptr;
}

bool PythonBackend::wait_for_questions(std::chrono::milliseconds time) {
    return questions_.wait_until_left(python::main_interpreter, time);
}

std::size_t PythonBackend::memory(InterpreterId interpreter) {
    const auto found = lanes_.find(interpreter);
    return found == lanes_.end() ? 0 : found->second->arena_bytes();
}

bool PythonBackend::interrupt(LaneId lane) {
    bool stops = false;
    // A cell that waits for its lane: a task of another cell may spin there, which is stopped as well.
    if (const auto start = starts_[lane].lock()) {
        Start expected = Start::waiting;
        stops = start->compare_exchange_strong(expected, Start::stopped);
    }
    const auto found = lanes_.find(lane);
    if (found == lanes_.end() || !found->second->interrupt()) return stops;
    wake_until_taken(found->second);
    kernel_.interrupted(lane);
    for (const InterpreterId visited : python::visited_by(found->second->thread())) kernel_.interrupted(visited);
    return true;
}

void PythonBackend::interrupt_tasks() {
    for (const auto& [id, lane] : lanes_)
        if (lane->interrupt()) wake_until_taken(lane);
}

void PythonBackend::interrupt_visitors(InterpreterId interpreter) {
    const auto interrupt_processes = kernel_.find_processes_in(interpreter);
    if (!python::interrupt_visits(interpreter)) return;
    interrupt_processes();
    kernel_.interrupted(interpreter);
    wake_visitors_until_taken();
}

void PythonBackend::interrupt_threads_of(CellId cell) {
    for (const InterpreterId visited : python::interrupt_visits_of(cell)) kernel_.interrupted(visited);
    wake_visitors_until_taken();
}

void PythonBackend::wake_visitors_until_taken() {
    kernel_.timers().after(wake_interval, [this] {
        if (python::wake_visitors_again()) wake_visitors_until_taken();
    });
}

std::size_t PythonBackend::references(InterpreterId interpreter) {
    const auto found = lanes_.find(interpreter);
    return found == lanes_.end() ? 0 : found->second->references();
}

void PythonBackend::wake_until_taken(std::shared_ptr<Lane> lane) {
    kernel_.timers().after(wake_interval, [this, lane = std::move(lane)] {
        if (lane->wake_again()) wake_until_taken(lane);
    });
}

void PythonBackend::create(const python::Configuration& configuration,
                           std::function<void(std::variant<InterpreterId, std::string>)> done) {
    ++activity_;
    used_ = true;
    if (std::shared_ptr<Lane> spare = pool_.take(configuration)) {
        adopt(spare, configuration);
        refill_when_idle();
        ask(spare->id(), "begin_with_mains_environment", json::object(),
            [id = spare->id(), done = std::move(done)](const json&) { done(id); });
        return;
    }
    const auto made = [this, configuration, done = std::move(done)](const std::shared_ptr<Lane>& lane,
                                                                    const std::string& error) {
        kernel_.outbox().post(0, [this, configuration, lane, error, done] {
            if (!lane) {
                done(error);
                return;
            }
            adopt(lane, configuration);
            refill_when_idle();
            done(lane->id());
        });
    };
    if (pool_.take_when_made(configuration, made)) return;
    Lane::start(
        configuration,
        Lane::Lifecycle{[this](Lane& lane) { return begin_lane(lane); }, [this](Lane& lane) { end_lane(lane); }}, made);
}

void PythonBackend::adopt(const std::shared_ptr<Lane>& lane, const python::Configuration& configuration) {
    lane->publish(configuration);
    lanes_[lane->id()] = lane;
    if (ending_) lane->stop();
}

void PythonBackend::close(InterpreterId interpreter, CellId cell, std::function<void(std::string)> done) {
    const auto found = lanes_.find(interpreter);
    if (found == lanes_.end()) {
        done({});
        return;
    }
    {
        const std::scoped_lock lock{mutex_};
        closing_cells_[found->second.get()] = cell;
    }
    questions_.drop(interpreter);
    found->second->hide(); // from now on Python does not find it either
    found->second->stop([this, done = std::move(done)](InterpreterId id, std::string remark) {
        kernel_.outbox().post(0, [this, id, done, remark = std::move(remark)]() mutable {
            lanes_.erase(id);
            starts_.erase(id);
            trim_later();
            done(std::move(remark));
        });
    });
}

void PythonBackend::refill_when_idle() { refill_after(used_ ? idle_time : idle_time_before_use); }

void PythonBackend::refill_after(std::chrono::milliseconds time) {
    kernel_.timers().after(time, [this, then = activity_] {
        if (ending_ || main_jobs_ != 0 || then != activity_) return;
        if (pool_.refill(used_ ? spares_after_use : spares_before_use)) refill_after(pause_between_spares);
    });
}

void PythonBackend::trim_later() {
    if (std::exchange(trimming_, true)) return;
    kernel_.timers().after(trim_delay, [this] {
        trimming_ = false;
        malloc_trim(0);
    });
}

void PythonBackend::shut_down() {
    ending_ = true;
    python::set_visits_ended_hook({});
    pool_.clear();
    for (const auto& [id, lane] : lanes_) {
        interrupt(id);
        if (id.subshell == 0) questions_.drop(id.interpreter);
        lane->stop();
    }
}

} // namespace xinterp::kernel
