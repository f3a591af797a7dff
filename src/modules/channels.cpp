#include <xinterp/modules/bridge.hpp>
#include <xinterp/modules/channels.hpp>
#include <xinterp/modules/waiting.hpp>
#include <xinterp/python/internals.hpp>

#include <cmath>
#include <memory>
#include <new>
#include <optional>
#include <string>

namespace xinterp::modules {
namespace {

using python::Ref;
using Clock = Waiter::Clock;

ChannelTable& table() {
    static ChannelTable& only = *new ChannelTable; // never destroyed: lanes may outlive main()
    return only;
}

BridgeState& state_of(PyObject* module) { return *static_cast<BridgeState*>(PyModule_GetState(module)); }

// In the order of the tuple that channel_errors gets.
enum class Error : Py_ssize_t { not_found, empty, not_empty, not_received };

PyObject* raise(const BridgeState& state, Error error, const std::string& message) {
    PyObject* type = state.channel_errors == nullptr
                         ? PyExc_RuntimeError
                         : PyTuple_GET_ITEM(state.channel_errors, static_cast<Py_ssize_t>(error));
    PyErr_SetString(type, message.c_str());
    return nullptr;
}

PyObject* raise(const BridgeState& state, ChannelId id, Outcome outcome, End end) {
    const std::string channel = "channel " + std::to_string(id);
    switch (outcome) {
    case Outcome::unknown:
        if (table().has_been(id)) return raise(state, Error::not_found, channel + " is closed.");
        return raise(state, Error::not_found,
                     "there is no " + channel + ": interpreters.create_channel() makes one, and list_all_channels() " +
                         "tells which there are.");
    case Outcome::released:
        return raise(state, Error::not_found,
                     std::string{"this interpreter has released its "} + (end == End::send ? "sending" : "receiving") +
                         " end of " + channel + ".");
    case Outcome::senders_gone:
        return raise(state, Error::empty,
                     channel + " is empty, and the interpreters that have sent to it have ended or released it.");
    case Outcome::not_received:
        return raise(state, Error::not_received,
                     "nobody has received the object from " + channel +
                         ": its receivers have ended or released it, or it was closed.");
    case Outcome::not_empty:
        return raise(state, Error::not_empty,
                     "objects wait in " + channel + " to be received. close(force=True) discards them.");
    default: break;
    }
    PyErr_SetString(PyExc_SystemError, "a channel's operation ended without an outcome");
    return nullptr;
}

bool read_id(PyObject* object, ChannelId& id) {
    id = PyLong_AsLongLong(object);
    return id != -1 || PyErr_Occurred() == nullptr;
}

bool expect(Py_ssize_t count, Py_ssize_t wanted) {
    if (count != wanted) PyErr_Format(PyExc_TypeError, "%zd arguments were expected, %zd are given", wanted, count);
    return count == wanted;
}

// In a forked child no thread is left that could hold or release the table's lock.
bool usable(const BridgeState& state) {
    if (in_forked_child()) {
        PyErr_SetString(PyExc_RuntimeError, "a forked child of the kernel has no channels");
        return false;
    }
    if (state.channels_ended) {
        raise(state, Error::not_found, "this interpreter is ending: it cannot use channels any more.");
        return false;
    }
    return true;
}

// Until when a wait lasts: None is for ever.
bool read_timeout(PyObject* timeout, Clock::time_point& until) {
    until = Clock::time_point::max();
    if (timeout == Py_None) return true;
    const double seconds = PyFloat_AsDouble(timeout);
    if (PyErr_Occurred() != nullptr) return false;
    if (std::isnan(seconds) || seconds < 0) {
        PyErr_SetString(PyExc_ValueError, "timeout must be None or a number of seconds that is not negative");
        return false;
    }
    if (seconds < 1e9)
        until = Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>{seconds});
    return true;
}

// Waits with the GIL released until the operation that `enter` has begun is over. False, with an exception set, when
// the caller is interrupted or the time is up: nothing of the waiter is then left in the channel.
template <class Enter>
bool wait(ChannelId id, End end, Waiter& waiter, Clock::time_point until, Outcome& outcome, Enter enter) {
    PyThreadState* thread = PyThreadState_Get();
    while (outcome == Outcome::waiting) {
        bool timed_out = false, withdrawn = false;
        {
            const python::Detached detached;
            bool over = false;
            while (!over && !timed_out && !python::internals::interrupt_waits_for(thread)) {
                // The signal of an interrupt ends the wait. Slices are for one that came just before it.
                over = waiter.wait(std::min(until, Clock::now() + interrupt_slice));
                timed_out = Clock::now() >= until;
            }
            withdrawn = table().withdraw(id, waiter);
        }
        if (!withdrawn) {
            outcome = waiter.outcome();
            return true;
        }
        if (python::internals::raise_pending_interrupt() || PyErr_CheckSignals() != 0) return false;
        if (timed_out) {
            PyErr_Format(PyExc_TimeoutError,
                         end == End::send ? "nobody has received the object from channel %lld in that time."
                                          : "nothing was sent to channel %lld in that time.",
                         static_cast<long long>(id));
            return false;
        }
        outcome = enter(); // a signal's handler has run
    }
    return true;
}

PyObject* send(PyObject* module, PyObject* id_object, PyObject* object, PyObject* timeout) {
    const BridgeState& state = state_of(module);
    ChannelId id = 0;
    Clock::time_point until;
    const bool blocks = timeout != nullptr;
    if (!read_id(id_object, id) || (blocks && !read_timeout(timeout, until)) || !usable(state)) return nullptr;
    Waiter waiter;
    waiter.object = Crossing::pack(object);
    if (!waiter.object) return nullptr;
    Outcome outcome = table().send(id, state.interpreter, waiter, blocks);
    if (!wait(id, End::send, waiter, until, outcome,
              [&] { return table().send(id, state.interpreter, waiter, true, true); }))
        return nullptr;
    if (!blocks && (outcome == Outcome::done || outcome == Outcome::nobody))
        return PyBool_FromLong(static_cast<long>(outcome == Outcome::done));
    if (outcome != Outcome::done) return raise(state, id, outcome, End::send);
    Py_RETURN_NONE;
}

PyObject* receive(PyObject* module, PyObject* id_object, PyObject* nothing, PyObject* timeout) {
    const BridgeState& state = state_of(module);
    ChannelId id = 0;
    Clock::time_point until;
    const bool blocks = timeout != nullptr;
    if (!read_id(id_object, id) || (blocks && !read_timeout(timeout, until)) || !usable(state)) return nullptr;
    Waiter waiter;
    Outcome outcome = table().receive(id, state.interpreter, waiter, blocks);
    if (!wait(id, End::receive, waiter, until, outcome,
              [&] { return table().receive(id, state.interpreter, waiter, true, true); }))
        return nullptr;
    if (outcome == Outcome::done) return waiter.object.unpack().release();
    if (outcome == Outcome::nobody) return Py_NewRef(nothing);
    return raise(state, id, outcome, End::receive);
}

// A reference of an interpreter, or of an object under way, to a channel.
class Hold {
public:
    Hold(ChannelId id, InterpreterId holder) : id_{id}, holder_{holder} {}
    ~Hold() {
        if (!in_forked_child()) table().let_go(id_, holder_);
    }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;

private:
    ChannelId id_;
    InterpreterId holder_;
};

// An end of a channel under way, as CPython's cross-interpreter data.
struct EndUnderWay {
    ChannelId id;
    bool sends;
    Hold hold{id, ChannelTable::in_transit};
};

PyObject* end_arrives(_xidata* data) {
    const auto* end = static_cast<const EndUnderWay*>(python::internals::content_of(data));
    const Ref module = Ref::steal(PyImport_ImportModule("interpreters"));
    return module ? PyObject_CallMethod(module.get(), end->sends ? "SendChannel" : "RecvChannel", "L",
                                        static_cast<long long>(end->id))
                  : nullptr;
}

int end_leaves(PyThreadState*, PyObject* object, _xidata* data) {
    const Ref number = Ref::steal(PyObject_GetAttrString(object, "id"));
    const Ref sends = Ref::steal(number ? PyObject_GetAttrString(object, "_sends") : nullptr);
    ChannelId id = 0;
    if (!sends || !read_id(number.get(), id)) return -1;
    if (in_forked_child() || !table().hold(id, ChannelTable::in_transit)) {
        PyErr_SetString(PyExc_ValueError, "its channel is closed");
        return -1;
    }
    auto* end = new (std::nothrow) EndUnderWay{.id = id, .sends = Py_IsTrue(sends.get()) != 0}; // CPython drops it
    if (end == nullptr) {
        table().let_go(id, ChannelTable::in_transit);
        PyErr_NoMemory();
        return -1;
    }
    python::internals::fill_data(data, end, end_arrives, [](void* content) {
        const std::unique_ptr<EndUnderWay> dropped{static_cast<EndUnderWay*>(content)};
    });
    return 0;
}

constexpr const char* hold_name = "xinterp.channel";

void forget(void* interpreter) { // as the interpreter is finalized, without Python
    const std::unique_ptr<InterpreterId> id{static_cast<InterpreterId*>(interpreter)};
    if (!in_forked_child()) table().forget(*id);
}

} // namespace

PyObject* channel_errors(PyObject* module, PyObject* classes) {
    BridgeState& state = state_of(module);
    if (!PyTuple_CheckExact(classes) || PyTuple_GET_SIZE(classes) != 4) {
        PyErr_SetString(PyExc_TypeError, "channel_errors() takes a tuple of four exceptions");
        return nullptr;
    }
    // Whoever uses channels has called this first. Lanes tell when they end; other interpreters are seen to end.
    if (state.channel_errors == nullptr) {
        auto id = std::make_unique<InterpreterId>(state.interpreter);
        if (PyUnstable_AtExit(PyInterpreterState_Get(), forget, id.get()) != 0) return nullptr;
        static_cast<void>(id.release());
    }
    Py_XSETREF(state.channel_errors, Py_NewRef(classes));
    Py_RETURN_NONE;
}

PyObject* channel_register_end(PyObject*, PyObject* type) {
    if (!PyType_Check(type)) {
        PyErr_SetString(PyExc_TypeError, "channel_register_end() takes a class");
        return nullptr;
    }
    if (!python::internals::register_type(reinterpret_cast<PyTypeObject*>(type), end_leaves)) return nullptr;
    Py_RETURN_NONE;
}

PyObject* channel_create(PyObject* module, PyObject*) {
    return usable(state_of(module)) ? PyLong_FromLongLong(table().create()) : nullptr;
}

PyObject* channel_list(PyObject* module, PyObject*) {
    if (!usable(state_of(module))) return nullptr;
    const std::vector<ChannelId> ids = table().list();
    Ref list = Ref::steal(PyList_New(0));
    for (const ChannelId id : ids) {
        const Ref number = Ref::steal(list ? PyLong_FromLongLong(id) : nullptr);
        if (!number || PyList_Append(list.get(), number.get()) != 0) return nullptr;
    }
    return list.release();
}

PyObject* channel_waiting(PyObject* module, PyObject* id_object) {
    const BridgeState& state = state_of(module);
    ChannelId id = 0;
    if (!read_id(id_object, id) || !usable(state)) return nullptr;
    const auto waiting = table().waiting(id);
    if (!waiting) return raise(state, id, Outcome::unknown, End::receive);
    return Py_BuildValue("nn", static_cast<Py_ssize_t>(waiting->first), static_cast<Py_ssize_t>(waiting->second));
}

PyObject* channel_hold(PyObject* module, PyObject* id_object) {
    const BridgeState& state = state_of(module);
    ChannelId id = 0;
    if (!read_id(id_object, id) || !usable(state)) return nullptr;
    if (!table().hold(id, state.interpreter)) return raise(state, id, Outcome::unknown, End::receive);
    auto hold = std::make_unique<Hold>(id, state.interpreter);
    PyObject* capsule = PyCapsule_New(hold.get(), hold_name, [](PyObject* self) {
        delete static_cast<Hold*>(PyCapsule_GetPointer(self, hold_name)); // NOLINT(cppcoreguidelines-owning-memory)
    });
    if (capsule != nullptr) static_cast<void>(hold.release());
    return capsule;
}

PyObject* channel_accompany(PyObject* module, PyObject* id_object) {
    ChannelId id = 0;
    if (!read_id(id_object, id) || !usable(state_of(module))) return nullptr;
    if (table().hold(id, ChannelTable::in_transit))
        Crossing::accompany(std::make_shared<Hold>(id, ChannelTable::in_transit));
    Py_RETURN_NONE;
}

PyObject* channel_send(PyObject* module, PyObject* const* arguments, Py_ssize_t count) {
    return expect(count, 3) ? send(module, arguments[0], arguments[1], arguments[2]) : nullptr;
}

PyObject* channel_send_nowait(PyObject* module, PyObject* const* arguments, Py_ssize_t count) {
    return expect(count, 2) ? send(module, arguments[0], arguments[1], nullptr) : nullptr;
}

PyObject* channel_receive(PyObject* module, PyObject* const* arguments, Py_ssize_t count) {
    return expect(count, 2) ? receive(module, arguments[0], nullptr, arguments[1]) : nullptr;
}

PyObject* channel_receive_nowait(PyObject* module, PyObject* const* arguments, Py_ssize_t count) {
    return expect(count, 2) ? receive(module, arguments[0], arguments[1], nullptr) : nullptr;
}

PyObject* channel_close(PyObject* module, PyObject* const* arguments, Py_ssize_t count) {
    const BridgeState& state = state_of(module);
    ChannelId id = 0;
    if (!expect(count, 2) || !read_id(arguments[0], id) || !usable(state)) return nullptr;
    const int force = PyObject_IsTrue(arguments[1]);
    if (force < 0) return nullptr;
    const Outcome outcome = table().close(id, force != 0);
    if (outcome != Outcome::done) return raise(state, id, outcome, End::receive);
    Py_RETURN_NONE;
}

PyObject* channel_release(PyObject* module, PyObject* const* arguments, Py_ssize_t count) {
    const BridgeState& state = state_of(module);
    ChannelId id = 0;
    if (!expect(count, 2) || !read_id(arguments[0], id) || !usable(state)) return nullptr;
    const int sends = PyObject_IsTrue(arguments[1]);
    if (sends < 0) return nullptr;
    const Outcome outcome = table().release(id, state.interpreter, sends != 0 ? End::send : End::receive);
    if (outcome != Outcome::done) return raise(state, id, outcome, End::receive);
    Py_RETURN_NONE;
}

PyObject* is_shareable(PyObject*, PyObject* object) {
    return PyBool_FromLong(static_cast<long>(Crossing::is_shareable(object)));
}

void end_channels() {
    if (BridgeState* state = bridge_state()) state->channels_ended = true;
    else PyErr_Clear();
    table().forget(PyInterpreterState_GetID(PyInterpreterState_Get()));
}

} // namespace xinterp::modules
