// include/xinterp/commands/command_completion.hpp: what can stand at the cursor on a line of `%%interp` or `%interp`,
// which the kernel answers itself, without any GIL. Pure functions. Places are numbers of characters, as in messages.
#pragma once

#include <xinterp/python/registry.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace xinterp::kernel {

struct CommandCompletion {
    struct Match {
        std::string text;
        std::string_view kind;
    };
    /// Variables of an interpreter that begin like that: it has to be asked for their names.
    struct Variables {
        std::string target, begun;
    };
    std::vector<Match> matches;
    std::optional<Variables> variables;
    std::size_t start = 0, end = 0; ///< what is replaced
};

/// Nothing if the cursor is not behind the name of one of these magics on its line.
std::optional<CommandCompletion> complete_command(std::string_view code, std::size_t cursor,
                                                  const std::vector<python::InterpreterInfo>& interpreters);

/// The help on the magic on whose line the cursor is.
std::optional<std::string> help_at(std::string_view code, std::size_t cursor);

/// How many characters UTF-8 text has.
std::size_t code_points(std::string_view text);

/// The code with spaces in the place of its `%%interp` line: what the interpreter is asked about, at the same places.
std::string without_cell_magic(std::string_view code);

} // namespace xinterp::kernel
