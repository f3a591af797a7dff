#include <xinterp/python/import_locks.hpp>
#include <xinterp/python/internals.hpp>
#include <xinterp/python/ref.hpp>

namespace xinterp::python {
namespace {

bool is_true(const Ref& object) { return object && PyObject_IsTrue(object.get()) == 1; }

Ref attribute(const Ref& object, const char* name) { return Ref::steal(PyObject_GetAttrString(object.get(), name)); }

bool call(const Ref& object, const char* method) {
    return static_cast<bool>(Ref::steal(PyObject_CallMethod(object.get(), method, nullptr)));
}

bool is_owned(const Ref& rlock) { return is_true(Ref::steal(PyObject_CallMethod(rlock.get(), "_is_owned", nullptr))); }

// A _ModuleLock: a list has an element for each time that its owner has taken it, and an RLock within guards both.
// May leave an exception set.
void give_back(const Ref& lock, const Ref& own) {
    const Ref within = attribute(lock, "lock"), count = attribute(lock, "count");
    if (!within || !count || !PyList_Check(count.get())) return;
    // Others have it for an instant.
    if (!is_true(Ref::steal(PyObject_CallMethod(within.get(), "acquire", "id", 1, 1.0)))) return;
    const Ref owner = attribute(lock, "owner");
    if (owner && PyObject_RichCompareBool(owner.get(), own.get(), Py_EQ) == 1) {
        // release() may have been interrupted behind the last element: done again, it wakes who waits.
        if (PyList_GET_SIZE(count.get()) == 0) PyList_Append(count.get(), Py_True);
        while (PyList_GET_SIZE(count.get()) != 0 && call(lock, "release")) {
        }
    }
    PyErr_Clear();
    while (is_owned(within) && call(within, "release")) {
    }
}

// Those of modules are known to the interpreter's importlib alone, by weak references.
void give_back_module_locks() {
    const Ref name = Ref::steal(PyUnicode_FromString("_frozen_importlib"));
    const Ref bootstrap = Ref::steal(name ? PyImport_GetModule(name.get()) : nullptr);
    const Ref known = bootstrap ? attribute(bootstrap, "_module_locks") : Ref{};
    const Ref locks = Ref::steal(known ? PyDict_Values(known.get()) : nullptr);
    const Ref own = Ref::steal(PyLong_FromUnsignedLong(PyThread_get_thread_ident()));
    if (!locks || !own) return;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(locks.get()); ++i) {
        const Ref lock = Ref::steal(PyObject_CallNoArgs(PyList_GET_ITEM(locks.get(), i)));
        if (lock && lock.get() != Py_None) give_back(lock, own);
        PyErr_Clear();
    }
}

} // namespace

InterruptWatch::InterruptWatch() : before_{internals::interrupts_sent()} {}

bool InterruptWatch::interrupted() const { return internals::interrupts_sent() != before_; }

void give_back_import_locks() {
    const SavedError saved;
    const internals::Undisturbed undisturbed;
    internals::give_back_import_lock(PyInterpreterState_Get());
    give_back_module_locks();
    PyErr_Clear();
}

void give_back_import_locks_of_a_visit() {
    if (!internals::runs_code_of(PyInterpreterState_Get())) give_back_import_locks();
}

} // namespace xinterp::python
