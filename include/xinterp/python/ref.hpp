// include/xinterp/python/ref.hpp: owners for what the C API counts or switches: references and thread states.
// The only place with a naked Py_DECREF. Everything here needs an attached thread state unless it says otherwise.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <utility>

namespace xinterp::python {

/// An owned reference, possibly null.
class Ref {
public:
    Ref() = default;
    /// Takes over a new reference, as most C API functions return.
    static Ref steal(PyObject* object) { return Ref{object}; }
    /// Shares a borrowed one.
    static Ref borrow(PyObject* object) { return Ref{Py_XNewRef(object)}; }

    Ref(const Ref& other) : object_{Py_XNewRef(other.object_)} {}
    Ref(Ref&& other) noexcept : object_{std::exchange(other.object_, nullptr)} {}
    Ref& operator=(Ref other) noexcept {
        std::swap(object_, other.object_);
        return *this;
    }
    ~Ref() { Py_XDECREF(object_); }

    PyObject* get() const { return object_; }
    /// Hands the reference to the caller.
    PyObject* release() { return std::exchange(object_, nullptr); }
    explicit operator bool() const { return object_ != nullptr; }

private:
    explicit Ref(PyObject* object) : object_{object} {}
    PyObject* object_ = nullptr;
};

/// An instance of a heap type holds a reference to it, given up by its deallocator.
inline void drop_type(PyTypeObject* type) { Py_DECREF(type); }

/// The thread state is detached (the GIL released) while this lives.
class Detached {
public:
    Detached() : state_{PyEval_SaveThread()} {}
    ~Detached() { PyEval_RestoreThread(state_); }
    Detached(const Detached&) = delete;
    Detached& operator=(const Detached&) = delete;

private:
    PyThreadState* state_;
};

/// Sets the pending exception aside while this lives.
class SavedError {
public:
    SavedError() : error_{Ref::steal(PyErr_GetRaisedException())} {}
    ~SavedError() { PyErr_SetRaisedException(error_.release()); }
    SavedError(const SavedError&) = delete;
    SavedError& operator=(const SavedError&) = delete;

private:
    Ref error_;
};

} // namespace xinterp::python
