// include/xinterp/python/linkage.hpp: calls from one shared object into another, taken over by their names.
//
// A dynamically linked object (the python executable, libpython, an extension module) calls libc through a table of
// addresses that the dynamic linker has filled in. Writing another address there diverts that object's calls, in a
// process that was started by somebody else, without LD_PRELOAD. ELF on x86-64 and AArch64; elsewhere nothing happens.
#pragma once

#include <cstddef>
#include <span>

namespace xinterp::python {

struct Diversion {
    const char* name; ///< of the function, as the linker knows it
    void* function;   ///< of the same type, called in its place; in this object
};

/// Diverts the calls of every object that is loaded now, but for the one that this code is in: there the functions keep
/// their own meaning. Objects that are loaded later need another call, which looks at those alone and, if there are
/// none, costs less than a microsecond. Returns how many addresses have been changed. Any thread, no thread state
/// needed.
/// Waits while another thread is in dlopen().
std::size_t divert_calls(std::span<const Diversion> diversions);

/// Whether a call would find objects to look at, as far as that can be told at once. Any thread.
bool objects_have_come();

} // namespace xinterp::python
