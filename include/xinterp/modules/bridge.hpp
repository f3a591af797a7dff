// include/xinterp/modules/bridge.hpp: `_xinterp`, the builtin module through which the shell, written in Python,
// reaches the kernel. Per-interpreter state; multi-phase initialization.
#pragma once

#include <xinterp/modules/origin.hpp>

#include <sys/types.h>

#include <exception>
#include <new>

namespace xinterp::modules {

PyObject* initialize_bridge(); ///< PyInit function

/// The attached interpreter's; imports the module if need be. Null with an exception set.
BridgeState* bridge_state();

/// A method of a module or type that lets no C++ exception through: it becomes a Python one.
template <auto function, class... Arguments> PyObject* guarded(Arguments... arguments) {
    try {
        return function(arguments...);
    } catch (const std::bad_alloc&) {
        return PyErr_NoMemory();
    } catch (const NoKernel& error) {
        PyErr_SetString(PyExc_RuntimeError, error.what());
        return nullptr;
    } catch (const std::exception& error) {
        PyErr_SetString(PyExc_SystemError, error.what());
        return nullptr;
    }
}

/// Whether this process is a child that forked from the kernel: it must touch neither sockets nor locks of ours.
bool in_forked_child();

/// The calling thread has forked: the child belongs to its cell.
void forked(pid_t child);

} // namespace xinterp::modules
