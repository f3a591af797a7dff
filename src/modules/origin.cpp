#include <xinterp/modules/bridge.hpp>
#include <xinterp/modules/origin.hpp>

#include <utility>

namespace xinterp::modules {
namespace {

using python::Ref;

FrontEnd* the_front_end = nullptr;
thread_local CellId thread_cell = 0;

bool set_variable(const BridgeState& state, CellId cell) {
    const Ref number = Ref::steal(PyLong_FromUnsignedLongLong(cell));
    const Ref token = Ref::steal(number ? PyContextVar_Set(state.cell_variable, number.get()) : nullptr);
    return static_cast<bool>(token);
}

// Calls its function as part of a cell.
struct Carrier {
    PyObject_HEAD PyObject* function;
    CellId cell;
};

PyObject* call_carrier(PyObject* self, PyObject* arguments, PyObject* keywords) {
    const auto* carrier = reinterpret_cast<Carrier*>(self);
    BridgeState* state = bridge_state();
    if (state == nullptr) return nullptr;
    const CellId outer = std::exchange(thread_cell, carrier->cell);
    // A context of its own: the caller's variables are left as they are when the function returns.
    const Ref context = Ref::steal(PyContext_CopyCurrent());
    PyObject* result = nullptr;
    if (context && PyContext_Enter(context.get()) == 0) {
        if (set_variable(*state, carrier->cell)) result = PyObject_Call(carrier->function, arguments, keywords);
        if (PyContext_Exit(context.get()) != 0) Py_CLEAR(result);
    }
    thread_cell = outer;
    return result;
}

int traverse_carrier(PyObject* self, visitproc visit, void* arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(reinterpret_cast<Carrier*>(self)->function);
    return 0;
}

int clear_carrier(PyObject* self) {
    Py_CLEAR(reinterpret_cast<Carrier*>(self)->function);
    return 0;
}

void free_carrier(PyObject* self) {
    PyTypeObject* type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    clear_carrier(self);
    type->tp_free(self);
    python::drop_type(type);
}

PyType_Slot carrier_slots[] = {
    {Py_tp_call, reinterpret_cast<void*>(call_carrier)},
    {Py_tp_traverse, reinterpret_cast<void*>(traverse_carrier)},
    {Py_tp_clear, reinterpret_cast<void*>(clear_carrier)},
    {Py_tp_dealloc, reinterpret_cast<void*>(free_carrier)},
    {0, nullptr},
};

} // namespace

PyType_Spec carrier_type_spec = {"_xinterp.Carrier", sizeof(Carrier), 0,
                                 Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                                 carrier_slots};

void set_front_end(FrontEnd* front_end) { the_front_end = front_end; }

NoKernel::NoKernel()
    : std::runtime_error{"there is no kernel here: this is a plain Python. Run this in a cell of a notebook with the "
                         "xinterp kernel."} {}

bool has_front_end() { return the_front_end != nullptr; }

FrontEnd& front_end() {
    if (the_front_end == nullptr) throw NoKernel{};
    return *the_front_end;
}

CellId cell_of_this_thread() { return thread_cell; }

Source current_source(BridgeState& state) {
    PyObject* value = nullptr;
    CellId cell = 0;
    if (PyContextVar_Get(state.cell_variable, nullptr, &value) == 0 && value != nullptr) {
        cell = PyLong_AsUnsignedLongLong(value);
        const Ref held = Ref::steal(value);
    }
    if (cell == 0) cell = thread_cell;
    if (cell == 0) cell = state.last_cell;
    return {cell, state.interpreter};
}

bool enter_cell(BridgeState& state, CellId cell) {
    thread_cell = cell;
    state.last_cell = cell;
    return set_variable(state, cell);
}

Unheard::Unheard() : outer_{std::exchange(thread_cell, unheard_cell)} {}

Unheard::~Unheard() { thread_cell = outer_; }

Ref carry(BridgeState& state, PyObject* function) {
    auto* type = reinterpret_cast<PyTypeObject*>(state.carrier_type);
    Ref object = Ref::steal(type->tp_alloc(type, 0));
    if (!object) return {};
    auto* carrier = reinterpret_cast<Carrier*>(object.get());
    carrier->function = Py_NewRef(function);
    carrier->cell = current_source(state).cell;
    return object;
}

} // namespace xinterp::modules
