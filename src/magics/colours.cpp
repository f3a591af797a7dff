#include <xinterp/magics/colours.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <format>

namespace xinterp::kernel {
namespace {

constexpr std::string_view mains = "#737b87";
constexpr std::array<std::string_view, 8> palette{
    "#1f78d1", "#d1590a", "#0a8f5f", "#b0559b", "#9a7200", "#0a8ba3", "#cf3d66", "#7f62dc",
};
// Names that are made up anew each time must not be remembered for ever.
constexpr std::size_t most_remembered = 1000;

} // namespace

std::string_view Colours::of(const python::InterpreterInfo& info) {
    if (info.id == python::main_interpreter) return mains;
    if (const auto given = given_.find(info.id); given != given_.end()) return palette.at(given->second);
    std::size_t chosen = 0;
    if (const auto before = remembered_.find(info.name); before != remembered_.end()) {
        chosen = before->second;
    } else {
        std::array<std::size_t, palette.size()> uses{};
        for (const auto& [id, colour] : given_) ++uses.at(colour);
        chosen = static_cast<std::size_t>(std::ranges::min_element(uses) - uses.begin());
    }
    given_.emplace(info.id, chosen);
    if (!info.name.empty() && remembered_.size() < most_remembered) remembered_.emplace(info.name, chosen);
    return palette.at(chosen);
}

std::string coloured(std::string_view text, std::string_view colour) {
    unsigned value = 0;
    std::from_chars(colour.data() + 1, colour.data() + colour.size(), value, 16);
    return std::format("\x1b[38;2;{};{};{}m{}\x1b[0m", value >> 16U, value >> 8U & 255U, value & 255U, text);
}

} // namespace xinterp::kernel
