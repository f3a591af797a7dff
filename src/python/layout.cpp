// Whether CPython is laid out as its headers say: internals.cpp reads fields by the headers' offsets.
#define Py_BUILD_CORE 1
#include <xinterp/python/internals.hpp>
#include <xinterp/python/ref.hpp>

#include <internal/pycore_ceval.h>
#include <internal/pycore_crossinterp.h>
#include <internal/pycore_interp.h>
#include <internal/pycore_lock.h>
#include <internal/pycore_pylifecycle.h>
#include <internal/pycore_pystate.h>
#include <internal/pycore_runtime.h>

#include <dlfcn.h>

#include <csignal>
#include <cstddef>
#include <cstdint>

namespace xinterp::python::internals {
namespace {

// From the first release candidate on, a version of CPython keeps its layout.
constexpr bool is_settled(std::uint64_t version) { return (version >> 4 & 0xF) >= PY_RELEASE_LEVEL_GAMMA; }

// The runtime's description of itself for debuggers: it is at the runtime's beginning in every version. Sizes are not
// compared: they depend on options of CPython's build that its headers do not record (-D_Py_JIT).
bool offsets_are_ours() {
    const _Py_DebugOffsets& told = _PyRuntime.debug_offsets;
    if (told.version >> 16 != PY_VERSION_HEX >> 16 || told.free_threaded != 0) return false;
    if (told.version != PY_VERSION_HEX && !(is_settled(told.version) && is_settled(PY_VERSION_HEX))) return false;
    const auto& interpreter = told.interpreter_state;
    const auto& thread = told.thread_state;
    return told.runtime_state.interpreters_head == offsetof(_PyRuntimeState, interpreters.head) &&
           interpreter.id == offsetof(PyInterpreterState, id) &&
           interpreter.next == offsetof(PyInterpreterState, next) &&
           interpreter.threads_head == offsetof(PyInterpreterState, threads.head) &&
           interpreter.imports_modules == offsetof(PyInterpreterState, imports.modules) &&
           interpreter.ceval_gil == offsetof(PyInterpreterState, ceval.gil) &&
           thread.next == offsetof(PyThreadState, next) && thread.interp == offsetof(PyThreadState, interp) &&
           thread.current_frame == offsetof(PyThreadState, current_frame) &&
#if PY_VERSION_HEX >= 0x030F0000
           thread.base_frame == offsetof(PyThreadState, base_frame) &&
#endif
           thread.thread_id == offsetof(PyThreadState, thread_id) &&
           told.debugger_support.eval_breaker == offsetof(PyThreadState, eval_breaker);
}

// The other fields have no such description: a function of CPython's says what must be found in each.

bool runtime_is_ours() {
    const Ref signals = Ref::steal(PyImport_ImportModule("_signal"));
    const Ref handler = Ref::steal(signals ? PyObject_CallMethod(signals.get(), "getsignal", "i", SIGINT) : nullptr);
    return handler && _PyRuntime.interpreters.main == PyInterpreterState_Main() &&
           _PyRuntime.main_thread == PyThread_get_thread_ident() &&
           _PyRuntime.signals.handlers[SIGINT].func == handler.get();
}

bool interpreter_is_ours(PyInterpreterState* main) {
    PyInterpreterConfig config;
    if (_PyInterpreterConfig_InitFromState(&config, main) != 0) return false;
    const auto agrees = [main](int told, unsigned long feature) {
        return (told != 0) == ((main->feature_flags & feature) != 0);
    };
    const bool has_features = agrees(config.allow_fork, Py_RTFLAGS_FORK) &&
                              agrees(config.allow_exec, Py_RTFLAGS_EXEC) &&
                              agrees(config.allow_threads, Py_RTFLAGS_THREADS) &&
                              agrees(config.allow_daemon_threads, Py_RTFLAGS_DAEMON_THREADS) &&
                              agrees(config.use_main_obmalloc, Py_RTFLAGS_USE_MAIN_OBMALLOC);

    const Py_ssize_t references = main->id_refcount;
    const int required = main->requires_idref;
    _PyInterpreterState_IDIncref(main);
    _PyInterpreterState_RequireIDRef(main, static_cast<int>(required == 0));
    const bool counts = main->id_refcount == references + 1 && (main->requires_idref == 0) != (required == 0);
    _PyInterpreterState_RequireIDRef(main, 0);
    _PyInterpreterState_IDDecref(main);
    _PyInterpreterState_RequireIDRef(main, required);

    // Main's allocator is a variable of the library that has the runtime.
    Dl_info allocator{}, runtime{};
    return has_features && counts && main->_whence == _PyInterpreterState_GetWhence(main) &&
           &main->config == _Py_GetConfig() && dladdr(main->obmalloc, &allocator) != 0 &&
           dladdr(&_PyRuntime, &runtime) != 0 && allocator.dli_fbase == runtime.dli_fbase;
}

bool import_lock_is_ours(PyInterpreterState* main) {
    const Ref imports = Ref::steal(PyImport_ImportModule("_imp"));
    const Ref locked = Ref::steal(imports ? PyObject_CallMethod(imports.get(), "acquire_lock", nullptr) : nullptr);
    if (!locked) return false;
    const bool is_ours = _PyRecursiveMutex_IsLockedByCurrentThread(&main->imports.lock) != 0;
    return Ref::steal(PyObject_CallMethod(imports.get(), "release_lock", nullptr)) && is_ours;
}

bool thread_is_ours(PyThreadState* state) {
    const Ref context = Ref::steal(PyContext_New());
    const auto version = state->context_ver;
    if (!context || PyContext_Enter(context.get()) != 0) return false;
    const bool has_context = state->context == context.get() && state->context_ver != version;
    if (PyContext_Exit(context.get()) != 0) return false;

    PyThreadState_SetAsyncExc(state->thread_id, PyExc_KeyboardInterrupt);
    const bool is_interrupted =
        state->async_exc == PyExc_KeyboardInterrupt && (state->eval_breaker & _PY_ASYNC_EXCEPTION_BIT) != 0;
    PyThreadState_SetAsyncExc(state->thread_id, nullptr);
    return has_context && is_interrupted && state->async_exc == nullptr;
}

bool cross_data_is_ours() {
    _PyXIData_t* data = _PyXIData_New();
    if (data == nullptr) return false;
    PyObject* (*const arrive)(_PyXIData_t*) = [](_PyXIData_t*) -> PyObject* { return nullptr; };
    _PyXIData_Init(data, PyInterpreterState_Main(), &_PyRuntime, nullptr, arrive);
    const bool is_ours = data->data == &_PyRuntime && data->new_object == arrive;
    PyMem_RawFree(data);
    return is_ours;
}

} // namespace

const char* unlike_headers() {
    if (!offsets_are_ours()) return "its version or its offsets";
    PyThreadState* state = PyThreadState_Get();
    PyInterpreterState* main = PyInterpreterState_Main();
    const char* different = nullptr;
    if (!runtime_is_ours()) different = "its runtime";
    else if (!interpreter_is_ours(main)) different = "its interpreters";
    else if (!import_lock_is_ours(main)) different = "its import lock";
    else if (!thread_is_ours(state)) different = "its thread states";
    else if (!cross_data_is_ours()) different = "its cross-interpreter data";
    PyErr_Clear();
    return different;
}

} // namespace xinterp::python::internals
