#include <xinterp/magics/table.hpp>

#include <algorithm>
#include <cmath>
#include <format>

namespace xinterp::kernel {
namespace {

// Code points: what a terminal shows for most names.
std::size_t width(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

} // namespace

std::string plain_table(const Rows& rows) {
    std::vector<std::size_t> widths(rows.front().size());
    for (const auto& row : rows)
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
    std::string text;
    for (const auto& row : rows) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i) line += row[i] + std::string(widths[i] - width(row[i]) + 2, ' ');
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + "\n";
    }
    return text;
}

std::string clipped(std::string text, std::size_t longest) {
    if (width(text) <= longest) return text;
    std::size_t end = 0;
    for (std::size_t signs = 0; end < text.size(); ++end) {
        if ((text[end] & 0xC0) == 0x80) continue; // in the middle of a sign
        if (++signs == longest) break;
    }
    text.resize(end);
    return text + "\u2026";
}

std::string html_table(const Rows& rows) {
    std::string html = "<table>";
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const std::string_view cell = i == 0 ? "th" : "td";
        html += i == 0 ? "<thead><tr>" : "<tr>";
        for (const std::string& text : rows[i]) {
            // What is to be typed or looked up is not broken into lines.
            const std::string_view style = &text == &rows[i].front() ? "; white-space: nowrap" : "";
            html += std::format("<{0} style=\"text-align: left{1}\">{2}</{0}>", cell, style, escape_html(text));
        }
        html += i == 0 ? "</tr></thead><tbody>" : "</tr>";
    }
    return html + "</tbody></table>";
}

std::string escape_html(std::string_view text) {
    std::string escaped;
    for (const char c : text) {
        switch (c) {
        case '&': escaped += "&amp;"; break;
        case '<': escaped += "&lt;"; break;
        case '>': escaped += "&gt;"; break;
        case '"': escaped += "&quot;"; break;
        default: escaped += c;
        }
    }
    return escaped;
}

std::string bytes_text(std::size_t bytes) {
    constexpr double mega = 1024.0 * 1024.0, giga = 1024.0 * mega;
    const auto amount = static_cast<double>(bytes);
    if (bytes < 1024) return std::format("{} B", bytes);
    if (amount >= giga) return std::format("{:.1f} GB", amount / giga);
    return amount >= mega ? std::format("{:.1f} MB", amount / mega) : std::format("{:.0f} KB", amount / 1024.0);
}

std::string age_text(double seconds) {
    if (seconds < 60) return std::format("{:.0f} s", std::floor(seconds));
    if (seconds < 3600) return std::format("{:.0f} min", std::floor(seconds / 60));
    return std::format("{:.0f} h", std::floor(seconds / 3600));
}

} // namespace xinterp::kernel
