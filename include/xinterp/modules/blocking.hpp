// include/xinterp/modules/blocking.hpp: what makes waiting in a lane interruptible. CPython looks for interrupts in
// blocking calls on the main thread only. Attached thread state needed.
#pragma once

#include <xinterp/modules/origin.hpp>

namespace xinterp::modules {

/// `time.sleep` for lanes: ends at once when its lane is interrupted. An implementation for stand_in(), as all here.
PyObject* interruptible_sleep(PyObject* module, PyObject* const* arguments, Py_ssize_t count);

// Blocking methods of an interpreter's own types, which wait in slices of 50 ms and look for an interrupt between them.
PyObject* acquire_lock(PyObject* module, PyObject* const* arguments, Py_ssize_t count, PyObject* keywords);
PyObject* enter_lock(PyObject* module, PyObject* const* arguments, Py_ssize_t count, PyObject* keywords);
PyObject* join_thread(PyObject* module, PyObject* const* arguments, Py_ssize_t count, PyObject* keywords);
PyObject* get_item(PyObject* module, PyObject* const* arguments, Py_ssize_t count, PyObject* keywords);

} // namespace xinterp::modules
