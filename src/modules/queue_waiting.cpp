#include <xinterp/modules/queue_waiting.hpp>
#include <xinterp/modules/waiting.hpp>
#include <xinterp/python/internals.hpp>
#include <xinterp/python/ref.hpp>

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cmath>
#include <cstdint>
#include <ctime>

namespace xinterp::modules {
namespace {

using Clock = std::chrono::steady_clock; // CLOCK_MONOTONIC, as time.monotonic()
using Version = std::uint32_t;

// How long a thread looks by itself before it sleeps in the kernel: waking a thread takes about 50 us, and the answer
// to what this thread has just sent is often there sooner.
constexpr std::chrono::microseconds spin_time{30};

// What is known of a queue. Queues whose numbers are a multiple of the table's size apart share one: they wake each
// other for nothing, and look again. So a queue needs no entry of its own that somebody would have to remove.
struct alignas(64) Slot {
    std::atomic<Version> version = 0; // the word that the kernel compares
    std::atomic<int> waiting = 0;
    std::atomic<int> luck = 0; // above 0: spinning has paid lately; below: it has not, until some waits later
};
constinit std::array<Slot, 256> slots;

Slot& slot_of(std::int64_t id) { return slots.at(static_cast<std::uint64_t>(id) % slots.size()); }

// In the order of all such operations either the waiting thread sees the new version or this sees that it waits.
void announce(Slot& slot) {
    slot.version.fetch_add(1);
    if (slot.waiting.load() != 0) syscall(SYS_futex, &slot.version, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
}

void relax() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

// On a busy machine the other thread has no processor to answer on: then spinning only takes one away from it, and is
// tried once in a while.
void spin(Slot& slot, Version seen, Clock::time_point until) {
    constexpr int after_success = 8, after_failures = -32;
    const int luck = slot.luck.load();
    if (luck < 0) {
        slot.luck.store(luck + 1);
        return;
    }
    const auto spin_until = std::min(until, Clock::now() + spin_time);
    while (slot.version.load() == seen && Clock::now() < spin_until) relax();
    const bool success = slot.version.load() != seen;
    slot.luck.store(success ? after_success : luck == 0 ? after_failures : luck - 1);
}

// No thread state needed. Ends at another version, at that time, or at a signal for this thread.
void wait(Slot& slot, Version seen, Clock::time_point until) {
    const bool alone = slot.waiting.fetch_add(1) == 0;
    // One that spins is enough; a crowd would keep the thread that it waits for from running.
    if (alone) spin(slot, seen, until);
    if (slot.version.load() == seen) {
        const auto time = until.time_since_epoch();
        const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
        const timespec limit{.tv_sec = seconds.count(), .tv_nsec = std::chrono::nanoseconds{time - seconds}.count()};
        syscall(SYS_futex, &slot.version, FUTEX_WAIT_BITSET_PRIVATE, seen, &limit, nullptr, FUTEX_BITSET_MATCH_ANY);
    }
    slot.waiting.fetch_sub(1);
}

bool read_id(PyObject* object, std::int64_t& id) {
    const python::Ref number = python::Ref::steal(PyNumber_Index(object));
    if (!number) return false;
    id = static_cast<std::int64_t>(PyLong_AsUnsignedLongLongMask(number.get())); // no queue has one that is too large
    return true;
}

} // namespace

PyObject* queue_version(PyObject*, PyObject* id) {
    std::int64_t number = 0;
    if (!read_id(id, number)) return nullptr;
    return PyLong_FromUnsignedLong(slot_of(number).version.load());
}

PyObject* queue_changed(PyObject*, PyObject* id) {
    std::int64_t number = 0;
    if (!read_id(id, number)) return nullptr;
    announce(slot_of(number));
    Py_RETURN_NONE;
}

PyObject* wait_for_queue(PyObject*, PyObject* const* arguments, Py_ssize_t count) {
    if (count != 3) {
        PyErr_SetString(PyExc_TypeError, "wait_for_queue() takes a queue's id, its version and a time or None");
        return nullptr;
    }
    std::int64_t number = 0;
    if (!read_id(arguments[0], number)) return nullptr;
    const auto seen = static_cast<Version>(PyLong_AsUnsignedLongMask(arguments[1]));
    if (PyErr_Occurred() != nullptr) return nullptr;
    // A signal that comes just before the wait is lost, and queues are also changed by interpreters that do not
    // announce it (those that were made without the kernel's modules): the caller looks again after each slice.
    auto until = Clock::now() + interrupt_slice;
    if (arguments[2] != Py_None) {
        const double seconds = PyFloat_AsDouble(arguments[2]);
        if (PyErr_Occurred() != nullptr) return nullptr;
        const std::chrono::duration<double> limit{seconds};
        if (limit < until.time_since_epoch()) until = Clock::time_point{std::chrono::ceil<Clock::duration>(limit)};
    }
    {
        const python::Detached detached;
        wait(slot_of(number), seen, until);
    }
    // Also where there is no lane: in a plain python's main thread, and in threads that somebody interrupts.
    if (interrupted() || python::internals::raise_pending_interrupt() || PyErr_CheckSignals() != 0) return nullptr;
    Py_RETURN_NONE;
}

PyObject* announce_end_to_queues(PyObject*, PyObject*) {
    // Called in the order of registration, so after `_interpqueues` has taken the interpreter's items away.
    const auto announce_all = [](void*) { std::ranges::for_each(slots, announce); };
    if (PyUnstable_AtExit(PyInterpreterState_Get(), announce_all, nullptr) != 0) return nullptr;
    Py_RETURN_NONE;
}

} // namespace xinterp::modules
