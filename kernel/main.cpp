// The kernel as an executable that embeds CPython.
#include <xinterp/kernel/process.hpp>
#include <xinterp/python/host.hpp>

#include <CLI/CLI.hpp>

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string_view>

namespace {

// Python's command line: none of it is looked at here. Returns only if there is no such program.
int become_python(char* arguments[]) {
    std::error_code error;
    const auto folder = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
    std::string program = (folder / XINTERP_PROGRAM).lexically_normal();
    arguments[0] = program.data();
    execv(program.c_str(), arguments);
    std::fprintf(stderr, "xinterp: %s cannot be run: %s. The build of xinterp makes it.\n", program.c_str(),
                 std::strerror(errno));
    return 127;
}

} // namespace

int main(int argc, char* argv[]) {
    if (argc > 1 && std::string_view{argv[1]} == "--python") return become_python(argv + 1);

    CLI::App app{"xinterp: a Jupyter kernel that runs cells in several Python interpreters."};
    xinterp::kernel::ProcessOptions options;
    xinterp::python::EmbedOptions python{.executable = XINTERP_PYTHON, .x_options = {}};
    xinterp::kernel::add_options(app, options);
    app.add_option("--environment", python.executable, "a python: the cells see its packages")
        ->check(CLI::ExistingFile)
        ->capture_default_str();
    app.add_option("-X", python.x_options, "as python's own option -X")->expected(1)->take_all();
    app.footer("xinterp --python ARGS... is a python with the kernel's modules, and no kernel.");
    CLI11_PARSE(app, argc, argv);
    return xinterp::kernel::serve(options, [&python] { xinterp::python::embed(python); });
}
