// A python that has the kernel's modules, and no kernel: what `xinterp --python` runs, and whatever that starts through
// sys.executable.
#include <xinterp/modules/builtin_modules.hpp>
#include <xinterp/python/host.hpp>

#include <cstdio>
#include <exception>

extern const _frozen xinterp_frozen_modules[];

int main(int argc, char* argv[]) try {
    using namespace xinterp;
    python::add_modules(modules::builtin_modules(), xinterp_frozen_modules);
    const python::Installation installation{.prefix = XINTERP_PREFIX, .exec_prefix = XINTERP_EXEC_PREFIX};
    if (const auto status = python::start_program({argv, static_cast<std::size_t>(argc)}, installation)) return *status;
    // Main is there and has run nothing yet but `site`: the place for what interpreters get besides modules.
    return Py_RunMain();
} catch (const std::exception& error) {
    std::fprintf(stderr, "xinterp: %s\n", error.what());
    return 1;
}
