#include <xinterp/python/presets.hpp>

namespace xinterp::python {

std::string_view preset_name(Preset preset) {
    switch (preset) {
    case Preset::isolated: return "isolated";
    case Preset::notebook: return "notebook";
    case Preset::shared: return "shared";
    }
    return "";
}

std::optional<Preset> preset_from_name(std::string_view name) {
    for (const Preset preset : {Preset::isolated, Preset::notebook, Preset::shared})
        if (preset_name(preset) == name) return preset;
    return std::nullopt;
}

bool has_own_gil(Preset preset) { return preset != Preset::shared; }

PyInterpreterConfig interpreter_config(Preset preset) {
    PyInterpreterConfig config{};
    config.allow_threads = 1;
    switch (preset) {
    case Preset::isolated:
        config.check_multi_interp_extensions = 1;
        config.gil = PyInterpreterConfig_OWN_GIL;
        break;
    case Preset::notebook:
        config.check_multi_interp_extensions = 1;
        config.gil = PyInterpreterConfig_OWN_GIL;
        config.allow_exec = 1;
        config.allow_daemon_threads = 1; // IPython's script magics start daemon threads
        break;
    case Preset::shared:
        config.use_main_obmalloc = 1;
        config.gil = PyInterpreterConfig_SHARED_GIL;
        config.allow_fork = 1;
        config.allow_exec = 1;
        config.allow_daemon_threads = 1;
        break;
    }
    return config;
}

} // namespace xinterp::python
