// include/xinterp/modules/blocking.hpp: what makes waiting in a lane interruptible. CPython looks for interrupts in
// blocking calls on the main thread only. Attached thread state needed.
#pragma once

#include <xinterp/modules/origin.hpp>

namespace xinterp::modules {

/// `time.sleep` for lanes: ends at once when its lane is interrupted.
PyObject* interruptible_sleep(PyObject* module, PyObject* seconds);

/// Replaces a blocking method of an interpreter's own type (a lock's acquire, a queue's get) by one that waits in
/// slices of 50 ms and looks for an interrupt between them. `kind` says which arguments it takes: "lock", "enter",
/// "join" or "get". Returns None; null with an exception set.
PyObject* slice_method(PyObject* module, PyObject* const* arguments, Py_ssize_t count);

extern PyType_Spec sliced_method_type_spec;

} // namespace xinterp::modules
