// include/xinterp/modules/origin.hpp: which cell the code that runs now belongs to, and under which one its output is
// shown. That is the same cell, unless the code has chosen another one (`get_ipython().set_parent()`).
//
// Looked up in this order: context variables (asyncio tasks and callbacks carry the context that made them), the OS
// thread (a thread, an executor's work item, or code that entered another interpreter), and the interpreter's last
// cell. Attached thread state needed, unless it says otherwise.
#pragma once

#include <xinterp/modules/front_end.hpp>
#include <xinterp/modules/stand_ins.hpp>
#include <xinterp/python/ref.hpp>

#include <atomic>
#include <stdexcept>

namespace xinterp::modules {

/// One interpreter's part of the kernel's modules: the state of its `_xinterp` module.
struct BridgeState {
    InterpreterId interpreter = 0;
    PyObject* cell_variable = nullptr;   ///< contextvars.ContextVar of the cell's number
    PyObject* parent_variable = nullptr; ///< that of the cell under which its output is shown; 0: itself
    PyObject* stream_type = nullptr;
    PyObject* carrier_type = nullptr;
    StandIns* stand_ins = nullptr;
    PyObject* channel_errors = nullptr; ///< a tuple of the exceptions of `interpreters`; null before it is imported
    std::atomic<bool> channels_ended = false;
    std::atomic<CellId> last_cell = 0;
};

/// Python code has asked for something that only a kernel has, in a process that is none.
class NoKernel : public std::runtime_error {
public:
    NoKernel();
};

/// Who shows output; set once, before the first interpreter is set up. A process without one is a plain python.
void set_front_end(FrontEnd* front_end);
bool has_front_end();
FrontEnd& front_end(); ///< throws NoKernel

/// Whose code runs.
Source current_source(BridgeState& state);
/// Whose output it is that the code shows, and who is asked for input.
Source output_source(BridgeState& state);
/// A cell begins on this thread: from now on what runs in its context belongs to it, and is shown under it.
bool enter_cell(BridgeState& state, CellId cell);
/// From now on what the calling thread runs in its context is shown under that cell; 0: under its own. False with an
/// exception set.
bool show_under(BridgeState& state, CellId cell);
/// What the last show_under() of the calling code has set, 0 if nothing.
CellId shown_under(BridgeState& state);
/// The cell of the calling OS thread, 0 if it has none. No thread state needed.
CellId cell_of_this_thread();
/// The cell under which the output of the calling OS thread is shown, 0 if it has none. No thread state needed.
CellId output_cell_of_this_thread();

/// The cell of code that no cell has started: what it writes, shows and asks is dropped.
inline constexpr CellId unheard_cell = ~CellId{0};

/// What runs on the calling thread is such code while this lives. No thread state needed.
class Unheard {
public:
    Unheard();
    ~Unheard();
    Unheard(const Unheard&) = delete;
    Unheard& operator=(const Unheard&) = delete;

private:
    CellId outer_, outer_parent_;
};

/// A callable that runs `function` as part of the current cell, on whatever thread it is called, and shows its output
/// where the current code's is shown.
python::Ref carry(BridgeState& state, PyObject* function);
extern PyType_Spec carrier_type_spec;

} // namespace xinterp::modules
