#include <xinterp/python/ref.hpp>
#include <xinterp/python/wake_signal.hpp>

#include <pthread.h>

#include <csignal>
#include <optional>

namespace xinterp::python {
namespace {

// What the process's threads blocked before block_signals(), which is called on the thread that starts the others.
std::optional<sigset_t> inherited;

} // namespace

int wake_signal() { return SIGRTMAX - 2; }

void install_wake_signal() {
    struct sigaction action{};
    action.sa_handler = [](int) {};
    sigemptyset(&action.sa_mask);
    sigaction(wake_signal(), &action, nullptr);
}

void listen_to_interrupts() {
    const Ref signals = Ref::steal(PyImport_ImportModule("_signal"));
    const Ref current = Ref::steal(signals ? PyObject_CallMethod(signals.get(), "getsignal", "i", SIGINT) : nullptr);
    const Ref ignored = Ref::steal(signals ? PyObject_GetAttrString(signals.get(), "SIG_IGN") : nullptr);
    const Ref handler = Ref::steal(signals ? PyObject_GetAttrString(signals.get(), "default_int_handler") : nullptr);
    if (current && ignored && handler && PyObject_RichCompareBool(current.get(), ignored.get(), Py_EQ) == 1)
        Ref::steal(PyObject_CallMethod(signals.get(), "signal", "iO", SIGINT, handler.get()));
    PyErr_Clear();
}

void block_signals() {
    sigset_t signals;
    sigfillset(&signals);
    for (const int fatal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS}) sigdelset(&signals, fatal);
    sigset_t before;
    pthread_sigmask(SIG_BLOCK, &signals, &before);
    inherited = before;
}

void block_interrupt_signals() {
    sigset_t signals;
    if (inherited) signals = *inherited;
    else pthread_sigmask(SIG_SETMASK, nullptr, &signals);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_SETMASK, &signals, nullptr);
}

} // namespace xinterp::python
