#include <xinterp/python/host.hpp>

#include <stdexcept>

namespace xinterp::python {
namespace {

struct Config {
    Config() { PyConfig_InitPythonConfig(&value); }
    ~Config() { PyConfig_Clear(&value); }
    Config(const Config&) = delete;
    Config& operator=(const Config&) = delete;
    PyConfig value{};
};

void check(const PyStatus& status) {
    if (PyStatus_Exception(status) != 0)
        throw std::runtime_error{std::string{"Python did not start: "} +
                                 (status.err_msg != nullptr ? status.err_msg : "no reason given")};
}

} // namespace

Host::Host(const HostOptions& options) {
    for (const BuiltinModule& module : options.modules) PyImport_AppendInittab(module.name, module.initialize);
    PyImport_FrozenModules = options.frozen;
    Config config;
    check(PyConfig_SetBytesString(&config.value, &config.value.executable, options.executable.c_str()));
    check(PyConfig_SetBytesString(&config.value, &config.value.program_name, options.executable.c_str()));
    config.value.parse_argv = 0;
    check(Py_InitializeFromConfig(&config.value));
}

void Host::finalize() { Py_FinalizeEx(); }

} // namespace xinterp::python
