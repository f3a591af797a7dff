// include/xinterp/services/questions.hpp: what a person who types asks of an interpreter (completion, inspection,
// whether code is complete), answered beside what its lane runs.
//
// A thread of the kernel's enters the interpreter for them, one question after the other, and ends when none is left.
// It waits for the GIL as any thread does: Python code gives it up every few milliseconds, and everything that waits
// does. Behind C code that keeps it a question gets too old: then it is not asked any more, or its answer is dropped.
#pragma once

#include <xinterp/modules/shell.hpp>
#include <xinterp/protocol/outbox.hpp>
#include <xinterp/protocol/timers.hpp>
#include <xinterp/routing/backend.hpp>

#include <pthread.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace xinterp::kernel {

class Questions {
public:
    /// How long a question waits for an interpreter that is busy in C.
    static constexpr std::chrono::milliseconds patience{250};
    /// C code may take the GIL when a question has just begun. It then waits if it takes less processor time than
    /// `progress` in a time of `standstill`, which files that are read for the first time do not keep it from. A wait
    /// that can be interrupted takes one to two of them: it looks around every 50 ms.
    static constexpr std::chrono::milliseconds progress{5}, standstill{750};
    /// How long an answer may take: the first import of jedi takes a while. Then it is interrupted.
    static constexpr std::chrono::seconds limit{10};
    /// From one interrupt to the next, where people's code has swallowed it.
    static constexpr std::chrono::milliseconds insistence{500};

    using Reply = Backend::Reply;
    /// The shell of an interpreter that is not ended meanwhile, or null. Any thread.
    using FindShell = std::function<modules::Shell*(InterpreterId)>;

    Questions(Outbox& outbox, Timers& timers, FindShell find_shell)
        : outbox_{outbox}, timers_{timers}, find_shell_{std::move(find_shell)} {}

    /// The reply is called once, with {"status": "aborted"} if there is no answer. `there`: the interpreter has
    /// started; until start() says so the question waits. I/O thread.
    void ask(InterpreterId interpreter, std::string question, nlohmann::json content, Reply reply, bool there);
    void start(InterpreterId interpreter);
    /// The interpreter is about to end: nobody waits for its answers any more. I/O thread.
    void drop(InterpreterId interpreter);
    /// Until no thread is in that interpreter; false after that time. Any thread, detached.
    bool wait_until_left(InterpreterId interpreter, std::chrono::milliseconds time);

private:
    struct Question {
        InterpreterId interpreter;
        std::string method;
        nlohmann::json content;
        Reply reply; ///< I/O thread
        enum class State { waiting, begun, over } state = State::waiting;
        // once it has begun:
        pthread_t thread{};
        Timers::Clock::time_point began{}, looked{}; ///< looked: when it was last seen to get on
        std::chrono::nanoseconds processor_time{};   ///< of its thread, then
        bool forsaken = false;                       ///< nobody waits for the answer any more
    };
    /// Where the questions of one interpreter wait.
    struct Desk {
        std::deque<std::shared_ptr<Question>> waiting;
        std::shared_ptr<Question> current; ///< that its thread has taken
        bool has_thread = false;
    };

    void work(InterpreterId interpreter);
    std::shared_ptr<Question> take(InterpreterId interpreter);
    nlohmann::json answer(Question& question);
    bool begin(Question& question);
    bool gets_on(Question& question) const;
    void look_after(const std::shared_ptr<Question>& question);
    void stop(const std::shared_ptr<Question>& question);
    static void give(Question& question, nlohmann::json answer);

    Outbox& outbox_;
    Timers& timers_;
    FindShell find_shell_;
    std::mutex mutex_; ///< guards what follows and the questions' states; never held while Python runs
    std::condition_variable left_;
    std::map<InterpreterId, Desk> desks_;
};

} // namespace xinterp::kernel
