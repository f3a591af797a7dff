#include <xinterp/modules/parcels.hpp>
#include <xinterp/python/pinned_buffer.hpp>

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace xinterp::modules {
namespace {

using python::PinnedBuffer;

struct Parcel {
    std::shared_ptr<const std::string> bytes;
    std::shared_ptr<PinnedBuffer> buffer; ///< null: the bytes
};

// Never locked while Python is called, nor while a parcel is destroyed.
struct Shelf {
    std::mutex mutex;
    std::map<ShipmentId, std::map<ParcelId, Parcel>> shipments;
    std::uint64_t last = 0; ///< of parcels and shipments
};
Shelf& shelf() {
    static Shelf& only = *new Shelf; // never destroyed: lanes may outlive main()
    return only;
}

// Its number; nothing, and the parcel is left, if nobody waits for the shipment any more.
std::optional<ParcelId> keep(ShipmentId shipment, Parcel& parcel) {
    const std::scoped_lock lock{shelf().mutex};
    const auto found = shelf().shipments.find(shipment);
    if (found == shelf().shipments.end()) return std::nullopt;
    const ParcelId id = ++shelf().last;
    found->second.emplace(id, std::move(parcel));
    return id;
}

std::optional<Parcel> find(ParcelId id) {
    const std::scoped_lock lock{shelf().mutex};
    for (const auto& [shipment, parcels] : shelf().shipments)
        if (const auto found = parcels.find(id); found != parcels.end()) return found->second;
    return std::nullopt;
}

} // namespace

Shipment::Shipment() {
    const std::scoped_lock lock{shelf().mutex};
    number_ = ++shelf().last;
    shelf().shipments.try_emplace(number_);
}

Shipment::~Shipment() {
    std::map<ParcelId, Parcel> parcels; // destroyed after the lock is given back
    const std::scoped_lock lock{shelf().mutex};
    if (auto found = shelf().shipments.extract(number_)) parcels = std::move(found.mapped());
}

std::size_t count_parcels() {
    const std::scoped_lock lock{shelf().mutex};
    std::size_t count = 0;
    for (const auto& [shipment, parcels] : shelf().shipments) count += parcels.size();
    return count;
}

PyObject* is_awaited(PyObject*, PyObject* shipment) {
    const ShipmentId number = PyLong_AsUnsignedLongLong(shipment);
    if (PyErr_Occurred() != nullptr) return nullptr;
    const std::scoped_lock lock{shelf().mutex};
    return Py_NewRef(shelf().shipments.contains(number) ? Py_True : Py_False);
}

PyObject* pack(PyObject*, PyObject* arguments) {
    unsigned long long shipment = 0;
    PyObject* content = nullptr;
    if (PyArg_ParseTuple(arguments, "KO", &shipment, &content) == 0) return nullptr;
    Parcel parcel;
    if (PyBytes_CheckExact(content))
        parcel.bytes = std::make_shared<const std::string>(PyBytes_AS_STRING(content),
                                                           static_cast<std::size_t>(PyBytes_GET_SIZE(content)));
    else if (parcel.buffer = PinnedBuffer::pin(content); !parcel.buffer) return nullptr;
    if (const auto id = keep(shipment, parcel)) return PyLong_FromUnsignedLongLong(*id);
    PyErr_SetString(PyExc_LookupError, "nobody waits for it any more");
    return nullptr;
}

PyObject* unpack(PyObject*, PyObject* id) {
    const ParcelId number = PyLong_AsUnsignedLongLong(id);
    if (PyErr_Occurred() != nullptr) return nullptr;
    std::optional<Parcel> parcel = find(number);
    if (!parcel) {
        PyErr_SetString(PyExc_LookupError, "nobody waits for it any more");
        return nullptr;
    }
    if (parcel->buffer) return python::view_of(std::move(parcel->buffer)).release();
    return PyBytes_FromStringAndSize(parcel->bytes->data(), static_cast<Py_ssize_t>(parcel->bytes->size()));
}

PyObject* parcel_count(PyObject*, PyObject*) { return PyLong_FromSize_t(count_parcels()); }

} // namespace xinterp::modules
