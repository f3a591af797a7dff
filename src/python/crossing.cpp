#include <xinterp/python/crossing.hpp>
#include <xinterp/python/internals.hpp>
#include <xinterp/python/lane.hpp>
#include <xinterp/python/pinned_buffer.hpp>

#include <algorithm>
#include <complex>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace xinterp::python {
namespace {

// From this size on bytes are lent: below, a copy is cheaper than what giving them back costs.
constexpr Py_ssize_t lent_bytes = 1 << 20;

struct Text {
    int kind; ///< bytes per character
    std::string characters;
};
struct LongInteger {
    std::string bytes; ///< in native order
};
struct Buffer {
    std::shared_ptr<PinnedBuffer> memory;
    bool is_array; ///< numpy's
};

// Cross-interpreter data that refers to nothing of its interpreter.
struct Independent {
    Independent(_xidata* filled, std::string name) : data{filled}, type{std::move(name)} {
        internals::make_independent(data, bytes);
    }
    ~Independent() { internals::free_data(data); }
    Independent(const Independent&) = delete;
    Independent& operator=(const Independent&) = delete;

    _xidata* data;
    std::string bytes, type;
    bool is_pickled = false;
};

// Cross-interpreter data as the type has registered it, freed in its interpreter.
struct Registered {
    Registered(_xidata* filled, std::shared_ptr<Lane> lane) : data{filled}, owner{std::move(lane)} { owner->lend(); }
    ~Registered() {
        owner->give_back([data = data] { internals::free_data(data); });
    }
    Registered(const Registered&) = delete;
    Registered& operator=(const Registered&) = delete;

    _xidata* data;
    std::shared_ptr<Lane> owner;
};

struct Part;
struct Tuple {
    std::vector<Part> items;
};
struct Part {
    std::variant<std::monostate, bool, std::int64_t, double, std::complex<double>, LongInteger, Text, std::string,
                 Tuple, Buffer, std::shared_ptr<Independent>, std::shared_ptr<Registered>>
        content; ///< monostate: None; std::string: bytes
};

using Companions = std::vector<std::shared_ptr<const void>>;
thread_local Companions* companions_here = nullptr;

// While this lives, accompany() on this thread adds to these.
class Packing {
public:
    explicit Packing(Companions& companions) : outer_{std::exchange(companions_here, &companions)} {}
    ~Packing() { companions_here = outer_; }
    Packing(const Packing&) = delete;
    Packing& operator=(const Packing&) = delete;

private:
    Companions* outer_;
};

std::string utf8(const Ref& text) {
    Py_ssize_t size = 0;
    const char* data = text ? PyUnicode_AsUTF8AndSize(text.get(), &size) : nullptr;
    if (data == nullptr) {
        PyErr_Clear();
        return "?";
    }
    return {data, static_cast<std::size_t>(size)};
}

std::string type_name(PyObject* object) { return utf8(Ref::steal(PyType_GetFullyQualifiedName(Py_TYPE(object)))); }

// "TypeError: reason", or the reason alone.
std::string text_of(PyObject* error, bool with_type) {
    std::string text = utf8(Ref::steal(PyObject_Str(error)));
    while (text.ends_with('.')) text.pop_back();
    return with_type ? type_name(error) + ": " + text : text;
}

void set_not_shareable(const std::string& message, const Ref& cause) {
    const Ref error =
        Ref::steal(PyObject_CallFunction(internals::not_shareable_error(), "s#", message.data(), message.size()));
    if (!error) return;
    if (cause) PyException_SetCause(error.get(), Ref{cause}.release());
    PyErr_SetRaisedException(Ref{error}.release());
}

// What has raised the NotShareableError that CPython has set, which is cleared. Null: the exception stays as it is, or
// is that of an interrupt or the like, which is not about the value.
Ref take_cause() {
    Ref error = Ref::steal(PyErr_GetRaisedException());
    if (PyErr_GivenExceptionMatches(error.get(), internals::not_shareable_error()) == 0) {
        PyErr_SetRaisedException(Ref{error}.release());
        return {};
    }
    Ref cause = Ref::steal(PyException_GetCause(error.get()));
    if (!cause) return error;
    if (PyErr_GivenExceptionMatches(cause.get(), PyExc_Exception) != 0 &&
        PyErr_GivenExceptionMatches(cause.get(), PyExc_MemoryError) == 0)
        return cause;
    PyErr_SetRaisedException(cause.release());
    return {};
}

enum class Exporter { none, memory, array };

// Whether an object's memory is all there is to it. Numpy's scalars have a buffer too, and subclasses of its arrays
// have more than that.
Exporter exporter(PyObject* object) {
    if (PyMemoryView_Check(object) || PyByteArray_CheckExact(object)) return Exporter::memory;
    if (PyObject_CheckBuffer(object) == 0 || PyBytes_Check(object) || PyByteArray_Check(object)) return Exporter::none;
    const Ref name = Ref::steal(PyUnicode_InternFromString("numpy"));
    const Ref numpy = Ref::steal(name ? PyImport_GetModule(name.get()) : nullptr);
    const Ref array = Ref::steal(numpy ? PyObject_GetAttrString(numpy.get(), "ndarray") : nullptr);
    const Ref scalar = Ref::steal(array ? PyObject_GetAttrString(numpy.get(), "generic") : nullptr);
    PyErr_Clear();
    if (!scalar) return Exporter::memory;
    if (PyObject_IsInstance(object, array.get()) == 1) {
        const Ref type = Ref::steal(PyObject_GetAttrString(object, "dtype"));
        const Ref kind = Ref::steal(type ? PyObject_GetAttrString(type.get(), "kind") : nullptr);
        const std::string letter = utf8(kind);
        const bool plain = Py_IS_TYPE(object, reinterpret_cast<PyTypeObject*>(array.get())) != 0 &&
                           letter.size() == 1 &&
                           std::string_view{"biufc"}.find(letter.front()) != std::string_view::npos;
        return plain ? Exporter::array : Exporter::none;
    }
    const bool is_scalar = PyObject_IsInstance(object, scalar.get()) == 1;
    PyErr_Clear();
    return is_scalar ? Exporter::none : Exporter::memory;
}

// Whether a buffer's elements are references to objects ("O" outside of a field's name), which mean nothing elsewhere.
bool holds_objects(const Py_buffer& view) {
    bool in_name = false, found = false;
    for (const char* sign = view.format; sign != nullptr && *sign != '\0'; ++sign) {
        if (*sign == ':') in_name = !in_name;
        found = found || (*sign == 'O' && !in_name);
    }
    return found;
}

enum class Packed { yes, no, failed };

// Lends the object's memory if it is of that kind. Failed: with an exception set.
Packed pack_memory(PyObject* object, Part& part) {
    const bool is_bytes = PyBytes_CheckExact(object) != 0, is_view = PyMemoryView_Check(object) != 0;
    const Exporter kind = is_bytes ? Exporter::memory : exporter(object);
    if (kind == Exporter::none) return Packed::no;
    std::shared_ptr<PinnedBuffer> memory = PinnedBuffer::pin(object);
    if (memory && !holds_objects(memory->view()) && (memory->view().ndim > 0 || is_view || kind == Exporter::array)) {
        part.content = Buffer{std::move(memory), kind == Exporter::array};
        return Packed::yes;
    }
    if (!is_view) { // it has a value besides its memory
        PyErr_Clear();
        return Packed::no;
    }
    const Ref error = Ref::steal(PyErr_GetRaisedException());
    const std::string reason = error ? text_of(error.get(), false) : "its elements are objects of this interpreter";
    set_not_shareable("memoryview cannot cross to another interpreter: " + reason + ".", error);
    return Packed::failed;
}

bool pack_part(PyObject* object, Part& part);

bool pack_tuple(PyObject* tuple, Part& part) {
    if (Py_EnterRecursiveCall(" while a tuple is sent to another interpreter") != 0) return false;
    Tuple packed;
    packed.items.resize(static_cast<std::size_t>(PyTuple_GET_SIZE(tuple)));
    Py_ssize_t index = 0;
    const bool all = std::ranges::all_of(packed.items,
                                         [&](Part& item) { return pack_part(PyTuple_GET_ITEM(tuple, index++), item); });
    Py_LeaveRecursiveCall();
    part.content = std::move(packed);
    return all;
}

bool pack_integer(PyObject* object, Part& part) {
    int overflow = 0;
    const std::int64_t number = PyLong_AsLongLongAndOverflow(object, &overflow);
    if (overflow == 0) {
        part.content = number;
        return true;
    }
    LongInteger packed;
    const Py_ssize_t size = PyLong_AsNativeBytes(object, nullptr, 0, Py_ASNATIVEBYTES_NATIVE_ENDIAN);
    if (size < 0) return false;
    packed.bytes.resize(static_cast<std::size_t>(size));
    if (PyLong_AsNativeBytes(object, packed.bytes.data(), size, Py_ASNATIVEBYTES_NATIVE_ENDIAN) < 0) return false;
    part.content = std::move(packed);
    return true;
}

bool pack_pickled(PyObject* object, Part& part) {
    // A function of a module is told by its name, by pickle; one that needs no globals is its code.
    _xidata* data = PyFunction_Check(object) ? internals::function_data(object) : nullptr;
    const bool is_pickled = data == nullptr;
    if (is_pickled) {
        PyErr_Clear();
        data = internals::pickled_data(object);
    }
    if (data != nullptr) {
        auto packed = std::make_shared<Independent>(data, type_name(object));
        packed->is_pickled = is_pickled;
        part.content = std::move(packed);
        return true;
    }
    if (const Ref cause = take_cause())
        set_not_shareable(
            type_name(object) + " cannot cross to another interpreter: " + text_of(cause.get(), false) + ".", cause);
    return false;
}

bool pack_registered(PyObject* object, const std::shared_ptr<Lane>& lane, Part& part) {
    _xidata* data = internals::registered_data(object);
    if (data == nullptr) return false;
    part.content = std::make_shared<Registered>(data, lane);
    return true;
}

bool pack_part(PyObject* object, Part& part) {
    if (Py_IsNone(object) != 0) return true;
    if (PyBool_Check(object)) {
        part.content = Py_IsTrue(object) != 0;
        return true;
    }
    if (PyLong_CheckExact(object)) return pack_integer(object, part);
    if (PyFloat_CheckExact(object)) {
        part.content = PyFloat_AS_DOUBLE(object);
        return true;
    }
    if (PyComplex_CheckExact(object)) {
        part.content = std::complex<double>{PyComplex_RealAsDouble(object), PyComplex_ImagAsDouble(object)};
        return true;
    }
    if (PyUnicode_CheckExact(object)) {
        const int kind = PyUnicode_KIND(object);
        const auto size = static_cast<std::size_t>(PyUnicode_GET_LENGTH(object) * kind);
        part.content = Text{kind, {static_cast<const char*>(PyUnicode_DATA(object)), size}};
        return true;
    }
    if (PyTuple_CheckExact(object)) return pack_tuple(object, part);
    const bool is_bytes = PyBytes_CheckExact(object) != 0;
    if (!is_bytes || PyBytes_GET_SIZE(object) >= lent_bytes)
        if (const Packed packed = pack_memory(object, part); packed != Packed::no) return packed == Packed::yes;
    if (is_bytes) {
        part.content = std::string{PyBytes_AS_STRING(object), static_cast<std::size_t>(PyBytes_GET_SIZE(object))};
        return true;
    }
    if (internals::is_registered(object)) {
        const std::shared_ptr<Lane> lane = Lane::of(PyInterpreterState_GetID(PyInterpreterState_Get()));
        if (lane && pack_registered(object, lane, part)) return true;
        PyErr_Clear(); // it may be pickled
    }
    return pack_pickled(object, part);
}

// An array where numpy can be imported: it refuses interpreters with a GIL of their own, and asking it takes long.
Ref array_of(Ref view) {
    static constexpr const char* key = "xinterp.numpy_refuses";
    if (!view) return view;
    PyObject* dict = PyInterpreterState_GetDict(PyInterpreterState_Get()); // borrowed
    if (dict != nullptr && PyDict_GetItemString(dict, key) != nullptr) return view;
    const Ref numpy = Ref::steal(PyImport_ImportModule("numpy"));
    if (numpy) return Ref::steal(PyObject_CallMethod(numpy.get(), "asarray", "O", view.get()));
    if (PyErr_ExceptionMatches(PyExc_ImportError) == 0) return {};
    const bool is_installed = PyErr_ExceptionMatches(PyExc_ModuleNotFoundError) == 0;
    PyErr_Clear();
    if (is_installed && dict != nullptr && PyDict_SetItemString(dict, key, Py_True) != 0) return {};
    return view;
}

Ref unpack_part(const Part& part);

struct Unpack {
    Ref operator()(std::monostate) const { return Ref::borrow(Py_None); }
    Ref operator()(bool truth) const { return Ref::steal(PyBool_FromLong(static_cast<long>(truth))); }
    Ref operator()(std::int64_t number) const { return Ref::steal(PyLong_FromLongLong(number)); }
    Ref operator()(double number) const { return Ref::steal(PyFloat_FromDouble(number)); }
    Ref operator()(const std::complex<double>& number) const {
        return Ref::steal(PyComplex_FromDoubles(number.real(), number.imag()));
    }
    Ref operator()(const LongInteger& number) const {
        return Ref::steal(
            PyLong_FromNativeBytes(number.bytes.data(), number.bytes.size(), Py_ASNATIVEBYTES_NATIVE_ENDIAN));
    }
    Ref operator()(const Text& text) const {
        return Ref::steal(PyUnicode_FromKindAndData(text.kind, text.characters.data(),
                                                    static_cast<Py_ssize_t>(text.characters.size()) / text.kind));
    }
    Ref operator()(const std::string& bytes) const {
        return Ref::steal(PyBytes_FromStringAndSize(bytes.data(), static_cast<Py_ssize_t>(bytes.size())));
    }
    Ref operator()(const Tuple& tuple) const {
        if (Py_EnterRecursiveCall(" while a tuple arrives from another interpreter") != 0) return {};
        Ref object = Ref::steal(PyTuple_New(static_cast<Py_ssize_t>(tuple.items.size())));
        for (std::size_t i = 0; object && i < tuple.items.size(); ++i) {
            Ref item = unpack_part(tuple.items[i]);
            if (item) PyTuple_SET_ITEM(object.get(), static_cast<Py_ssize_t>(i), item.release());
            else object = {};
        }
        Py_LeaveRecursiveCall();
        return object;
    }
    Ref operator()(const Buffer& buffer) const {
        Ref view = view_of(buffer.memory);
        return buffer.is_array ? array_of(std::move(view)) : view;
    }
    Ref operator()(const std::shared_ptr<Registered>& registered) const {
        return Ref::steal(internals::new_object(registered->data));
    }
    Ref operator()(const std::shared_ptr<Independent>& independent) const {
        Ref object = Ref::steal(internals::new_object(independent->data));
        if (object) return object;
        if (const Ref cause = take_cause())
            set_not_shareable(
                independent->type + " cannot be made in this interpreter: " + text_of(cause.get(), true) + ".", cause);
        return {};
    }
};

Ref unpack_part(const Part& part) { return std::visit(Unpack{}, part.content); }

Way way_of(const Part& part) {
    if (const auto* tuple = std::get_if<Tuple>(&part.content)) {
        Way way = Way::copied;
        for (const Part& item : tuple->items) way = std::max(way, way_of(item));
        return way;
    }
    if (std::holds_alternative<Buffer>(part.content)) return Way::shared_buffer;
    const auto* independent = std::get_if<std::shared_ptr<Independent>>(&part.content);
    return independent != nullptr && (*independent)->is_pickled ? Way::pickled : Way::copied;
}

} // namespace

struct CrossingValue {
    Part part;
    Companions companions;
};

std::string_view way_name(Way way) {
    switch (way) {
    case Way::copied: return "copied";
    case Way::pickled: return "pickled";
    case Way::shared_buffer: return "shared buffer";
    }
    return "";
}

Crossing Crossing::pack(PyObject* object) {
    auto value = std::make_shared<CrossingValue>();
    const Packing packing{value->companions};
    Crossing crossing;
    if (pack_part(object, value->part)) crossing.value_ = std::move(value);
    return crossing;
}

Ref Crossing::unpack() const { return unpack_part(value_->part); }

Way Crossing::way() const { return way_of(value_->part); }

bool Crossing::is_shareable(PyObject* object) {
    if (PyTuple_CheckExact(object)) {
        if (Py_EnterRecursiveCall(" while a tuple is looked at") != 0) {
            PyErr_Clear();
            return false;
        }
        bool all = true;
        for (Py_ssize_t i = 0; all && i < PyTuple_GET_SIZE(object); ++i)
            all = is_shareable(PyTuple_GET_ITEM(object, i));
        Py_LeaveRecursiveCall();
        return all;
    }
    return PyComplex_CheckExact(object) || internals::is_registered(object) || exporter(object) != Exporter::none;
}

void Crossing::accompany(std::shared_ptr<const void> companion) {
    if (companions_here != nullptr) companions_here->push_back(std::move(companion));
}

} // namespace xinterp::python
