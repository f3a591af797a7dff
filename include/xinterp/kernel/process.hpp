// include/xinterp/kernel/process.hpp: the kernel as a process, from its command line to its end. What the executable
// and the extension module have in common, which is all but how CPython got here.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace xinterp::kernel {

struct ProcessOptions {
    std::string connection_file;
};

/// The options that both hosts have; a host adds its own. Errors and help go to the terminal, as CLI11 formats them.
void add_options(CLI::App& app, ProcessOptions& options);

/// Serves until the kernel is shut down. The sockets are bound first; then start_python is called, which attaches the
/// main interpreter. Main thread. Returns the process's exit status: the interpreter has been finalized if it had been
/// started. Problems are told in a sentence on the terminal.
int serve(const ProcessOptions& options, const std::function<void()>& start_python);

} // namespace xinterp::kernel
