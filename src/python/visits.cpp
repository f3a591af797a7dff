#include <xinterp/python/internals.hpp>
#include <xinterp/python/lane.hpp>
#include <xinterp/python/ref.hpp>
#include <xinterp/python/visits.hpp>
#include <xinterp/python/wake_signal.hpp>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

namespace xinterp::python {
namespace {

using ThreadNumber = std::uint64_t;

struct Visitor {
    pthread_t thread;
    VisitTag tag;
    bool is_lane;
    bool wanted = false;      ///< to be interrupted, and has no thread state there yet
    bool interrupted = false; ///< and the interrupt may not have risen yet
};

// What is known of one interpreter's visitors.
struct Guests {
    struct Kept {
        PyThreadState* state;
        bool abandoned = false; ///< its thread has ended
    };
    std::unordered_map<ThreadNumber, Kept> kept;
    std::vector<Visitor> present;
    int pins = 0;
    bool refused = false, kept_alive = false;
    unsigned long main_thread = 0;
};

// Guarded by its mutex, which is never held while Python runs.
struct Table {
    std::mutex mutex;
    std::condition_variable left;
    std::unordered_map<InterpreterId, Guests> guests;
    std::function<void(InterpreterId)> ended_hook;
};
Table& table() {
    static Table& only = *new Table; // never destroyed: threads may outlive main()
    return only;
}

std::atomic<ThreadNumber> last_thread = 0;
thread_local int visits_of_this_thread = 0;
thread_local std::vector<InterpreterId> callers_of_this_thread;

// Threads are told apart by numbers that no later thread gets again.
class ThisThread {
public:
    ThisThread() : number_{++last_thread} {}
    ~ThisThread() {
        const std::scoped_lock lock{table().mutex};
        for (auto& [id, guests] : table().guests)
            if (const auto kept = guests.kept.find(number_); kept != guests.kept.end()) kept->second.abandoned = true;
    }
    ThisThread(const ThisThread&) = delete;
    ThisThread& operator=(const ThisThread&) = delete;
    ThreadNumber number() const { return number_; }

private:
    ThreadNumber number_;
};
thread_local const ThisThread this_thread;

// The calling thread counts as present; false if nobody is admitted.
bool come(InterpreterId interpreter, VisitTag tag, PyThreadState** kept, std::vector<PyThreadState*>* abandoned) {
    const std::scoped_lock lock{table().mutex};
    Guests& guests = table().guests[interpreter];
    if (guests.refused) return false;
    guests.present.push_back({pthread_self(), tag, Lane::here() != nullptr});
    if (kept != nullptr)
        if (const auto found = guests.kept.find(this_thread.number()); found != guests.kept.end())
            *kept = found->second.state;
    if (abandoned != nullptr)
        for (auto entry = guests.kept.begin(); entry != guests.kept.end();) {
            if (!entry->second.abandoned) {
                ++entry;
                continue;
            }
            abandoned->push_back(entry->second.state);
            entry = guests.kept.erase(entry);
        }
    ++visits_of_this_thread;
    return true;
}

void go(InterpreterId interpreter) {
    --visits_of_this_thread;
    std::function<void(InterpreterId)> hook;
    {
        const std::scoped_lock lock{table().mutex};
        Guests& guests = table().guests[interpreter];
        const auto own = std::ranges::find_if(
            guests.present, [](const Visitor& visitor) { return pthread_equal(visitor.thread, pthread_self()) != 0; });
        guests.present.erase(own);
        if (!guests.present.empty()) return;
        hook = table().ended_hook;
    }
    table().left.notify_all();
    if (hook) hook(interpreter);
}

// Attached in the interpreter of these states, which are attached nowhere.
void delete_states(const std::vector<PyThreadState*>& states) {
    for (PyThreadState* state : states) {
        PyThreadState_Clear(state);
        PyThreadState_Delete(state);
    }
}

void interrupt(Visitor& visitor, InterpreterId interpreter) {
    visitor.interrupted = internals::raise_in_thread(visitor.thread, interpreter);
    visitor.wanted = !visitor.interrupted;
    if (visitor.interrupted) pthread_kill(visitor.thread, wake_signal());
}

} // namespace

Visit::Visit(InterpreterId interpreter, VisitTag tag) : interpreter_{interpreter} {
    std::vector<PyThreadState*> abandoned;
    if (!come(interpreter, tag, &state_, &abandoned)) return;
    // Only now is it sure that the interpreter stays.
    PyInterpreterState* target = internals::find_interpreter(interpreter);
    if (target == nullptr || internals::is_hidden(target)) {
        go(interpreter);
        if (target == nullptr) forget_visits(interpreter);
        return;
    }
    if (state_ == nullptr) {
        state_ = internals::new_thread_state(target);
        if (state_ == nullptr) {
            entry_ = Entry::failed;
            go(interpreter);
            return;
        }
        const std::scoped_lock lock{table().mutex};
        table().guests[interpreter].kept[this_thread.number()] = {state_};
    }
    // It is in use where this thread's code there waits for what it has called, which wants to come back.
    const bool is_below = internals::runs_code(state_);
    if (!is_below) internals::unpark(state_);
    // An interrupt of this thread that came before there was a state for it.
    if (internals::keyboard_interrupt_waits_for(PyThreadState_Get()))
        internals::raise_in_thread(pthread_self(), interpreter);
    caller_ = PyThreadState_Swap(state_);
    callers_of_this_thread.push_back(PyInterpreterState_GetID(PyThreadState_GetInterpreter(caller_)));
    delete_states(abandoned);
    if (is_below || !internals::set_running_main(target)) {
        PyErr_Clear();
        if (!is_below) {
            internals::park(state_);
            internals::drop_interrupt(state_);
        }
        PyThreadState_Swap(caller_);
        callers_of_this_thread.pop_back();
        entry_ = Entry::running;
        go(interpreter);
        return;
    }
    entry_ = Entry::entered;
    if (main_thread_of(interpreter) != 0) claim_main_thread();
}

void Visit::leave() {
    if (entry_ != Entry::entered) return;
    entry_ = Entry::gone;
    internals::refresh(state_);
    if (watch_.interrupted()) give_back_import_locks_of_a_visit();
    internals::set_not_running_main(PyThreadState_GetInterpreter(state_));
    internals::park(state_);
    internals::drop_interrupt(state_);
    PyThreadState_Swap(caller_);
    callers_of_this_thread.pop_back();
    go(interpreter_);
}

AnnouncedVisit::AnnouncedVisit(InterpreterId interpreter, VisitTag tag)
    : interpreter_{interpreter}, admitted_{come(interpreter, tag, nullptr, nullptr)} {}

AnnouncedVisit::~AnnouncedVisit() {
    if (!admitted_) return;
    if (watch_.interrupted()) give_back_import_locks();
    go(interpreter_);
}

// CPython's code has taken its thread state with it.
void AnnouncedVisit::give_back_import_locks() const {
    PyInterpreterState* target = internals::find_interpreter(interpreter_);
    PyThreadState* state = target == nullptr ? nullptr : internals::new_thread_state(target);
    if (state == nullptr) return;
    PyThreadState* caller = PyThreadState_Swap(state);
    give_back_import_locks_of_a_visit();
    PyThreadState_Clear(state);
    PyThreadState_Swap(caller);
    PyThreadState_Delete(state);
}

Pin::Pin(InterpreterId interpreter) : interpreter_{interpreter} {
    const std::scoped_lock lock{table().mutex};
    Guests& guests = table().guests[interpreter];
    holds_ = !guests.refused;
    if (holds_) ++guests.pins;
}

Pin::~Pin() {
    if (!holds_) return;
    {
        const std::scoped_lock lock{table().mutex};
        if (--table().guests[interpreter_].pins != 0) return;
    }
    table().left.notify_all();
}

SideVisit::SideVisit(InterpreterId interpreter) : pin_{interpreter} {
    if (!pin_.holds()) return;
    PyInterpreterState* target = internals::find_interpreter(interpreter);
    // A new one each time: nothing of it is left when the interpreter ends, nor for the next question to find.
    if (target != nullptr) state_ = PyThreadState_New(target);
    if (state_ == nullptr) return;
    PyEval_RestoreThread(state_);
    ++visits_of_this_thread;
}

SideVisit::~SideVisit() {
    if (state_ == nullptr) return;
    --visits_of_this_thread;
    internals::drop_interrupt(state_);
    if (watch_.interrupted()) give_back_import_locks();
    PyThreadState_Clear(state_);
    PyThreadState_DeleteCurrent();
}

void SideVisit::interrupt(pthread_t thread, InterpreterId interpreter) {
    if (internals::raise_in_thread(thread, interpreter)) pthread_kill(thread, wake_signal());
}

bool is_visited(InterpreterId interpreter) {
    const std::scoped_lock lock{table().mutex};
    const auto found = table().guests.find(interpreter);
    return found != table().guests.end() && !found->second.present.empty();
}

std::vector<InterpreterId> visited_by(pthread_t thread) {
    const std::scoped_lock lock{table().mutex};
    std::vector<InterpreterId> visited;
    for (const auto& [interpreter, guests] : table().guests)
        if (std::ranges::any_of(guests.present,
                                [&](const Visitor& visitor) { return pthread_equal(visitor.thread, thread) != 0; }))
            visited.push_back(interpreter);
    return visited;
}

bool interrupt_visits(InterpreterId interpreter) {
    const std::scoped_lock lock{table().mutex};
    const auto found = table().guests.find(interpreter);
    if (found == table().guests.end()) return false;
    for (Visitor& visitor : found->second.present) interrupt(visitor, interpreter);
    return !found->second.present.empty();
}

std::vector<InterpreterId> interrupt_visits_of(VisitTag tag) {
    const std::scoped_lock lock{table().mutex};
    std::vector<InterpreterId> interrupted;
    for (auto& [interpreter, guests] : table().guests)
        for (Visitor& visitor : guests.present) {
            if (visitor.tag != tag || visitor.is_lane) continue;
            interrupt(visitor, interpreter);
            interrupted.push_back(interpreter);
        }
    return interrupted;
}

bool wake_visitors_again() {
    const std::scoped_lock lock{table().mutex};
    bool outstanding = false;
    for (auto& [interpreter, guests] : table().guests)
        for (Visitor& visitor : guests.present) {
            if (visitor.wanted) interrupt(visitor, interpreter);
            outstanding = outstanding || visitor.wanted;
            if (!visitor.interrupted) continue;
            visitor.interrupted = internals::interrupt_pending_in_thread(visitor.thread);
            if (visitor.interrupted) pthread_kill(visitor.thread, wake_signal());
            outstanding = outstanding || visitor.interrupted;
        }
    return outstanding;
}

void set_visits_ended_hook(std::function<void(InterpreterId)> hook) {
    const std::scoped_lock lock{table().mutex};
    table().ended_hook = std::move(hook);
}

bool is_below_on_this_thread(InterpreterId interpreter) {
    return std::ranges::find(callers_of_this_thread, interpreter) != callers_of_this_thread.end();
}

std::vector<InterpreterId> callers_on_this_thread() { return callers_of_this_thread; }

bool interruptible_here() { return visits_of_this_thread != 0 || Lane::here() != nullptr; }

bool needs_help_here() { return interruptible_here() && (visits_of_this_thread != 0 || !Lane::is_mains_own_here()); }

bool interrupted_here() {
    if (visits_of_this_thread != 0) return internals::interrupt_pending_in_thread(pthread_self());
    return Lane::interrupted_here();
}

bool refuse_visits(InterpreterId interpreter) {
    const std::scoped_lock lock{table().mutex};
    Guests& guests = table().guests[interpreter];
    guests.refused = true;
    return guests.present.empty();
}

void admit_visits(InterpreterId interpreter) {
    const std::scoped_lock lock{table().mutex};
    table().guests[interpreter].refused = false;
}

void keep_alive(InterpreterId interpreter) {
    const std::scoped_lock lock{table().mutex};
    table().guests[interpreter].kept_alive = true;
}

bool is_kept_alive(InterpreterId interpreter) {
    const std::scoped_lock lock{table().mutex};
    const auto found = table().guests.find(interpreter);
    return found != table().guests.end() && found->second.kept_alive;
}

bool wait_until_left(InterpreterId interpreter, std::chrono::milliseconds time) {
    std::unique_lock lock{table().mutex};
    return table().left.wait_for(lock, time, [interpreter] {
        const Guests& guests = table().guests[interpreter];
        return guests.present.empty() && guests.pins == 0;
    });
}

void drop_visitors_states(InterpreterId interpreter) {
    std::vector<PyThreadState*> states;
    {
        const std::scoped_lock lock{table().mutex};
        auto& kept = table().guests[interpreter].kept;
        for (const auto& [thread, entry] : kept) states.push_back(entry.state);
        kept.clear();
    }
    delete_states(states);
}

void forget_visits(InterpreterId interpreter) {
    const std::scoped_lock lock{table().mutex};
    if (const auto found = table().guests.find(interpreter);
        found != table().guests.end() && found->second.present.empty())
        table().guests.erase(found);
}

void claim_main_thread() {
    const InterpreterId interpreter = PyInterpreterState_GetID(PyInterpreterState_Get());
    const unsigned long own = PyThread_get_thread_ident();
    unsigned long before = 0;
    {
        const std::scoped_lock lock{table().mutex};
        before = std::exchange(table().guests[interpreter].main_thread, own);
    }
    if (before == own || before == 0) return;
    const SavedError saved;
    const Ref name = Ref::steal(PyUnicode_FromString("threading"));
    const Ref threading = Ref::steal(name ? PyImport_GetModule(name.get()) : nullptr);
    if (!threading) return; // it will ask for the main thread when it is imported
    // What threading._MainThread.__init__ does, for the same object.
    const Ref main = Ref::steal(PyObject_GetAttrString(threading.get(), "_main_thread"));
    const Ref active = Ref::steal(PyObject_GetAttrString(threading.get(), "_active"));
    const Ref ident = Ref::steal(PyLong_FromUnsignedLong(own)), old = Ref::steal(PyLong_FromUnsignedLong(before));
    const Ref handle = Ref::steal(PyObject_CallMethod(threading.get(), "_make_thread_handle", "k", own));
    if (main && active && ident && old && handle) {
        const Ref known = Ref::borrow(PyDict_GetItemWithError(active.get(), ident.get()));
        if (known &&
            known.get() != main.get()) { // a thread of its own that has come back by way of another interpreter
            const std::scoped_lock lock{table().mutex};
            table().guests[interpreter].main_thread = before;
        } else if (PyDict_Pop(active.get(), old.get(), nullptr) >= 0 &&
                   PyDict_SetItem(active.get(), ident.get(), main.get()) == 0 &&
                   PyObject_SetAttrString(main.get(), "_ident", ident.get()) == 0 &&
                   PyObject_SetAttrString(main.get(), "_os_thread_handle", handle.get()) == 0) {
            Ref::steal(PyObject_CallMethod(main.get(), "_set_native_id", nullptr));
        }
    }
    PyErr_Clear();
}

unsigned long main_thread_of(InterpreterId interpreter) {
    const std::scoped_lock lock{table().mutex};
    const auto found = table().guests.find(interpreter);
    return found == table().guests.end() ? 0 : found->second.main_thread;
}

} // namespace xinterp::python
