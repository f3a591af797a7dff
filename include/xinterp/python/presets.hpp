// include/xinterp/python/presets.hpp: how a new interpreter is configured. Callable on any thread, with no thread
// state.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <optional>
#include <string_view>

namespace xinterp::python {

enum class Preset {
    isolated, ///< CPython's own isolated configuration: own GIL, no exec, no daemon threads
    notebook, ///< own GIL and strict extension check; threads, daemon threads and exec allowed, fork not
    shared,   ///< main's GIL and allocator, no extension check (CPython's legacy configuration)
};

std::string_view preset_name(Preset preset);
/// The preset of that name, or nothing.
std::optional<Preset> preset_from_name(std::string_view name);
bool has_own_gil(Preset preset);
PyInterpreterConfig interpreter_config(Preset preset);

} // namespace xinterp::python
