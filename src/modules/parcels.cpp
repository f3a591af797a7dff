#include <xinterp/modules/origin.hpp>
#include <xinterp/modules/parcels.hpp>
#include <xinterp/python/pinned_buffer.hpp>

#include <map>
#include <mutex>
#include <new>
#include <string>

namespace xinterp::modules {
namespace {

using python::PinnedBuffer;
using python::Ref;

struct Parcel {
    std::string bytes;
    std::shared_ptr<PinnedBuffer> buffer; ///< null: the bytes
};

// Never locked while Python is called, nor while a parcel is destroyed.
struct Shelf {
    std::mutex mutex;
    std::map<ParcelId, Parcel> parcels;
    ParcelId last = 0;
};
Shelf& shelf() {
    static Shelf& only = *new Shelf; // never destroyed: lanes may outlive main()
    return only;
}

PyObject* keep(Parcel parcel) {
    const std::scoped_lock lock{shelf().mutex};
    const ParcelId id = ++shelf().last;
    shelf().parcels.emplace(id, std::move(parcel));
    return PyLong_FromUnsignedLongLong(id);
}

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
    python::drop_type(type);
}

PyType_Slot slots[] = {
    {Py_bf_getbuffer, reinterpret_cast<void*>(get_buffer)},
    {Py_tp_dealloc, reinterpret_cast<void*>(deallocate)},
    {0, nullptr},
};

Ref view_of(const BridgeState& state, std::shared_ptr<PinnedBuffer> buffer) {
    auto* type = reinterpret_cast<PyTypeObject*>(state.lent_memory_type);
    const Ref object = Ref::steal(type->tp_alloc(type, 0));
    if (!object) return {};
    new (&reinterpret_cast<LentMemory*>(object.get())->buffer) std::shared_ptr<PinnedBuffer>{std::move(buffer)};
    return Ref::steal(PyMemoryView_FromObject(object.get()));
}

} // namespace

PyType_Spec lent_memory_type_spec = {"_xinterp.LentMemory", sizeof(LentMemory), 0,
                                     Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, slots};

PyObject* pack_bytes(PyObject*, PyObject* bytes) {
    char* data = nullptr;
    Py_ssize_t size = 0;
    if (PyBytes_AsStringAndSize(bytes, &data, &size) != 0) return nullptr;
    return keep({{data, static_cast<std::size_t>(size)}, nullptr});
}

PyObject* pack_buffer(PyObject*, PyObject* object) {
    std::shared_ptr<PinnedBuffer> buffer = PinnedBuffer::pin(object);
    return buffer ? keep({{}, std::move(buffer)}) : nullptr;
}

PyObject* unpack(PyObject* module, PyObject* id) {
    const ParcelId number = PyLong_AsUnsignedLongLong(id);
    if (PyErr_Occurred() != nullptr) return nullptr;
    Parcel parcel;
    {
        const std::scoped_lock lock{shelf().mutex};
        const auto found = shelf().parcels.find(number);
        if (found == shelf().parcels.end()) {
            PyErr_SetString(PyExc_LookupError, "there is no such parcel");
            return nullptr;
        }
        parcel = found->second;
    }
    if (parcel.buffer)
        return view_of(*static_cast<BridgeState*>(PyModule_GetState(module)), std::move(parcel.buffer)).release();
    return PyBytes_FromStringAndSize(parcel.bytes.data(), static_cast<Py_ssize_t>(parcel.bytes.size()));
}

PyObject* discard(PyObject*, PyObject* id) {
    const ParcelId number = PyLong_AsUnsignedLongLong(id);
    if (PyErr_Occurred() != nullptr) return nullptr;
    discard_parcel(number);
    Py_RETURN_NONE;
}

void discard_parcel(ParcelId id) {
    Parcel parcel; // destroyed after the lock is given back
    const std::scoped_lock lock{shelf().mutex};
    if (auto found = shelf().parcels.extract(id)) parcel = std::move(found.mapped());
}

} // namespace xinterp::modules
