#include <xinterp/magics/command_line.hpp>
#include <xinterp/magics/command_results.hpp>
#include <xinterp/magics/table.hpp>

#include <algorithm>
#include <array>
#include <format>
#include <utility>

namespace xinterp::kernel {
namespace {

using nlohmann::json;
using enum CommandUsage::Operand;

constexpr std::array usages{
    CommandUsage{"list", "", "the interpreters: id, name, preset, GIL, state, cells run, memory, age, origin"},
    CommandUsage{"create", "NAME... [--preset P] [--if-missing] [--fresh]",
                 "create interpreters; -n 4 creates some with ids only"},
    CommandUsage{"use", "TARGET", "plain cells of this client go to TARGET from now on; main returns", targets},
    CommandUsage{"close", "TARGET... [--force]", "finalize and destroy; --force interrupts what runs there first",
                 others_or_all},
    CommandUsage{"reset", "TARGET... [--force]", "a fresh interpreter under the same name and preset", others_or_all},
    CommandUsage{"rename", "TARGET NAME", "give an interpreter another name", others, 1},
    CommandUsage{"interrupt", "TARGET...", "KeyboardInterrupt there and nowhere else", targets_or_all},
    CommandUsage{"wait", "[TARGET...] [--timeout S]", "until their detached cells have ended", targets_or_all},
    CommandUsage{"share", "NAMES --from A --to B", "copy variables; says of each how it crossed", variables},
    CommandUsage{"vars", "TARGET", "its variables: name, type, size, short value; runs no code there", targets, 1},
    CommandUsage{"diff", "A B", "the variables of two interpreters side by side", targets, 2},
    CommandUsage{"help", "", "this table"},
};

// What the options of a command are read into.
struct CommandOptions {
    bool if_missing = false, fresh = false, force = false;
    std::optional<python::Preset> preset;
    std::optional<std::chrono::duration<double>> timeout;
    std::optional<int> count;
    std::optional<std::string> source, destination;

    void declare(ArgumentParser& parser, std::string_view command) {
        if (command == "create") {
            parser.preset("--preset", preset);
            parser.flag("--if-missing", if_missing);
            parser.flag("--fresh", fresh);
            parser.count("-n", count);
        } else if (command == "close" || command == "reset") {
            parser.flag("--force", force);
        } else if (command == "share") {
            parser.target("--from", source);
            parser.target("--to", destination);
        } else if (command == "wait") {
            parser.seconds("--timeout", timeout);
        }
    }
};

} // namespace

std::span<const CommandUsage> command_usages() { return usages; }

std::vector<ArgumentParser::Option> command_options(std::string_view command) {
    CommandOptions options;
    ArgumentParser parser{"%interp " + std::string{command}, usage_line(command)};
    options.declare(parser, command);
    return parser.options();
}

json command_help() {
    constexpr std::string_view remark =
        "TARGET is a name, an id, or a list (alice,bob). close, reset, interrupt and wait take `all`.";
    Rows rows{{"command", "does"}};
    for (const CommandUsage& usage : usages)
        rows.push_back({std::format("%interp {} {}", usage.command, usage.arguments), std::string{usage.does}});
    json help = table(rows, nullptr);
    help["text"] = std::format("{}\n{}\n", help["text"].get<std::string>(), remark);
    help["html"] = std::format("{}<p>{}</p>", help["html"].get<std::string>(), escape_html(remark));
    return help;
}

std::string usage_line(std::string_view command) {
    for (const CommandUsage& usage : usages)
        if (usage.command == command) return std::format("Usage: %interp {} {}", usage.command, usage.arguments);
    return "";
}

json parse_command_line(const std::string& line) {
    std::vector<std::string> words = split_words(line);
    const std::string command = words.empty() ? "list" : words.front();
    if (!words.empty()) words.erase(words.begin());

    std::vector<std::string> positional;
    CommandOptions options;
    ArgumentParser parser{"%interp " + command, usage_line(command)};
    parser.positional(positional);
    if (std::ranges::none_of(usages, [&](const CommandUsage& usage) { return usage.command == command; })) {
        std::vector<std::string> known;
        for (const CommandUsage& usage : usages) known.emplace_back(usage.command);
        const auto near = nearest(command, known);
        throw UsageError{"no command '%interp " + command + "'" +
                         (near ? "; did you mean %interp " + *near + "?" : ".") + "\nThe commands are " +
                         joined(known) + "."};
    }
    options.declare(parser, command);
    parser.parse(std::move(words));

    json request{{"command", command}};
    if (command == "create") {
        request["names"] = split_names(positional);
        if (options.preset) request["preset"] = python::preset_name(*options.preset);
        if (options.count) request["n"] = *options.count;
        request["if_missing"] = options.if_missing;
        request["fresh"] = options.fresh;
    } else if (command == "share") {
        request["names"] = split_names(positional);
        request["from"] = options.source.value_or("main");
        request["to"] = split_names({options.destination.value_or("main")});
    } else if (command == "rename") {
        if (positional.size() != 2) throw UsageError{"rename takes a target and a new name.\n" + usage_line(command)};
        request["target"] = positional[0];
        request["name"] = positional[1];
    } else if (command == "list" || command == "help") {
        if (!positional.empty())
            throw UsageError{command + " takes no arguments, not '" + positional.front() + "'.\n" +
                             usage_line(command)};
    } else {
        request["targets"] = split_names(positional);
        request["force"] = options.force;
        if (options.timeout) request["timeout"] = options.timeout->count();
    }
    return request;
}

} // namespace xinterp::kernel
