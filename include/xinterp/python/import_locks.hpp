// include/xinterp/python/import_locks.hpp: importlib's locks after an interrupt.
//
// importlib takes a lock in one instruction and enters the `try` that gives it back in the next. A KeyboardInterrupt
// between the two leaves the lock taken by a thread that imports nothing any more. CPython's main thread, which alone
// is interrupted there, may take it again; here other threads visit the interpreter, and would wait for it for ever.
#pragma once

#include <xinterp/python/registry.hpp>

#include <cstdint>

namespace xinterp::python {

/// Since it was made, has anything been interrupted?
class InterruptWatch {
public:
    InterruptWatch();
    bool interrupted() const;

private:
    std::uint64_t before_;
};

/// What the calling thread has run in the attached interpreter is over: it gives back what it holds of importlib's
/// locks. No interrupt rises meanwhile. An exception that is set stays.
void give_back_import_locks();
/// Likewise, unless code of that interpreter waits on this thread for what is over: that may be an import.
void give_back_import_locks_of_a_visit();

} // namespace xinterp::python
