// Modules that shadow standard ones, added to a Python as the kernel adds its own: by an executable that embeds it
// (with SHADOW_EMBEDDED: shadow SCRIPT) and by an extension module (import _shadow). test_modules.py looks what imports
// find.
#include <xinterp/python/host.hpp>

#include <array>
#include <cstdio>
#include <exception>

extern const _frozen xinterp_frozen_modules[];

namespace {

PyModuleDef_Slot slots[] = {
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
    {0, nullptr},
};

// In the place of a module that is builtin in some Pythons and a file in others.
PyModuleDef zoneinfo{PyModuleDef_HEAD_INIT, "_zoneinfo", "shadow", 0, nullptr, slots, nullptr, nullptr, nullptr};
PyModuleDef bisect{PyModuleDef_HEAD_INIT, "_bisect", "shadow", 0, nullptr, slots, nullptr, nullptr, nullptr};

void add_shadows() {
    xinterp::python::add_modules(std::array{_inittab{"_zoneinfo", [] { return PyModuleDef_Init(&zoneinfo); }},
                                            _inittab{"_bisect", [] { return PyModuleDef_Init(&bisect); }}},
                                 xinterp_frozen_modules);
}

} // namespace

#ifdef SHADOW_EMBEDDED
int main(int, char* argv[]) try {
    xinterp::python::embed({.executable = XINTERP_PYTHON, .x_options = {}});
    add_shadows();
    std::FILE* script = std::fopen(argv[1], "r");
    const int status = script == nullptr ? 1 : PyRun_SimpleFileEx(script, argv[1], 1);
    xinterp::python::finalize();
    return status == 0 ? 0 : 1;
} catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
#else
PyMODINIT_FUNC PyInit__shadow() {
    static PyModuleDef module{
        PyModuleDef_HEAD_INIT, "_shadow", nullptr, 0, nullptr, nullptr, nullptr, nullptr, nullptr};
    try {
        add_shadows();
    } catch (const std::exception& error) {
        PyErr_SetString(PyExc_ImportError, error.what());
        return nullptr;
    }
    return PyModuleDef_Init(&module);
}
#endif
