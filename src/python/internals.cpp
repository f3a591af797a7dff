#define Py_BUILD_CORE 1
#include <xinterp/python/internals.hpp>
#include <xinterp/python/ref.hpp>

#include <internal/pycore_ceval.h>
#include <internal/pycore_crossinterp.h>
#include <internal/pycore_interp.h>
#include <internal/pycore_interpframe.h>
#include <internal/pycore_lock.h>
#include <internal/pycore_obmalloc.h>
#include <internal/pycore_pyerrors.h>
#include <internal/pycore_pylifecycle.h>
#include <internal/pycore_pystate.h>
#include <internal/pycore_runtime.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#ifdef Py_GIL_DISABLED
#error "This Python is built without a GIL; xinterp needs one with it (python3.14, not python3.14t)."
#endif

namespace xinterp::python::internals {
namespace {

// Holds the runtime's list of interpreters and thread states still. Nothing that it guards calls Python. Who waits for
// it keeps the GIL: PyMutex_Lock() would give that up, and take it again with the mutex held, which others wait for
// with that GIL.
class RuntimeLock {
public:
    RuntimeLock() { PyMutex_LockFlags(&_PyRuntime.interpreters.mutex, _Py_LOCK_DONT_DETACH); }
    ~RuntimeLock() { PyMutex_Unlock(&_PyRuntime.interpreters.mutex); }
    RuntimeLock(const RuntimeLock&) = delete;
    RuntimeLock& operator=(const RuntimeLock&) = delete;
};

template <class Visit> void for_each_state_of(unsigned long thread_ident, Visit&& visit) {
    const RuntimeLock lock;
    for (PyInterpreterState* interpreter = _PyRuntime.interpreters.head; interpreter != nullptr;
         interpreter = interpreter->next)
        for (PyThreadState* state = interpreter->threads.head; state != nullptr; state = state->next)
            if (state->thread_id == thread_ident) visit(state);
}

std::atomic<std::uint64_t> interrupt_count = 0;

// Whether interpreters of this process may be hidden.
std::atomic<bool> hiding = false;

// With the lock.
PyInterpreterState* find_locked(std::int64_t id) {
    PyInterpreterState* interpreter = _PyRuntime.interpreters.head;
    while (interpreter != nullptr && interpreter->id != id) interpreter = interpreter->next;
    return interpreter;
}

PyObject* exchange_async_exception(PyThreadState* state, PyObject* exception) {
    return static_cast<PyObject*>(_Py_atomic_exchange_ptr(&state->async_exc, exception));
}

// Main's code on the main thread does, and nobody else. Of the calling thread.
bool handles_signals(const PyThreadState* state) {
    return state->interp == PyInterpreterState_Main() && PyThread_get_thread_ident() == _PyRuntime.main_thread;
}

// A thread state in which no interrupt rises at present, and whether one has come. Guarded by RuntimeLock.
struct Deferring {
    PyThreadState* state;
    bool interrupted = false;
};
std::vector<Deferring> deferring;

// With the lock.
Deferring* find_deferring(const PyThreadState* state) {
    const auto found = std::ranges::find(deferring, state, &Deferring::state);
    return found == deferring.end() ? nullptr : &*found;
}

// With the lock.
void raise_in(PyThreadState* state) {
    if (Deferring* later = find_deferring(state)) {
        later->interrupted = true;
        return;
    }
    // KeyboardInterrupt is a static, immortal type that all interpreters share: no reference is counted.
    exchange_async_exception(state, PyExc_KeyboardInterrupt);
    _Py_set_eval_breaker_bit(state, _PY_ASYNC_EXCEPTION_BIT);
}

} // namespace

PyThreadState* new_interpreter(PyInterpreterConfig* config, PyThreadState** previous) {
    PyThreadState* created = nullptr;
    hiding = true;
    long whence = _PyInterpreterState_WHENCE_UNKNOWN;
    if (_PyXI_NewInterpreter(config, &whence, &created, previous) == nullptr) return nullptr;
    return created;
}

bool is_hidden(PyInterpreterState* interpreter) {
    // Nothing else in a kernel makes an interpreter of unknown origin; one that is being made has none yet.
    return hiding && _Py_atomic_load_long_relaxed(&interpreter->_whence) <= _PyInterpreterState_WHENCE_UNKNOWN;
}

void hide(PyInterpreterState* interpreter) {
    _Py_atomic_store_long_relaxed(&interpreter->_whence, _PyInterpreterState_WHENCE_UNKNOWN);
}

void publish(PyInterpreterState* interpreter, const PyInterpreterConfig& config) {
    constexpr unsigned long permissions = Py_RTFLAGS_FORK | Py_RTFLAGS_EXEC | Py_RTFLAGS_DAEMON_THREADS;
    interpreter->feature_flags = (interpreter->feature_flags & ~permissions) |
                                 (config.allow_fork != 0 ? Py_RTFLAGS_FORK : 0) |
                                 (config.allow_exec != 0 ? Py_RTFLAGS_EXEC : 0) |
                                 (config.allow_daemon_threads != 0 ? Py_RTFLAGS_DAEMON_THREADS : 0);
    // What concurrent.interpreters makes is of this origin, and it accepts no other.
    _Py_atomic_store_long_relaxed(&interpreter->_whence, _PyInterpreterState_WHENCE_STDLIB);
}

PyInterpreterState* find_interpreter(std::int64_t id) {
    const RuntimeLock lock;
    return find_locked(id);
}

std::vector<Listed> list_interpreters() {
    std::vector<Listed> listed;
    {
        const RuntimeLock lock;
        for (PyInterpreterState* interpreter = _PyRuntime.interpreters.head; interpreter != nullptr;
             interpreter = interpreter->next)
            if (!is_hidden(interpreter))
                listed.push_back({interpreter->id, _Py_atomic_load_long_relaxed(&interpreter->_whence),
                                  _PyInterpreterState_IsReady(interpreter) != 0});
    }
    std::ranges::reverse(listed); // the newest comes first there
    return listed;
}

std::optional<Glance> glance_at(std::int64_t id) {
    const PyInterpreterState* own = PyInterpreterState_Get();
    const RuntimeLock lock; // it is not freed meanwhile
    PyInterpreterState* found = find_locked(id);
    if (found == nullptr) return std::nullopt;
    return Glance{.hidden = is_hidden(found),
                  .made_by_module = _Py_atomic_load_long_relaxed(&found->_whence) == _PyInterpreterState_WHENCE_STDLIB,
                  .requires_reference = found->requires_idref != 0,
                  .runs_main = _PyInterpreterState_IsRunningMain(found) != 0,
                  .shares_objects = found->ceval.gil == own->ceval.gil && found->obmalloc == own->obmalloc,
                  .references = reference_count(found)};
}

std::int64_t object_to_id(PyObject* object) { return _PyInterpreterState_ObjectToID(object); }

Py_ssize_t reference_count(PyInterpreterState* interpreter) { return _Py_atomic_load_ssize(&interpreter->id_refcount); }

PyThreadState* new_thread_state(PyInterpreterState* interpreter) {
    return _PyThreadState_NewBound(interpreter, _PyThreadState_WHENCE_EXEC);
}

void park(PyThreadState* state) {
    const RuntimeLock lock;
    state->thread_id = 0;
}

void unpark(PyThreadState* state) {
    const RuntimeLock lock;
    state->thread_id = PyThread_get_thread_ident();
}

void refresh(PyThreadState* state) {
    if (state->c_tracefunc != nullptr) PyEval_SetTrace(nullptr, nullptr);
    if (state->c_profilefunc != nullptr) PyEval_SetProfile(nullptr, nullptr);
    if (state->context == nullptr) return;
    const Ref context = Ref::steal(std::exchange(state->context, nullptr));
    ++state->context_ver;
}

void raise_in_thread(unsigned long thread_ident) {
    ++interrupt_count;
    const PyInterpreterState* main = PyInterpreterState_Main();
    for_each_state_of(thread_ident, [&](PyThreadState* state) {
        if (state->interp != main || thread_ident != _PyRuntime.main_thread) raise_in(state);
    });
}

bool raise_in_thread(unsigned long thread_ident, std::int64_t interpreter) {
    ++interrupt_count;
    bool found = false;
    for_each_state_of(thread_ident, [&](PyThreadState* state) {
        if (state->interp->id != interpreter) return;
        raise_in(state);
        found = true;
    });
    return found;
}

std::uint64_t interrupts_sent() { return interrupt_count.load(std::memory_order_relaxed); }

bool interrupt_pending_in_thread(unsigned long thread_ident) {
    bool pending = false;
    for_each_state_of(thread_ident, [&](PyThreadState* state) { pending = pending || interrupt_pending(state); });
    return pending;
}

bool interrupt_pending(const PyThreadState* state) { return _Py_atomic_load_ptr(&state->async_exc) != nullptr; }

void drop_interrupts_of_this_thread() { for_each_state_of(PyThread_get_thread_ident(), drop_interrupt); }

void drop_interrupt(PyThreadState* state) {
    if (_Py_atomic_load_ptr(&state->async_exc) == PyExc_KeyboardInterrupt) exchange_async_exception(state, nullptr);
}

bool raise_pending_interrupt() {
    PyThreadState* state = PyThreadState_Get();
    if (_Py_atomic_load_ptr(&state->async_exc) == nullptr) return false;
    PyObject* exception = exchange_async_exception(state, nullptr);
    if (exception == nullptr) return false;
    PyErr_SetNone(exception);
    Py_DECREF(exception);
    return true;
}

bool keyboard_interrupt_waits_for(const PyThreadState* state) {
    return interrupt_pending(state) ||
           (handles_signals(state) && _Py_atomic_load_int(&_PyRuntime.signals.handlers[SIGINT].tripped) != 0);
}

bool interrupt_waits_for(const PyThreadState* state) {
    return interrupt_pending(state) ||
           (handles_signals(state) && _Py_atomic_load_int(&_PyRuntime.signals.is_tripped) != 0);
}

bool runs_code(const PyThreadState* state) {
#if PY_VERSION_HEX >= 0x030F0000
    return state->current_frame != state->base_frame; // which is at the bottom of each stack
#else
    return state->current_frame != nullptr;
#endif
}

bool runs_code_of(PyInterpreterState* interpreter) {
    bool runs = false;
    for_each_state_of(PyThread_get_thread_ident(), [&](const PyThreadState* state) {
        runs = runs || (state->interp == interpreter && runs_code(state));
    });
    return runs;
}

bool traces_memory() { return _PyRuntime.tracemalloc.config.tracing != 0; }

void set_running_loop(unsigned long thread_ident, PyObject* loop, PyObject* task) {
    const PyInterpreterState* own = PyInterpreterState_Get();
    std::vector<Ref> before; // given back when the runtime is not locked any more
    for_each_state_of(thread_ident, [&](PyThreadState* state) {
        if (state->interp != own || !runs_code(state)) return;
        auto* whole = reinterpret_cast<_PyThreadStateImpl*>(state);
        before.push_back(Ref::steal(std::exchange(whole->asyncio_running_loop, Py_NewRef(loop))));
        before.push_back(Ref::steal(std::exchange(whole->asyncio_running_task, Py_NewRef(task))));
    });
}

void give_back_import_lock(PyInterpreterState* interpreter) {
    _PyRecursiveMutex& lock = interpreter->imports.lock;
    while (_PyRecursiveMutex_IsLockedByCurrentThread(&lock) != 0) _PyRecursiveMutex_Unlock(&lock);
}

bool configure_as_console() {
    // New interpreters copy main's configuration; nobody else reads these fields once main is there.
    PyConfig* config = &PyInterpreterState_Main()->config;
    wchar_t empty[] = L"";
    wchar_t* arguments[] = {empty};
    if (PyStatus_Exception(PyConfig_SetWideStringList(config, &config->argv, 1, arguments)) != 0) return false;
    // Kernelspecs start python with -P: the launch imports nothing from the notebook's folder. That is over now.
    const char* safe_path = config->use_environment != 0 ? std::getenv("PYTHONSAFEPATH") : nullptr;
    if (config->isolated == 0 && (safe_path == nullptr || *safe_path == '\0')) config->safe_path = 0;
    const wchar_t* first = config->safe_path != 0 ? nullptr : empty;
    return PyStatus_Exception(PyConfig_SetString(config, &config->sys_path_0, first)) == 0;
}

const _inittab* builtin_modules() {
    const _inittab* table = _PyRuntime.imports.inittab;
    // The runtime keeps a copy of the public table: where the names differ, what was read is something else.
    return table != nullptr && PyImport_Inittab != nullptr && table->name == PyImport_Inittab->name ? table : nullptr;
}

bool set_builtin_modules(std::span<const _inittab> modules) {
    auto* copy = static_cast<_inittab*>(std::malloc(modules.size_bytes())); // as the runtime does, which frees it
    if (copy == nullptr) return false;
    std::ranges::copy(modules, copy);
    std::free(std::exchange(_PyRuntime.imports.inittab, copy));
    return true;
}

bool config_from_dict(PyObject* dict, PyInterpreterConfig& config) {
    return _PyInterpreterConfig_InitFromDict(&config, dict) == 0;
}

void require_no_reference(std::int64_t id) {
    const RuntimeLock lock;
    if (PyInterpreterState* interpreter = find_locked(id)) interpreter->requires_idref = 0;
}

bool set_running_main(PyInterpreterState* interpreter) { return _PyInterpreterState_SetRunningMain(interpreter) == 0; }

void set_not_running_main(PyInterpreterState* interpreter) { _PyInterpreterState_SetNotRunningMain(interpreter); }

DeferredInterrupts::DeferredInterrupts() : state_{PyThreadState_Get()} {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, &before_);
    const RuntimeLock lock;
    is_outermost_ = find_deferring(state_) == nullptr;
    if (is_outermost_) deferring.push_back({state_});
}

DeferredInterrupts::~DeferredInterrupts() {
    if (is_outermost_) {
        const RuntimeLock lock;
        const bool interrupted = find_deferring(state_)->interrupted;
        std::erase_if(deferring, [this](const Deferring& entry) { return entry.state == state_; });
        if (interrupted) raise_in(state_);
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

Undisturbed::Undisturbed() : state_{PyThreadState_Get()}, thread_{state_->thread_id} {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, &before_);
    park(state_);
    pending_ = exchange_async_exception(state_, nullptr);
    if (PyErr_CheckSignals() != 0) {
        PyErr_Clear();
        pending_ = PyExc_KeyboardInterrupt;
    }
}

Undisturbed::~Undisturbed() {
    {
        const RuntimeLock lock;
        state_->thread_id = thread_;
    }
    if (pending_ != nullptr) {
        exchange_async_exception(state_, pending_);
        _Py_set_eval_breaker_bit(state_, _PY_ASYNC_EXCEPTION_BIT);
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

ExceptionSnapshot::ExceptionSnapshot(PyObject* exception) : info_{_PyXI_NewExcInfo(exception)} {
    if (info_ == nullptr) PyErr_Clear();
}

ExceptionSnapshot::~ExceptionSnapshot() {
    if (info_ != nullptr) _PyXI_FreeExcInfo(static_cast<_PyXI_excinfo*>(info_));
}

PyObject* ExceptionSnapshot::as_object() const {
    if (info_ == nullptr) {
        PyErr_SetString(interpreter_error(), "the code in the other interpreter has raised an exception that cannot be "
                                             "described: it raises others when it is looked at.");
        return nullptr;
    }
    auto* info = static_cast<_PyXI_excinfo*>(info_);
    const Ref object = Ref::steal(_PyXI_ExcInfoAsObject(info));
    const Ref formatted = Ref::steal(object ? _PyXI_FormatExcInfo(info) : nullptr);
    if (!formatted || PyObject_SetAttrString(object.get(), "formatted", formatted.get()) != 0) return nullptr;
    return Ref{object}.release();
}

PyObject* interpreter_error() { return PyExc_InterpreterError; }

PyObject* interpreter_not_found_error() { return PyExc_InterpreterNotFoundError; }

std::size_t arena_bytes(PyInterpreterState* interpreter) {
    const struct _obmalloc_state* state = interpreter->obmalloc;
    const bool shares_mains = interpreter != PyInterpreterState_Main() && state == PyInterpreterState_Main()->obmalloc;
    if (state == nullptr || shares_mains) return 0;
    return state->mgmt.narenas_currently_allocated * ARENA_SIZE;
}

bool add_pending_call(PyInterpreterState* interpreter, int (*function)(void*)) {
    return _PyEval_AddPendingCall(interpreter, function, nullptr, 0) == _Py_ADD_PENDING_SUCCESS;
}

namespace {

// New data that `fill` has filled in, or null with an exception set.
template <class Fill> _xidata* make_data(Fill&& fill) {
    _PyXIData_t* data = _PyXIData_New();
    if (data == nullptr || fill(PyThreadState_Get(), data) == 0) return data;
    PyMem_RawFree(data);
    return nullptr;
}

} // namespace

bool is_registered(PyObject* object) {
    const _PyXIData_getdata_t found = _PyXIData_Lookup(PyThreadState_Get(), object);
    return found.basic != nullptr || found.fallback != nullptr;
}

_xidata* registered_data(PyObject* object) {
    return make_data([&](PyThreadState* state, _PyXIData_t* data) {
        return _PyObject_GetXIData(state, object, _PyXIDATA_XIDATA_ONLY, data);
    });
}

_xidata* function_data(PyObject* object) {
    return make_data(
        [&](PyThreadState* state, _PyXIData_t* data) { return _PyFunction_GetXIData(state, object, data); });
}

_xidata* pickled_data(PyObject* object) {
    return make_data([&](PyThreadState* state, _PyXIData_t* data) { return _PyPickle_GetXIData(state, object, data); });
}

void make_independent(_xidata* data, std::string& bytes) {
    auto* shared = static_cast<_PyBytes_data_t*>(data->data);
    bytes.assign(shared->bytes, static_cast<std::size_t>(shared->len));
    shared->bytes = bytes.data();
    Py_CLEAR(data->obj);
}

bool needs_owner(const _xidata* data) {
    return data->obj != nullptr || (data->free != nullptr && data->free != PyMem_RawFree);
}

PyObject* new_object(_xidata* data) { return _PyXIData_NewObject(data); }

void free_data(_xidata* data) {
    _PyXIData_Clear(nullptr, data);
    PyMem_RawFree(data);
}

bool register_type(PyTypeObject* type, int (*leave)(PyThreadState*, PyObject*, _xidata*)) {
    const _PyXIData_getdata_t functions{.basic = leave, .fallback = nullptr};
    return _PyXIData_RegisterClass(PyThreadState_Get(), type, functions) == 0;
}

void fill_data(_xidata* data, void* content, PyObject* (*arrive)(_xidata*), void (*drop)(void*)) {
    _PyXIData_Init(data, PyInterpreterState_Get(), content, nullptr, arrive);
    data->free = drop;
}

void* content_of(const _xidata* data) { return data->data; }

PyObject* not_shareable_error() { return _PyXIData_GetNotShareableErrorType(PyThreadState_Get()); }

void forget_other_interpreters() {
    PyInterpreterState* main = _PyRuntime.interpreters.main;
    _PyRuntime.interpreters.head = main;
    main->next = nullptr;
}

std::size_t other_thread_states(PyInterpreterState* interpreter, const PyThreadState* own) {
    const RuntimeLock lock;
    std::size_t count = 0;
    for (const PyThreadState* state = interpreter->threads.head; state != nullptr; state = state->next)
        count += state != own;
    return count;
}

CrashStack::CrashStack(const PyThreadState* state) : frame_{state == nullptr ? nullptr : state->current_frame} {}

bool CrashStack::next(CrashFrame& found) {
    while (frame_ != nullptr) {
        const auto* frame = static_cast<_PyInterpreterFrame*>(frame_);
        frame_ = frame->previous;
        if (frame->owner >= FRAME_OWNED_BY_INTERPRETER || PyStackRef_IsNull(frame->f_executable)) continue;
        PyObject* executable = PyStackRef_AsPyObjectBorrow(frame->f_executable);
        if (!PyCode_Check(executable)) continue;
        auto* code = reinterpret_cast<PyCodeObject*>(executable);
        const auto instruction = frame->instr_ptr - _PyCode_CODE(code);
        found = {code->co_filename, code->co_qualname,
                 PyCode_Addr2Line(code, static_cast<int>(instruction * static_cast<long>(sizeof(_Py_CODEUNIT))))};
        return true;
    }
    return false;
}

void for_each_state_in_crash(void (*visit)(const PyThreadState*, void* context), void* context) {
    for (const PyInterpreterState* interpreter = _PyRuntime.interpreters.head; interpreter != nullptr;
         interpreter = interpreter->next)
        for (const PyThreadState* state = interpreter->threads.head; state != nullptr; state = state->next)
            visit(state, context);
}

std::int64_t interpreter_of(const PyThreadState* state) { return state->interp->id; }

unsigned long native_thread_of(const PyThreadState* state) { return state->native_thread_id; }

} // namespace xinterp::python::internals
