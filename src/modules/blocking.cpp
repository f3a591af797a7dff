#include <xinterp/modules/blocking.hpp>
#include <xinterp/modules/bridge.hpp>
#include <xinterp/modules/waiting.hpp>
#include <xinterp/python/internals.hpp>
#include <xinterp/python/visits.hpp>

#include <array>
#include <cerrno>
#include <cmath>
#include <ctime>

namespace xinterp::modules {
namespace {

using python::Ref;
using Clock = std::chrono::steady_clock;

enum class Kind { lock, join, get };

// What the caller asked for: to block or not, and until when.
struct Wish {
    bool block = true;
    double timeout = -1; ///< seconds; negative: for ever
};

// The caller's arguments, as acquire(blocking, timeout), get(block, timeout) or join(timeout) take them. False when
// they are not of that form: the original then says what is wrong.
bool read_wish(Kind kind, PyObject* const* arguments, Py_ssize_t count, PyObject* keywords, Wish& wish) {
    std::array<PyObject*, 2> values{};
    static constexpr std::array<const char*, 2> lock_names{"blocking", "timeout"}, get_names{"block", "timeout"},
        join_names{"timeout", ""};
    const auto& names = kind == Kind::get ? get_names : kind == Kind::join ? join_names : lock_names;
    if (count > 2) return false;
    for (Py_ssize_t i = 0; i < count; ++i) values[static_cast<std::size_t>(i)] = arguments[i];
    for (Py_ssize_t i = 0; keywords != nullptr && i < PyTuple_GET_SIZE(keywords); ++i) {
        PyObject* keyword = PyTuple_GET_ITEM(keywords, i);
        if (PyUnicode_CompareWithASCIIString(keyword, names[0]) == 0) values[0] = arguments[count + i];
        else if (PyUnicode_CompareWithASCIIString(keyword, names[1]) == 0) values[1] = arguments[count + i];
        else return false;
    }
    PyObject* timeout = kind == Kind::join ? values[0] : values[1];
    if (kind != Kind::join && values[0] != nullptr) {
        const int truth = PyObject_IsTrue(values[0]);
        if (truth < 0) return false;
        wish.block = truth == 1;
    }
    if (timeout != nullptr && timeout != Py_None) {
        wish.timeout = PyFloat_AsDouble(timeout);
        if (PyErr_Occurred() != nullptr || std::isnan(wish.timeout) || wish.timeout > 1e9) return false;
    }
    return true;
}

// One slice of the wait: the original with a timeout. Null with an exception set; *over says whether it succeeded.
Ref wait_slice(Kind kind, PyObject* original, PyObject* self, double seconds, bool& over) {
    const Ref timeout = Ref::steal(PyFloat_FromDouble(seconds));
    if (!timeout) return {};
    const std::array<PyObject*, 3> with_block{self, Py_True, timeout.get()};
    const std::array<PyObject*, 2> alone{self, timeout.get()};
    Ref result = kind == Kind::join
                     ? Ref::steal(PyObject_Vectorcall(original, alone.data(), alone.size(), nullptr))
                     : Ref::steal(PyObject_Vectorcall(original, with_block.data(), with_block.size(), nullptr));
    if (kind == Kind::get) {
        over = static_cast<bool>(result);
    } else if (result && kind == Kind::join) {
        const std::array<PyObject*, 1> only{self};
        const Ref done = Ref::steal(PyObject_VectorcallMethod(Ref::steal(PyUnicode_FromString("is_done")).get(),
                                                              only.data(), only.size(), nullptr));
        over = done && PyObject_IsTrue(done.get()) == 1;
        if (!done) return {};
    } else if (result) {
        over = PyObject_IsTrue(result.get()) == 1;
    }
    return result;
}

// queue.Empty ends every slice; while the caller's time is not up it is taken back.
bool take_back_empty(PyObject* queue) {
    const Ref error = Ref::steal(PyErr_GetRaisedException());
    PyObject* module = PyType_GetModule(Py_TYPE(queue));
    const Ref empty = Ref::steal(module != nullptr ? PyObject_GetAttrString(module, "Empty") : nullptr);
    PyErr_Clear();
    if (empty && error && PyErr_GivenExceptionMatches(error.get(), empty.get()) != 0) return true;
    PyErr_SetRaisedException(Ref{error}.release());
    return false;
}

// `arguments` are the original method, its instance, and what the caller gave.
PyObject* wait_in_slices(Kind kind, PyObject* const* arguments, Py_ssize_t count, PyObject* keywords) {
    if (count < 2) {
        PyErr_SetString(PyExc_TypeError, "the original method and its instance are needed");
        return nullptr;
    }
    PyObject *original = arguments[0], *self = arguments[1];
    Wish wish;
    if (!python::needs_help_here() || !read_wish(kind, arguments + 2, count - 2, keywords, wish) || !wish.block ||
        wish.timeout == 0 || (wish.timeout < 0 && kind == Kind::get && wish.timeout != -1)) {
        PyErr_Clear();
        return PyObject_Vectorcall(original, arguments + 1, static_cast<std::size_t>(count - 1), keywords);
    }
    constexpr double slice = std::chrono::duration<double>{interrupt_slice}.count();
    const auto begun = Clock::now();
    while (true) {
        double left = slice;
        if (wish.timeout >= 0)
            left = std::min(slice, wish.timeout - std::chrono::duration<double>{Clock::now() - begun}.count());
        bool over = false;
        const bool last = left < slice;
        Ref result = wait_slice(kind, original, self, std::max(left, 0.0), over);
        if (over) return result.release();
        if (!result && (last || kind != Kind::get || !take_back_empty(self))) return nullptr;
        if (interrupted()) return nullptr;
        if (last) return result.release();
    }
}

} // namespace

PyObject* acquire_lock(PyObject*, PyObject* const* arguments, Py_ssize_t count, PyObject* keywords) {
    return wait_in_slices(Kind::lock, arguments, count, keywords);
}

PyObject* enter_lock(PyObject*, PyObject* const* arguments, Py_ssize_t count, PyObject* keywords) {
    if (count != 2 || keywords != nullptr || !python::needs_help_here())
        return wait_in_slices(Kind::lock, arguments, count, keywords); // which leaves it to the original
    const Ref acquire = Ref::steal(PyUnicode_FromString("acquire"));
    return acquire ? PyObject_VectorcallMethod(acquire.get(), arguments + 1, 1, nullptr) : nullptr;
}

PyObject* join_thread(PyObject*, PyObject* const* arguments, Py_ssize_t count, PyObject* keywords) {
    return wait_in_slices(Kind::join, arguments, count, keywords);
}

PyObject* get_item(PyObject*, PyObject* const* arguments, Py_ssize_t count, PyObject* keywords) {
    return wait_in_slices(Kind::get, arguments, count, keywords);
}

PyObject* interruptible_sleep(PyObject*, PyObject* const* arguments, Py_ssize_t count) {
    if (count != 2) {
        PyErr_SetString(PyExc_TypeError, "sleep() takes the original and one argument");
        return nullptr;
    }
    PyObject* seconds = arguments[1];
    if (PySys_Audit("time.sleep", "O", seconds) < 0) return nullptr;
    const double length = PyFloat_AsDouble(seconds);
    if (PyErr_Occurred() != nullptr) return nullptr;
    if (std::isnan(length)) {
        PyErr_SetString(PyExc_ValueError, "Invalid value NaN (not a number)");
        return nullptr;
    }
    if (length < 0) {
        PyErr_SetString(PyExc_ValueError, "sleep length must be non-negative");
        return nullptr;
    }
    if (length > 9.2e9) {
        PyErr_SetString(PyExc_OverflowError, "timestamp too large to convert to C PyTime_t");
        return nullptr;
    }
    timespec until{};
    clock_gettime(CLOCK_MONOTONIC, &until);
    const double whole = std::floor(length);
    until.tv_sec += static_cast<time_t>(whole);
    until.tv_nsec += static_cast<long>((length - whole) * 1e9);
    if (until.tv_nsec >= 1'000'000'000) {
        until.tv_nsec -= 1'000'000'000;
        ++until.tv_sec;
    }
    while (true) {
        int error = 0;
        {
            const python::Detached detached;
            error = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
        }
        if (interrupted()) return nullptr;
        if (error != EINTR) Py_RETURN_NONE;
    }
}

} // namespace xinterp::modules
