// include/xinterp/modules/convert.hpp: JSON and Python objects. Attached thread state needed.
#pragma once

#include <xinterp/python/ref.hpp>

#include <nlohmann/json.hpp>

namespace xinterp::modules {

/// A new Python object; null with an exception set.
python::Ref to_python(const nlohmann::json& value);

/// What an object that is no dict, list, tuple, str, int, float, bool or None becomes; null with an exception set.
using OtherAsJson = python::Ref (*)(PyObject* object);

/// dict, list, tuple, str, int, float, bool and None; anything else becomes its repr, or what `other` makes of it.
/// False with an exception set for an object that contains itself or is nested too deep, and for one that `other`
/// refuses.
bool to_json(PyObject* object, nlohmann::json& value, OtherAsJson other = nullptr);

/// The text of a str; what UTF-8 cannot hold (lone surrogates) is written as an escape.
std::string to_utf8(PyObject* text);

} // namespace xinterp::modules
