// include/xinterp/python/raw_output.hpp: writes to descriptors 1 and 2 that pass Python's streams by.
#pragma once

#include <sys/types.h>

#include <cstddef>

namespace xinterp::python {

/// Called for each write(1 or 2, ...) on whatever thread makes it, with the GIL released or none at all. True when it
/// has taken the data; false lets the write go to the descriptor.
using RawOutputHook = bool (*)(int descriptor, const void* data, std::size_t size);

/// Has an effect only in an executable that links blocking_calls.cpp.
void set_raw_output_hook(RawOutputHook hook);
RawOutputHook raw_output_hook();

/// write(2) that the hook does not see. Any thread, async-signal-safe after its first call.
ssize_t write_directly(int descriptor, const void* data, std::size_t size);

} // namespace xinterp::python
