// include/xinterp/debugger/debug_cells.hpp: the paths by which front ends and the debugger speak of cells. Front ends
// make a cell's path themselves: of a folder, a hash of the cell's text (MurmurHash2 of its UTF-8 bytes), and ".py".
// I/O thread only.
#pragma once

#include <xinterp/services/history.hpp>

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

namespace xinterp::kernel {

class DebugCells {
public:
    static constexpr std::uint32_t seed = 0xc70f6907;
    static constexpr const char *hash_method = "Murmur2", *suffix = ".py";

    explicit DebugCells(const History& history);

    /// A folder of this process, with a slash at its end. Made when the first cell is written.
    std::string prefix() const;
    std::string path_of(const std::string& typed) const;
    /// Writes the cell's text where the debugger looks for it; the path. Throws std::filesystem::filesystem_error.
    std::string dump(const std::string& typed);
    /// Takes the folder away.
    void remove();
    /// Of the cell In [count]; nothing if it has not run.
    std::optional<std::string> path_of(int count);
    /// The text of a cell, or of any file; nothing if there is none.
    std::optional<std::string> source(const std::string& path) const;

private:
    const History& history_;
    std::filesystem::path folder_;
    std::map<std::string, std::string> dumped_; ///< as typed, by path
    std::map<std::string, int> counts_;         ///< by the path of cells that ran under the debugger
    bool made_ = false;
};

} // namespace xinterp::kernel
