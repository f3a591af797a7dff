// include/xinterp/modules/convert.hpp: JSON and Python objects. Attached thread state needed.
#pragma once

#include <xinterp/python/ref.hpp>

#include <nlohmann/json.hpp>

namespace xinterp::modules {

/// A new Python object; null with an exception set.
python::Ref to_python(const nlohmann::json& value);

/// dict, list, tuple, str, int, float, bool and None; anything else becomes its repr. False with an exception set for
/// an object that contains itself or is nested too deep.
bool to_json(PyObject* object, nlohmann::json& value);

/// The text of a str; what UTF-8 cannot hold (lone surrogates) is written as an escape.
std::string to_utf8(PyObject* text);

} // namespace xinterp::modules
