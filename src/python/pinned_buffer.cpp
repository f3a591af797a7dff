#include <xinterp/python/pinned_buffer.hpp>

#include <utility>

namespace xinterp::python {

std::shared_ptr<PinnedBuffer> PinnedBuffer::pin(PyObject* object) {
    std::shared_ptr<Lane> lane = Lane::of(PyInterpreterState_GetID(PyInterpreterState_Get()));
    if (!lane) {
        PyErr_SetString(PyExc_BufferError, "the kernel does not run this interpreter, which thus cannot lend memory");
        return nullptr;
    }
    lane->take_back(); // what has come back while its code ran
    auto view = std::make_shared<Py_buffer>();
    if (PyObject_GetBuffer(object, view.get(), PyBUF_FULL) != 0) {
        PyErr_Clear();
        if (PyObject_GetBuffer(object, view.get(), PyBUF_FULL_RO) != 0) return nullptr;
    }
    return std::shared_ptr<PinnedBuffer>{new PinnedBuffer{std::move(lane), std::move(view)}};
}

PinnedBuffer::PinnedBuffer(std::shared_ptr<Lane> owner, std::shared_ptr<Py_buffer> view)
    : owner_{std::move(owner)}, view_{std::move(view)} {
    owner_->lend();
}

PinnedBuffer::~PinnedBuffer() {
    owner_->give_back([view = std::move(view_)] { PyBuffer_Release(view.get()); });
}

} // namespace xinterp::python
