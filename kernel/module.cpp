// The kernel as an extension module, hosted by the python that imports it: `xinterp._kernel`. Main interpreter only.
#include <xinterp/kernel/process.hpp>
#include <xinterp/python/host.hpp>
#include <xinterp/python/ref.hpp>

#include <CLI/CLI.hpp>

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace {

// The words of a command line; the exception is set if they are not strings.
bool read_words(PyObject* list, std::vector<std::string>& words) {
    const Py_ssize_t count = PySequence_Size(list);
    for (Py_ssize_t i = 0; i < count; ++i) {
        const auto word = xinterp::python::Ref::steal(PySequence_GetItem(list, i));
        const char* text = word ? PyUnicode_AsUTF8(word.get()) : nullptr;
        if (text == nullptr) return false;
        words.emplace_back(text);
    }
    return count >= 0;
}

PyObject* run(PyObject*, PyObject* arguments) {
    if (gettid() != getpid()) {
        PyErr_SetString(PyExc_RuntimeError, "the kernel can only run on the main thread");
        return nullptr;
    }
    std::vector<std::string> words;
    if (!read_words(arguments, words)) return nullptr;
    std::reverse(words.begin(), words.end()); // as CLI11 wants them

    CLI::App app{"xinterp: a Jupyter kernel that runs cells in several Python interpreters.", "python -m xinterp"};
    xinterp::kernel::ProcessOptions options;
    xinterp::kernel::add_options(app, options);
    app.add_subcommand("install", "make a kernelspec for this python (install --help tells more)");
    try {
        app.parse(words);
    } catch (const CLI::ParseError& error) {
        return PyLong_FromLong(app.exit(error));
    }
    std::exit(xinterp::kernel::serve(options, xinterp::python::adopt));
}

PyMethodDef methods[] = {
    {"run", run, METH_O,
     "run(arguments, /)\n--\n\n"
     "Serve as a kernel. Takes the main thread and never returns, unless the arguments (strings) are wrong\n"
     "or ask for help: then it returns an exit status."},
    {nullptr, nullptr, 0, nullptr},
};

PyModuleDef_Slot slots[] = {
    {Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED},
    {0, nullptr},
};

PyModuleDef definition = {PyModuleDef_HEAD_INIT,
                          "_kernel",
                          "The kernel, in the process of the python that imports it.",
                          0,
                          methods,
                          slots,
                          nullptr,
                          nullptr,
                          nullptr};

} // namespace

// NOLINTNEXTLINE(bugprone-reserved-identifier): CPython looks for this name
PyMODINIT_FUNC PyInit__kernel() { return PyModuleDef_Init(&definition); }
