// include/xinterp/python/visits.hpp: a thread runs code of another interpreter than its own, as `_interpreters.exec`
// and run_string do: in the calling thread, as the main thread of the target.
//
// A visitor has a thread state in the interpreter that is kept for its next visit (making one costs up to 100 us).
// The table of who is where needs no GIL: it is what interrupts visitors and what keeps an interpreter from being
// finalized under them.
#pragma once

#include <xinterp/python/import_locks.hpp>
#include <xinterp/python/registry.hpp>

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <pthread.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <vector>

namespace xinterp::python {

/// What a visit is part of; the kernel's cells are numbered from 1, 0 is none.
using VisitTag = std::uint64_t;

/// This thread is in that interpreter while this lives, or was refused.
class Visit {
public:
    enum class Entry {
        entered, ///< its thread state is attached in place of the caller's
        gone,    ///< there is no such interpreter (any more)
        running, ///< it runs something else
        failed,  ///< out of memory
    };
    /// Attached. Sets no exception.
    Visit(InterpreterId interpreter, VisitTag tag);
    /// The caller's thread state is attached again.
    ~Visit() { leave(); }
    Visit(const Visit&) = delete;
    Visit& operator=(const Visit&) = delete;

    Entry entry() const { return entry_; }
    void leave();

private:
    InterpreterId interpreter_;
    Entry entry_ = Entry::gone;
    PyThreadState *caller_ = nullptr, *state_ = nullptr;
    InterruptWatch watch_;
};

/// This thread is about to enter that interpreter by CPython's own code.
class AnnouncedVisit {
public:
    AnnouncedVisit(InterpreterId interpreter, VisitTag tag);
    ~AnnouncedVisit();
    AnnouncedVisit(const AnnouncedVisit&) = delete;
    AnnouncedVisit& operator=(const AnnouncedVisit&) = delete;

    /// False: there is no such interpreter any more.
    bool admitted() const { return admitted_; }

private:
    void give_back_import_locks() const;

    InterpreterId interpreter_;
    bool admitted_;
    InterruptWatch watch_;
};

/// That interpreter is not finalized while this lives: for a short look at it, from outside. No visit.
class Pin {
public:
    explicit Pin(InterpreterId interpreter);
    ~Pin();
    Pin(const Pin&) = delete;
    Pin& operator=(const Pin&) = delete;

    /// False: it is being ended.
    bool holds() const { return holds_; }

private:
    InterpreterId interpreter_;
    bool holds_;
};

/// A thread of the kernel's is in that interpreter while this lives, beside what runs there: to ask it something. It
/// is no visitor: the interpreter does not run because of it, and no interrupt of what runs there reaches it.
class SideVisit {
public:
    /// A thread without a thread state. Waits for that interpreter's GIL: behind C code, as long as that runs.
    explicit SideVisit(InterpreterId interpreter);
    ~SideVisit();
    SideVisit(const SideVisit&) = delete;
    SideVisit& operator=(const SideVisit&) = delete;

    /// False: there is no such interpreter (any more).
    bool entered() const { return state_ != nullptr; }
    /// KeyboardInterrupt in what that thread asks there. Any thread, during the visit.
    static void interrupt(pthread_t thread, InterpreterId interpreter);

private:
    Pin pin_;
    PyThreadState* state_ = nullptr;
    InterruptWatch watch_;
};

// Any thread, with or without a thread state.

/// Whether somebody is there.
bool is_visited(InterpreterId interpreter);
/// Where that thread runs code beside its own interpreter.
std::vector<InterpreterId> visited_by(pthread_t thread);
/// KeyboardInterrupt in what visitors run there, and nowhere else; false if nobody is there. Who has no thread state
/// there yet gets it by wake_visitors_again().
bool interrupt_visits(InterpreterId interpreter);
/// Likewise in all visits with that tag by threads that are no lanes; where those were.
std::vector<InterpreterId> interrupt_visits_of(VisitTag tag);
/// As Lane::wake_again, for all visitors: to be called every 50 ms after an interrupt. True while one is outstanding.
bool wake_visitors_again();
/// Called on the visitor's thread after the last visit to an interpreter has ended. Set once, at start.
void set_visits_ended_hook(std::function<void(InterpreterId)> hook);

/// Whether code of that interpreter waits on this thread for the visits that it makes.
bool is_below_on_this_thread(InterpreterId interpreter);
/// All of those, the first caller first.
std::vector<InterpreterId> callers_on_this_thread();

/// Whether code on this thread can be interrupted: it is a lane's, or a visitor's.
bool interruptible_here();
/// And whether CPython itself does not look for interrupts when that waits.
bool needs_help_here();
/// Whether wrappers of system calls on this thread must come back early.
bool interrupted_here();

// The end of an interpreter, by whoever finalizes it.

/// Nobody is admitted any more; false if somebody is there. Any thread.
bool refuse_visits(InterpreterId interpreter);
/// Undoes that. Any thread.
void admit_visits(InterpreterId interpreter);
/// Until all visitors have left, and nobody looks at it; false after that time. Detached.
bool wait_until_left(InterpreterId interpreter, std::chrono::milliseconds time);
/// Deletes the thread states that are kept for visitors. Attached in that interpreter.
void drop_visitors_states(InterpreterId interpreter);
/// It is gone. Any thread.
void forget_visits(InterpreterId interpreter);

/// Objects of that interpreter are in use elsewhere, nobody knows for how long: it must not be finalized. Any thread.
void keep_alive(InterpreterId interpreter);
bool is_kept_alive(InterpreterId interpreter);

// `threading` takes one thread of an interpreter for its main thread: the one that runs its __main__.

/// The calling thread is that from now on. Attached in the interpreter.
void claim_main_thread();
/// The identifier of that thread, 0 if none has claimed it. Any thread.
unsigned long main_thread_of(InterpreterId interpreter);

} // namespace xinterp::python
