#include <xinterp/python/blocking_calls.hpp>
#include <xinterp/python/crash_stacks.hpp>
#include <xinterp/python/internals.hpp>
#include <xinterp/python/lane.hpp>
#include <xinterp/python/linkage.hpp>
#include <xinterp/python/ref.hpp>
#include <xinterp/python/visits.hpp>
#include <xinterp/python/wake_signal.hpp>

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <condition_variable>
#include <csignal>
#include <map>
#include <system_error>
#include <thread>
#include <utility>

namespace xinterp::python {
namespace {

thread_local Lane* lane_of_this_thread = nullptr;

// Lanes' threads that have not ended.
struct Alive {
    std::mutex mutex;
    std::condition_variable changed;
    std::size_t count = 0;
    std::size_t finishing = 0; ///< of these run no cell any more

    void begin_finishing() {
        const std::scoped_lock lock{mutex};
        ++finishing;
        changed.notify_all();
    }
    void remove() {
        const std::scoped_lock lock{mutex};
        --count;
        --finishing;
        changed.notify_all();
    }
    /// Starts a thread that counts until it ends. It is detached, as it may never end. Throws std::system_error.
    void start_thread(std::function<void()> work) {
        {
            const std::scoped_lock lock{mutex};
            ++count;
        }
        try {
            std::thread{[this, work = std::move(work)] {
                work();
                remove();
            }}.detach();
        } catch (const std::system_error& error) {
            begin_finishing();
            remove();
            throw std::system_error{error.code(), "the system gives the kernel no further thread"};
        }
    }
};
Alive& alive() {
    static Alive& lanes = *new Alive; // never destroyed: a lane may outlive main()
    return lanes;
}

// All lanes, by their interpreters.
struct Lanes {
    std::mutex mutex;
    std::map<InterpreterId, std::weak_ptr<Lane>> lanes;
};
Lanes& lanes() {
    static Lanes& all = *new Lanes; // never destroyed: a lane may outlive main()
    return all;
}

// The message of the exception that is set, which is cleared.
std::string take_error_text() {
    const Ref error = Ref::steal(PyErr_GetRaisedException());
    const Ref text = Ref::steal(error ? PyObject_Str(error.get()) : nullptr);
    const char* utf8 = text ? PyUnicode_AsUTF8(text.get()) : nullptr;
    std::string message = utf8 != nullptr ? utf8 : "unknown error";
    PyErr_Clear();
    return message;
}

// CPython (3.14) crashes where it finds no memory in the middle of making an interpreter. One takes less than 4 MB.
bool room_for_interpreter() {
    constexpr std::size_t bytes = 24 * 1024 * 1024;
    void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) return false;
    munmap(memory, bytes);
    return true;
}

void divert_on_own_thread() {
    try {
        std::thread{[] {
            pthread_setname_np(pthread_self(), "divert");
            block_interrupt_signals();
            divert_blocking_calls();
        }}.detach();
    } catch (const std::system_error&) { // NOLINT(bugprone-empty-catch)
        // There are too many threads: the next cell diverts what this one has imported.
    }
}

void call_in_module(const char* module_name, const char* function) {
    const Ref module = Ref::steal(PyImport_ImportModule(module_name));
    const Ref result = Ref::steal(module ? PyObject_CallMethod(module.get(), function, nullptr) : nullptr);
    if (!result) PyErr_Clear();
}

} // namespace

Lane::Lane(const Configuration& configuration)
    : configuration_{configuration}, wake_descriptor_{eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)} {
    if (wake_descriptor_ < 0)
        throw std::system_error{errno, std::generic_category(), "the system gives the kernel no further descriptor"};
}

Lane::~Lane() { close(wake_descriptor_); }

bool Lane::wait_until_ended(std::chrono::milliseconds time, std::chrono::milliseconds time_of_finishing) {
    std::unique_lock lock{alive().mutex};
    return alive().changed.wait_for(lock, time, [] { return alive().count == alive().finishing; }) &&
           alive().changed.wait_for(lock, time_of_finishing, [] { return alive().count == 0; });
}

const PyThreadState* Lane::state_here() {
    return lane_of_this_thread == nullptr ? nullptr : lane_of_this_thread->state_;
}

Lane* Lane::here() { return lane_of_this_thread; }

std::shared_ptr<Lane> Lane::of(InterpreterId interpreter) {
    const std::scoped_lock lock{lanes().mutex};
    const auto found = lanes().lanes.find(interpreter);
    return found == lanes().lanes.end() ? nullptr : found->second.lock();
}

void Lane::adopt_this_thread() {
    lane_of_this_thread = this;
    thread_ = pthread_self();
    state_ = PyThreadState_Get();
    {
        const std::scoped_lock lock{interrupt_mutex_};
        interpreter_ = PyThreadState_GetInterpreter(state_);
        id_ = PyInterpreterState_GetID(interpreter_);
    }
    if (is_beside_) return;
    {
        const std::scoped_lock lock{lanes().mutex};
        lanes().lanes[id_] = weak_from_this();
    }
    if (!is_main_) claim_main_thread();
}

std::shared_ptr<Lane> Lane::for_main() {
    std::shared_ptr<Lane> lane{new Lane{Preset::isolated}};
    lane->is_main_ = true;
    lane->adopt_this_thread();
    pthread_atfork(nullptr, nullptr, [] {
        const Lane* own = lane_of_this_thread;
        if (own != nullptr && (own->is_main_ || own->is_beside_)) internals::forget_other_interpreters();
    });
    return lane;
}

void Lane::start(const Configuration& configuration, Lifecycle lifecycle, const Started& started) {
    std::string error;
    try {
        const std::shared_ptr<Lane> lane{new Lane{configuration}};
        alive().start_thread(
            [lane, lifecycle = std::move(lifecycle), started] { lane->thread_main(lifecycle, started); });
        return;
    } catch (const std::exception& problem) {
        error = problem.what();
    }
    started(nullptr, error);
}

std::shared_ptr<Lane> Lane::start_beside_main(const std::string& name, Lifecycle lifecycle) {
    std::shared_ptr<Lane> lane{new Lane{Preset::isolated}};
    lane->is_beside_ = true;
    alive().start_thread([lane, name, lifecycle = std::move(lifecycle)] {
        pthread_setname_np(pthread_self(), name.c_str());
        lane->thread_beside_main(lifecycle);
    });
    return lane;
}

void Lane::thread_beside_main(const Lifecycle& lifecycle) {
    block_interrupt_signals();
    const CrashRoom room;
    PyThreadState* state = PyThreadState_New(PyInterpreterState_Main());
    if (state == nullptr) {
        stop();
        if (const Stopped stopped = take_stopped()) stopped(id_, {});
        return;
    }
    PyEval_RestoreThread(state);
    adopt_this_thread();
    if (lifecycle.begin(*this).empty()) run();
    else stop();
    alive().begin_finishing();
    internals::drop_interrupts_of_this_thread();
    lifecycle.end(*this);
    idle_hook_ = {};
    {
        const std::scoped_lock lock{interrupt_mutex_};
        interpreter_ = nullptr;
    }
    PyThreadState_Clear(std::exchange(state_, nullptr));
    PyThreadState_DeleteCurrent();
    if (const Stopped stopped = take_stopped()) stopped(id_, {});
}

Lane::Stopped Lane::take_stopped() {
    const std::scoped_lock lock{mutex_};
    return std::move(stopped_);
}

void Lane::thread_main(const Lifecycle& lifecycle, const Started& started) {
    pthread_setname_np(pthread_self(), "new lane");
    block_interrupt_signals();
    const CrashRoom room;
    PyThreadState* borrowed = room_for_interpreter() ? PyThreadState_New(PyInterpreterState_Main()) : nullptr;
    if (borrowed == nullptr) {
        started(nullptr, "the system gives the kernel no further memory");
        return;
    }
    PyEval_RestoreThread(borrowed);
    PyInterpreterConfig config = configuration_.values;
    PyThreadState* previous = nullptr;
    PyThreadState* created = internals::new_interpreter(&config, &previous);
    if (created == nullptr) {
        alive().begin_finishing();
        const std::string error = take_error_text();
        PyThreadState_Clear(borrowed);
        PyThreadState_DeleteCurrent();
        started(nullptr, error);
        return;
    }
    PyThreadState_Swap(borrowed);
    PyThreadState_Clear(borrowed);
    PyThreadState_DeleteCurrent();
    PyEval_RestoreThread(created);
    adopt_this_thread();
    const std::string name = "lane " + std::to_string(id_);
    pthread_setname_np(pthread_self(), name.c_str());
    const std::string error = lifecycle.begin(*this);
    if (error.empty()) {
        {
            const Detached detached;
            started(shared_from_this(), {});
        }
        run();
    }
    finish(lifecycle);
    if (!error.empty()) started(nullptr, error);
}

void Lane::finish(const Lifecycle& lifecycle) {
    alive().begin_finishing();
    internals::drop_interrupts_of_this_thread();
    hide();
    refuse_visits(id_);
    {
        const Detached detached;
        while (!wait_until_left(id_, std::chrono::hours{1})) {
        } // as long as for a cell of its own
    }
    lifecycle.end(*this);
    idle_hook_ = {};
    std::string remark;
    claim_main_thread();
    // Finalizing while another thread still has a state in here would free memory under it; such an interpreter is left
    // as it is, for the process's lifetime. Threads that are not daemons have been waited for.
    call_in_module("threading", "_shutdown");
    drop_visitors_states(id_);
    // A thread that has been joined may still be giving its state back.
    for (int i = 0; i < 100 && internals::other_thread_states(interpreter_, state_) != 0; ++i) {
        const Detached detached;
        std::this_thread::sleep_for(std::chrono::milliseconds{2});
    }
    take_back();
    {
        const std::scoped_lock lock{interrupt_mutex_};
        if (lent_ != 0 || is_kept_alive(id_)) {
            remark = "other interpreters use its memory; it stays in use until the kernel stops";
        } else if (internals::traces_memory()) { // CPython would look at what it has freed, at the latest at its end
            remark = "tracemalloc has traced its memory; it stays in use until the kernel stops";
        } else if (internals::other_thread_states(interpreter_, state_) == 0) {
            interpreter_ = nullptr;
        } else {
            remark = "a thread that never ends still runs in it; its memory stays in use until the kernel stops";
        }
    }
    {
        const std::scoped_lock lock{lanes().mutex};
        lanes().lanes.erase(id_);
    }
    if (remark.empty()) {
        Py_EndInterpreter(std::exchange(state_, nullptr));
    } else {
        call_in_module("atexit", "_run_exitfuncs");
        PyEval_SaveThread();
    }
    forget_visits(id_);
    if (const Stopped stopped = take_stopped()) stopped(id_, remark);
}

void Lane::post(Job job) {
    {
        const std::scoped_lock lock{mutex_};
        if (stopping_) return;
        jobs_.push_back(std::move(job));
    }
    eventfd_write(wake_descriptor_, 1);
}

void Lane::give_back(Job release) {
    // Before the release is there: until it has run the interpreter is not finalized. Should Python code look too soon
    // it finds it next time, or the lane does when it is idle.
    if (!will_look_.exchange(true) && !internals::add_pending_call(interpreter_, [](void*) {
            const std::shared_ptr<Lane> lane = of(PyInterpreterState_GetID(PyInterpreterState_Get()));
            if (lane) lane->take_back();
            return 0;
        }))
        will_look_ = false;
    {
        const std::scoped_lock lock{mutex_};
        releases_.push_back(std::move(release));
        left_ = true;
    }
    eventfd_write(wake_descriptor_, 1);
}

void Lane::take_back() {
    will_look_ = false;
    if (!left_.exchange(false)) return;
    std::deque<Job> releases;
    {
        const std::scoped_lock lock{mutex_};
        releases = std::exchange(releases_, {});
    }
    for (const Job& release : releases) {
        release();
        --lent_;
    }
}

void Lane::stop(Stopped stopped) {
    std::deque<Job> dropped; // destroyed after the lock is given back: what they hold may act on its end
    {
        const std::scoped_lock lock{mutex_};
        stopping_ = true;
        dropped = std::exchange(jobs_, {});
        if (stopped) stopped_ = std::move(stopped);
    }
    eventfd_write(wake_descriptor_, 1);
}

bool Lane::wait_for_job(Job& job) {
    while (true) {
        eventfd_t count = 0;
        eventfd_read(wake_descriptor_, &count);
        take_back();
        {
            const std::scoped_lock lock{mutex_};
            if (stopping_) return false;
            if (!jobs_.empty()) {
                job = std::move(jobs_.front());
                jobs_.pop_front();
                return true;
            }
        }
        if (idle_hook_ && idle_hook_(wake_descriptor_)) continue;
        const Detached detached;
        pollfd entry{.fd = wake_descriptor_, .events = POLLIN, .revents = 0};
        poll(&entry, 1, -1);
    }
}

void Lane::run() {
    Job job;
    while (wait_for_job(job)) {
        job(); // does not throw, see Job
        job = {};
    }
}

void Lane::publish(const Configuration& configuration) {
    const std::scoped_lock lock{interrupt_mutex_};
    if (interpreter_ == nullptr) return;
    configuration_ = configuration;
    internals::publish(interpreter_, configuration.values);
}

void Lane::hide() {
    const std::scoped_lock lock{interrupt_mutex_};
    if (interpreter_ != nullptr) internals::hide(interpreter_);
}

void Lane::begin_interruptible() {
    divert_blocking_calls(); // of what the last cell has imported
    internals::drop_interrupts_of_this_thread();
    watch_ = {};
    const std::scoped_lock lock{interrupt_mutex_};
    interrupted_ = false;
    interruptible_ = true;
}

bool Lane::end_interruptible() {
    bool too_late = false;
    {
        const std::scoped_lock lock{interrupt_mutex_};
        too_late = interrupted_ && internals::interrupt_pending_in_thread(thread_);
        interruptible_ = false;
        interrupted_ = false;
    }
    internals::drop_interrupts_of_this_thread();
    // A SIGINT that came too late for the cell is taken here rather than by whatever runs next.
    if (is_main_ && PyErr_CheckSignals() != 0) {
        PyErr_Clear();
        too_late = true;
    }
    // In main, KeyboardInterrupt may also rise for what nobody has sent by the kernel: _thread.interrupt_main(), kill.
    if (is_main_ || watch_.interrupted()) give_back_import_locks();
    return too_late;
}

bool Lane::interrupt() {
    const std::scoped_lock lock{interrupt_mutex_};
    if (!interruptible_) return false;
    interrupted_ = true;
    internals::raise_in_thread(thread_);
    pthread_kill(thread_, is_main_ ? SIGINT : wake_signal());
    return true;
}

bool Lane::wake_again() {
    // What this cell has imported may be what it waits in: the next retry of its call is caught. On a thread of its
    // own: it waits for any dlopen() that is under way, and this one serves everybody.
    if (objects_have_come()) divert_on_own_thread();
    const std::scoped_lock lock{interrupt_mutex_};
    if (!interruptible_ || !interrupted_) return false;
    if (!internals::interrupt_pending_in_thread(thread_)) {
        interrupted_ = false;
        return false;
    }
    pthread_kill(thread_, wake_signal());
    return true;
}

bool Lane::interrupted_here() {
    const Lane* lane = lane_of_this_thread;
    return lane != nullptr && lane->interrupted_ && internals::interrupt_pending_in_thread(lane->thread_);
}

bool Lane::is_mains_own_here() { return lane_of_this_thread != nullptr && lane_of_this_thread->is_main_; }

std::size_t Lane::references() {
    const std::scoped_lock lock{interrupt_mutex_};
    return interpreter_ == nullptr ? 0 : static_cast<std::size_t>(internals::reference_count(interpreter_));
}

std::size_t Lane::arena_bytes() {
    const std::scoped_lock lock{interrupt_mutex_};
    return interpreter_ == nullptr ? 0 : internals::arena_bytes(interpreter_);
}

} // namespace xinterp::python
