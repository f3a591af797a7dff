// include/xinterp/modules/running.hpp: source text run in another interpreter, in the calling thread: `exec` and the
// two run_string functions of `_interpreters`. Attached thread state needed.
#pragma once

#include <xinterp/modules/interpreter_ids.hpp>

#include <memory>
#include <string>

namespace xinterp::modules {

/// Adds RunFailedError to `_interpreters`. False with an exception set.
bool add_run_failed_error(PyObject* module);

/// What becomes of an exception of the code.
enum class Failure {
    returned, ///< as the snapshot that `exec` returns
    raised,   ///< in the caller, as one of the same type where that is possible
};

/// Runs it in the interpreter's `__main__`. None, or the snapshot; null with an exception set.
PyObject* run_text(PyObject* module, InterpreterId id, PyObject* text, Failure failure);

/// run_string_unrestricted: returns the namespace, see there. `ns` may be null.
PyObject* run_text_unrestricted(PyObject* module, InterpreterId id, PyObject* text, PyObject* ns);

} // namespace xinterp::modules
