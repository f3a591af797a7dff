#include <xinterp/magics/colours.hpp>
#include <xinterp/magics/table.hpp>
#include <xinterp/routing/attribution.hpp>

#include <algorithm>
#include <format>
#include <iterator>
#include <utility>

namespace xinterp::kernel {
namespace {

constexpr std::string_view end_of_colour = "\x1b[0m";

// Whether a select-graphic-rendition sequence is in force at the end of the text.
bool leaves_colour(std::string_view text, bool coloured) {
    for (auto at = text.find("\x1b["); at != std::string_view::npos; at = text.find("\x1b[", at + 2)) {
        const auto end = text.find_first_not_of("0123456789;:", at + 2);
        if (end == std::string_view::npos || text[end] != 'm') continue;
        const std::string_view parameters = text.substr(at + 2, end - at - 2);
        coloured = !(parameters.empty() || parameters == "0" || parameters == "00");
    }
    return coloured;
}

} // namespace

std::string text_head(const std::string& label, const LabelColours& colours) {
    const std::string head = "[" + label + "]";
    const auto colour = colours.find(label);
    return colour == colours.end() ? head : coloured(head, colour->second);
}

void LinePrefixer::emit(std::vector<Output>& outputs, const Writer& writer, std::string_view text, bool finished) {
    const std::string prefix = text_head(writer.first, colours_) + " ";
    std::string out;
    if (open_line_ && *open_line_ != writer) {
        // The line of another writer stands unfinished: it ends here, on its own stream.
        std::ranges::move(end_line(), std::back_inserter(outputs));
    }
    if (!open_line_) out += prefix;
    for (const char c : text) {
        out += c;
        if (c == '\r') out += prefix;
    }
    const bool coloured = leaves_colour(text, open_line_ && open_line_is_coloured_);
    if (finished) {
        if (coloured) out += end_of_colour;
        out += '\n';
        open_line_.reset();
        open_line_is_coloured_ = false;
    } else {
        open_line_ = writer;
        open_line_is_coloured_ = coloured;
    }
    if (!outputs.empty() && outputs.back().stream == writer.second && outputs.back().bar == 0)
        outputs.back().text += out;
    else outputs.push_back({writer.second, std::move(out)});
}

void LinePrefixer::emit_unfinished(std::vector<Output>& outputs, const Writer& writer, std::string_view text) {
    auto bar = bars_.find(writer);
    // A line that stands unfinished in its stream is redrawn there.
    if (bar == bars_.end() && text.find('\r') != std::string_view::npos && open_line_ != writer)
        bar = bars_.emplace(writer, Bar{++last_bar_, {}}).first;
    if (bar == bars_.end()) emit(outputs, writer, text, false);
    else draw(outputs, writer, bar->second, text);
}

void LinePrefixer::draw(std::vector<Output>& outputs, const Writer& writer, Bar& bar, std::string_view text) {
    bar.line += text;
    const bool ended = bar.line.ends_with('\r');
    bar.line.erase(bar.line.find_last_not_of('\r') + 1);
    bar.line.erase(0, bar.line.rfind('\r') + 1);
    std::string out = text_head(writer.first, colours_) + " " + bar.line;
    if (leaves_colour(bar.line, false)) out += end_of_colour;
    if (ended) bar.line += '\r';
    if (!bar.shown) std::ranges::move(end_line(), std::back_inserter(outputs));
    outputs.push_back({writer.second, std::move(out), bar.number, std::exchange(bar.shown, true)});
}

std::vector<LinePrefixer::Output> LinePrefixer::write(const std::string& label, Stream stream, std::string_view text,
                                                      Clock::time_point now) {
    std::vector<Output> outputs;
    // A target's two streams keep their order: what one holds back is shown before the other goes on.
    const Writer sibling{label, stream == Stream::out ? Stream::err : Stream::out};
    if (const auto held = held_.find(sibling); held != held_.end()) {
        emit_unfinished(outputs, sibling, held->second.text);
        held_.erase(held);
    }
    const Writer writer{label, stream};
    for (auto end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
        std::string line;
        if (const auto held = held_.find(writer); held != held_.end()) {
            line = std::move(held->second.text);
            held_.erase(held);
        }
        std::string_view rest = text.substr(0, end);
        if (rest.ends_with('\r')) rest.remove_suffix(1);
        line += rest;
        if (const auto bar = bars_.find(writer); bar != bars_.end()) {
            if (!line.empty()) draw(outputs, writer, bar->second, line);
            bars_.erase(bar);
        } else {
            emit(outputs, writer, line, true);
        }
        text.remove_prefix(end + 1);
    }
    if (!text.empty()) {
        const auto [held, fresh] = held_.try_emplace(writer, Held{{}, now});
        held->second.text += text;
    }
    return outputs;
}

std::vector<LinePrefixer::Output> LinePrefixer::tick(Clock::time_point now) {
    std::vector<Output> outputs;
    for (auto held = held_.begin(); held != held_.end();) {
        if (now < held->second.since + patience) {
            ++held;
            continue;
        }
        emit_unfinished(outputs, held->first, held->second.text);
        held = held_.erase(held);
    }
    return outputs;
}

std::vector<LinePrefixer::Output> LinePrefixer::flush(const std::string& label) {
    std::vector<Output> outputs;
    for (auto held = held_.begin(); held != held_.end();) {
        if (!label.empty() && held->first.first != label) {
            ++held;
            continue;
        }
        emit_unfinished(outputs, held->first, held->second.text);
        held = held_.erase(held);
    }
    if (open_line_ && (label.empty() || open_line_->first == label))
        std::ranges::move(end_line(), std::back_inserter(outputs));
    return outputs;
}

std::vector<LinePrefixer::Output> LinePrefixer::end_line() {
    if (!open_line_) return {};
    std::string end = open_line_is_coloured_ ? std::string{end_of_colour} + "\n" : "\n";
    std::vector<Output> outputs{Output{open_line_->second, std::move(end)}};
    open_line_.reset();
    open_line_is_coloured_ = false;
    return outputs;
}

std::optional<LinePrefixer::Clock::time_point> LinePrefixer::next_due() const {
    std::optional<Clock::time_point> due;
    for (const auto& [writer, held] : held_) {
        const auto when = held.since + patience;
        if (!due || when < *due) due = when;
    }
    return due;
}

HeadedBundle head_bundle(const std::string& label, nlohmann::json data, const LabelColours& colours) {
    const std::string head = text_head(label, colours);
    bool headed = false;
    if (const auto text = data.find("text/plain"); text != data.end() && text->is_string()) {
        const auto& value = text->get_ref<const std::string&>();
        *text = head + (value.find('\n') == std::string::npos ? " " : "\n") + value;
        headed = data.size() == 1;
    }
    if (const auto html = data.find("text/html"); html != data.end() && html->is_string()) {
        const auto colour = colours.find(label);
        const std::string style = colour == colours.end() ? "" : std::format(" style=\"color: {}\"", colour->second);
        *html =
            std::format("<div><b{}>[{}]</b></div>{}", style, escape_html(label), html->get_ref<const std::string&>());
        headed = true;
    }
    if (headed) return {nullptr, std::move(data)};
    return {nlohmann::json{{"text/plain", head}}, std::move(data)};
}

} // namespace xinterp::kernel
