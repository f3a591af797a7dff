// include/xinterp/python/environment.hpp: the process's environment, read while main may be changing it.
//
// glibc's setenv() may move the table that `environ` points at. So the calls of objects that have been diverted
// (blocking_calls.hpp) hold a lock. Any thread, no thread state needed.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace xinterp::python {

/// Its variables at this moment, names and values.
std::vector<std::pair<std::string, std::string>> environment();

// libc's functions of the same names.
int set_environment_variable(const char* name, const char* value, int overwrite);
int unset_environment_variable(const char* name);
int put_environment_variable(char* assignment);

} // namespace xinterp::python
