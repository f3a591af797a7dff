// include/xinterp/modules/interpreters_module.hpp: `_interpreters`, builtin in every interpreter of the process.
//
// It is CPython's module, its definition copied and its state genuine, with what differs put in place: interpreters
// are made and ended by the kernel (if there is one), their ids are checked, text runs fast, and run_string raises.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <string>

namespace xinterp::modules {

PyObject* initialize_interpreters(); ///< PyInit function

/// Why the module cannot be built upon CPython's own of that name, in which something is missing or unlike what xinterp
/// calls; empty if it can. Main's interpreter is attached, after add_modules().
std::string unknown_in_stock_interpreters();

} // namespace xinterp::modules
