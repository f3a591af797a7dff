#include <xinterp/magics/arguments.hpp>
#include <xinterp/python/registry.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cmath>
#include <format>
#include <numeric>

namespace xinterp::kernel {
namespace {

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t diagonal = row[0]++;
        for (std::size_t j = 0; j < b.size(); ++j) {
            const std::size_t substituted = diagonal + (a[i] == b[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({substituted, row[j] + 1, row[j + 1] + 1});
        }
    }
    return row.back();
}

} // namespace

std::vector<std::string> split_words(std::string_view line) {
    std::vector<std::string> words;
    std::string word;
    bool in_word = false;
    char quote = 0;
    for (const char c : line) {
        if (quote != 0) {
            if (c == quote) quote = 0;
            else word += c;
        } else if (c == '"' || c == '\'') {
            quote = c;
            in_word = true;
        } else if (c == ' ' || c == '\t' || c == '\r') {
            if (in_word) words.push_back(std::exchange(word, {}));
            in_word = false;
        } else if (c == '#' && !in_word) {
            break;
        } else {
            word += c;
            in_word = true;
        }
    }
    if (quote != 0) throw UsageError{std::string{"a quote ("} + quote + ") is not closed: " + std::string{line}};
    if (in_word) words.push_back(word);
    return words;
}

std::vector<std::string> split_names(const std::vector<std::string>& words) {
    std::vector<std::string> names;
    for (const std::string& word : words)
        for (const std::string& part : CLI::detail::split(word, ','))
            if (!part.empty() && std::ranges::find(names, part) == names.end()) names.push_back(part);
    return names;
}

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
    return text;
}

std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates) {
    std::optional<std::string> best;
    std::size_t best_distance = std::min(std::max<std::size_t>(1, word.size() / 2) + 1, word.size());
    for (const std::string& candidate : candidates) {
        // What has been typed so far of a longer word counts as near.
        const bool prefix = word.size() >= 2 && candidate.starts_with(word);
        const std::size_t distance = prefix ? 1 : edit_distance(word, candidate);
        if (distance < best_distance) {
            best = candidate;
            best_distance = distance;
        }
    }
    return best;
}

std::string_view ArgumentParser::what(Value value) {
    switch (value) {
    case Value::none: return "nothing";
    case Value::number: return "a number";
    case Value::preset: return "a preset: isolated, notebook or shared";
    case Value::target: return "an interpreter: its name or id";
    case Value::variables: return "the names of variables";
    }
    return "";
}

python::Preset parse_preset(const std::string& name) {
    if (const auto preset = python::preset_from_name(name)) return *preset;
    const auto near = nearest(name, {"isolated", "notebook", "shared"});
    throw UsageError{"no preset '" + name + "'" + (near ? "; did you mean " + *near + "?" : ".") +
                     " The presets are isolated, notebook and shared."};
}

ArgumentParser::ArgumentParser(std::string name, std::string usage)
    : name_{std::move(name)}, usage_{std::move(usage)}, app_{std::make_unique<CLI::App>()} {
    app_->set_help_flag();
    app_->allow_extras();
}

ArgumentParser::~ArgumentParser() = default;

void ArgumentParser::positional(std::vector<std::string>& words) { app_->add_option("words", words)->expected(0, -1); }

void ArgumentParser::flag(const std::string& name, bool& value) {
    app_->add_flag(name, value);
    options_.push_back({name, Value::none});
}

void ArgumentParser::target(const std::string& name, std::optional<std::string>& value) {
    app_->add_option_function<std::string>(name, [&value](const std::string& given) { value = given; });
    options_.push_back({name, Value::target});
}

void ArgumentParser::preset(const std::string& name, std::optional<python::Preset>& value) {
    app_->add_option_function<std::string>(name, [&value](const std::string& given) { value = parse_preset(given); });
    options_.push_back({name, Value::preset});
}

void ArgumentParser::seconds(const std::string& name, std::optional<std::chrono::duration<double>>& value) {
    app_->add_option_function<std::string>(name, [&value, name](const std::string& given) {
        double seconds = 0;
        if (!CLI::detail::lexical_cast(given, seconds) || !std::isfinite(seconds) || seconds <= 0 || seconds > 1e9)
            throw UsageError{name + " takes seconds, a number above 0, not '" + given + "'."};
        value = std::chrono::duration<double>{seconds};
    });
    options_.push_back({name, Value::number});
}

void ArgumentParser::count(const std::string& name, std::optional<int>& value) {
    app_->add_option_function<std::string>(name, [&value, name](const std::string& given) {
        int number = 0;
        if (!CLI::detail::lexical_cast(given, number) || number < 1 || number > 1000)
            throw UsageError{name + " takes a whole number from 1 to 1000, not '" + given + "'."};
        value = number;
    });
    options_.push_back({name, Value::number});
}

void ArgumentParser::variables(const std::string& name, std::vector<std::string>& names) {
    const auto take = [this, name, &names](const std::vector<std::string>& given) {
        names = split_names(given);
        if (names.empty()) throw UsageError{name + " needs the names of variables.\n" + usage_};
        for (const std::string& each : names)
            if (!python::is_identifier(each))
                throw UsageError{std::format("{} takes names of variables, not '{}'.", name, each)};
    };
    app_->add_option_function<std::vector<std::string>>(name, take)->expected(1, -1);
    options_.push_back({name, Value::variables});
}

// CLI11 says that it misses so many TEXT.
void ArgumentParser::check_values(const std::vector<std::string>& words) const {
    for (std::size_t i = 0; i < words.size(); ++i)
        for (const Option& option : options_) {
            const bool last = i + 1 == words.size() ||
                              words[i + 1].starts_with(option.value == Value::number ? "--" : "-"); // -1 is a number
            const bool named = words[i] == option.name || words[i] == option.name + "=";
            if (named && last && option.value != Value::none)
                throw UsageError{option.name + " needs " + std::string{what(option.value)} + ".\n" + usage_};
        }
}

void ArgumentParser::parse(std::vector<std::string> words) {
    check_values(words);
    std::ranges::reverse(words); // CLI11 takes them from the back
    try {
        app_->parse(words);
    } catch (const CLI::ArgumentMismatch& error) {
        throw UsageError{error.get_name().empty() ? usage_ : std::string{error.what()} + ".\n" + usage_};
    } catch (const CLI::ParseError& error) {
        throw UsageError{std::string{error.what()} + "\n" + usage_};
    }
    const std::vector<std::string> unknown = app_->remaining();
    if (unknown.empty()) return;
    const std::string option = unknown.front().substr(0, unknown.front().find('='));
    std::vector<std::string> known;
    for (const Option& each : options_) known.push_back(each.name);
    const auto near = nearest(option, known);
    throw UsageError{name_ + " has no option '" + option + "'" + (near ? "; did you mean " + *near + "?" : ".") + "\n" +
                     usage_};
}

} // namespace xinterp::kernel
