// include/xinterp/modules/interpreter_ids.hpp: ids that Python code gives, and what is raised about them: every such
// error is a RuntimeError, an InterpreterError, and of the type that CPython raises. Attached thread state needed.
#pragma once

#include <xinterp/python/ref.hpp>
#include <xinterp/python/registry.hpp>

#include <optional>
#include <string>

namespace xinterp::modules {

using python::InterpreterId;

/// Adds the classes of these errors to `_interpreters`. False with an exception set.
bool add_id_errors(PyObject* module);

/// The id; nothing with an exception set. It says nothing of whether there is such an interpreter.
std::optional<InterpreterId> read_id(PyObject* module, PyObject* object);
/// Likewise, and there is such an interpreter.
std::optional<InterpreterId> read_known_id(PyObject* module, PyObject* object);

std::nullptr_t raise_not_found(PyObject* module, InterpreterId id);
/// An error about the state of an interpreter: that it is running, for example.
std::nullptr_t raise_unusable(PyObject* module, const std::string& message);
/// An InterpreterError that CPython has set becomes a RuntimeError too. Others stay.
void widen_error(PyObject* module);

} // namespace xinterp::modules
