// include/xinterp/python/lane.hpp: the one OS thread that runs an interpreter's work, in order.
//
// A lane has one persistent thread state, attached while a job runs and detached while it waits. Main's lane is the
// process's main thread; every other one owns its thread. Main may have further lanes beside its own, each a thread
// that runs work in main at the same time.
#pragma once

#include <xinterp/python/import_locks.hpp>
#include <xinterp/python/presets.hpp>
#include <xinterp/python/registry.hpp>

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

namespace xinterp::python {

class Lane : public std::enable_shared_from_this<Lane> {
public:
    /// Runs on the lane's thread with its interpreter attached. Must not throw and must leave no exception set.
    using Job = std::function<void()>;
    /// Waits with the interpreter attached until a descriptor is readable, doing the interpreter's own waiting work
    /// (its event loop); false when it has none, and the lane then waits detached.
    using IdleHook = std::function<bool(int descriptor)>;

    /// How an interpreter's own lane begins and ends, both on the lane's thread with the interpreter attached.
    struct Lifecycle {
        /// Set-up; may set_idle_hook. What it returns, unless empty, says why the interpreter is of no use.
        std::function<std::string(Lane&)> begin;
        std::function<void(Lane&)> end; ///< before the interpreter is finalized
    };
    /// What became of a start or a stop; called on the lane's thread with no thread state attached, or see start().
    using Started = std::function<void(std::shared_ptr<Lane>, std::string error)>;
    using Stopped = std::function<void(InterpreterId, std::string remark)>;

    /// Main's lane: the calling thread, which must be the main thread with main's thread state attached.
    static std::shared_ptr<Lane> for_main();
    /// A new interpreter on a thread of its own. Creation takes main's GIL for about 9 ms. The interpreter is hidden
    /// until it is published. Where it cannot be made, because the system gives no further thread for example,
    /// `started` is called at once, on the calling thread. Does not throw.
    static void start(const Configuration& configuration, Lifecycle lifecycle, const Started& started);
    /// Starts another thread in the main interpreter, named `name`. It accepts jobs at once and ends with stop(). If
    /// `begin` returns a reason, only this thread ends. Throws std::system_error if the system gives no further thread
    /// or descriptor. Any thread.
    static std::shared_ptr<Lane> start_beside_main(const std::string& name, Lifecycle lifecycle);
    /// Somebody has asked for it, with that configuration, which is made like its own. Any thread.
    void publish(const Configuration& configuration);
    /// Nobody is to find it any more. Any thread.
    void hide();

    /// Waits until all lanes have ended. False if some still run cells after `time`, or are still at their atexit
    /// handlers and the like after `time_of_finishing` more. No thread state needed.
    static bool wait_until_ended(std::chrono::milliseconds time, std::chrono::milliseconds time_of_finishing);

    ~Lane();
    Lane(const Lane&) = delete;
    Lane& operator=(const Lane&) = delete;

    InterpreterId id() const { return id_; }
    /// Whether it is one beside main's own.
    bool is_beside() const { return is_beside_; }
    /// Once it has started.
    pthread_t thread() const { return thread_; }

    /// Any thread.
    void post(Job job);
    /// The jobs that wait are dropped, the lane ends after the one that runs. Any thread.
    void stop(Stopped stopped = {});
    /// The lane's loop; start() calls it for other lanes. Main thread, attached; returns after stop(), attached.
    void run();
    void set_idle_hook(IdleHook hook) { idle_hook_ = std::move(hook); }

    /// A job that interrupt() may stop is about to run, or has run: then whether an interrupt came too late for it.
    /// Lane's thread, attached.
    void begin_interruptible();
    bool end_interruptible();
    /// KeyboardInterrupt in what runs now; false if nothing does. Any thread; takes no GIL.
    bool interrupt();
    /// Wakes the thread again if an interrupt has not been taken yet: a signal that arrives just before a system call
    /// is lost. To be called every 50 ms. True while one is outstanding. Any thread.
    bool wake_again();
    /// Whether wrappers of system calls on this thread, a lane's, must come back early.
    static bool interrupted_here();
    /// Whether CPython itself lets interrupts rise in what waits on this thread: it is the main one.
    static bool is_mains_own_here();
    /// The thread state of the lane whose thread this is, or null. Async-signal-safe.
    static const PyThreadState* state_here();
    /// The lane whose thread this is, or null.
    static Lane* here();
    /// The lane of an interpreter, whose code may run on other threads too; null if it has none. Any thread.
    static std::shared_ptr<Lane> of(InterpreterId interpreter);

    /// Another interpreter begins or ends to use memory of this one's objects. An interpreter whose memory is lent is
    /// not finalized. `release` runs with the interpreter attached: on the lane's thread when it is idle or stops, or
    /// on any of the interpreter's threads in the midst of Python code. Any thread.
    void lend() { ++lent_; }
    void give_back(Job release);
    /// Runs what give_back has left. Any thread, with the lane's interpreter attached.
    void take_back();

    /// Bytes in the interpreter's small-object arenas. Any thread.
    std::size_t arena_bytes();
    /// References of `_interpreters` to it. Any thread.
    std::size_t references();

private:
    explicit Lane(const Configuration& configuration);
    void thread_main(const Lifecycle& lifecycle, const Started& started);
    void finish(const Lifecycle& lifecycle);
    void thread_beside_main(const Lifecycle& lifecycle);
    Stopped take_stopped();
    bool wait_for_job(Job& job);
    void adopt_this_thread();

    Configuration configuration_;
    InterpreterId id_ = main_interpreter;
    bool is_main_ = false, is_beside_ = false;
    pthread_t thread_{};
    PyThreadState* state_ = nullptr; ///< of the lane's thread
    IdleHook idle_hook_;
    int wake_descriptor_; ///< eventfd: a job or a stop came

    std::atomic<std::size_t> lent_ = 0;
    std::mutex mutex_; ///< guards the jobs; never held while Python runs
    std::deque<Job> jobs_, releases_;
    std::atomic<bool> left_ = false, will_look_ = false; ///< releases wait; Python code will look for them
    bool stopping_ = false;
    Stopped stopped_;

    std::mutex interrupt_mutex_; ///< keeps the interpreter alive while another thread looks into it
    PyInterpreterState* interpreter_ = nullptr;
    bool interruptible_ = false;
    std::atomic<bool> interrupted_ = false;
    InterruptWatch watch_; ///< of what may be interrupted
};

} // namespace xinterp::python
