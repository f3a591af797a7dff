#include <xinterp/debugger/debug_cells.hpp>
#include <xinterp/magics/cell_magic.hpp>

#include <xeus/xguid.hpp>
#include <xeus/xhash.hpp>

#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <format>
#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>

namespace xinterp::kernel {

namespace fs = std::filesystem;

namespace {

// Without the %%interp line: the debug server looks for lines of code in it.
std::string as_python(const std::string& typed) {
    try {
        const ParsedCell parsed = parse_cell(typed);
        const auto* magic = std::get_if<CellMagic>(&parsed);
        return magic != nullptr ? magic->code : typed;
    } catch (const UsageError&) {
        return typed; // it does not run
    }
}

// Where TMPDIR names no folder, the system's.
fs::path temporary_folder() {
    std::error_code error;
    fs::path folder = fs::temp_directory_path(error);
    return error ? fs::path{"/tmp"} : folder;
}

} // namespace

void DebugCells::remove() {
    std::error_code ignored;
    if (std::exchange(made_, false)) fs::remove_all(folder_, ignored);
}

// Nobody can know its name before.
DebugCells::DebugCells(const History& history)
    : history_{history}, folder_{temporary_folder() / (std::string{"xinterp_"} + xeus::new_xguid().c_str())} {}

std::string DebugCells::prefix() const { return folder_.string() + "/"; }

std::string DebugCells::path_of(const std::string& typed) const {
    return std::format("{}{}{}", prefix(), xeus::murmur2_x86(typed.data(), typed.size(), seed), suffix);
}

std::string DebugCells::dump(const std::string& typed) {
    // What is in cells is nobody else's.
    if (!made_ && mkdir(folder_.c_str(), S_IRWXU) != 0)
        throw fs::filesystem_error{"the folder for cells could not be made", folder_,
                                   std::error_code{errno, std::generic_category()}};
    made_ = true;
    const std::string path = path_of(typed);
    std::ofstream file{path, std::ios::binary};
    file << as_python(typed);
    file.close();
    dumped_[path] = typed;
    if (!file)
        throw fs::filesystem_error{"the cell could not be written", path, std::make_error_code(std::errc::io_error)};
    return path;
}

std::optional<std::string> DebugCells::path_of(int count) {
    const auto typed = history_.typed(count);
    if (!typed) return std::nullopt;
    std::string path = path_of(*typed);
    counts_[path] = count;
    return path;
}

std::optional<std::string> DebugCells::source(const std::string& path) const {
    if (const auto cell = dumped_.find(path); cell != dumped_.end()) return cell->second;
    if (const auto cell = counts_.find(path); cell != counts_.end())
        if (auto typed = history_.typed(cell->second)) return typed;
    std::error_code error;
    if (!fs::is_regular_file(path, error)) return std::nullopt;
    std::ostringstream text;
    text << std::ifstream{path, std::ios::binary}.rdbuf();
    return text.str();
}

} // namespace xinterp::kernel
