// The kernel as an executable that embeds CPython.
#include <xinterp/kernel/process.hpp>
#include <xinterp/python/host.hpp>

#include <CLI/CLI.hpp>

int main(int argc, char* argv[]) {
    CLI::App app{"xinterp: a Jupyter kernel that runs cells in several Python interpreters."};
    xinterp::kernel::ProcessOptions options;
    xinterp::python::EmbedOptions python{.executable = XINTERP_PYTHON, .x_options = {}};
    xinterp::kernel::add_options(app, options);
    app.add_option("--environment", python.executable, "a python: the cells see its packages")
        ->check(CLI::ExistingFile)
        ->capture_default_str();
    app.add_option("-X", python.x_options, "as python's own option -X")->expected(1)->take_all();
    CLI11_PARSE(app, argc, argv);
    return xinterp::kernel::serve(options, [&python] { xinterp::python::embed(python); });
}
