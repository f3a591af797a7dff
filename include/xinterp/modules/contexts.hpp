// include/xinterp/modules/contexts.hpp: for event_loop.py, what must not be interrupted in the middle: the context that
// a thread's cells share, and calls between a preparation and its end. Attached thread state needed.
#pragma once

#include <xinterp/python/ref.hpp>

namespace xinterp::modules {

/// enter_new_context(): a copy of the calling thread's context, which the thread is in from now on.
PyObject* enter_new_context(PyObject* module, PyObject*);
/// in_context(context): whether the calling thread is in this context, not in one that was entered after it.
PyObject* in_context(PyObject* module, PyObject* context);
/// outside_context(context, function, *args): calls the function while the thread is outside the context.
PyObject* outside_context(PyObject* module, PyObject* const* arguments, Py_ssize_t count);
/// set_running_loop(thread, loop, task): they are the running ones of what the thread runs in this interpreter.
PyObject* set_running_loop(PyObject* module, PyObject* arguments);
/// bracket(look, begin, end): an implementation for stand_in(), without a frame. Unless look() gives None, the original
/// is called between begin(looked) and end(looked); an interrupt in end() is raised after end() was called again.
PyObject* bracket(PyObject* module, PyObject* parts);

} // namespace xinterp::modules
