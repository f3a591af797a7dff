#include <xinterp/modules/interpreter_ids.hpp>
#include <xinterp/python/internals.hpp>

#include <array>

namespace xinterp::modules {
namespace {

using python::Ref;
namespace internals = python::internals;

struct ErrorClass {
    const char* name;
    PyObject* (*cpythons)(); ///< the type that CPython raises
    const char* doc;
};

constexpr const char* not_found = "UnknownInterpreterError";
constexpr const char* unusable = "UnusableInterpreterError";
const std::array error_classes{
    ErrorClass{"InterpreterIDTypeError", [] { return PyExc_TypeError; }, "An interpreter's id that is no int."},
    ErrorClass{"InterpreterIDValueError", [] { return PyExc_ValueError; }, "An interpreter's id below 0."},
    ErrorClass{"InterpreterIDOverflowError", [] { return PyExc_OverflowError; },
               "An interpreter's id that is too large to be one."},
    ErrorClass{not_found, internals::interpreter_not_found_error, "There is no interpreter with that id."},
    ErrorClass{unusable, internals::interpreter_error, "Not possible while the interpreter is in that state."},
};

std::nullptr_t raise(PyObject* module, const char* class_name, PyObject* arguments) {
    const Ref kind = Ref::steal(PyObject_GetAttrString(module, class_name));
    const Ref error = Ref::steal(kind ? PyObject_Call(kind.get(), arguments, nullptr) : nullptr);
    if (error) PyErr_SetObject(kind.get(), error.get());
    return nullptr;
}

std::nullptr_t raise(PyObject* module, const char* class_name, const std::string& message) {
    const Ref arguments = Ref::steal(Py_BuildValue("(s)", message.c_str()));
    return arguments ? raise(module, class_name, arguments.get()) : nullptr;
}

// The exception that is set, in the class of the table for its type, with its arguments and causes.
void widen(PyObject* module, const ErrorClass& error_class) {
    const Ref narrow = Ref::steal(PyErr_GetRaisedException());
    const Ref arguments = Ref::steal(PyException_GetArgs(narrow.get()));
    raise(module, error_class.name, arguments.get());
    const Ref wide = Ref::steal(PyErr_GetRaisedException());
    if (PyErr_GivenExceptionMatches(wide.get(), PyExc_MemoryError) != 0) {
        PyErr_SetRaisedException(Ref{narrow}.release());
        return;
    }
    PyException_SetCause(wide.get(), PyException_GetCause(narrow.get()));
    PyException_SetContext(wide.get(), PyException_GetContext(narrow.get()));
    PyErr_SetRaisedException(Ref{wide}.release());
}

bool exists(InterpreterId id) {
    const auto glance = internals::glance_at(id);
    return glance && !glance->hidden;
}

} // namespace

bool add_id_errors(PyObject* module) {
    for (const ErrorClass& error_class : error_classes) {
        const std::string name = std::string{"_interpreters."} + error_class.name;
        PyObject* cpythons = error_class.cpythons();
        const bool is_interpreter_error = PyObject_IsSubclass(cpythons, internals::interpreter_error()) == 1;
        const Ref bases = Ref::steal(
            is_interpreter_error ? PyTuple_Pack(2, cpythons, PyExc_RuntimeError)
                                 : PyTuple_Pack(3, internals::interpreter_error(), PyExc_RuntimeError, cpythons));
        const Ref made = Ref::steal(
            bases ? PyErr_NewExceptionWithDoc(name.c_str(), error_class.doc, bases.get(), nullptr) : nullptr);
        if (!made || PyModule_AddObjectRef(module, error_class.name, made.get()) != 0) return false;
    }
    return true;
}

std::optional<InterpreterId> read_id(PyObject* module, PyObject* object) {
    const InterpreterId id = internals::object_to_id(object);
    if (id >= 0) return id;
    for (const ErrorClass& error_class : error_classes) {
        if (PyErr_ExceptionMatches(error_class.cpythons()) == 0) continue;
        widen(module, error_class);
        break;
    }
    return std::nullopt;
}

std::optional<InterpreterId> read_known_id(PyObject* module, PyObject* object) {
    const auto id = read_id(module, object);
    if (!id || exists(*id)) return id;
    raise_not_found(module, *id);
    return std::nullopt;
}

std::nullptr_t raise_not_found(PyObject* module, InterpreterId id) {
    return raise(module, not_found, "unrecognized interpreter ID " + std::to_string(id));
}

std::nullptr_t raise_unusable(PyObject* module, const std::string& message) { return raise(module, unusable, message); }

void widen_error(PyObject* module) {
    PyObject* kind = PyErr_Occurred();
    for (const ErrorClass& error_class : error_classes)
        if (kind == error_class.cpythons() && PyObject_IsSubclass(kind, internals::interpreter_error()) == 1) {
            widen(module, error_class);
            return;
        }
}

} // namespace xinterp::modules
