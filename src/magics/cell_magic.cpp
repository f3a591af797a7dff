#include <xinterp/magics/arguments.hpp>
#include <xinterp/magics/cell_magic.hpp>
#include <xinterp/magics/command_line.hpp>

#include <algorithm>

namespace xinterp::kernel {
namespace {

constexpr std::string_view usage =
    "Usage: %%interp TARGET [&] [--create] [--preset P] [--in NAMES] [--out NAMES] [--timeout SECONDS]";

std::string_view trim(std::string_view text) {
    const auto begin = text.find_first_not_of(" \t\r\f");
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(" \t\r\f") - begin + 1);
}

// What follows the magic's name on its line, if the line is one of that magic.
std::optional<std::string_view> after_magic(std::string_view line, std::string_view magic) {
    line = trim(line);
    if (!line.starts_with(magic)) return std::nullopt;
    line.remove_prefix(magic.size());
    if (!line.empty() && line.front() != ' ' && line.front() != '\t' && line.front() != '#') return std::nullopt;
    return line;
}

std::vector<std::string_view> split_lines(std::string_view text) {
    std::vector<std::string_view> lines;
    while (true) {
        const auto end = text.find('\n');
        lines.push_back(text.substr(0, end));
        if (end == std::string_view::npos) return lines;
        text.remove_prefix(end + 1);
    }
}

bool is_blank_or_comment(std::string_view line) {
    line = trim(line);
    return line.empty() || line.front() == '#';
}

void declare_options(ArgumentParser& parser, CellMagic& magic, bool& help) {
    parser.flag("--create", magic.create);
    parser.flag("--help", help);
    parser.preset("--preset", magic.preset);
    parser.variables("--in", magic.in);
    parser.variables("--out", magic.out);
    parser.seconds("--timeout", magic.timeout);
}

ParsedCell parse_cell_magic(std::string_view arguments) {
    CellMagic magic;
    std::vector<std::string> words = split_words(arguments);
    magic.detached = std::erase(words, "&") != 0;
    // `alice&`, as shells allow
    if (!words.empty() && words.back().size() > 1 && words.back().ends_with('&')) {
        words.back().pop_back();
        magic.detached = true;
    }
    bool help = false;
    std::vector<std::string> targets;
    ArgumentParser parser{"%%interp", std::string{usage}};
    parser.positional(targets);
    declare_options(parser, magic, help);
    parser.parse(std::move(words));
    magic.targets = split_names(targets);
    // `alice& --create`
    if (!magic.targets.empty() && magic.targets.back().size() > 1 && magic.targets.back().ends_with('&')) {
        magic.targets.back().pop_back();
        magic.detached = true;
    }
    const bool has_names = !magic.in.empty() || !magic.out.empty();
    const bool nothing_else = !magic.detached && !magic.create && !magic.preset && !magic.timeout && !has_names;
    if (help || (magic.targets.empty() && nothing_else)) return CellMagicHelp{};
    if (magic.targets.empty() && has_names)
        throw UsageError{
            "%%interp needs a target, before --in and --out: what follows those are names of variables.\n" +
            std::string{usage}};
    if (magic.targets.empty())
        throw UsageError{"%%interp needs a target: a name, an id, a list such as alice,bob, or all.\n" +
                         std::string{usage}};
    if (magic.preset && !magic.create)
        throw UsageError{"--preset says how to create an interpreter: it goes with --create.\n" + std::string{usage}};
    if (magic.targets.size() > 1 && std::ranges::find(magic.targets, "all") != magic.targets.end())
        throw UsageError{"'all' stands for every interpreter but main: it cannot be part of a list."};
    if (magic.create && magic.targets.front() == "all")
        throw UsageError{"'all' cannot be created: name the interpreters."};
    return magic;
}

} // namespace

std::vector<ArgumentParser::Option> cell_magic_options() {
    CellMagic magic;
    bool help = false;
    ArgumentParser parser{"%%interp", std::string{usage}};
    declare_options(parser, magic, help);
    return parser.options();
}

ParsedCell parse_cell(std::string_view code) {
    const std::vector<std::string_view> lines = split_lines(code);
    const auto first = std::ranges::find_if_not(lines, is_blank_or_comment);
    if (first == lines.end()) return PlainCell{};
    if (const auto arguments = after_magic(*first, "%%interp")) {
        ParsedCell parsed = parse_cell_magic(*arguments);
        if (auto* magic = std::get_if<CellMagic>(&parsed)) {
            magic->code.assign(static_cast<std::size_t>(first - lines.begin()) + 1, '\n');
            const auto offset = static_cast<std::size_t>(first->data() - code.data()) + first->size();
            if (offset < code.size()) magic->code += code.substr(offset + 1);
        }
        return parsed;
    }
    CommandLines commands;
    for (const std::string_view line : lines) {
        if (is_blank_or_comment(line)) continue;
        const auto arguments = after_magic(line, "%interp");
        // What has to be expanded or reads on in the next line needs Python.
        if (!arguments || arguments->find_first_of("{$\\") != std::string_view::npos) return PlainCell{};
        commands.lines.emplace_back(*arguments);
    }
    return commands;
}

std::string cell_magic_help() {
    return "%%interp TARGET [&] [--create] [--preset P] [--in NAMES] [--out NAMES] [--timeout SECONDS]\n"
           "\n"
           "Runs the rest of the cell in another interpreter.\n"
           "  TARGET             an id (3), a name (alice), main, a list (alice,bob), or all (every interpreter but "
           "main)\n"
           "  &                  detached: the next cells go on at once\n"
           "  --create           create the target first if it is missing\n"
           "  --preset P         ... as isolated, notebook (the default) or shared\n"
           "  --in NAMES         copy these variables from main into each target before the cell: --in x,y\n"
           "  --out NAMES        copy them back into main after it; from several targets as a dict by name\n"
           "  --timeout SECONDS  interrupt the cell after that time\n"
           "\n"
           "%interp help lists the commands that manage interpreters.\n";
}

} // namespace xinterp::kernel
