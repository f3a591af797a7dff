// include/xinterp/modules/parcels.hpp: values between two interpreters, kept by the process under a number.
//
// A parcel is packed in one interpreter and unpacked in others, any number of times. It holds bytes, which are copied,
// or the buffer of an object, which is not. It belongs to a shipment, and lasts as long as that.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <cstddef>
#include <cstdint>

namespace xinterp::modules {

using ParcelId = std::uint64_t;
using ShipmentId = std::uint64_t;

/// Parcels that cross for one command or cell. They are discarded with it, whoever has packed them; what is packed or
/// unpacked for it later is refused. Any thread, no thread state needed.
class Shipment {
public:
    Shipment();
    ~Shipment();
    Shipment(const Shipment&) = delete;
    Shipment& operator=(const Shipment&) = delete;

    ShipmentId number() const { return number_; }

private:
    ShipmentId number_;
};

/// Of all shipments. Any thread.
std::size_t count_parcels();

// Methods of `_xinterp`.
PyObject* is_awaited(PyObject* module, PyObject* shipment);
PyObject* pack(PyObject* module, PyObject* arguments);
PyObject* unpack(PyObject* module, PyObject* id);
PyObject* parcel_count(PyObject* module, PyObject*);

} // namespace xinterp::modules
