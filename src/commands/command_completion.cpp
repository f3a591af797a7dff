#include <xinterp/commands/command_completion.hpp>
#include <xinterp/magics/cell_magic.hpp>
#include <xinterp/magics/command_line.hpp>

#include <algorithm>
#include <utility>

namespace xinterp::kernel {
namespace {

using python::InterpreterInfo;
using Operand = CommandUsage::Operand;
using Value = ArgumentParser::Value;

constexpr std::string_view blanks = " \t\r\f";

bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80; }

std::size_t byte_offset(std::string_view text, std::size_t character) {
    std::size_t offset = 0;
    while (offset < text.size() && (character > 0 || is_continuation(text[offset])))
        if (!is_continuation(text[offset++])) --character;
    return offset;
}

std::string_view without_indentation(std::string_view text) {
    const auto begin = text.find_first_not_of(blanks);
    return begin == std::string_view::npos ? std::string_view{} : text.substr(begin);
}

bool is_blank_or_comment(std::string_view line) {
    line = without_indentation(line);
    return line.empty() || line.front() == '#';
}

// Where the line of `%%interp` is: the first that is neither blank nor a comment.
std::optional<std::string_view> cell_magic_line(std::string_view code) {
    while (!code.empty()) {
        const std::string_view line = code.substr(0, code.find('\n'));
        if (!is_blank_or_comment(line)) {
            const std::string_view text = without_indentation(line);
            constexpr std::string_view magic = "%%interp";
            const bool is_ours = text.starts_with(magic) &&
                                 (text.size() == magic.size() || blanks.find(text[magic.size()]) != blanks.npos);
            return is_ours ? std::optional{line} : std::nullopt;
        }
        code.remove_prefix(std::min(code.size(), line.size() + 1));
    }
    return std::nullopt;
}

// `%interp` at the beginning of a line, or assigned: what stands before it.
bool may_stand_before_command(std::string_view before) {
    const auto end = before.find_last_not_of(blanks);
    if (end == std::string_view::npos) return true;
    return before[end] == '=' && before.substr(0, end).find_first_of("=%#'\"") == std::string_view::npos;
}

struct Place {
    bool in_cell_magic;
    std::size_t begin;               ///< of the magic, in bytes
    std::string_view before, behind; ///< from the magic's name to the cursor, and to the end of the line
};

std::optional<Place> find_place(std::string_view code, std::size_t cursor) {
    const std::size_t offset = byte_offset(code, cursor);
    const std::size_t begin = offset == 0 ? 0 : code.rfind('\n', offset - 1) + 1; // npos + 1 is 0
    const std::string_view line = code.substr(begin, code.find('\n', begin) - begin);
    const auto cell_magic = cell_magic_line(code);
    const bool in_cell_magic = cell_magic && cell_magic->data() == line.data();
    const std::string_view magic = in_cell_magic ? "%%interp" : "%interp";
    const auto at = line.find(magic);
    if (at == std::string_view::npos || (!in_cell_magic && !may_stand_before_command(line.substr(0, at))))
        return std::nullopt;
    const auto end = at + magic.size();
    if (end < line.size() && blanks.find(line[end]) == std::string_view::npos) return std::nullopt;
    const std::size_t column = offset - begin;
    if (column < at) return std::nullopt;
    return Place{in_cell_magic, begin + at, column <= end ? std::string_view{} : line.substr(end, column - end),
                 line.substr(std::max(column, end))};
}

std::vector<std::string> words_of(std::string_view text) {
    std::vector<std::string> words;
    while (!(text = without_indentation(text)).empty()) {
        const std::string_view word = text.substr(0, text.find_first_of(blanks));
        words.emplace_back(word);
        text.remove_prefix(word.size());
    }
    return words;
}

std::string last_of_list(const std::string& word) { return word.substr(word.rfind(',') + 1); }

// What has been typed of the line, read from left to right.
class Line {
public:
    Line(std::string_view before, std::string_view behind, const std::vector<InterpreterInfo>& interpreters)
        : words_{words_of(before)}, behind_{words_of(behind)}, interpreters_{interpreters} {
        if (!words_.empty() && blanks.find(before.back()) == std::string_view::npos) {
            begun_ = words_.back();
            words_.pop_back();
        }
    }

    CommandCompletion complete_cell_magic() {
        options_ = cell_magic_options();
        return complete(Operand::targets_or_all, words_.empty() || words_.back().ends_with(',') ? 1000 : 1);
    }

    CommandCompletion complete_command() {
        if (words_.empty()) {
            for (const CommandUsage& usage : command_usages()) offer(std::string{usage.command}, "command");
            return std::move(found_);
        }
        const std::string command = std::exchange(words_.front(), {});
        words_.erase(words_.begin());
        const auto usage = std::ranges::find(command_usages(), command, &CommandUsage::command);
        if (usage == command_usages().end()) return {};
        options_ = command_options(command);
        return complete(usage->operand, usage->most);
    }

    /// What is replaced: the end of what stands before the cursor.
    const std::string& begun() const { return begun_; }

private:
    void offer(std::string text, std::string_view kind) {
        if (text.starts_with(begun_)) found_.matches.push_back({std::move(text), kind});
    }

    CommandCompletion complete(Operand operand, std::size_t most) {
        const bool in_comment = std::ranges::any_of(words_, [](const auto& word) { return word.starts_with('#'); });
        if (in_comment || begun_.starts_with('#')) return {};
        read_words();
        const bool is_option = begun_.starts_with('-');
        if (const auto equals = begun_.find('='); begun_.starts_with("--") && equals != std::string::npos) {
            const Value value = value_of(begun_.substr(0, equals));
            begun_.erase(0, equals + 1);
            offer_value(value);
        } else if (awaited_ != Value::none && !is_option) {
            offer_value(awaited_);
        } else if (operand != Operand::none && !is_option &&
                   (operands_.size() < most || begun_.find(',') != std::string::npos)) {
            offer_operand(operand);
        } else if (begun_.empty() || is_option) {
            offer_options();
        }
        return std::move(found_);
    }

    // Which words are operands, which options have been given, and whether the last one waits for its value.
    void read_words() {
        for (const std::string& word : words_) {
            if (word.starts_with('-')) {
                given_.push_back(word.substr(0, word.find('=')));
                awaited_ = word.find('=') == std::string::npos ? value_of(word) : Value::none;
            } else if (awaited_ != Value::none) {
                if (awaited_ != Value::variables) awaited_ = Value::none;
            } else if (word != "&") {
                for (std::size_t begin = 0; begin <= word.size();) {
                    const auto end = std::min(word.find(',', begin), word.size());
                    if (end > begin) operands_.push_back(word.substr(begin, end - begin));
                    begin = end + 1;
                }
            }
        }
    }

    Value value_of(const std::string& name) const {
        const auto option = std::ranges::find(options_, name, &ArgumentParser::Option::name);
        return option == options_.end() ? Value::none : option->value;
    }

    void offer_options() {
        for (const ArgumentParser::Option& option : options_)
            if (option.value == Value::variables || std::ranges::find(given_, option.name) == given_.end())
                offer(option.name, "option");
    }

    void offer_value(Value value) {
        switch (value) {
        case Value::preset:
            for (const auto preset : {python::Preset::isolated, python::Preset::notebook, python::Preset::shared})
                offer(std::string{python::preset_name(preset)}, "preset");
            return;
        case Value::target:
            operands_.clear();
            offer_interpreters(true, false);
            return;
        case Value::variables:
            // They come from main and go back to it: those of `--out` are the target's.
            ask_for_variables(!given_.empty() && given_.back() == "--out" && !operands_.empty() ? operands_.front()
                                                                                                : "main");
            return;
        case Value::none:
        case Value::number: return;
        }
    }

    void offer_operand(Operand operand) {
        switch (operand) {
        case Operand::targets: offer_interpreters(true, false); return;
        case Operand::targets_or_all: offer_interpreters(true, true); return;
        case Operand::others: offer_interpreters(false, false); return;
        case Operand::others_or_all: offer_interpreters(false, true); return;
        case Operand::variables: ask_for_variables(source()); return;
        case Operand::none: return;
        }
    }

    void offer_interpreters(bool with_main, bool with_all) {
        std::vector<std::string> listed = operands_;
        for (std::size_t begin = 0; begun_.find(',', begin) != std::string::npos;) {
            const auto end = begun_.find(',', begin);
            listed.push_back(begun_.substr(begin, end - begin));
            begin = end + 1;
        }
        begun_ = last_of_list(begun_);
        const auto is_new = [&](const std::string& label) { return std::ranges::find(listed, label) == listed.end(); };
        for (const InterpreterInfo& info : interpreters_)
            if ((with_main || info.id != python::main_interpreter) && info.state != python::State::closing &&
                is_new(info.label()))
                offer(info.label(), "interpreter");
        if (with_all && listed.empty() && interpreters_.size() > 1) offer("all", "interpreter");
    }

    // Where `share` takes them from: it may stand behind the cursor.
    std::string source() const {
        std::vector<std::string> all = words_;
        all.insert(all.end(), behind_.begin(), behind_.end());
        for (std::size_t i = 0; i < all.size(); ++i) {
            if (all[i] == "--from" && i + 1 < all.size()) return all[i + 1];
            if (all[i].starts_with("--from=")) return all[i].substr(std::string_view{"--from="}.size());
        }
        return "main";
    }

    void ask_for_variables(std::string target) {
        begun_ = last_of_list(begun_);
        found_.variables = CommandCompletion::Variables{std::move(target), begun_};
    }

    std::vector<std::string> words_, behind_;
    std::string begun_;
    const std::vector<InterpreterInfo>& interpreters_;
    std::vector<ArgumentParser::Option> options_;
    std::vector<std::string> operands_, given_;
    Value awaited_ = Value::none; ///< by the last option
    CommandCompletion found_;
};

} // namespace

std::size_t code_points(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count_if(text, [](char byte) { return !is_continuation(byte); }));
}

std::optional<CommandCompletion> complete_command(std::string_view code, std::size_t cursor,
                                                  const std::vector<InterpreterInfo>& interpreters) {
    const auto place = find_place(code, cursor);
    if (!place) return std::nullopt;
    if (place->before.empty()) {
        if (!place->in_cell_magic) return std::nullopt; // as any magic
        const std::size_t begin = code_points(code.substr(0, place->begin));
        return CommandCompletion{{{"%%interp", "magic"}}, std::nullopt, begin, cursor};
    }
    Line line{place->before, place->behind, interpreters};
    CommandCompletion found = place->in_cell_magic ? line.complete_cell_magic() : line.complete_command();
    found.end = std::min(cursor, code_points(code));
    found.start = found.end - code_points(line.begun());
    return found;
}

std::optional<std::string> help_at(std::string_view code, std::size_t cursor) {
    const auto place = find_place(code, cursor);
    if (!place) return std::nullopt;
    return place->in_cell_magic ? cell_magic_help() : command_help().at("text").get<std::string>();
}

std::string without_cell_magic(std::string_view code) {
    const auto line = cell_magic_line(code);
    if (!line) return std::string{code};
    const auto begin = static_cast<std::size_t>(line->data() - code.data());
    return std::string{code.substr(0, begin)} + std::string(code_points(*line), ' ') +
           std::string{code.substr(begin + line->size())};
}

} // namespace xinterp::kernel
