// include/xinterp/magics/command_line.hpp: what stands behind `%interp` and `%%interp`: read, and told in help, errors
// and completion.
#pragma once

#include <xinterp/magics/arguments.hpp>

#include <nlohmann/json.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace xinterp::kernel {

/// One command of `%interp`.
struct CommandUsage {
    /// What its words are, besides options.
    enum class Operand { none, targets, targets_or_all, others, others_or_all, variables };

    std::string_view command, arguments, does;
    Operand operand = Operand::none; ///< others: interpreters but main
    std::size_t most = 1000;         ///< operands
};

/// What follows `%interp` on its line, as a request to Commands. Throws UsageError.
nlohmann::json parse_command_line(const std::string& line);
std::span<const CommandUsage> command_usages();
/// What a command takes.
std::vector<ArgumentParser::Option> command_options(std::string_view command);
/// What `%%interp` takes.
std::vector<ArgumentParser::Option> cell_magic_options();
/// The result of `%interp help`; its text is also what is known of `%interp`.
nlohmann::json command_help();

} // namespace xinterp::kernel
