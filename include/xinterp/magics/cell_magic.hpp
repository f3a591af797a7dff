// include/xinterp/magics/cell_magic.hpp: the first line of a cell. Pure functions.
#pragma once

#include <xinterp/python/presets.hpp>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace xinterp::kernel {

/// A mistake in what a person typed: one or two plain lines.
class UsageError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// `%%interp TARGET [&] [--create] [--preset P] [--in NAMES] [--out NAMES] [--timeout SECONDS]`
struct CellMagic {
    std::vector<std::string> targets; ///< names and ids as typed; or the one word "all"
    bool detached = false;
    bool create = false;
    std::optional<python::Preset> preset;
    std::optional<std::chrono::duration<double>> timeout;
    std::vector<std::string> in, out; ///< variables
    std::string
        code; ///< the cell without that line; as many lines, so that numbers in tracebacks are those of the cell
};

/// `%%interp` with nothing behind it, or `--help`.
struct CellMagicHelp {};

/// A cell that is nothing but `%interp` lines (and blank and comment lines): their arguments.
struct CommandLines {
    std::vector<std::string> lines;
};

/// Everything else: code for the interpreter that plain cells go to.
struct PlainCell {};

using ParsedCell = std::variant<PlainCell, CellMagic, CellMagicHelp, CommandLines>;

/// Throws UsageError.
ParsedCell parse_cell(std::string_view code);

/// What `%%interp` alone prints.
std::string cell_magic_help();

} // namespace xinterp::kernel
