// include/xinterp/python/host.hpp: how CPython comes into this process and leaves it. Main thread only.
//
// Either the executable embeds it, or it was there first: a python that has loaded the kernel as an extension module
// and lends it the main thread for good. Or the process is a python itself, which serves nobody and has a command line.
// What differs between the three is in here and nowhere else.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace xinterp::python {

struct EmbedOptions {
    /// The python whose environment this is (its prefix, its packages): what sys.executable says, so that subprocesses
    /// can be started. One in a virtual environment brings that environment.
    std::string executable;
    std::vector<std::string> x_options; ///< as behind python's -X
};

/// Starts the main interpreter and attaches it. Throws std::runtime_error with CPython's reason.
void embed(const EmbedOptions& options);

/// Takes the main interpreter of the python that has called into this process's kernel for the kernel's own: it no
/// longer counts as running its program. Attached.
void adopt();

/// Where an installation of Python is: sys.base_prefix and sys.base_exec_prefix.
struct Installation {
    std::string prefix;
    std::string exec_prefix;
};

/// Starts the main interpreter as a python with that command line (its program first) does, and attaches it;
/// Py_RunMain() then does what the command line says. The executable may be anywhere: sys.executable is its path, its
/// standard library and packages are those of the installation, or of the virtual environment that it was linked into.
/// An exit status instead if nothing is to be run (--version). Ends the process, as python does, if it cannot start.
std::optional<int> start_program(std::span<char*> arguments, const Installation& installation);

/// Makes modules importable in every interpreter of the process, whoever creates it, ahead of modules of the same names
/// anywhere else: builtin ones in C++ and frozen ones in Python (a table that ends with a null entry, kept by
/// reference). CPython is still to be started, or main's interpreter is attached and alone. Throws std::runtime_error
/// if this Python's runtime is not laid out as the headers say that it was built with.
void add_modules(std::span<const _inittab> builtin, const _frozen* frozen);

/// The init function of a builtin module of this Python that add_modules() has put another one in the place of; null if
/// there was none of that name.
PyObject* (*replaced_module(std::string_view name))();

/// Runs what atexit has and ends the interpreter, also under Python frames of the host: its caller ends the process.
/// All lanes must have ended.
void finalize();

/// Whether a top-level module could be imported; it is not. Main interpreter, attached.
bool finds_module(const char* name);

/// Waits for the threads of the attached main interpreter that are no daemons, and runs its atexit handlers, as
/// finalize() would begin; other interpreters may still be there.
void run_exit_handlers();

} // namespace xinterp::python
