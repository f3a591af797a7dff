// include/xinterp/routing/attribution.hpp: the output of a cell with several targets, told apart line by line. Pure.
#pragma once

#include <xinterp/modules/front_end.hpp>

#include <nlohmann/json.hpp>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace xinterp::kernel {

using modules::Stream;

/// "#rrggbb" of targets by their labels, where the client shows colours.
using LabelColours = std::map<std::string, std::string_view>;
/// `[label]`, in its colour if it has one.
std::string text_head(const std::string& label, const LabelColours& colours);

/// Puts `[label] ` before every line. An unfinished line is held back for 100 ms and then shown under its prefix; if
/// another target writes then, a newline comes first. A carriage return keeps the prefix; colours end with the line.
///
/// A line that begins with a carriage return, or has one before it ends, is a progress bar: it gets a place of its own,
/// where it is redrawn until a newline ends it. So the bars of several targets do not break each other's lines.
class LinePrefixer {
public:
    using Clock = std::chrono::steady_clock;
    struct Output {
        Stream stream;
        std::string text;
        int bar = 0;          ///< the number of the bar whose line this is now; 0: text of the stream
        bool redrawn = false; ///< the bar was shown before
    };
    static constexpr std::chrono::milliseconds patience{100};

    explicit LinePrefixer(LabelColours colours = {}) : colours_{std::move(colours)} {}

    std::vector<Output> write(const std::string& label, Stream stream, std::string_view text, Clock::time_point now);
    /// Shows unfinished lines whose time is up.
    std::vector<Output> tick(Clock::time_point now);
    /// Shows all unfinished lines of a target (all targets: an empty label), before another message of it or its end.
    std::vector<Output> flush(const std::string& label);
    /// Ends the unfinished line that stands last in the output, whosesoever it is: something else comes now.
    std::vector<Output> end_line();
    std::optional<Clock::time_point> next_due() const;

private:
    using Writer = std::pair<std::string, Stream>;
    struct Held {
        std::string text;
        Clock::time_point since;
    };
    struct Bar {
        int number;
        std::string line; ///< what stands there; a carriage return at its end: the next text begins a new line
        bool shown = false;
    };
    void emit(std::vector<Output>& outputs, const Writer& writer, std::string_view text, bool finished);
    void emit_unfinished(std::vector<Output>& outputs, const Writer& writer, std::string_view text);
    void draw(std::vector<Output>& outputs, const Writer& writer, Bar& bar, std::string_view text);

    LabelColours colours_;
    std::map<Writer, Held> held_;
    std::optional<Writer> open_line_; ///< whose unfinished line stands last in the output
    bool open_line_is_coloured_ = false;
    std::map<Writer, Bar> bars_; ///< that no newline has ended
    int last_bar_ = 0;
};

/// A display or result of one target of several, headed by its name: in its text and HTML, or where it has only other
/// kinds of data, by a message of its own that goes first.
struct HeadedBundle {
    nlohmann::json header; ///< data of a display_data, or null
    nlohmann::json data;
};
HeadedBundle head_bundle(const std::string& label, nlohmann::json data, const LabelColours& colours = {});

} // namespace xinterp::kernel
