#include <xinterp/kernel/kernel.hpp>
#include <xinterp/kernel/log.hpp>
#include <xinterp/kernel/process.hpp>
#include <xinterp/kernel/python_backend.hpp>
#include <xinterp/modules/bridge.hpp>
#include <xinterp/modules/builtin_modules.hpp>
#include <xinterp/modules/interpreters_module.hpp>
#include <xinterp/python/blocking_calls.hpp>
#include <xinterp/python/host.hpp>
#include <xinterp/python/raw_output.hpp>
#include <xinterp/python/wake_signal.hpp>

#include <CLI/CLI.hpp>
#include <xeus/xkernel_configuration.hpp>

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <format>
#include <thread>

extern const _frozen xinterp_frozen_modules[];

namespace xinterp::kernel {
namespace {

Kernel* the_kernel = nullptr;

KernelInfo kernel_info() {
    const std::string version{Py_GetVersion(), std::string_view{Py_GetVersion()}.find(' ')};
    return {XINTERP_VERSION,
            std::format("xinterp {}: Python {} in several interpreters. %interp help and %%interp tell how.",
                        XINTERP_VERSION, version),
            {{"name", "python"},
             {"version", version},
             {"mimetype", "text/x-python"},
             {"file_extension", ".py"},
             {"pygments_lexer", "ipython3"},
             {"codemirror_mode", {{"name", "ipython"}, {"version", 3}}},
             {"nbconvert_exporter", "python"}}};
}

xeus::xkernel_configuration read_connection(const std::string& file) {
    if (!std::filesystem::is_regular_file(file))
        throw std::runtime_error{"there is no connection file " + file +
                                 ". Jupyter writes it and starts the kernel with it: jupyter console --kernel xinterp"};
    try {
        return std::get<xeus::xkernel_configuration>(xeus::load_configuration(file));
    } catch (const std::exception& error) {
        throw std::runtime_error{file + " is not a connection file as Jupyter writes them: " + error.what()};
    }
}

// os.write(1, ...) and the like on a thread that belongs to a cell.
bool take_raw_output(int descriptor, const void* data, std::size_t size) {
    const modules::CellId cell = modules::cell_of_this_thread();
    if (cell == 0 || modules::in_forked_child()) return false;
    if (cell == modules::unheard_cell) return true;
    const std::string_view text{static_cast<const char*>(data), size};
    if (descriptor == STDERR_FILENO) ProcessOutput::remember_last_words(text);
    the_kernel->write(
        Source{cell, python::Lane::here() != nullptr ? python::Lane::here()->id() : python::main_interpreter},
        descriptor == STDOUT_FILENO ? Stream::out : Stream::err, text);
    return true;
}

// The kernel ends with the program that started it, however that ends: asked once a second on the I/O thread.
void watch_parent(Kernel& kernel, pid_t parent) {
    kernel.timers().after(std::chrono::seconds{1}, [&kernel, parent] {
        if (getppid() != parent) kernel.request_shutdown();
        else watch_parent(kernel, parent);
    });
}

// The interpreter's life, on the main thread, while the I/O thread serves.
void run_python(PythonBackend& backend, const std::function<void()>& start_python) {
    start_python();
    python::add_modules(modules::builtin_modules(), xinterp_frozen_modules);
    if (const std::string reason = modules::unknown_in_stock_interpreters(); !reason.empty())
        throw std::runtime_error{std::format("xinterp does not know this Python ({}): {}. It works in Python 3.14 and "
                                             "3.15.",
                                             Py_GetVersion(), reason)};
    python::install_wake_signal();
    python::listen_to_interrupts();
    python::set_raw_output_hook(take_raw_output);
    if (!python::divert_blocking_calls())
        log_warning("this Python's system calls cannot be diverted: a lane that waits in read, select, recv or the "
                    "like can not be interrupted.");
    const std::shared_ptr<python::Lane> lane = python::Lane::for_main();
    backend.attach_main(lane);
    lane->run();
    bool ended = false;
    {
        const python::Detached detached;
        ended = python::Lane::wait_until_ended(std::chrono::milliseconds{500}) &&
                backend.wait_for_questions(std::chrono::milliseconds{100});
    }
    lane->take_back(); // what the others have used of main's
    backend.detach_main();
    if (ended) python::finalize();
    else PyRun_SimpleString("import atexit; atexit._run_exitfuncs()"); // finalizing under a lane that runs would crash
}

void serve_until_end(const ProcessOptions& options, const std::function<void()>& start_python) {
    python::Registry registry;
    Kernel kernel{read_connection(options.connection_file), kernel_info(), registry};
    the_kernel = &kernel;
    modules::set_front_end(&kernel);
    kernel.capture_process_output();
    PythonBackend backend{kernel};
    kernel.set_backend(backend, [&backend] { backend.shut_down(); });

    if (std::getenv("JPY_PARENT_PID") != nullptr) watch_parent(kernel, getppid());

    std::thread io{[&kernel] {
        pthread_setname_np(pthread_self(), "io");
        python::block_interrupt_signals();
        kernel.serve();
        kernel.close();
        _exit(0); // whatever Python still does: its time is up, or it is done
    }};
    try {
        run_python(backend, start_python);
    } catch (const std::exception& error) {
        log_warning(error.what());
        _exit(1);
    }
    kernel.stop();
    io.join();
}

} // namespace

void add_options(CLI::App& app, ProcessOptions& options) {
    app.add_option("-f,--connection-file", options.connection_file, "the connection file that Jupyter has written")
        ->required();
    app.set_version_flag("--version", XINTERP_VERSION);
}

int serve(const ProcessOptions& options, const std::function<void()>& start_python) {
    try {
        serve_until_end(options, start_python);
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "xinterp: %s\n", error.what());
        return 1;
    }
}

} // namespace xinterp::kernel
