// include/xinterp/modules/channels.hpp: the process's channels for Python: what src/shell/interpreters.py is made of.
// Attached thread state needed.
#pragma once

#include <xinterp/modules/channel_table.hpp>
#include <xinterp/modules/origin.hpp>

namespace xinterp::modules {

// Methods of `_xinterp`.
PyObject* channel_errors(PyObject* module, PyObject* classes);
PyObject* channel_register_end(PyObject* module, PyObject* type);
PyObject* channel_create(PyObject* module, PyObject* none);
PyObject* channel_list(PyObject* module, PyObject* none);
PyObject* channel_waiting(PyObject* module, PyObject* id);
PyObject* channel_hold(PyObject* module, PyObject* id);
PyObject* channel_accompany(PyObject* module, PyObject* id);
PyObject* channel_send(PyObject* module, PyObject* const* arguments, Py_ssize_t count);
PyObject* channel_send_nowait(PyObject* module, PyObject* const* arguments, Py_ssize_t count);
PyObject* channel_receive(PyObject* module, PyObject* const* arguments, Py_ssize_t count);
PyObject* channel_receive_nowait(PyObject* module, PyObject* const* arguments, Py_ssize_t count);
PyObject* channel_close(PyObject* module, PyObject* const* arguments, Py_ssize_t count);
PyObject* channel_release(PyObject* module, PyObject* const* arguments, Py_ssize_t count);
PyObject* is_shareable(PyObject* module, PyObject* object);

/// The attached interpreter ends: who waits for it is told, and its own threads wait at no channel any more.
void end_channels();

} // namespace xinterp::modules
