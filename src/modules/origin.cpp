#include <xinterp/modules/bridge.hpp>
#include <xinterp/modules/origin.hpp>

#include <utility>

namespace xinterp::modules {
namespace {

using python::Ref;

FrontEnd* the_front_end = nullptr;

// A cell, and the one under which its output is shown, if that is another one.
struct Place {
    CellId cell = 0, parent = 0;
};
thread_local Place thread_place;

bool set_variable(PyObject* variable, CellId cell) {
    const Ref number = Ref::steal(PyLong_FromUnsignedLongLong(cell));
    const Ref token = Ref::steal(number ? PyContextVar_Set(variable, number.get()) : nullptr);
    return static_cast<bool>(token);
}

bool set_variables(const BridgeState& state, Place place) {
    return set_variable(state.cell_variable, place.cell) && set_variable(state.parent_variable, place.parent);
}

CellId value_of(PyObject* variable) {
    PyObject* value = nullptr;
    if (PyContextVar_Get(variable, nullptr, &value) != 0 || value == nullptr) return 0;
    const Ref held = Ref::steal(value);
    return PyLong_AsUnsignedLongLong(value);
}

Place current_place(const BridgeState& state) {
    if (const CellId cell = value_of(state.cell_variable); cell != 0) return {cell, value_of(state.parent_variable)};
    return thread_place.cell != 0 ? thread_place : Place{state.last_cell, thread_place.parent};
}

// Calls its function as part of a cell.
struct Carrier {
    PyObject_HEAD PyObject* function;
    Place place;
};

PyObject* call_carrier(PyObject* self, PyObject* arguments, PyObject* keywords) {
    const auto* carrier = reinterpret_cast<Carrier*>(self);
    BridgeState* state = bridge_state();
    if (state == nullptr) return nullptr;
    const Place outer = std::exchange(thread_place, carrier->place);
    // A context of its own: the caller's variables are left as they are when the function returns.
    const Ref context = Ref::steal(PyContext_CopyCurrent());
    PyObject* result = nullptr;
    if (context && PyContext_Enter(context.get()) == 0) {
        if (set_variables(*state, carrier->place)) result = PyObject_Call(carrier->function, arguments, keywords);
        if (PyContext_Exit(context.get()) != 0) Py_CLEAR(result);
    }
    thread_place = outer;
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

CellId cell_of_this_thread() { return thread_place.cell; }

CellId output_cell_of_this_thread() { return thread_place.parent != 0 ? thread_place.parent : thread_place.cell; }

Source current_source(BridgeState& state) { return {current_place(state).cell, state.interpreter}; }

Source output_source(BridgeState& state) {
    const Place place = current_place(state);
    return {place.parent != 0 ? place.parent : place.cell, state.interpreter};
}

bool enter_cell(BridgeState& state, CellId cell) {
    thread_place = {cell, 0};
    state.last_cell = cell;
    return set_variables(state, thread_place);
}

bool show_under(BridgeState& state, CellId cell) {
    thread_place.parent = cell;
    return set_variable(state.parent_variable, cell);
}

CellId shown_under(BridgeState& state) { return current_place(state).parent; }

Unheard::Unheard() : outer_{thread_place.cell}, outer_parent_{thread_place.parent} { thread_place = {unheard_cell, 0}; }

Unheard::~Unheard() { thread_place = {outer_, outer_parent_}; }

Ref carry(BridgeState& state, PyObject* function) {
    auto* type = reinterpret_cast<PyTypeObject*>(state.carrier_type);
    Ref object = Ref::steal(type->tp_alloc(type, 0));
    if (!object) return {};
    auto* carrier = reinterpret_cast<Carrier*>(object.get());
    carrier->function = Py_NewRef(function);
    carrier->place = current_place(state);
    return object;
}

} // namespace xinterp::modules
