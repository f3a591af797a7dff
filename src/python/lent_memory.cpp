// What a memoryview of another interpreter's memory refers to.
#include <xinterp/python/pinned_buffer.hpp>

#include <memory>
#include <new>
#include <utility>

namespace xinterp::python {
namespace {

// An object whose buffer is another interpreter's.
struct LentMemory {
    PyObject_HEAD std::shared_ptr<PinnedBuffer> buffer;
};

int get_buffer(PyObject* self, Py_buffer* out, int flags) {
    const Py_buffer& view = reinterpret_cast<LentMemory*>(self)->buffer->view();
    const bool strided = (flags & PyBUF_STRIDES) == PyBUF_STRIDES, shaped = (flags & PyBUF_ND) == PyBUF_ND;
    const char* problem = nullptr;
    if ((flags & PyBUF_WRITABLE) != 0 && view.readonly != 0) problem = "the memory is read-only";
    else if (view.suboffsets != nullptr && (flags & PyBUF_INDIRECT) != PyBUF_INDIRECT)
        problem = "the memory is not in one piece";
    else if (!strided && PyBuffer_IsContiguous(&view, 'C') == 0) problem = "the memory is not contiguous";
    if (problem != nullptr) {
        PyErr_SetString(PyExc_BufferError, problem);
        out->obj = nullptr;
        return -1;
    }
    *out = view;
    out->obj = Py_NewRef(self);
    out->internal = nullptr;
    if (!strided) out->strides = nullptr;
    if (!shaped) out->shape = nullptr;
    if ((flags & PyBUF_FORMAT) == 0) out->format = nullptr;
    return 0;
}

void deallocate(PyObject* self) {
    PyTypeObject* type = Py_TYPE(self);
    std::destroy_at(&reinterpret_cast<LentMemory*>(self)->buffer);
    type->tp_free(self);
    drop_type(type);
}

PyType_Slot slots[] = {
    {Py_bf_getbuffer, reinterpret_cast<void*>(get_buffer)},
    {Py_tp_dealloc, reinterpret_cast<void*>(deallocate)},
    {0, nullptr},
};

PyType_Spec type_spec = {"_xinterp.LentMemory", sizeof(LentMemory), 0,
                         Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE, slots};

// The attached interpreter's own type, kept in the interpreter's dict.
Ref lent_memory_type() {
    static constexpr const char* key = "xinterp.LentMemory";
    PyObject* dict = PyInterpreterState_GetDict(PyInterpreterState_Get()); // borrowed
    Ref type = Ref::borrow(dict != nullptr ? PyDict_GetItemString(dict, key) : nullptr);
    if (type || dict == nullptr) return type;
    type = Ref::steal(PyType_FromSpec(&type_spec));
    if (!type || PyDict_SetItemString(dict, key, type.get()) != 0) return {};
    return type;
}

} // namespace

Ref view_of(std::shared_ptr<PinnedBuffer> buffer) {
    const Ref type_object = lent_memory_type();
    if (!type_object) return {};
    auto* type = reinterpret_cast<PyTypeObject*>(type_object.get());
    const Ref object = Ref::steal(type->tp_alloc(type, 0));
    if (!object) return {};
    new (&reinterpret_cast<LentMemory*>(object.get())->buffer) std::shared_ptr<PinnedBuffer>{std::move(buffer)};
    return Ref::steal(PyMemoryView_FromObject(object.get()));
}

} // namespace xinterp::python
