// include/xinterp/modules/parcels.hpp: values between two interpreters, kept by the process under a number.
//
// A parcel is packed in one interpreter and unpacked in others, any number of times, until it is discarded. It holds
// bytes, which are copied, or the buffer of an object, which is not.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <cstdint>

namespace xinterp::modules {

using ParcelId = std::uint64_t;

// Methods of `_xinterp`.
PyObject* pack_bytes(PyObject* module, PyObject* bytes);
PyObject* pack_buffer(PyObject* module, PyObject* object);
PyObject* unpack(PyObject* module, PyObject* id);
PyObject* discard(PyObject* module, PyObject* id);

/// Unknown ids are passed over. Any thread, no thread state needed.
void discard_parcel(ParcelId id);

} // namespace xinterp::modules
