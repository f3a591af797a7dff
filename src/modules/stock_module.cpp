#include <xinterp/modules/stock_module.hpp>
#include <xinterp/python/host.hpp>
#include <xinterp/python/ref.hpp>

#include <dlfcn.h>

#include <string>

namespace xinterp::modules {
namespace {

using python::Ref;

using InitFunction = PyObject* (*)();

// The file that the path's entries would be searched for, past our own module of that name.
Ref find_file(const char* name) {
    // Not importlib.machinery, which has the same class and takes 0.2 ms to import.
    const Ref machinery = Ref::steal(PyImport_ImportModule("_frozen_importlib_external"));
    const Ref finder = Ref::steal(machinery ? PyObject_GetAttrString(machinery.get(), "PathFinder") : nullptr);
    const Ref suffix = Ref::steal(PyUnicode_FromString("lib-dynload"));
    PyObject* path = PySys_GetObject("path"); // borrowed
    if (!finder || !suffix || path == nullptr) return {};
    // Extension modules of the standard library first: a file in the current folder may have their name.
    const Ref places = Ref::steal(PyList_New(0));
    for (Py_ssize_t i = 0; places && i < PySequence_Size(path); ++i) {
        const Ref entry = Ref::steal(PySequence_GetItem(path, i));
        if (entry && PyUnicode_Check(entry.get()) != 0 &&
            PyUnicode_Tailmatch(entry.get(), suffix.get(), 0, PY_SSIZE_T_MAX, 1) == 1)
            PyList_Append(places.get(), entry.get());
    }
    const Ref spec = Ref::steal(PyObject_CallMethod(finder.get(), "find_spec", "sO", name, places.get()));
    if (!spec || spec.get() == Py_None) return {};
    return Ref::steal(PyObject_GetAttrString(spec.get(), "origin"));
}

InitFunction find_init(const char* name) {
    if (const InitFunction builtin = python::replaced_module(name)) return builtin;
    const Ref file = find_file(name);
    const char* path = file ? PyUnicode_AsUTF8(file.get()) : nullptr;
    void* object = path != nullptr ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : nullptr;
    if (object == nullptr) return nullptr;
    return reinterpret_cast<InitFunction>(dlsym(object, (std::string{"PyInit_"} + name).c_str()));
}

} // namespace

PyModuleDef* find_stock_definition(const char* name) {
    const InitFunction init = find_init(name);
    PyErr_Clear();
    // Multi-phase initialization: what it returns is the definition itself, which is not counted.
    PyObject* definition = init == nullptr ? nullptr : init();
    PyErr_Clear();
    if (definition == nullptr || PyObject_TypeCheck(definition, &PyModuleDef_Type) == 0) return nullptr;
    return reinterpret_cast<PyModuleDef*>(definition);
}

} // namespace xinterp::modules
