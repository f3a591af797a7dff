// include/xinterp/routing/crash_report.hpp: what the log says of a signal that ends the process.
//
// The report names the signal, the thread, the interpreter and the cell, and shows the Python stacks. Then the signal
// has its default effect. faulthandler, where a cell switches it on, comes first and writes where it was told to.
#pragma once

#include <xinterp/modules/front_end.hpp>

#include <string_view>

namespace xinterp::kernel {

/// Reports SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT from now on. `before` writes what belongs before the report; it
/// must be async-signal-safe.
void report_crashes(void (*before)());

// What reports call things. One thread at a time, the I/O thread; reports read it on any.
/// The number in In [n] of a cell that begins.
void name_cell(modules::CellId cell, int count);
void name_interpreter(modules::InterpreterId interpreter, std::string_view label);

} // namespace xinterp::kernel
