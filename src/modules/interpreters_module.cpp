#include <xinterp/modules/bridge.hpp>
#include <xinterp/modules/convert.hpp>
#include <xinterp/modules/interpreters_module.hpp>
#include <xinterp/modules/running.hpp>
#include <xinterp/modules/stock_module.hpp>
#include <xinterp/modules/waiting.hpp>
#include <xinterp/python/internals.hpp>
#include <xinterp/python/visits.hpp>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace xinterp::modules {
namespace {

using nlohmann::json;
using python::Ref;
namespace internals = python::internals;

// How long the last reference's end waits for the kernel to take note: from then on nobody finds the interpreter.
constexpr std::chrono::milliseconds farewell{50};

// CPython's own functions: entries of its module's method table.
struct Stock {
    PyModuleDef* definition = nullptr;
    PyMethodDef *create, *destroy, *list_all, *is_running, *get_config, *whence, *exec, *call, *run_func,
        *set_main_attrs, *incref, *decref, *run_string, *new_config;
};
Stock stock;

// Calls one as Python code does. Each version of CPython has its own calling conventions for them: in 3.14 they take a
// tuple and a dict, in 3.15 an array.
PyObject* call_stock(PyObject* module, PyMethodDef* function, PyObject* arguments, PyObject* keywords) {
    const Ref callable = Ref::steal(PyCFunction_New(function, module));
    return callable ? PyObject_Call(callable.get(), arguments, keywords) : nullptr;
}

// Interpreters that go with their last reference, as those of concurrent.interpreters do.
struct Linked {
    std::mutex mutex;
    /// The thread that has made it, until it has referred to it: it does not go before that, whoever lists all
    /// interpreters meanwhile and drops the list.
    std::map<InterpreterId, unsigned long> makers;
    static constexpr unsigned long none = 0;

    void add(InterpreterId id, unsigned long maker) {
        const std::scoped_lock lock{mutex};
        makers.try_emplace(id, maker);
    }
    void referred(InterpreterId id) {
        const std::scoped_lock lock{mutex};
        if (const auto found = makers.find(id); found != makers.end() && found->second == PyThread_get_thread_ident())
            found->second = none;
    }
    bool goes_with_its_last_reference(InterpreterId id) {
        const std::scoped_lock lock{mutex};
        const auto found = makers.find(id);
        return found != makers.end() && found->second == none;
    }
    void forget(InterpreterId id) {
        const std::scoped_lock lock{mutex};
        makers.erase(id);
    }
};
Linked& linked() {
    static Linked& only = *new Linked; // never destroyed: lanes may outlive main()
    return only;
}

// With it, CPython's own test suites find that run_string returns an exception's snapshot.
Failure failure_of_run_string() {
    static const char* const value = std::getenv("XINTERP_RUN_STRING_RETURNS");
    return value != nullptr && std::string_view{value} == "1" ? Failure::returned : Failure::raised;
}

bool kernel_keeps(InterpreterId id) { return has_front_end() && id != python::main_interpreter; }

// The result of a command; nothing with an exception set when the wait for it is interrupted.
std::optional<json> ask_kernel(json request) {
    if (in_forked_child()) {
        PyErr_SetString(PyExc_RuntimeError, "a forked child of the kernel cannot manage interpreters");
        return std::nullopt;
    }
    BridgeState* state = bridge_state();
    if (state == nullptr) return std::nullopt;
    request["callers"] = python::callers_on_this_thread();
    const std::shared_ptr<Answer> answer = front_end().command(current_source(*state), std::move(request));
    auto result = wait_for(*answer);
    if (!result) front_end().withdraw_command(answer);
    return result;
}

// While the debugger is on, it knows an interpreter before code runs there. False with an exception set: an interrupt.
bool is_known_to_the_debugger(InterpreterId id) {
    if (!has_front_end() || !front_end().debugs() || in_forked_child()) return true;
    return ask_kernel({{"command", "debugger"}, {"what", "connect"}, {"id", id}}).has_value();
}

// An argument by its place or name, borrowed, or null.
PyObject* argument(PyObject* arguments, PyObject* keywords, Py_ssize_t place, const char* name) {
    if (place < PyTuple_GET_SIZE(arguments)) return PyTuple_GET_ITEM(arguments, place);
    return keywords == nullptr ? nullptr : PyDict_GetItemString(keywords, name);
}

// The configuration that `create` is asked for, as CPython reads it. False with an exception set.
bool read_config(PyObject* module, PyObject* object, PyInterpreterConfig& config) {
    Ref values = Ref::borrow(object);
    if (object == nullptr || object == Py_None || PyUnicode_Check(object) != 0) {
        const bool named = object != nullptr && object != Py_None;
        const Ref name = named ? Ref::steal(PyTuple_Pack(1, object)) : Ref::steal(PyTuple_New(0));
        values = Ref::steal(name ? call_stock(module, stock.new_config, name.get(), nullptr) : nullptr);
        if (!values) return false;
    }
    const Ref dict = Ref::steal(PyObject_GetAttrString(values.get(), "__dict__"));
    if (dict) return internals::config_from_dict(dict.get(), config);
    PyErr_Format(PyExc_TypeError, "bad config %R", object);
    return false;
}

// By CPython's own function, which must find the interpreter as it wants it.
PyObject* pass_on(PyObject* module, PyMethodDef* function, PyObject* arguments, PyObject* keywords) {
    PyObject* result = call_stock(module, function, arguments, keywords);
    if (result == nullptr) widen_error(module);
    return result;
}

// Arguments that do not fit: CPython's own function, which does not take them either, says what is wrong with them.
PyObject* refuse(PyObject* module, PyMethodDef* function, PyObject* arguments, PyObject* keywords) {
    if (PyErr_ExceptionMatches(PyExc_TypeError) == 0) return nullptr;
    PyErr_Clear();
    return call_stock(module, function, arguments, keywords);
}

PyObject* create(PyObject* module, PyObject* arguments, PyObject* keywords) {
    static std::array names{const_cast<char*>("config"), const_cast<char*>("reqrefs"), static_cast<char*>(nullptr)};
    PyObject* config_object = nullptr;
    int counted = 0;
    if (PyArg_ParseTupleAndKeywords(arguments, keywords, "|O$p:create", names.data(), &config_object, &counted) == 0)
        return refuse(module, stock.create, arguments, keywords);
    if (!has_front_end() && config_object == nullptr) return pass_on(module, stock.create, arguments, keywords);
    PyInterpreterConfig config{};
    if (!read_config(module, config_object, config)) return nullptr;
    if (python::Configuration{config}.is_unsafe())
        return raise_unusable(module, "interpreter creation failed: one with its own GIL cannot use main's allocator "
                                      "(use_main_obmalloc): the two would corrupt the memory of both.");
    if (!has_front_end()) return pass_on(module, stock.create, arguments, keywords);
    const auto result = ask_kernel({{"command", "make"},
                                    {"config",
                                     {{"use_main_obmalloc", config.use_main_obmalloc},
                                      {"allow_fork", config.allow_fork},
                                      {"allow_exec", config.allow_exec},
                                      {"allow_threads", config.allow_threads},
                                      {"allow_daemon_threads", config.allow_daemon_threads},
                                      {"check_multi_interp_extensions", config.check_multi_interp_extensions},
                                      {"gil", config.gil}}}});
    if (!result) return nullptr;
    if (!result->value("ok", false))
        return raise_unusable(module, "interpreter creation failed: " + result->value("error", ""));
    const InterpreterId id = result->at("value");
    if (counted != 0) linked().add(id, PyThread_get_thread_ident());
    return PyLong_FromLongLong(id);
}

// Likewise, and it looks at the interpreter, which others may be ending, from outside.
PyObject* look(PyObject* module, PyMethodDef* function, PyObject* object, PyObject* arguments, PyObject* keywords) {
    const auto id = read_known_id(module, object);
    if (!id) return nullptr;
    const python::Pin pin{*id};
    return pin.holds() ? pass_on(module, function, arguments, keywords) : raise_not_found(module, *id);
}

// A function of CPython's that takes an id first.
template <PyMethodDef* Stock::* function> PyObject* checked(PyObject* module, PyObject* arguments, PyObject* keywords) {
    PyObject* object = argument(arguments, keywords, 0, "id");
    if (object == nullptr || object == Py_None) return pass_on(module, stock.*function, arguments, keywords);
    return look(module, stock.*function, object, arguments, keywords);
}

// One that runs code there.
template <PyMethodDef* Stock::* function> PyObject* running(PyObject* module, PyObject* arguments, PyObject* keywords) {
    PyObject* object = argument(arguments, keywords, 0, "id");
    if (object == nullptr) return pass_on(module, stock.*function, arguments, keywords);
    const auto id = read_known_id(module, object);
    if (!id) return nullptr;
    if (!is_known_to_the_debugger(*id)) return nullptr;
    // As in a python, where main always runs its program.
    if (*id == python::main_interpreter && has_front_end())
        return raise_unusable(module, "interpreter already running");
    if (const unsigned long main_thread = python::main_thread_of(*id);
        main_thread != 0 && main_thread != PyThread_get_thread_ident() &&
        PyInterpreterState_GetID(PyInterpreterState_Get()) != *id) {
        const python::Visit claim{*id, cell_of_this_thread()}; // this thread becomes the one that runs it
        if (claim.entry() == python::Visit::Entry::running)
            return raise_unusable(module, "interpreter already running");
    }
    Ref result;
    {
        const python::AnnouncedVisit visit{*id, cell_of_this_thread()};
        if (!visit.admitted()) return raise_not_found(module, *id);
        result = Ref::steal(pass_on(module, stock.*function, arguments, keywords));
    }
    if (result && interrupted()) return nullptr;
    return result.release();
}

// Whether a function that is restricted to interpreters of `_interpreters` may not be used on that one.
bool is_refused(InterpreterId id, PyObject* restricted) {
    if (restricted == nullptr || PyObject_IsTrue(restricted) == 0) return false;
    const auto glance = internals::glance_at(id);
    return glance && !glance->made_by_module;
}

PyObject* destroy(PyObject* module, PyObject* arguments, PyObject* keywords) {
    PyObject* object = argument(arguments, keywords, 0, "id");
    if (object == nullptr) return pass_on(module, stock.destroy, arguments, keywords);
    const auto id = read_known_id(module, object);
    if (!id) return nullptr;
    if (is_refused(*id, argument(arguments, keywords, 1, "restrict")))
        return pass_on(module, stock.destroy, arguments, keywords);
    if (PyInterpreterState_GetID(PyInterpreterState_Get()) == *id)
        return raise_unusable(module, "cannot destroy the current interpreter");
    if (python::is_below_on_this_thread(*id))
        return raise_unusable(module, "cannot destroy interpreter " + std::to_string(*id) +
                                          ": its code has called what runs now, and waits for it");
    if (python::is_kept_alive(*id))
        return raise_unusable(module, "interpreter " + std::to_string(*id) +
                                          " cannot be destroyed: run_string_unrestricted has handed out its namespace, "
                                          "whose objects may still be in use");
    if (kernel_keeps(*id)) {
        const auto result = ask_kernel({{"command", "end"}, {"id", *id}});
        if (!result) return nullptr;
        if (result->value("ok", false)) {
            linked().forget(*id);
            Py_RETURN_NONE;
        }
        if (result->value("error", "") == "running") return raise_unusable(module, "interpreter running");
        // One that the kernel has made is hidden while its lane ends it.
        if (const auto glance = internals::glance_at(*id); !glance || glance->hidden)
            return raise_not_found(module, *id);
    }
    // One that the kernel has not made.
    if (!python::refuse_visits(*id)) {
        python::admit_visits(*id);
        return raise_unusable(module, "interpreter running");
    }
    PyObject* result = pass_on(module, stock.destroy, arguments, keywords);
    if (result == nullptr) python::admit_visits(*id);
    else python::forget_visits(*id);
    return result;
}

PyObject* list_all(PyObject* module, PyObject* arguments, PyObject* keywords) {
    if (!has_front_end()) return call_stock(module, stock.list_all, arguments, keywords);
    // CPython's walks along interpreters that others may be ending.
    static std::array names{const_cast<char*>("require_ready"), static_cast<char*>(nullptr)};
    int require_ready = 0;
    if (PyArg_ParseTupleAndKeywords(arguments, keywords, "|$p:list_all", names.data(), &require_ready) == 0)
        return refuse(module, stock.list_all, arguments, keywords);
    const Ref all = Ref::steal(PyList_New(0));
    for (const auto& [id, whence, ready] : internals::list_interpreters()) {
        if (require_ready != 0 && !ready) continue;
        const Ref entry = Ref::steal(Py_BuildValue("(Ll)", id, whence));
        if (!all || !entry || PyList_Append(all.get(), entry.get()) != 0) return nullptr;
    }
    return Ref{all}.release();
}

PyObject* incref(PyObject* module, PyObject* arguments, PyObject* keywords) {
    PyObject* object = argument(arguments, keywords, 0, "id");
    if (object == nullptr || !has_front_end()) return checked<&Stock::incref>(module, arguments, keywords);
    const auto id = read_known_id(module, object);
    if (!id) return nullptr;
    // Not CPython, which would end it under a running thread, but the kernel looks after its end.
    PyObject* implies_link = keywords == nullptr ? nullptr : PyDict_GetItemString(keywords, "implieslink");
    if (implies_link != nullptr && PyObject_IsTrue(implies_link) == 1) linked().add(*id, Linked::none);
    const Ref others = Ref::steal(keywords == nullptr ? nullptr : PyDict_Copy(keywords));
    if (others && PyDict_PopString(others.get(), "implieslink", nullptr) < 0) return nullptr;
    PyObject* result = look(module, stock.incref, object, arguments, others.get());
    if (result != nullptr) linked().referred(*id);
    return result;
}

// The last reference to an interpreter has gone: the kernel ends it as soon as nothing runs there.
void tell_unreferenced(InterpreterId id) {
    // Also in an interpreter that is being finalized, where nothing can be imported any more.
    const Source source{cell_of_this_thread(), PyInterpreterState_GetID(PyInterpreterState_Get())};
    const std::shared_ptr<Answer> answer = front_end().command(source, {{"command", "unreferenced"}, {"id", id}});
    const python::Detached detached;
    answer->wait_for(farewell);
}

PyObject* decref(PyObject* module, PyObject* arguments, PyObject* keywords) {
    PyObject* object = argument(arguments, keywords, 0, "id");
    if (object == nullptr) return pass_on(module, stock.decref, arguments, keywords);
    const auto id = read_known_id(module, object);
    if (!id) return nullptr;
    // CPython would end it under the thread that runs it.
    if (const auto glance = internals::glance_at(*id); glance && glance->requires_reference &&
                                                       glance->references == 1 &&
                                                       (glance->runs_main || python::is_visited(*id)))
        internals::require_no_reference(*id);
    const Ref result = Ref::steal(has_front_end() ? look(module, stock.decref, object, arguments, keywords)
                                                  : pass_on(module, stock.decref, arguments, keywords));
    if (!result || !kernel_keeps(*id) || in_forked_child()) return Ref{result}.release();
    const auto glance = internals::glance_at(*id);
    if (glance && glance->references <= 0 && linked().goes_with_its_last_reference(*id)) {
        const python::SavedError saved;
        tell_unreferenced(*id);
    }
    return Ref{result}.release();
}

PyObject* exec(PyObject* module, PyObject* arguments, PyObject* keywords) {
    PyObject* code = argument(arguments, keywords, 1, "code");
    PyObject* shared = argument(arguments, keywords, 2, "shared");
    // Text that needs nothing bound is most of what people run, and need not pay for the rest.
    PyObject* restricted = keywords == nullptr ? nullptr : PyDict_GetItemString(keywords, "restrict");
    const bool plain = PyTuple_GET_SIZE(arguments) == 2 && PyUnicode_CheckExact(code) != 0 && shared == nullptr &&
                       (keywords == nullptr || PyDict_GET_SIZE(keywords) == (restricted != nullptr ? 1 : 0));
    if (!plain) return running<&Stock::exec>(module, arguments, keywords);
    const auto id = read_known_id(module, PyTuple_GET_ITEM(arguments, 0));
    if (!id) return nullptr;
    if (is_refused(*id, restricted)) return running<&Stock::exec>(module, arguments, keywords); // in CPython's words
    return is_known_to_the_debugger(*id) ? run_text(module, *id, code, Failure::returned) : nullptr;
}

PyObject* run_string(PyObject* module, PyObject* arguments, PyObject* keywords) {
    // `command`, or `script` as CPython calls it
    Ref others = Ref::steal(keywords == nullptr ? nullptr : PyDict_Copy(keywords));
    if (others) {
        Ref command;
        PyObject* found = nullptr;
        if (PyDict_PopString(others.get(), "command", &found) < 0) return nullptr;
        command = Ref::steal(found);
        if (command && PyDict_SetDefaultRef(others.get(), Ref::steal(PyUnicode_FromString("script")).get(),
                                            command.get(), nullptr) != 0) {
            if (PyErr_Occurred() == nullptr)
                PyErr_SetString(PyExc_TypeError, "run_string() takes command or script, which are the same, not both");
            return nullptr;
        }
    }
    static std::array names{const_cast<char*>("id"), const_cast<char*>("script"), const_cast<char*>("shared"),
                            const_cast<char*>("restrict"), static_cast<char*>(nullptr)};
    PyObject *object = nullptr, *text = nullptr, *shared = nullptr;
    int restricted = 0;
    if (PyArg_ParseTupleAndKeywords(arguments, others.get(), "OU|O!$p:run_string", names.data(), &object, &text,
                                    &PyDict_Type, &shared, &restricted) == 0)
        return refuse(module, stock.run_string, arguments, others.get());
    const auto id = read_known_id(module, object);
    if (!id) return nullptr;
    if (restricted != 0 || shared != nullptr) {
        // Whether it may be used, and the names, by CPython's own code; nothing has run yet.
        const Ref options = Ref::steal(Py_BuildValue("{s:O}", "restrict", restricted != 0 ? Py_True : Py_False));
        const bool has_names = shared != nullptr && PyDict_GET_SIZE(shared) > 0;
        const Ref positional = Ref::steal(has_names ? PyTuple_Pack(2, object, shared) : PyTuple_Pack(1, object));
        const Ref checked_first =
            Ref::steal(options && positional ? pass_on(module, has_names ? stock.set_main_attrs : stock.is_running,
                                                       positional.get(), options.get())
                                             : nullptr);
        if (!checked_first) return nullptr;
    }
    return is_known_to_the_debugger(*id) ? run_text(module, *id, text, failure_of_run_string()) : nullptr;
}

PyObject* run_string_unrestricted(PyObject* module, PyObject* arguments, PyObject* keywords) {
    static std::array names{const_cast<char*>("id"), const_cast<char*>("command"), const_cast<char*>("ns"),
                            static_cast<char*>(nullptr)};
    PyObject *object = nullptr, *text = nullptr, *ns = Py_None;
    if (PyArg_ParseTupleAndKeywords(arguments, keywords, "OU|O:_interpreters.run_string_unrestricted", names.data(),
                                    &object, &text, &ns) == 0)
        return nullptr;
    if (ns != Py_None && PyDict_Check(ns) == 0) {
        PyErr_Format(PyExc_TypeError, "ns must be a dict or None, not %.50s", Py_TYPE(ns)->tp_name);
        return nullptr;
    }
    const auto id = read_known_id(module, object);
    if (!id || !is_known_to_the_debugger(*id)) return nullptr;
    return run_text_unrestricted(module, *id, text, ns == Py_None ? nullptr : ns);
}

template <auto function> PyCFunction with_keywords() {
    return reinterpret_cast<PyCFunction>(
        reinterpret_cast<void (*)()>(guarded<function, PyObject*, PyObject*, PyObject*>));
}

const std::array own_methods{
    PyMethodDef{"create", with_keywords<create>(), METH_VARARGS | METH_KEYWORDS, nullptr},
    PyMethodDef{"destroy", with_keywords<destroy>(), METH_VARARGS | METH_KEYWORDS, nullptr},
    PyMethodDef{"list_all", with_keywords<list_all>(), METH_VARARGS | METH_KEYWORDS, nullptr},
    PyMethodDef{"is_running", with_keywords<checked<&Stock::is_running>>(), METH_VARARGS | METH_KEYWORDS, nullptr},
    PyMethodDef{"get_config", with_keywords<checked<&Stock::get_config>>(), METH_VARARGS | METH_KEYWORDS, nullptr},
    PyMethodDef{"whence", with_keywords<checked<&Stock::whence>>(), METH_VARARGS | METH_KEYWORDS, nullptr},
    PyMethodDef{"exec", with_keywords<exec>(), METH_VARARGS | METH_KEYWORDS, nullptr},
    PyMethodDef{"call", with_keywords<running<&Stock::call>>(), METH_VARARGS | METH_KEYWORDS, nullptr},
    PyMethodDef{"run_func", with_keywords<running<&Stock::run_func>>(), METH_VARARGS | METH_KEYWORDS, nullptr},
    PyMethodDef{"set___main___attrs", with_keywords<running<&Stock::set_main_attrs>>(), METH_VARARGS | METH_KEYWORDS,
                nullptr},
    PyMethodDef{"incref", with_keywords<incref>(), METH_VARARGS | METH_KEYWORDS, nullptr},
    PyMethodDef{"decref", with_keywords<decref>(), METH_VARARGS | METH_KEYWORDS, nullptr},
    PyMethodDef{"run_string", with_keywords<run_string>(), METH_VARARGS | METH_KEYWORDS,
                "run_string(id, command, shared=None, *, restrict=False)\n--\n\n"
                "Run the source text in the interpreter's __main__, in the calling thread.\n\n"
                "An exception of the code is raised here: of the same type where this interpreter has it (builtins,\n"
                "classes of modules that it has imported), with the remote traceback as a note, else RunFailedError."},
    PyMethodDef{"run_string_unrestricted", with_keywords<run_string_unrestricted>(), METH_VARARGS | METH_KEYWORDS,
                "run_string_unrestricted(id, command, ns=None)\n--\n\n"
                "Like run_string(), but merge ns into the namespace first and return the namespace.\n\n"
                "It is the live dict only where both interpreters share their GIL and allocator; the other one then\n"
                "cannot be destroyed any more. Otherwise it is a copy, whose attribute `refused` says which names did\n"
                "not cross, and why; and a name in ns that cannot cross is a NotShareableError before anything runs."},
};

int execute(PyObject* module) {
    if (!add_id_errors(module) || !add_run_failed_error(module)) return -1;
    return 0;
}

// The functions of CPython's that are called here, by their names in its method table.
struct StockFunction {
    const char* name;
    PyMethodDef* Stock::* place;
};
constexpr std::array stock_functions{
    StockFunction{"create", &Stock::create},
    StockFunction{"destroy", &Stock::destroy},
    StockFunction{"list_all", &Stock::list_all},
    StockFunction{"is_running", &Stock::is_running},
    StockFunction{"get_config", &Stock::get_config},
    StockFunction{"whence", &Stock::whence},
    StockFunction{"exec", &Stock::exec},
    StockFunction{"call", &Stock::call},
    StockFunction{"run_func", &Stock::run_func},
    StockFunction{"set___main___attrs", &Stock::set_main_attrs},
    StockFunction{"incref", &Stock::incref},
    StockFunction{"decref", &Stock::decref},
    StockFunction{"run_string", &Stock::run_string},
    StockFunction{"new_config", &Stock::new_config},
};

// Finds them; the reason if this Python's module is another one than xinterp knows, else an empty text.
std::string find_stock() {
    stock.definition = find_stock_definition("_interpreters");
    if (stock.definition == nullptr) return "it has no module _interpreters that can be extended";
    for (const auto& [name, place] : stock_functions) {
        PyMethodDef* method = stock.definition->m_methods;
        while (method->ml_name != nullptr && std::string_view{method->ml_name} != name) ++method;
        if (method->ml_name == nullptr) return std::string{"_interpreters has no function "} + name;
        if (!Ref::steal(PyCFunction_New(method, nullptr))) {
            PyErr_Clear();
            return std::string{"_interpreters."} + name + " cannot be called: its calling convention is unknown";
        }
        stock.*place = method;
    }
    return {};
}

// CPython's definition with our functions in the place of its own, and our step after its own.
PyModuleDef* make_definition() {
    static std::vector<PyMethodDef> methods;
    for (const PyMethodDef* method = stock.definition->m_methods; method->ml_name != nullptr; ++method) {
        const auto own = std::ranges::find_if(own_methods, [&](const PyMethodDef& candidate) {
            return std::string_view{candidate.ml_name} == method->ml_name;
        });
        methods.push_back(own == own_methods.end() ? *method : *own);
        if (methods.back().ml_doc == nullptr) methods.back().ml_doc = method->ml_doc;
    }
    methods.push_back(own_methods.back());
    methods.push_back({nullptr, nullptr, 0, nullptr});
    static std::vector<PyModuleDef_Slot> slots;
    for (const PyModuleDef_Slot* slot = stock.definition->m_slots; slot->slot != 0; ++slot) slots.push_back(*slot);
    slots.push_back({Py_mod_exec, reinterpret_cast<void*>(execute)});
    slots.push_back({0, nullptr});

    static PyModuleDef definition = PyModuleDef{PyModuleDef_HEAD_INIT,
                                                stock.definition->m_name,
                                                stock.definition->m_doc,
                                                stock.definition->m_size,
                                                methods.data(),
                                                slots.data(),
                                                stock.definition->m_traverse,
                                                stock.definition->m_clear,
                                                stock.definition->m_free};
    return &definition;
}

} // namespace

std::string unknown_in_stock_interpreters() {
    // Called with main's GIL held, whichever interpreter imports the module.
    static const std::string reason = find_stock();
    return reason;
}

PyObject* initialize_interpreters() {
    if (const std::string reason = unknown_in_stock_interpreters(); !reason.empty()) {
        PyErr_SetString(PyExc_ImportError, ("xinterp does not know this Python: " + reason).c_str());
        return nullptr;
    }
    static PyModuleDef* definition = make_definition();
    return PyModuleDef_Init(definition);
}

} // namespace xinterp::modules
