#include <xinterp/modules/bridge.hpp>
#include <xinterp/modules/stand_ins.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace xinterp::modules {
namespace {

using python::Ref;

struct Entry {
    Ref original, implementation;
};

// A builtin function knows no more than its C function and `self`. So each builtin that is exchanged has a C function
// of its own, which knows its number: its slot. Slots are the process's; what they run is the interpreter's.
constexpr std::size_t slot_count = 64;

struct Slots {
    std::mutex mutex;
    std::array<PyMethodDef*, slot_count> originals{};
    std::array<PyMethodDef, slot_count> definitions{};
    std::size_t used = 0;
};
Slots& slots() {
    static Slots& all = *new Slots; // never destroyed: functions refer to the definitions
    return all;
}

} // namespace

class StandIns {
public:
    std::atomic<std::int64_t> interpreter = -1;
    std::array<Entry, slot_count> builtins;
    std::unordered_map<PyObject*, Entry> functions; ///< their keys are owned references

    static StandIns* here();
};

namespace {

// Never destroyed: a thread may look at one whose interpreter has just ended.
struct Unused {
    std::mutex mutex;
    std::vector<StandIns*> all;
};
Unused& unused() {
    static Unused& stock = *new Unused;
    return stock;
}

// An implementation that cannot take the arguments: the call has run nothing.
bool take_back_mismatch() {
    if (PyErr_ExceptionMatches(PyExc_TypeError) == 0) return false;
    Ref error = Ref::steal(PyErr_GetRaisedException());
    const Ref traceback = Ref::steal(PyException_GetTraceback(error.get()));
    if (!traceback) return true;
    PyErr_SetRaisedException(error.release());
    return false;
}

// `leading` are what the implementation gets before the caller's arguments: the original, and a method's instance.
template <std::size_t leading>
PyObject* call(const Entry& entry, std::array<PyObject*, leading> before, PyObject* const* arguments, Py_ssize_t count,
               PyObject* keywords) {
    const auto given = static_cast<std::size_t>(count + (keywords != nullptr ? PyTuple_GET_SIZE(keywords) : 0));
    const std::size_t positional = leading + static_cast<std::size_t>(count);
    constexpr std::size_t few = 8;
    std::array<PyObject*, few + leading> on_stack{};
    std::vector<PyObject*> on_heap;
    PyObject** all = on_stack.data();
    if (given > few) {
        on_heap.resize(given + leading);
        all = on_heap.data();
    }
    std::copy(before.begin(), before.end(), all);
    std::copy(arguments, arguments + given, all + leading);
    const Ref original = entry.original, implementation = entry.implementation; // a call may exchange them
    PyObject* result = PyObject_Vectorcall(implementation.get(), all, positional, keywords);
    if (result != nullptr || !take_back_mismatch()) return result;
    return PyObject_Vectorcall(original.get(), all + 1, positional - 1, keywords);
}

template <std::size_t slot>
PyObject* call_slot(PyObject* self, PyObject* const* arguments, Py_ssize_t count, PyObject* keywords) {
    const bool is_method = self != nullptr && PyModule_Check(self) == 0;
    const StandIns* here = StandIns::here();
    if (here == nullptr || !here->builtins[slot].implementation) {
        PyTypeObject* type = is_method ? Py_TYPE(self) : nullptr;
        PyMethodDef* definition = slots().originals[slot];
        const bool wants_type = (definition->ml_flags & METH_METHOD) != 0;
        const Ref original = Ref::steal(PyCMethod_New(definition, self, nullptr, wants_type ? type : nullptr));
        return original ? PyObject_Vectorcall(original.get(), arguments, static_cast<std::size_t>(count), keywords)
                        : nullptr;
    }
    const Entry& entry = here->builtins[slot];
    if (is_method) return call<2>(entry, {entry.original.get(), self}, arguments, count, keywords);
    return call<1>(entry, {entry.original.get()}, arguments, count, keywords);
}

template <std::size_t... numbers> constexpr auto make_slot_functions(std::index_sequence<numbers...>) {
    return std::array<PyCFunctionFastWithKeywords, slot_count>{call_slot<numbers>...};
}
constexpr auto slot_functions = make_slot_functions(std::make_index_sequence<slot_count>{});

// The builtin's text with its signature. CPython makes one up for a function without or with one argument that has
// none, and does so by its flags, which are others here.
const char* documentation_of(const PyMethodDef& definition) {
    const std::string_view text{definition.ml_doc != nullptr ? definition.ml_doc : ""};
    const int flags = definition.ml_flags & (METH_O | METH_NOARGS);
    if (flags == 0 || text.find(")\n--\n\n") != std::string_view::npos) return definition.ml_doc;
    const char* parameters = flags == METH_O ? "($self, object, /)" : "($self, /)";
    const auto& whole = *new std::string{std::string{definition.ml_name} + parameters + "\n--\n\n" + std::string{text}};
    return whole.c_str(); // as long as the process, like the slot
}

// The slot of a builtin, which gets one if it has none.
std::size_t slot_of(PyMethodDef* definition) {
    const std::scoped_lock lock{slots().mutex};
    for (std::size_t i = 0; i < slots().used; ++i)
        if (slots().originals[i] == definition || &slots().definitions[i] == definition) return i;
    if (slots().used == slot_count) throw std::length_error{"too many builtin functions are exchanged"};
    const std::size_t slot = slots().used++;
    slots().originals[slot] = definition;
    slots().definitions[slot] = {.ml_name = definition->ml_name,
                                 .ml_meth =
                                     reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(slot_functions[slot])),
                                 .ml_flags = METH_FASTCALL | METH_KEYWORDS,
                                 .ml_doc = documentation_of(*definition)};
    return slot;
}

constexpr int calling_conventions = METH_VARARGS | METH_KEYWORDS | METH_NOARGS | METH_O | METH_FASTCALL;

std::nullptr_t refuse(const char* why) {
    PyErr_SetString(PyExc_TypeError, why);
    return nullptr;
}

// The vectorcall pointer is what CPython chooses for the definition's flags: a new object has it.
PyObject* exchange_builtin(StandIns& all, PyObject* function, PyObject* implementation) {
    auto& builtin = *reinterpret_cast<PyCFunctionObject*>(function);
    if ((builtin.m_ml->ml_flags & ~calling_conventions) != 0 || builtin.m_self == nullptr ||
        PyModule_Check(builtin.m_self) == 0)
        return refuse("stand_in() takes builtin functions of modules, no bound methods");
    const std::size_t slot = slot_of(builtin.m_ml);
    PyMethodDef* definition = &slots().definitions[slot];
    Entry entry{.original = Ref::steal(PyCFunction_NewEx(slots().originals[slot], builtin.m_self, builtin.m_module)),
                .implementation = Ref::borrow(implementation)};
    const Ref model = Ref::steal(PyCFunction_NewEx(definition, builtin.m_self, builtin.m_module));
    if (!entry.original || !model) return nullptr;
    all.builtins[slot] = std::move(entry);
    builtin.vectorcall = reinterpret_cast<PyCFunctionObject*>(model.get())->vectorcall;
    builtin.m_ml = definition;
    Py_RETURN_NONE;
}

PyObject* exchange_method(StandIns& all, PyObject* descriptor, PyObject* implementation) {
    auto& method = *reinterpret_cast<PyMethodDescrObject*>(descriptor);
    if ((method.d_method->ml_flags & ~(calling_conventions | METH_METHOD)) != 0)
        return refuse("stand_in() takes no class or static methods");
    const std::size_t slot = slot_of(method.d_method);
    PyMethodDef* definition = &slots().definitions[slot];
    PyTypeObject* type = PyDescr_TYPE(descriptor);
    Entry entry{.original = Ref::steal(PyDescr_NewMethod(type, slots().originals[slot])),
                .implementation = Ref::borrow(implementation)};
    const Ref model = Ref::steal(PyDescr_NewMethod(type, definition));
    if (!entry.original || !model) return nullptr;
    all.builtins[slot] = std::move(entry);
    method.vectorcall = reinterpret_cast<PyMethodDescrObject*>(model.get())->vectorcall;
    method.d_method = definition;
    Py_RETURN_NONE;
}

std::atomic<vectorcallfunc> call_own_code = nullptr; // how CPython calls a Python function

PyObject* call_function(PyObject* function, PyObject* const* arguments, std::size_t flagged_count, PyObject* keywords) {
    if (const StandIns* here = StandIns::here())
        if (const auto found = here->functions.find(function); found != here->functions.end()) {
            const Entry& entry = found->second;
            return call<1>(entry, {entry.original.get()}, arguments, PyVectorcall_NARGS(flagged_count), keywords);
        }
    return call_own_code.load()(function, arguments, flagged_count, keywords);
}

Ref copy_function(PyObject* function) {
    const Ref name = Ref::steal(PyObject_GetAttrString(function, "__qualname__"));
    Ref copy = Ref::steal(
        name ? PyFunction_NewWithQualName(PyFunction_GetCode(function), PyFunction_GetGlobals(function), name.get())
             : nullptr);
    const auto given = [](PyObject* value) { return value != nullptr ? value : Py_None; };
    if (!copy || PyFunction_SetDefaults(copy.get(), given(PyFunction_GetDefaults(function))) != 0 ||
        PyFunction_SetClosure(copy.get(), given(PyFunction_GetClosure(function))) != 0)
        return {};
    PyObject* keyword_defaults = PyFunction_GetKwDefaults(function);
    if (keyword_defaults != nullptr && PyFunction_SetKwDefaults(copy.get(), keyword_defaults) != 0) return {};
    return copy;
}

// CPython inlines the code of an __init__ into the call of its class without a look at how the function is called,
// unless the code is of another kind than the compiler makes. The original runs the code that the function had.
bool keep_from_being_inlined(PyObject* function) {
    if (PyUnicode_CompareWithASCIIString(reinterpret_cast<PyFunctionObject*>(function)->func_name, "__init__") != 0)
        return true;
    const Ref code = Ref::borrow(PyFunction_GetCode(function));
    const int flags = reinterpret_cast<PyCodeObject*>(code.get())->co_flags & ~CO_OPTIMIZED;
    const Ref replace = Ref::steal(PyObject_GetAttrString(code.get(), "replace"));
    const Ref none = Ref::steal(PyTuple_New(0)), options = Ref::steal(Py_BuildValue("{s:i}", "co_flags", flags));
    const Ref other =
        Ref::steal(replace && none && options ? PyObject_Call(replace.get(), none.get(), options.get()) : nullptr);
    return other && PyObject_SetAttrString(function, "__code__", other.get()) == 0;
}

PyObject* exchange_function(StandIns& all, PyObject* function, PyObject* implementation) {
    if (const auto known = all.functions.find(function); known != all.functions.end()) {
        known->second.implementation = Ref::borrow(implementation);
        Py_RETURN_NONE;
    }
    Entry entry{.original = copy_function(function), .implementation = Ref::borrow(implementation)};
    if (!entry.original || !keep_from_being_inlined(function)) return nullptr;
    all.functions.emplace(Ref::borrow(function).release(), std::move(entry));
    call_own_code = reinterpret_cast<PyFunctionObject*>(function)->vectorcall;
    PyFunction_SetVectorcall(reinterpret_cast<PyFunctionObject*>(function), call_function);
    Py_RETURN_NONE;
}

PyObject* exchange(PyObject* module, PyObject* function, PyObject* implementation) {
    StandIns& all = *static_cast<BridgeState*>(PyModule_GetState(module))->stand_ins;
    if (PyFunction_Check(function)) return exchange_function(all, function, implementation);
    if (PyCFunction_CheckExact(function)) return exchange_builtin(all, function, implementation);
    if (Py_IS_TYPE(function, &PyMethodDescr_Type)) return exchange_method(all, function, implementation);
    return refuse("stand_in() takes a Python function, a builtin function or a method descriptor");
}

} // namespace

// The calling thread's last one is remembered. Interpreters' numbers are never used again, so that this is enough to
// know it by.
StandIns* StandIns::here() {
    thread_local StandIns* last = nullptr;
    const std::int64_t interpreter = PyInterpreterState_GetID(PyInterpreterState_Get());
    if (last != nullptr && last->interpreter == interpreter) return last;
    const python::SavedError saved;
    const BridgeState* state = bridge_state();
    if (state == nullptr) PyErr_Clear();
    last = state == nullptr ? nullptr : state->stand_ins;
    return last;
}

StandIns* create_stand_ins() {
    StandIns* all = nullptr;
    {
        const std::scoped_lock lock{unused().mutex};
        if (!unused().all.empty()) {
            all = unused().all.back();
            unused().all.pop_back();
        }
    }
    if (all == nullptr) all = new StandIns;
    all->interpreter = PyInterpreterState_GetID(PyInterpreterState_Get());
    return all;
}

void drop_stand_ins(StandIns* all) {
    all->interpreter = -1;
    for (Entry& entry : all->builtins) entry = {};
    const auto functions = std::exchange(all->functions, {});
    // NOLINTNEXTLINE(bugprone-nondeterministic-pointer-iteration-order): in any order
    for (const auto& [function, entry] : functions) Ref::steal(function); // its reference is given back
    const std::scoped_lock lock{unused().mutex};
    unused().all.push_back(all);
}

int traverse_stand_ins(const StandIns* all, visitproc visit, void* arg) {
    for (const Entry& entry : all->builtins) {
        Py_VISIT(entry.original.get());
        Py_VISIT(entry.implementation.get());
    }
    for (const auto& [function, entry] : all->functions) {
        Py_VISIT(function);
        Py_VISIT(entry.original.get());
        Py_VISIT(entry.implementation.get());
    }
    return 0;
}

PyObject* stand_in(PyObject* module, PyObject* const* arguments, Py_ssize_t count) {
    if (count != 3) return refuse("stand_in() takes a module or class, a function of it and an implementation");
    PyObject* done = exchange(module, arguments[1], arguments[2]);
    // What CPython remembers of the class's methods.
    if (done != nullptr && PyType_Check(arguments[0])) PyType_Modified(reinterpret_cast<PyTypeObject*>(arguments[0]));
    return done;
}

PyObject* list_stand_ins(PyObject* module, PyObject*) {
    Ref list = Ref::steal(PyList_New(0));
    const StandIns& all = *static_cast<BridgeState*>(PyModule_GetState(module))->stand_ins;
    const auto add = [&list](const Entry& entry) {
        return !entry.original || PyList_Append(list.get(), entry.original.get()) == 0;
    };
    const bool added = list && std::ranges::all_of(all.builtins, add) &&
                       std::ranges::all_of(all.functions, [&](const auto& item) { return add(item.second); });
    return added ? list.release() : nullptr;
}

} // namespace xinterp::modules
