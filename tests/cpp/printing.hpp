// tests/cpp/printing.hpp: lists of strings, optional strings and presets, readable in a failed assertion.
#pragma once

#include <xinterp/python/presets.hpp>

#include <doctest/doctest.h>

#include <optional>
#include <ostream>
#include <string>
#include <vector>

using Lines = std::vector<std::string>;

namespace doctest {

template <> struct StringMaker<Lines> {
    static String convert(const Lines& lines) {
        std::string text = "{";
        for (const std::string& line : lines) text += "\n    \"" + line + "\"";
        return {(text + "}").c_str()};
    }
};

template <> struct StringMaker<std::optional<std::string>> {
    static String convert(const std::optional<std::string>& text) {
        return {(text ? "\"" + *text + "\"" : std::string{"nothing"}).c_str()};
    }
};

} // namespace doctest

namespace xinterp::python {

inline std::ostream& operator<<(std::ostream& out, Preset preset) { return out << preset_name(preset); }

} // namespace xinterp::python
