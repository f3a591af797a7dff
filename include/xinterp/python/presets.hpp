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
    custom,   ///< none of these: a configuration that Python code has put together
};

std::string_view preset_name(Preset preset);
/// The preset of that name, or nothing.
std::optional<Preset> preset_from_name(std::string_view name);

/// What an interpreter is made of: a preset, or values of one's own.
struct Configuration {
    Configuration(Preset preset); // NOLINT(google-explicit-constructor): a preset is a configuration
    explicit Configuration(const PyInterpreterConfig& values);

    bool has_own_gil() const { return values.gil == PyInterpreterConfig_OWN_GIL; }
    /// Whether what distinguishes the two are permissions, which may be given after an interpreter is made.
    bool is_made_like(const Configuration& other) const;
    /// CPython accepts an interpreter that has its own GIL and uses main's allocator, and then corrupts its heap.
    bool is_unsafe() const { return has_own_gil() && values.use_main_obmalloc != 0; }

    Preset preset; ///< the one with these values, else `custom`
    PyInterpreterConfig values;
};

} // namespace xinterp::python
