// include/xinterp/python/pinned_buffer.hpp: memory of one interpreter's object, used by others where it is.
#pragma once

#include <xinterp/python/lane.hpp>

#include <memory>

namespace xinterp::python {

/// The buffer of an object, which stays alive and is not moved while this exists. May be used and destroyed on any
/// thread, with any interpreter attached or none: the object is given back on the thread of its own interpreter.
class PinnedBuffer {
public:
    /// Writable if the object allows it. Its interpreter is attached, on its lane's thread. Null with an exception set:
    /// the object has no buffer.
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

} // namespace xinterp::python
