// include/xinterp/python/host.hpp: CPython embedded in this process. Main thread only.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <string>
#include <vector>

namespace xinterp::python {

/// A module that is part of the executable and importable in every interpreter.
struct BuiltinModule {
    const char* name;
    PyObject* (*initialize)();
};

struct HostOptions {
    std::string executable; ///< what sys.executable says: a real python, so that subprocesses can be started
    std::vector<BuiltinModule> modules; ///< in C++
    const _frozen* frozen = nullptr;    ///< in Python, compiled into the executable; ends with a null entry
};

/// Main's interpreter from construction to destruction or finalize(). Throws std::runtime_error with CPython's reason.
class Host {
public:
    explicit Host(const HostOptions& options);
    Host(const Host&) = delete;
    Host& operator=(const Host&) = delete;
    /// Runs what atexit has and ends the interpreter. All lanes must have ended.
    void finalize();
};

} // namespace xinterp::python
