// include/xinterp/modules/builtin_modules.hpp: the builtin modules that every interpreter of an xinterp process has.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <span>

namespace xinterp::modules {

/// Names and PyInit functions, for the hosts to add to the runtime's own.
std::span<const _inittab> builtin_modules();

} // namespace xinterp::modules
