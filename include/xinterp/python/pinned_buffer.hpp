// include/xinterp/python/pinned_buffer.hpp: memory of one interpreter's object, used by others where it is.
#pragma once

#include <xinterp/python/lane.hpp>
#include <xinterp/python/ref.hpp>

#include <memory>

namespace xinterp::python {

/// The buffer of an object, which stays alive and is not moved while this exists. May be used and destroyed on any
/// thread, with any interpreter attached or none: the object is given back in its own interpreter.
class PinnedBuffer {
public:
    /// Writable if the object allows it. Its interpreter is attached, on any thread. Null with an exception set: the
    /// object has no buffer, or the interpreter has no lane that could take it back.
    static std::shared_ptr<PinnedBuffer> pin(PyObject* object);
    ~PinnedBuffer();
    PinnedBuffer(const PinnedBuffer&) = delete;
    PinnedBuffer& operator=(const PinnedBuffer&) = delete;

    const Py_buffer& view() const { return *view_; }

private:
    PinnedBuffer(std::shared_ptr<Lane> owner, std::shared_ptr<Py_buffer> view);

    std::shared_ptr<Lane> owner_;
    std::shared_ptr<Py_buffer> view_; ///< shape and strides may point into it: it must stay where it is
};

/// A memoryview of it in the attached interpreter, which keeps it. Null with an exception set.
Ref view_of(std::shared_ptr<PinnedBuffer> buffer);

} // namespace xinterp::python
