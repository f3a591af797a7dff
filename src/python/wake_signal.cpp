#include <xinterp/python/wake_signal.hpp>

#include <pthread.h>

#include <csignal>

namespace xinterp::python {

int wake_signal() { return SIGRTMAX - 2; }

void install_wake_signal() {
    struct sigaction action{};
    action.sa_handler = [](int) {};
    sigemptyset(&action.sa_mask);
    sigaction(wake_signal(), &action, nullptr);
}

void block_interrupt_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

} // namespace xinterp::python
