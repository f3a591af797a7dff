// include/xinterp/magics/arguments.hpp: the words after a magic, read by CLI11, with errors in our own sentences.
#pragma once

#include <xinterp/magics/cell_magic.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace xinterp::kernel {

/// Splits as a shell does: quotes keep spaces together, an unquoted `#` begins a comment. Throws UsageError for a quote
/// that is not closed.
std::vector<std::string> split_words(std::string_view line);

/// "a,b" and "a, b" and "a b" are the same list.
std::vector<std::string> split_names(const std::vector<std::string>& words);

/// "a, b, c"
std::string joined(const std::vector<std::string>& words);

/// The candidate that differs from the word in the fewest letters, if it is near.
std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates);

/// One magic or command with its options. Values are written into the bound variables by parse().
class ArgumentParser {
public:
    /// `usage` ends every error message of this parser.
    ArgumentParser(std::string name, std::string usage);
    ~ArgumentParser();
    ArgumentParser(const ArgumentParser&) = delete;
    ArgumentParser& operator=(const ArgumentParser&) = delete;

    void positional(std::vector<std::string>& words);
    void flag(const std::string& name, bool& value);
    void target(const std::string& name, std::optional<std::string>& value);
    void preset(const std::string& name, std::optional<python::Preset>& value);
    void seconds(const std::string& name, std::optional<std::chrono::duration<double>>& value);
    void count(const std::string& name, std::optional<int>& value);
    /// Names of variables, in the words behind it up to the next option; several times: all of them.
    void variables(const std::string& name, std::vector<std::string>& names);
    /// Throws UsageError.
    void parse(std::vector<std::string> words);

    /// What stands behind an option.
    enum class Value { none, target, preset, number, variables };
    struct Option {
        std::string name;
        Value value;
    };
    const std::vector<Option>& options() const { return options_; }

private:
    void check_values(const std::vector<std::string>& words) const;
    static std::string_view what(Value value);

    std::string name_, usage_;
    std::unique_ptr<CLI::App> app_;
    std::vector<Option> options_;
};

/// Throws UsageError unless it is the name of a preset.
python::Preset parse_preset(const std::string& name);

} // namespace xinterp::kernel
