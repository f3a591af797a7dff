// include/xinterp/modules/stock_module.hpp: CPython's own extension modules, where one of ours has taken their name.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

namespace xinterp::modules {

/// The definition of the standard library's extension module of that name: from its file, or, in a Python that has it
/// built in, from the table that add_modules() has replaced. Null, with no exception set, if there is none. Attached.
PyModuleDef* find_stock_definition(const char* name);

} // namespace xinterp::modules
