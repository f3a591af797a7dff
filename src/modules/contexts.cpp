#include <xinterp/modules/contexts.hpp>
#include <xinterp/python/internals.hpp>

namespace xinterp::modules {
namespace {

using python::Ref;

std::size_t number(Py_ssize_t count) { return static_cast<std::size_t>(count); }

// The bracket's end, with the error of the call set or none. False if there is one afterwards.
bool end_bracket(PyObject* end, PyObject* looked) {
    const Ref failure = Ref::steal(PyErr_GetRaisedException());
    Ref done = Ref::steal(PyObject_CallOneArg(end, looked));
    Ref interrupt;
    if (!done && PyErr_ExceptionMatches(PyExc_KeyboardInterrupt) != 0) {
        interrupt = Ref::steal(PyErr_GetRaisedException());
        done = Ref::steal(PyObject_CallOneArg(end, looked));
    }
    if (!done) return false;
    PyErr_SetRaisedException(Ref{failure ? failure : interrupt}.release());
    return !failure && !interrupt;
}

// `parts` is the tuple of look, begin and end; the first argument is the original.
PyObject* call_in_bracket(PyObject* parts, PyObject* const* arguments, Py_ssize_t count, PyObject* keywords) {
    if (count < 1) {
        PyErr_SetString(PyExc_TypeError, "the original function is needed");
        return nullptr;
    }
    const Ref looked = Ref::steal(PyObject_CallNoArgs(PyTuple_GET_ITEM(parts, 0)));
    if (!looked) return nullptr;
    if (Py_IsNone(looked.get()) != 0)
        return PyObject_Vectorcall(arguments[0], arguments + 1, number(count - 1), keywords);
    const Ref begun = Ref::steal(PyObject_CallOneArg(PyTuple_GET_ITEM(parts, 1), looked.get()));
    Ref result =
        begun ? Ref::steal(PyObject_Vectorcall(arguments[0], arguments + 1, number(count - 1), keywords)) : Ref{};
    return end_bracket(PyTuple_GET_ITEM(parts, 2), looked.get()) ? result.release() : nullptr;
}

PyMethodDef bracket_definition = {"bracket",
                                  reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(call_in_bracket)),
                                  METH_FASTCALL | METH_KEYWORDS, nullptr};

} // namespace

PyObject* enter_new_context(PyObject*, PyObject*) {
    Ref context = Ref::steal(PyContext_CopyCurrent());
    return context && PyContext_Enter(context.get()) == 0 ? context.release() : nullptr;
}

PyObject* in_context(PyObject*, PyObject* context) {
    return PyBool_FromLong(static_cast<long>(PyThreadState_Get()->context == context));
}

PyObject* outside_context(PyObject*, PyObject* const* arguments, Py_ssize_t count) {
    if (count < 2) {
        PyErr_SetString(PyExc_TypeError, "outside_context() takes a context and a function");
        return nullptr;
    }
    if (PyContext_Exit(arguments[0]) != 0) return nullptr;
    Ref result = Ref::steal(PyObject_Vectorcall(arguments[1], arguments + 2, number(count - 2), nullptr));
    const Ref failure = Ref::steal(PyErr_GetRaisedException());
    if (PyContext_Enter(arguments[0]) != 0) return nullptr;
    PyErr_SetRaisedException(Ref{failure}.release());
    return result.release();
}

PyObject* set_running_loop(PyObject*, PyObject* arguments) {
    unsigned long thread = 0;
    PyObject *loop = nullptr, *task = nullptr;
    if (PyArg_ParseTuple(arguments, "kOO", &thread, &loop, &task) == 0) return nullptr;
    python::internals::set_running_loop(thread, loop, task);
    Py_RETURN_NONE;
}

PyObject* bracket(PyObject*, PyObject* parts) {
    if (PyTuple_GET_SIZE(parts) == 3) return PyCFunction_NewEx(&bracket_definition, parts, nullptr);
    PyErr_SetString(PyExc_TypeError, "bracket() takes three functions");
    return nullptr;
}

} // namespace xinterp::modules
