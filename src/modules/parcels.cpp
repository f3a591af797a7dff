#include <xinterp/modules/parcels.hpp>
#include <xinterp/python/pinned_buffer.hpp>

#include <map>
#include <mutex>
#include <string>

namespace xinterp::modules {
namespace {

using python::PinnedBuffer;

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

} // namespace

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

PyObject* unpack(PyObject*, PyObject* id) {
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
    if (parcel.buffer) return python::view_of(std::move(parcel.buffer)).release();
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
