#include <xinterp/modules/blocking.hpp>
#include <xinterp/modules/bridge.hpp>
#include <xinterp/modules/waiting.hpp>
#include <xinterp/python/internals.hpp>
#include <xinterp/python/visits.hpp>

#include <array>
#include <cerrno>
#include <cmath>
#include <cstddef>

#include <ctime>

namespace xinterp::modules {
namespace {

using python::Ref;
using Clock = std::chrono::steady_clock;

enum class Kind { lock, enter, join, get };

// A method descriptor in the place of a blocking method: called with the instance first.
struct SlicedMethod {
    PyObject_HEAD vectorcallfunc vectorcall;
    PyObject* original;
    Kind kind;
};

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
Ref wait_slice(const SlicedMethod& method, PyObject* self, double seconds, bool& over) {
    const Ref timeout = Ref::steal(PyFloat_FromDouble(seconds));
    if (!timeout) return {};
    const std::array<PyObject*, 3> with_block{self, Py_True, timeout.get()};
    const std::array<PyObject*, 2> alone{self, timeout.get()};
    Ref result = method.kind == Kind::join
                     ? Ref::steal(PyObject_Vectorcall(method.original, alone.data(), alone.size(), nullptr))
                     : Ref::steal(PyObject_Vectorcall(method.original, with_block.data(), with_block.size(), nullptr));
    if (method.kind == Kind::get) {
        over = static_cast<bool>(result);
    } else if (result && method.kind == Kind::join) {
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

PyObject* call_sliced(PyObject* callable, PyObject* const* arguments, std::size_t flagged_count, PyObject* keywords) {
    const auto& method = *reinterpret_cast<SlicedMethod*>(callable);
    const Py_ssize_t count = PyVectorcall_NARGS(flagged_count);
    Wish wish;
    if (!python::needs_help_here() || count < 1 ||
        (method.kind != Kind::enter &&
         (!read_wish(method.kind, arguments + 1, count - 1, keywords, wish) || !wish.block || wish.timeout == 0 ||
          (wish.timeout < 0 && method.kind == Kind::get && wish.timeout != -1)))) {
        PyErr_Clear();
        return PyObject_Vectorcall(method.original, arguments, flagged_count, keywords);
    }
    PyObject* self = arguments[0];
    constexpr double slice = std::chrono::duration<double>{interrupt_slice}.count();
    const auto begun = Clock::now();
    while (true) {
        double left = slice;
        if (wish.timeout >= 0)
            left = std::min(slice, wish.timeout - std::chrono::duration<double>{Clock::now() - begun}.count());
        bool over = false;
        Ref result;
        const bool last = left < slice;
        result = wait_slice(method, self, std::max(left, 0.0), over);
        if (over) return method.kind == Kind::enter ? Py_NewRef(Py_True) : result.release();
        if (!result && (last || method.kind != Kind::get || !take_back_empty(self))) return nullptr;
        if (interrupted()) return nullptr;
        if (last) return result.release();
    }
}

PyObject* bind(PyObject* self, PyObject* instance, PyObject*) {
    if (instance == nullptr || instance == Py_None) return Py_NewRef(self);
    return PyMethod_New(self, instance);
}

PyObject* wrapped_attribute(PyObject* self, void* name) {
    return PyObject_GetAttrString(reinterpret_cast<SlicedMethod*>(self)->original, static_cast<const char*>(name));
}

int traverse(PyObject* self, visitproc visit, void* arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(reinterpret_cast<SlicedMethod*>(self)->original);
    return 0;
}

int clear(PyObject* self) {
    Py_CLEAR(reinterpret_cast<SlicedMethod*>(self)->original);
    return 0;
}

void deallocate(PyObject* self) {
    PyTypeObject* type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    clear(self);
    type->tp_free(self);
    python::drop_type(type);
}

PyMemberDef members[] = {
    {"__vectorcalloffset__", Py_T_PYSSIZET, offsetof(SlicedMethod, vectorcall), Py_READONLY, nullptr},
    {nullptr, 0, 0, 0, nullptr},
};

PyGetSetDef attributes[] = {
    {"__name__", wrapped_attribute, nullptr, nullptr, const_cast<char*>("__name__")},
    {"__qualname__", wrapped_attribute, nullptr, nullptr, const_cast<char*>("__qualname__")},
    {"__doc__", wrapped_attribute, nullptr, nullptr, const_cast<char*>("__doc__")},
    {"__text_signature__", wrapped_attribute, nullptr, nullptr, const_cast<char*>("__text_signature__")},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

PyType_Slot slots[] = {
    {Py_tp_call, reinterpret_cast<void*>(PyVectorcall_Call)},
    {Py_tp_descr_get, reinterpret_cast<void*>(bind)},
    {Py_tp_members, members},
    {Py_tp_getset, attributes},
    {Py_tp_traverse, reinterpret_cast<void*>(traverse)},
    {Py_tp_clear, reinterpret_cast<void*>(clear)},
    {Py_tp_dealloc, reinterpret_cast<void*>(deallocate)},
    {0, nullptr},
};

} // namespace

PyType_Spec sliced_method_type_spec = {"_xinterp.SlicedMethod", sizeof(SlicedMethod), 0,
                                       Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL |
                                           Py_TPFLAGS_METHOD_DESCRIPTOR | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                                       slots};

PyObject* slice_method(PyObject* module, PyObject* const* arguments, Py_ssize_t count) {
    if (count != 3 || !PyType_Check(arguments[0]) || !PyUnicode_Check(arguments[1]) || !PyUnicode_Check(arguments[2])) {
        PyErr_SetString(PyExc_TypeError, "slice_method() takes a type, a method's name and its kind");
        return nullptr;
    }
    auto* type = reinterpret_cast<PyTypeObject*>(arguments[0]);
    static constexpr std::array<std::pair<const char*, Kind>, 4> kinds{
        {{"lock", Kind::lock}, {"enter", Kind::enter}, {"join", Kind::join}, {"get", Kind::get}}};
    const auto* kind = kinds.begin();
    while (kind != kinds.end() && PyUnicode_CompareWithASCIIString(arguments[2], kind->first) != 0) ++kind;
    // The type is immutable for Python code; it is this interpreter's own, and its methods are what must change.
    const Ref dict = Ref::steal(PyType_GetDict(type));
    const Ref original = Ref::borrow(PyDict_GetItemWithError(dict.get(), arguments[1]));
    if (!original || kind == kinds.end()) {
        if (PyErr_Occurred() == nullptr) PyErr_SetString(PyExc_AttributeError, "no such method or kind");
        return nullptr;
    }
    const auto& state = *static_cast<BridgeState*>(PyModule_GetState(module));
    auto* method_type = reinterpret_cast<PyTypeObject*>(state.sliced_method_type);
    const Ref method = Ref::steal(method_type->tp_alloc(method_type, 0));
    if (!method) return nullptr;
    auto& sliced = *reinterpret_cast<SlicedMethod*>(method.get());
    sliced.vectorcall = call_sliced;
    // `with lock` takes no timeout; it waits with the lock's own acquire
    sliced.original = kind->second == Kind::enter ? PyDict_GetItemString(dict.get(), "acquire") : original.get();
    if (sliced.original == nullptr) {
        PyErr_SetString(PyExc_AttributeError, "acquire");
        return nullptr;
    }
    sliced.original = Py_NewRef(sliced.original);
    sliced.kind = kind->second;
    if (PyDict_SetItem(dict.get(), arguments[1], method.get()) != 0) return nullptr;
    PyType_Modified(type);
    Py_RETURN_NONE;
}

PyObject* interruptible_sleep(PyObject*, PyObject* seconds) {
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
