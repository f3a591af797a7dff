// include/xinterp/services/history.hpp: the cells of this kernel's life, as typed. I/O thread only.
//
// This session alone; history_file.hpp adds what other kernels and consoles have left in IPython's file.
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace xinterp::kernel {

class History {
public:
    /// A cell that begins. Cells that only say exit or quit are not remembered, as in IPython.
    void add(int line, const std::string& typed);
    /// What a cell's result looks like as plain text.
    void set_output(int line, std::string text);
    /// What IPython has made of a cell with magics in it. The entry's index, if there is one.
    std::optional<std::size_t> set_transformed(int line, std::string source);

    /// The cell In [line], every character of it; nothing if there is none.
    std::optional<std::string> typed(int line) const;

    std::size_t size() const { return entries_.size(); }
    /// From the first one on, as history.py has them: [line, source, source as typed, output or null].
    nlohmann::json entries(std::size_t first = 0) const;
    /// The content of a history_reply, or of an error reply if the request makes no sense.
    nlohmann::json answer(const nlohmann::json& request) const;

private:
    struct Entry {
        int line;
        std::string typed;           ///< without newlines at its end
        std::size_t newlines_at_end; ///< that it had
        std::optional<std::string> transformed, output;
    };
    using Chosen = std::vector<const Entry*>;

    Entry* find(int line);
    Chosen tail(std::int64_t count) const;
    Chosen range(std::int64_t session, std::int64_t start, std::int64_t stop) const;
    Chosen search(const std::string& pattern, std::optional<std::int64_t> count, bool unique) const;

    std::vector<Entry> entries_; ///< their lines rise
};

} // namespace xinterp::kernel
