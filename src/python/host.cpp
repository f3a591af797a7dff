#include <xinterp/python/host.hpp>
#include <xinterp/python/internals.hpp>
#include <xinterp/python/ref.hpp>

#include <algorithm>
#include <new>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace xinterp::python {
namespace {

std::vector<_inittab> replaced_modules;

struct Config {
    Config() { PyConfig_InitPythonConfig(&value); }
    ~Config() { PyConfig_Clear(&value); }
    Config(const Config&) = delete;
    Config& operator=(const Config&) = delete;
    PyConfig value{};
};

void check(const PyStatus& status) {
    if (PyStatus_Exception(status) != 0)
        throw std::runtime_error{std::string{"Python did not start: "} +
                                 (status.err_msg != nullptr ? status.err_msg : "no reason given")};
}

// Main has made sys.builtin_module_names already, and the importer believes it; others make theirs from the table.
void list_builtin_modules(std::span<const _inittab> added) {
    const Ref present = Ref::borrow(PySys_GetObject("builtin_module_names"));
    const Ref names = Ref::steal(present ? PySet_New(present.get()) : nullptr);
    for (const _inittab& module : added) {
        const Ref name = Ref::steal(PyUnicode_InternFromString(module.name));
        if (names && name) PySet_Add(names.get(), name.get());
    }
    const Ref list = Ref::steal(names ? PySequence_List(names.get()) : nullptr);
    const Ref sorted = Ref::steal(list && PyList_Sort(list.get()) == 0 ? PyList_AsTuple(list.get()) : nullptr);
    if (!sorted || PySys_SetObject("builtin_module_names", sorted.get()) != 0) throw std::bad_alloc{};
}

[[noreturn]] void refuse_layout(const char* part) {
    throw std::runtime_error{std::string{"this Python ("} + Py_GetVersion() + ") is built differently from the " +
                             PY_VERSION + " that xinterp was compiled for, in " + part + ". Compile xinterp with this" +
                             " one: pip install --force-reinstall PATH, with the path of its sources"};
}

void check_layout() {
    if (const char* part = internals::unlike_headers()) refuse_layout(part);
}

// sys.flags says what the configuration does. Python has no function that changes one of its fields.
bool set_flag(std::string_view name, PyObject* value) {
    const Ref before = Ref::borrow(PySys_GetObject("flags"));
    if (!before) return false;
    const Ref flags = Ref::steal(PyStructSequence_New(Py_TYPE(before.get())));
    if (!flags) return false;
    const PyMemberDef* member = Py_TYPE(before.get())->tp_members;
    for (Py_ssize_t i = 0; member[i].name != nullptr; ++i) {
        PyObject* old = PyStructSequence_GetItem(before.get(), i);
        PyStructSequence_SetItem(flags.get(), i, Py_NewRef(member[i].name == name ? value : old));
    }
    return PySys_SetObject("flags", flags.get()) == 0;
}

void configure_as_console() {
    if (!internals::configure_as_console()) throw std::bad_alloc{};
    int safe_path = 0;
    if (PyConfig_GetInt("safe_path", &safe_path) != 0 || safe_path != 0) return;
    const Ref here = Ref::steal(PyUnicode_FromString(""));
    PyObject* path = PySys_GetObject("path");
    if (!set_flag("safe_path", Py_False) || !here || path == nullptr || PyList_Insert(path, 0, here.get()) != 0)
        throw std::bad_alloc{};
}

} // namespace

void embed(const EmbedOptions& options) {
    // What a python makes of its own command line; the options of it that matter here are -X.
    std::vector<std::string> arguments{options.executable};
    for (const std::string& option : options.x_options) arguments.insert(arguments.end(), {"-X", option});
    std::vector<char*> pointers;
    for (std::string& argument : arguments) pointers.push_back(argument.data());
    Config config;
    check(PyConfig_SetBytesArgv(&config.value, static_cast<Py_ssize_t>(pointers.size()), pointers.data()));
    check(PyConfig_SetBytesString(&config.value, &config.value.executable, options.executable.c_str()));
    check(PyConfig_SetBytesString(&config.value, &config.value.program_name, options.executable.c_str()));
    check(Py_InitializeFromConfig(&config.value));
    check_layout(); // of a library that may have been replaced since
    configure_as_console();
}

void adopt() {
    check_layout();
    internals::set_not_running_main(PyInterpreterState_Main());
    configure_as_console();
}

std::optional<int> start_program(std::span<char*> arguments, const Installation& installation) {
    Config config;
    PyStatus status = PyConfig_SetBytesArgv(&config.value, static_cast<Py_ssize_t>(arguments.size()), arguments.data());
    // Else Python looks around its executable, and then in the place that its library was built for, which an
    // installation that was moved has left. PYTHONHOME still has its way.
    for (const auto& [field, path] : {std::pair{&config.value.prefix, &installation.prefix},
                                      std::pair{&config.value.exec_prefix, &installation.exec_prefix}})
        if (PyStatus_Exception(status) == 0) status = PyConfig_SetBytesString(&config.value, field, path->c_str());
    if (PyStatus_Exception(status) == 0) status = Py_InitializeFromConfig(&config.value);
    if (PyStatus_IsExit(status) != 0) return status.exitcode;
    if (PyStatus_Exception(status) != 0) Py_ExitStatusException(status); // tells why on the terminal
    check_layout();
    return std::nullopt;
}

void add_modules(std::span<const _inittab> builtin, const _frozen* frozen) {
    // Both tables are the process's, not an interpreter's, and are searched from their beginning. The runtime makes its
    // own copy of the builtin one when it starts.
    const bool started = Py_IsInitialized() != 0;
    const _inittab* present = started ? internals::builtin_modules() : PyImport_Inittab;
    if (present == nullptr) refuse_layout("its table of modules");
    static std::vector<_inittab> table; // stays for ever
    table.assign(builtin.begin(), builtin.end());
    for (; present->name != nullptr; ++present) { // of two with one name, CPython takes the last
        const auto same_name = [&](const _inittab& own) { return std::string_view{own.name} == present->name; };
        if (std::ranges::none_of(builtin, same_name)) table.push_back(*present);
        else replaced_modules.push_back(*present);
    }
    table.push_back({nullptr, nullptr});
    if (started) {
        if (!internals::set_builtin_modules(table)) throw std::bad_alloc{};
        list_builtin_modules(builtin);
    } else {
        PyImport_Inittab = table.data();
    }

    static std::vector<_frozen> frozen_table; // stays for ever
    frozen_table.clear();
    for (; frozen->name != nullptr; ++frozen) frozen_table.push_back(*frozen);
    for (const _frozen* other = PyImport_FrozenModules; other != nullptr && other->name != nullptr; ++other)
        frozen_table.push_back(*other);
    frozen_table.push_back({});
    PyImport_FrozenModules = frozen_table.data();
}

PyObject* (*replaced_module(std::string_view name))() {
    for (const _inittab& module : replaced_modules)
        if (module.name == name) return module.initfunc;
    return nullptr;
}

bool finds_module(const char* name) {
    // Frozen, and there from the start: importlib.util would have to be imported.
    const Ref importer = Ref::steal(PyImport_ImportModule("_frozen_importlib_external"));
    const Ref finder = Ref::steal(importer ? PyObject_GetAttrString(importer.get(), "PathFinder") : nullptr);
    const Ref spec = Ref::steal(finder ? PyObject_CallMethod(finder.get(), "find_spec", "s", name) : nullptr);
    PyErr_Clear();
    return spec && spec.get() != Py_None;
}

void finalize() { Py_FinalizeEx(); }

void run_exit_handlers() {
    const Ref name = Ref::steal(PyUnicode_FromString("threading"));
    const Ref threading = Ref::steal(name ? PyImport_GetModule(name.get()) : nullptr);
    if (threading && !Ref::steal(PyObject_CallMethod(threading.get(), "_shutdown", nullptr)))
        PyErr_WriteUnraisable(threading.get());
    const Ref atexit = Ref::steal(PyImport_ImportModule("atexit"));
    const Ref run = Ref::steal(atexit ? PyObject_CallMethod(atexit.get(), "_run_exitfuncs", nullptr) : nullptr);
    PyErr_Clear();
}

} // namespace xinterp::python
