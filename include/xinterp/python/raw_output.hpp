// include/xinterp/python/raw_output.hpp: writes to descriptors 1 and 2 that pass Python's streams by.
#pragma once

#include <sys/types.h>

#include <cstddef>

namespace xinterp::python {

/// Called for each write(1 or 2, ...) on whatever thread makes it, with the GIL released or none at all. True when it
/// has taken the data; false lets the write go to the descriptor.
using RawOutputHook = bool (*)(int descriptor, const void* data, std::size_t size);

/// Has an effect on the objects whose calls have been diverted (blocking_calls.hpp): never on the kernel's own writes.
void set_raw_output_hook(RawOutputHook hook);
RawOutputHook raw_output_hook();

} // namespace xinterp::python
