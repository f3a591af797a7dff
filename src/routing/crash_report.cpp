// Async-signal-safe, but for the two functions that the I/O thread calls.
#include <xinterp/modules/origin.hpp>
#include <xinterp/protocol/log.hpp>
#include <xinterp/python/crash_stacks.hpp>
#include <xinterp/routing/crash_report.hpp>

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>

namespace xinterp::kernel {
namespace {

using modules::CellId;
using modules::InterpreterId;
using python::CrashText;

constexpr std::size_t remembered = 256;
constexpr unsigned patience = 5; // seconds: a report that waits for a lock, of malloc for example, is cut off

struct KnownCell {
    std::atomic<CellId> id;
    std::atomic<int> count;
};
struct KnownInterpreter {
    std::atomic<InterpreterId> id = -1;
    std::array<char, 64> label{};
};
std::array<KnownCell, remembered> cells;
std::array<KnownInterpreter, remembered> interpreters;

template <class Table> auto& entry_of(Table& table, std::uint64_t id) { return table[id % remembered]; }

void (*write_before)() = nullptr;
std::atomic<long> reporting_thread = 0;

std::string_view name_of(int signal) {
    switch (signal) {
    case SIGSEGV: return "SIGSEGV";
    case SIGBUS: return "SIGBUS";
    case SIGFPE: return "SIGFPE";
    case SIGILL: return "SIGILL";
    default: return "SIGABRT";
    }
}

void write_address(CrashText& text, std::uint64_t address) {
    text << "0x";
    int shift = 60;
    while (shift > 0 && (address >> static_cast<unsigned>(shift)) == 0) shift -= 4;
    for (; shift >= 0; shift -= 4) text.add("0123456789abcdef"[(address >> static_cast<unsigned>(shift)) & 15U]);
}

void write_place(CrashText& text) {
    text << ", thread '";
    python::write_thread_name(text);
    text << "'";
    if (const auto id = python::crashed_interpreter()) {
        text << ", interpreter ";
        const KnownInterpreter& known = entry_of(interpreters, static_cast<std::uint64_t>(*id));
        if (known.id == *id)
            text << std::string_view{known.label.data()} << " (id " << static_cast<std::uint64_t>(*id) << ")";
        else text << static_cast<std::uint64_t>(*id);
    }
    if (const CellId cell = modules::cell_of_this_thread(); cell != 0 && cell != modules::unheard_cell) {
        const KnownCell& known = entry_of(cells, cell);
        if (known.id == cell && known.count > 0)
            text << ", cell In [" << static_cast<std::uint64_t>(known.count) << "]";
    }
}

void report(int signal, siginfo_t* info, void*) {
    const long own = syscall(SYS_gettid);
    long other = 0;
    if (!reporting_thread.compare_exchange_strong(other, own) && other != own)
        while (true) pause(); // another thread's report comes first, and ends the process
    std::signal(signal, SIG_DFL);
    if (other == 0) { // else the report itself has crashed
        std::signal(SIGALRM, SIG_DFL);
        alarm(patience);
        write_before();
        CrashText text{log_descriptor()};
        text << "[xinterp] the kernel crashed: " << name_of(signal);
        if (info->si_code > 0 && (signal == SIGSEGV || signal == SIGBUS)) {
            text << " at address ";
            write_address(text, reinterpret_cast<std::uint64_t>(info->si_addr));
        }
        write_place(text);
        text << ".\n";
        text.flush();
        python::write_stacks(text);
    }
    std::raise(signal);
}

} // namespace

void report_crashes(void (*before)()) {
    write_before = before;
    for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) {
        struct sigaction action{};
        action.sa_sigaction = report;
        action.sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK;
        sigaction(signal, &action, nullptr);
    }
}

void name_cell(CellId cell, int count) {
    KnownCell& known = entry_of(cells, cell);
    known.id = 0;
    known.count = count;
    known.id = cell;
}

void name_interpreter(InterpreterId interpreter, std::string_view label) {
    KnownInterpreter& known = entry_of(interpreters, static_cast<std::uint64_t>(interpreter));
    known.id = -1;
    known.label.fill('\0');
    std::copy_n(label.begin(), std::min(label.size(), known.label.size() - 1), known.label.begin());
    known.id = interpreter;
}

} // namespace xinterp::kernel
