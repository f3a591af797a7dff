#include <xinterp/python/visits.hpp>
#include <xinterp/python/wake_signal.hpp>
#include <xinterp/services/questions.hpp>

#include <ctime>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace xinterp::kernel {

namespace {

std::chrono::nanoseconds processor_time_of(pthread_t thread) {
    clockid_t clock{};
    timespec time{};
    if (pthread_getcpuclockid(thread, &clock) != 0 || clock_gettime(clock, &time) != 0) return {};
    return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
}

} // namespace

using nlohmann::json;

void Questions::ask(InterpreterId interpreter, std::string question, json content, Reply reply, bool there) {
    const auto asked = std::make_shared<Question>(Question{.interpreter = interpreter,
                                                           .method = std::move(question),
                                                           .content = std::move(content),
                                                           .reply = std::move(reply)});
    {
        const std::scoped_lock lock{mutex_};
        desks_[interpreter].waiting.push_back(asked);
    }
    timers_.after(patience, [this, asked] { look_after(asked); });
    if (there) start(interpreter);
}

void Questions::start(InterpreterId interpreter) {
    {
        const std::scoped_lock lock{mutex_};
        const auto desk = desks_.find(interpreter);
        if (desk == desks_.end() || std::exchange(desk->second.has_thread, true)) return;
    }
    try {
        // Detached: one that waits for a GIL must not hold up anybody's join.
        std::thread{[this, interpreter] { work(interpreter); }}.detach();
    } catch (const std::system_error&) { // there are too many: the next question tries again
        const std::scoped_lock lock{mutex_};
        desks_[interpreter].has_thread = false;
    }
}

void Questions::work(InterpreterId interpreter) {
    pthread_setname_np(pthread_self(), "questions");
    python::block_interrupt_signals();
    while (const std::shared_ptr<Question> question = take(interpreter)) {
        json answered = answer(*question);
        outbox_.post(0, [question, answered = std::move(answered)]() mutable { give(*question, std::move(answered)); });
    }
    left_.notify_all();
}

// The next question of the interpreter's; null: there is none, and its thread ends.
std::shared_ptr<Questions::Question> Questions::take(InterpreterId interpreter) {
    const std::scoped_lock lock{mutex_};
    const auto desk = desks_.find(interpreter);
    while (!desk->second.waiting.empty()) {
        desk->second.current = std::move(desk->second.waiting.front());
        desk->second.waiting.pop_front();
        if (desk->second.current->state == Question::State::waiting) return desk->second.current;
    }
    desks_.erase(desk);
    return nullptr;
}

json Questions::answer(Question& question) {
    json answered{{"status", "aborted"}};
    const python::SideVisit visit{question.interpreter};
    if (!visit.entered()) {
        const std::scoped_lock lock{mutex_};
        question.state = Question::State::over;
        return answered;
    }
    if (!begin(question)) return answered;
    try {
        if (modules::Shell* shell = find_shell_(question.interpreter))
            answered = shell->consult(question.method, question.content);
    } catch (const std::exception& error) { // out of memory, mostly
        answered["error"] = error.what();
    }
    // Before the visit ends: from here on no interrupt comes for it.
    const std::scoped_lock lock{mutex_};
    question.state = Question::State::over;
    return answered;
}

bool Questions::begin(Question& question) {
    const std::scoped_lock lock{mutex_};
    if (question.state != Question::State::waiting) return false;
    question.state = Question::State::begun;
    question.thread = pthread_self();
    question.began = question.looked = Timers::Clock::now();
    question.processor_time = processor_time_of(question.thread);
    return true;
}

// Whether it has run since it was looked at, with the lock: a thread that waits for the GIL takes no processor time.
bool Questions::gets_on(Question& question) const {
    const auto now = Timers::Clock::now();
    if (now - question.looked < standstill) return true; // too early to tell
    const auto processor_time = processor_time_of(question.thread);
    question.looked = now;
    return processor_time - std::exchange(question.processor_time, processor_time) >= progress;
}

// Every time that its patience is over.
void Questions::look_after(const std::shared_ptr<Question>& question) {
    bool over = false, overdue = false, forsaken = false;
    {
        const std::scoped_lock lock{mutex_};
        if (question->state == Question::State::over) return;
        if (question->state == Question::State::begun) {
            overdue = Timers::Clock::now() - question->began >= limit;
            question->forsaken = question->forsaken || overdue || !gets_on(*question);
        } else {
            // It may be the question before it that is in the way, and not C code.
            const auto& current = desks_.at(question->interpreter).current;
            const bool its_turn_comes = current && current->state == Question::State::begun && !current->forsaken;
            over = question->forsaken = !its_turn_comes;
            if (over) question->state = Question::State::over;
        }
        forsaken = question->forsaken;
    }
    if (forsaken) give(*question, {{"status", "aborted"}});
    if (overdue) stop(question);
    else if (!over) timers_.after(patience, [this, question] { look_after(question); });
}

void Questions::stop(const std::shared_ptr<Question>& question) {
    {
        const std::scoped_lock lock{mutex_};
        if (question->state != Question::State::begun) return;
        python::SideVisit::interrupt(question->thread, question->interpreter);
    }
    timers_.after(insistence, [this, question] { stop(question); });
    give(*question, {{"status", "aborted"}});
}

void Questions::drop(InterpreterId interpreter) {
    std::vector<std::shared_ptr<Question>> dropped;
    std::shared_ptr<Question> current;
    {
        const std::scoped_lock lock{mutex_};
        const auto desk = desks_.find(interpreter);
        if (desk == desks_.end()) return;
        current = desk->second.current;
        dropped.assign(desk->second.waiting.begin(), desk->second.waiting.end());
        if (current && current->state == Question::State::waiting) dropped.push_back(current);
        for (const auto& question : dropped) question->state = Question::State::over;
    }
    for (const auto& question : dropped) give(*question, {{"status", "aborted"}});
    if (current) stop(current);
}

bool Questions::wait_until_left(InterpreterId interpreter, std::chrono::milliseconds time) {
    std::unique_lock lock{mutex_};
    return left_.wait_for(lock, time, [&] {
        const auto desk = desks_.find(interpreter);
        return desk == desks_.end() || !desk->second.has_thread;
    });
}

void Questions::give(Question& question, json answer) {
    if (const Reply reply = std::exchange(question.reply, {})) reply(std::move(answer));
}

} // namespace xinterp::kernel
