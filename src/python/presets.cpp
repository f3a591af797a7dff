#include <xinterp/python/presets.hpp>

#include <array>

namespace xinterp::python {

std::string_view preset_name(Preset preset) {
    switch (preset) {
    case Preset::isolated: return "isolated";
    case Preset::notebook: return "notebook";
    case Preset::shared: return "shared";
    case Preset::custom: return "custom";
    }
    return "";
}

std::optional<Preset> preset_from_name(std::string_view name) {
    for (const Preset preset : {Preset::isolated, Preset::notebook, Preset::shared})
        if (preset_name(preset) == name) return preset;
    return std::nullopt;
}

namespace {

PyInterpreterConfig values_of(Preset preset) {
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
    case Preset::custom: break;
    }
    return config;
}

Preset preset_of(const PyInterpreterConfig& values) {
    const auto fields = [](const PyInterpreterConfig& config) {
        return std::array{config.use_main_obmalloc,
                          config.allow_fork,
                          config.allow_exec,
                          config.allow_threads,
                          config.allow_daemon_threads,
                          config.check_multi_interp_extensions,
                          config.gil};
    };
    for (const Preset preset : {Preset::isolated, Preset::notebook, Preset::shared})
        if (fields(values_of(preset)) == fields(values)) return preset;
    return Preset::custom;
}

} // namespace

Configuration::Configuration(Preset chosen) : preset{chosen}, values{values_of(chosen)} {}

Configuration::Configuration(const PyInterpreterConfig& chosen) : preset{preset_of(chosen)}, values{chosen} {}

bool Configuration::is_made_like(const Configuration& other) const {
    return values.gil == other.values.gil && values.use_main_obmalloc == other.values.use_main_obmalloc &&
           values.check_multi_interp_extensions == other.values.check_multi_interp_extensions &&
           values.allow_threads == other.values.allow_threads;
}

} // namespace xinterp::python
