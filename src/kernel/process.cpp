#include <xinterp/kernel/kernel.hpp>
#include <xinterp/kernel/process.hpp>
#include <xinterp/kernel/python_backend.hpp>
#include <xinterp/modules/bridge.hpp>
#include <xinterp/modules/builtin_modules.hpp>
#include <xinterp/modules/interpreters_module.hpp>
#include <xinterp/protocol/log.hpp>
#include <xinterp/python/blocking_calls.hpp>
#include <xinterp/python/crash_stacks.hpp>
#include <xinterp/python/host.hpp>
#include <xinterp/python/internals.hpp>
#include <xinterp/python/raw_output.hpp>
#include <xinterp/python/wake_signal.hpp>

#include <CLI/CLI.hpp>
#include <xeus/xkernel_configuration.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <format>
#include <fstream>
#include <thread>

extern const _frozen xinterp_frozen_modules[];

namespace xinterp::kernel {
namespace {

using nlohmann::json;

Kernel* the_kernel = nullptr;

KernelInfo kernel_info(const std::string& connection_file) {
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
             {"nbconvert_exporter", "python"}},
            std::nullopt,
            std::filesystem::absolute(connection_file)};
}

// The text of a field; `other` if there is none.
std::string text_of(const json& connection, const char* name, const std::string& other) {
    const auto field = connection.find(name);
    if (field == connection.end()) return other;
    if (!field->is_string()) throw std::runtime_error{std::format("its {} is no string", name)};
    return field->get<std::string>();
}

std::string port_of(const json& connection, const char* name) {
    const auto field = connection.find(name);
    if (field == connection.end()) throw std::runtime_error{std::format("it has no {}", name)};
    if (!field->is_number_integer() || *field < 1 || *field > 65535)
        throw std::runtime_error{std::format("its {} is {}, not a whole number from 1 to 65535", name, field->dump())};
    return field->dump();
}

xeus::xkernel_configuration read_connection(const std::string& file) {
    if (!std::filesystem::is_regular_file(file))
        throw std::runtime_error{"there is no connection file " + file +
                                 ". Jupyter writes it and starts the kernel with it: jupyter console --kernel xinterp"};
    try {
        std::ifstream stream{file};
        const json connection = json::parse(stream, nullptr, false);
        if (!connection.is_object()) throw std::runtime_error{"it is no JSON object"};
        if (!connection.contains("key"))
            throw std::runtime_error{"it has no key; an empty one means that messages are not signed"};
        xeus::xkernel_configuration read;
        read.m_transport = text_of(connection, "transport", read.m_transport);
        read.m_ip = text_of(connection, "ip", read.m_ip);
        read.m_signature_scheme = text_of(connection, "signature_scheme", read.m_signature_scheme);
        read.m_key = text_of(connection, "key", "");
        read.m_shell_port = port_of(connection, "shell_port");
        read.m_control_port = port_of(connection, "control_port");
        read.m_stdin_port = port_of(connection, "stdin_port");
        read.m_iopub_port = port_of(connection, "iopub_port");
        read.m_hb_port = port_of(connection, "hb_port");
        return read;
    } catch (const std::exception& error) {
        throw std::runtime_error{file + " is not a connection file as Jupyter writes them: " + error.what()};
    }
}

// Descriptors 0 to 2 are there, or else they are made: what the kernel opens next would be taken for them.
void ensure_standard_descriptors() {
    for (int opened = 0; opened >= 0 && opened <= STDERR_FILENO;) {
        opened = open("/dev/null", O_RDWR | O_CLOEXEC);
        if (opened > STDERR_FILENO) close(opened);
        else if (opened >= 0) fcntl(opened, F_SETFD, 0);
    }
}

// os.write(1, ...) and the like on a thread that belongs to a cell.
bool take_raw_output(int descriptor, const void* data, std::size_t size) {
    const modules::CellId cell = modules::output_cell_of_this_thread();
    if (cell == 0 || modules::in_forked_child()) return false;
    const Stream stream = descriptor == STDOUT_FILENO ? Stream::out : Stream::err;
    if (!ProcessOutput::is_in_place(stream)) return false;
    if (cell == modules::unheard_cell) return true;
    const std::string_view text{static_cast<const char*>(data), size};
    if (descriptor == STDERR_FILENO) ProcessOutput::remember_last_words(text);
    the_kernel->front_end().write(
        Source{cell, python::Lane::here() != nullptr ? python::Lane::here()->id() : python::main_interpreter}, stream,
        text);
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
    const python::CrashRoom room;
    start_python();
    the_kernel->python_started(python::finds_module("debugpy"));
    python::add_modules(modules::builtin_modules(), xinterp_frozen_modules);
    if (const std::string reason = modules::unknown_in_stock_interpreters(); !reason.empty())
        throw std::runtime_error{std::format("xinterp does not know this Python ({}): {}. It works in Python 3.14 and "
                                             "3.15.",
                                             Py_GetVersion(), reason)};
    python::install_wake_signal();
    python::listen_to_interrupts();
    python::set_raw_output_hook(take_raw_output);
    python::set_fork_hook(modules::forked);
    if (!python::divert_blocking_calls())
        log_warning("this Python's system calls cannot be diverted: a lane that waits in read, select, recv or the "
                    "like can not be interrupted.");
    const std::shared_ptr<python::Lane> lane = python::Lane::for_main();
    backend.attach_main(lane);
    lane->run();
    the_kernel->cells_ended();
    bool ended = false;
    {
        const python::Detached detached;
        ended = backend.wait_for_questions(std::chrono::milliseconds{100});
    }
    lane->take_back(); // what the others have used of main's
    backend.detach_main();
    python::run_exit_handlers(); // beside those of the lanes: all of them have the whole time
    {
        const python::Detached detached;
        ended = python::Lane::wait_until_ended(std::chrono::milliseconds{500}, Kernel::exit_handlers_grace) && ended;
    }
    lane->take_back();
    // Finalizing would crash under a lane that runs, and over traces of the memory of interpreters that are gone.
    if (ended && !python::internals::traces_memory()) python::finalize();
}

void serve_until_end(const ProcessOptions& options, const std::function<void()>& start_python) {
    python::Registry registry;
    Kernel kernel{read_connection(options.connection_file), kernel_info(options.connection_file), registry};
    the_kernel = &kernel;
    modules::set_front_end(&kernel.front_end());
    kernel.capture_process_output();
    PythonBackend backend{kernel};
    kernel.set_backend(backend, [&backend] { backend.shut_down(); });

    if (std::getenv("JPY_PARENT_PID") != nullptr) watch_parent(kernel, getppid());

    std::thread io{[&kernel] {
        pthread_setname_np(pthread_self(), "io");
        python::block_signals();
        const python::CrashRoom room;
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
    ensure_standard_descriptors();
    try {
        serve_until_end(options, start_python);
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "xinterp: %s\n", error.what());
        return 1;
    }
}

} // namespace xinterp::kernel
