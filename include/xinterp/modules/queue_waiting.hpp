// include/xinterp/modules/queue_waiting.hpp: waiting for a cross-interpreter queue (`_interpqueues`) to change.
//
// The queues are CPython's own; what they lack is somebody who says when an item has come or gone. Whoever changes a
// queue, in any interpreter, counts its version up and wakes those who wait for another version than the one that they
// have seen. A wait takes the version first and looks at the queue then: a change after that look is another version.
//
//     version = queue_version(id)         # 1
//     try to get; if there is something, done
//     wait_for_queue(id, version, until)  # returns at once if anything has changed since 1
//
// Needs no kernel: a python that has these modules alone can use it.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

namespace xinterp::modules {

// Methods of `_xinterp`.
PyObject* queue_version(PyObject* module, PyObject* id);
PyObject* queue_changed(PyObject* module, PyObject* id);
PyObject* wait_for_queue(PyObject* module, PyObject* const* arguments, Py_ssize_t count);
PyObject* announce_end_to_queues(PyObject* module, PyObject* nothing);

} // namespace xinterp::modules
