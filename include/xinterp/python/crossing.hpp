// include/xinterp/python/crossing.hpp: a value on its way from one interpreter to others.
#pragma once

#include <xinterp/python/ref.hpp>

#include <memory>
#include <string_view>

namespace xinterp::python {

enum class Way {
    copied,        ///< numbers, text, bytes, tuples of those; functions that need nothing but their arguments
    pickled,       ///< what is neither
    shared_buffer, ///< memoryviews, arrays, other objects with a buffer, large bytes: their memory, where it is
};
std::string_view way_name(Way way);

/// What is in one: see crossing.cpp.
struct CrossingValue;

/// Packed in one interpreter, unpacked in others, any number of times and in several at a time. May be copied and
/// destroyed on any thread, with any interpreter attached or none, also when the one it comes from is gone: all that
/// belongs to that one is given back to it, and as long as something is lent it is not finalized.
class Crossing {
public:
    Crossing() = default;
    /// Attached. Empty, with NotShareableError set that names type and reason, if the object cannot cross.
    static Crossing pack(PyObject* object);
    /// A new object of the attached interpreter. Null with NotShareableError set if it cannot be made there.
    Ref unpack() const;

    Way way() const;
    explicit operator bool() const { return value_ != nullptr; }

    /// Whether the object's data can be had elsewhere without pickling it. Attached.
    static bool is_shareable(PyObject* object);
    /// Keeps something until the value that is being packed on this thread has arrived; nothing if none is.
    static void accompany(std::shared_ptr<const void> companion);

private:
    std::shared_ptr<const CrossingValue> value_;
};

} // namespace xinterp::python
