// include/xinterp/magics/table.hpp: rows of text as a plain and as an HTML table. Pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace xinterp::kernel {

using Rows = std::vector<std::vector<std::string>>; ///< the first is the head; all are equally long

std::string plain_table(const Rows& rows);
std::string html_table(const Rows& rows);
std::string escape_html(std::string_view text);
/// At most so many characters of UTF-8 text, the last one an ellipsis where it was longer.
std::string clipped(std::string text, std::size_t longest);
/// "2.0 MB", "640 KB", "56 B"
std::string bytes_text(std::size_t bytes);
/// "12 s", "3 min", "2 h"
std::string age_text(double seconds);

} // namespace xinterp::kernel
