#include <xinterp/modules/origin.hpp>
#include <xinterp/modules/parcels.hpp>
#include <xinterp/modules/running.hpp>
#include <xinterp/modules/waiting.hpp>
#include <xinterp/python/internals.hpp>
#include <xinterp/python/visits.hpp>

#include <memory>
#include <optional>

namespace xinterp::modules {
namespace {

using python::Ref;
using python::Visit;
namespace internals = python::internals;

constexpr const char* remote_errors = "_xinterp_shell.remote_errors";
constexpr const char* namespaces = "_xinterp_shell.namespaces";
// How many compiled texts an interpreter keeps, of which size: a loop that runs the same text again and again spends
// most of its time in the compiler otherwise.
constexpr Py_ssize_t most_texts = 64, longest_text = 4096;

Ref call(const char* module_name, const char* function, PyObject* argument) {
    const Ref module = Ref::steal(PyImport_ImportModule(module_name));
    const Ref callable = Ref::steal(module ? PyObject_GetAttrString(module.get(), function) : nullptr);
    return Ref::steal(callable ? PyObject_CallOneArg(callable.get(), argument) : nullptr);
}

// A namespace's bytes, as they can be taken to another interpreter.
std::optional<std::string> pack_namespace(const char* function, PyObject* names, const Shipment& shipment) {
    const Ref module = Ref::steal(PyImport_ImportModule(namespaces));
    const Ref bytes =
        Ref::steal(module ? PyObject_CallMethod(module.get(), function, "OK", names, shipment.number()) : nullptr);
    if (!bytes || PyBytes_Check(bytes.get()) == 0) return std::nullopt;
    return std::string{PyBytes_AS_STRING(bytes.get()), static_cast<std::size_t>(PyBytes_GET_SIZE(bytes.get()))};
}

Ref call_with_bytes(const char* module_name, const char* function, const std::string& bytes) {
    const Ref argument = Ref::steal(PyBytes_FromStringAndSize(bytes.data(), static_cast<Py_ssize_t>(bytes.size())));
    return argument ? call(module_name, function, argument.get()) : Ref{};
}

/// The attached interpreter's, compiled; null with an exception set.
Ref compiled(const std::string& text) {
    static const char* const key = "xinterp: compiled texts";
    PyObject* state = PyInterpreterState_GetDict(PyInterpreterState_Get()); // borrowed
    if (state == nullptr) return {};
    Ref texts = Ref::borrow(PyDict_GetItemString(state, key));
    if (!texts) {
        texts = Ref::steal(PyDict_New());
        if (!texts || PyDict_SetItemString(state, key, texts.get()) != 0) return {};
    }
    const Ref source = Ref::steal(PyUnicode_FromStringAndSize(text.data(), static_cast<Py_ssize_t>(text.size())));
    if (!source) return {};
    Ref code = Ref::borrow(PyDict_GetItemWithError(texts.get(), source.get()));
    if (code || PyErr_Occurred() != nullptr) return code;
    PyCompilerFlags flags{.cf_flags = PyCF_SOURCE_IS_UTF8, .cf_feature_version = PY_MINOR_VERSION};
    code = Ref::steal(Py_CompileStringExFlags(text.c_str(), "<script>", Py_file_input, &flags, -1));
    if (code && static_cast<Py_ssize_t>(text.size()) <= longest_text) {
        if (PyDict_GET_SIZE(texts.get()) >= most_texts) PyDict_Clear(texts.get());
        if (PyDict_SetItem(texts.get(), source.get(), code.get()) != 0) return {};
    }
    return code;
}

// The namespace of the attached interpreter's __main__, borrowed; null with an exception set.
PyObject* main_namespace() {
    const Ref main = Ref::steal(PyImport_AddModuleRef("__main__"));
    return main ? PyModule_GetDict(main.get()) : nullptr;
}

// What is left of an exception outside its interpreter.
struct Remains {
    internals::ExceptionSnapshot snapshot;
    std::optional<std::string> description;
    bool is_interrupt;

    /// Takes the exception that is set. Attached where it was raised.
    static std::unique_ptr<Remains> take(InterpreterId id, Failure failure) {
        const Ref error = Ref::steal(PyErr_GetRaisedException());
        std::unique_ptr<Remains> remains{
            new Remains{internals::ExceptionSnapshot{error.get()}, std::nullopt,
                        PyErr_GivenExceptionMatches(error.get(), PyExc_KeyboardInterrupt) != 0}};
        if (failure == Failure::raised) {
            const Ref module = Ref::steal(PyImport_ImportModule(remote_errors));
            const Ref bytes =
                Ref::steal(module ? PyObject_CallMethod(module.get(), "describe", "OL", error.get(), id) : nullptr);
            if (bytes && PyBytes_Check(bytes.get()) != 0)
                remains->description = std::string{PyBytes_AS_STRING(bytes.get()),
                                                   static_cast<std::size_t>(PyBytes_GET_SIZE(bytes.get()))};
            PyErr_Clear();
        }
        return remains;
    }

    /// Raises it in the attached interpreter.
    std::nullptr_t raise(PyObject* module) const {
        const Ref rebuilt = description ? call_with_bytes(remote_errors, "rebuild", *description) : Ref{};
        if (rebuilt && rebuilt.get() != Py_None) {
            PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(rebuilt.get())), rebuilt.get());
            return nullptr;
        }
        PyErr_Clear();
        const Ref info = Ref::steal(snapshot.as_object());
        const Ref formatted = Ref::steal(info ? PyObject_GetAttrString(info.get(), "formatted") : nullptr);
        const Ref display = Ref::steal(info ? PyObject_GetAttrString(info.get(), "errdisplay") : nullptr);
        const Ref kind = Ref::steal(display ? PyObject_GetAttrString(module, "RunFailedError") : nullptr);
        const Ref error = Ref::steal(kind ? PyObject_CallOneArg(kind.get(), formatted.get()) : nullptr);
        if (!error || PyObject_SetAttrString(error.get(), "excinfo", info.get()) != 0) return nullptr;
        const Ref note = Ref::steal(PyUnicode_FromFormat("Uncaught in the interpreter:\n\n%S", display.get()));
        if (note) Ref::steal(PyObject_CallMethod(error.get(), "add_note", "O", note.get()));
        PyErr_SetObject(kind.get(), error.get());
        return nullptr;
    }
};

// The interrupt that the remote code has been stopped by has been meant for its caller as well: it is raised once.
void take_own_interrupt() {
    const python::SavedError saved;
    if (interrupted()) PyErr_Clear();
}

// The result of a run in the caller's interpreter.
PyObject* conclude(PyObject* module, const std::unique_ptr<Remains>& remains, Failure failure) {
    const bool stopped = remains && remains->is_interrupt;
    if (failure == Failure::raised && stopped) {
        take_own_interrupt();
        return remains->raise(module);
    }
    if (interrupted()) return nullptr;
    if (!remains) Py_RETURN_NONE;
    return failure == Failure::raised ? remains->raise(module) : remains->snapshot.as_object();
}

// CPython compiles in the caller, and the caller gets the error.
std::nullptr_t raise_compile_error(const std::string& text) {
    PyCompilerFlags flags{.cf_flags = PyCF_SOURCE_IS_UTF8, .cf_feature_version = PY_MINOR_VERSION};
    const Ref code = Ref::steal(Py_CompileStringExFlags(text.c_str(), "<script>", Py_file_input, &flags, -1));
    if (code) PyErr_SetString(PyExc_SystemError, "the text cannot be compiled in the other interpreter");
    return nullptr;
}

bool read_text(PyObject* object, std::string& text) {
    Py_ssize_t size = 0;
    const char* utf8 = PyUnicode_AsUTF8AndSize(object, &size);
    if (utf8 == nullptr) return false;
    text.assign(utf8, static_cast<std::size_t>(size));
    if (text.find('\0') == std::string::npos) return true;
    PyErr_SetString(PyExc_SyntaxError, "source code string cannot contain null bytes");
    return false;
}

std::nullptr_t raise_refusal(PyObject* module, InterpreterId id, Visit::Entry entry) {
    switch (entry) {
    case Visit::Entry::running: return raise_unusable(module, "interpreter already running");
    case Visit::Entry::failed: PyErr_NoMemory(); return nullptr;
    default: return raise_not_found(module, id);
    }
}

// Its own interpreter's code needs no visit; a thread beside the one that runs __main__ is refused as any other is.
PyObject* run_here(PyObject* module, const std::string& text, Failure failure) {
    PyInterpreterState* own = PyInterpreterState_Get();
    if (!internals::set_running_main(own)) {
        PyErr_Clear();
        return raise_unusable(module, "interpreter already running");
    }
    const Ref code = compiled(text);
    PyObject* names = code ? main_namespace() : nullptr;
    const Ref result = Ref::steal(names != nullptr ? PyEval_EvalCode(code.get(), names, names) : nullptr);
    internals::set_not_running_main(own);
    if (result) Py_RETURN_NONE;
    if (failure == Failure::raised || !code) return nullptr;
    return Remains::take(PyInterpreterState_GetID(own), failure)->snapshot.as_object();
}

bool is_own(InterpreterId id) { return PyInterpreterState_GetID(PyInterpreterState_Get()) == id; }

} // namespace

bool add_run_failed_error(PyObject* module) {
    const Ref made = Ref::steal(PyErr_NewExceptionWithDoc(
        "_interpreters.RunFailedError",
        "Code that ran in another interpreter has raised an exception whose class this one does not have.\n\n"
        "``excinfo`` is the snapshot of it that ``_interpreters.exec`` returns: type, msg, formatted, errdisplay.",
        PyExc_RuntimeError, nullptr));
    return made && PyObject_SetAttrString(made.get(), "excinfo", Py_None) == 0 &&
           PyModule_AddObjectRef(module, "RunFailedError", made.get()) == 0;
}

PyObject* run_text(PyObject* module, InterpreterId id, PyObject* text_object, Failure failure) {
    std::string text;
    if (!read_text(text_object, text)) return nullptr;
    if (is_own(id)) return run_here(module, text, failure);
    if (id == python::main_interpreter) return raise_unusable(module, "interpreter already running");
    std::unique_ptr<Remains> remains;
    bool compiles = true;
    {
        Visit visit{id, cell_of_this_thread()};
        if (visit.entry() != Visit::Entry::entered) return raise_refusal(module, id, visit.entry());
        const Ref code = compiled(text);
        compiles = static_cast<bool>(code);
        PyObject* names = compiles ? main_namespace() : nullptr;
        const Ref result = Ref::steal(names != nullptr ? PyEval_EvalCode(code.get(), names, names) : nullptr);
        if (!compiles) PyErr_Clear();
        else if (!result) remains = Remains::take(id, failure);
    }
    if (!compiles) return raise_compile_error(text);
    return conclude(module, remains, failure);
}

PyObject* run_text_unrestricted(PyObject* module, InterpreterId id, PyObject* text_object, PyObject* ns) {
    std::string text;
    if (!read_text(text_object, text)) return nullptr;
    const auto target = internals::glance_at(id);
    if (!target) return raise_not_found(module, id);
    if (is_own(id) || id == python::main_interpreter) return raise_unusable(module, "interpreter already running");
    PyInterpreterState* own = PyInterpreterState_Get();
    const bool live = target->shares_objects;
    const Shipment shipment; // of what is sent and what is received
    std::optional<std::string> sent;
    if (ns != nullptr && !live) {
        sent = pack_namespace("pack_all", ns, shipment);
        if (!sent) return nullptr;
    }

    std::unique_ptr<Remains> remains;
    std::optional<std::string> received;
    Ref live_names;
    bool compiles = true;
    {
        Visit visit{id, cell_of_this_thread()};
        if (visit.entry() != Visit::Entry::entered) {
            return raise_refusal(module, id, visit.entry());
        }
        if (live) { // its objects are the caller's from now on, and the other way round
            python::keep_alive(id);
            python::keep_alive(PyInterpreterState_GetID(own));
        }
        const Ref code = compiled(text);
        compiles = static_cast<bool>(code);
        PyObject* names = compiles ? main_namespace() : nullptr;
        const Ref news = sent ? call_with_bytes(namespaces, "unpack", *sent) : Ref::borrow(live ? ns : nullptr);
        const bool merged = names != nullptr && (ns == nullptr || (news && PyDict_Update(names, news.get()) == 0));
        const Ref result = Ref::steal(merged ? PyEval_EvalCode(code.get(), names, names) : nullptr);
        if (result && live) live_names = Ref::borrow(names);
        else if (result) received = pack_namespace("pack", names, shipment);
        if (!compiles) PyErr_Clear();
        else if (PyErr_Occurred() != nullptr) remains = Remains::take(id, Failure::raised);
    }
    if (!compiles) return raise_compile_error(text);
    if (remains) return conclude(module, remains, Failure::raised);
    if (interrupted()) return nullptr;
    return received ? call_with_bytes(namespaces, "unpack", *received).release() : live_names.release();
}

} // namespace xinterp::modules
