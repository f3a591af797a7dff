#include "printing.hpp"

#include <xinterp/magics/arguments.hpp>
#include <xinterp/magics/cell_magic.hpp>
#include <xinterp/magics/command_line.hpp>

#include <fstream>
#include <optional>
#include <string>
#include <variant>

using namespace xinterp::kernel;
using nlohmann::json;
using xinterp::python::Preset;

namespace {

const std::string usage =
    "\nUsage: %%interp TARGET [&] [--create] [--preset P] [--in NAMES] [--out NAMES] [--timeout SECONDS]";

CellMagic magic(std::string_view code) {
    const ParsedCell parsed = parse_cell(code);
    REQUIRE(std::holds_alternative<CellMagic>(parsed));
    return std::get<CellMagic>(parsed);
}

bool is_plain(std::string_view code) { return std::holds_alternative<PlainCell>(parse_cell(code)); }
bool is_help(std::string_view code) { return std::holds_alternative<CellMagicHelp>(parse_cell(code)); }

Lines command_lines(std::string_view code) {
    const ParsedCell parsed = parse_cell(code);
    REQUIRE(std::holds_alternative<CommandLines>(parsed));
    return std::get<CommandLines>(parsed).lines;
}

// The sentence with which something is refused; nothing if it is not.
template <typename Function> std::optional<std::string> refusal(const Function& function) {
    try {
        function();
    } catch (const UsageError& error) {
        return error.what();
    }
    return std::nullopt;
}

std::optional<std::string> cell_refusal(std::string_view code) {
    return refusal([&] { parse_cell(code); });
}
std::optional<std::string> line_refusal(const std::string& line) {
    return refusal([&] { parse_command_line(line); });
}

// What JupyterLab's extension has to make of a cell, in its own words: labextension/src/targets.ts.
json description(std::string_view code) {
    ParsedCell parsed;
    try {
        parsed = parse_cell(code);
    } catch (const UsageError&) {
        return {{"kind", "invalid"}};
    }
    if (std::holds_alternative<PlainCell>(parsed)) return {{"kind", "plain"}};
    if (std::holds_alternative<CommandLines>(parsed)) return {{"kind", "commands"}};
    if (std::holds_alternative<CellMagicHelp>(parsed)) return {{"kind", "help"}};
    const auto& routed = std::get<CellMagic>(parsed);
    json said{{"kind", "routed"}, {"targets", routed.targets}};
    if (routed.detached) said["detached"] = true;
    if (routed.create) said["create"] = true;
    if (routed.preset) said["preset"] = xinterp::python::preset_name(*routed.preset);
    if (routed.timeout) said["timeout"] = routed.timeout->count();
    if (!routed.in.empty()) said["in"] = routed.in;
    if (!routed.out.empty()) said["out"] = routed.out;
    return said;
}

} // namespace

TEST_CASE("the kernel reads the cells of the table that JupyterLab's extension reads") {
    const json cases = json::parse(std::ifstream{CELL_MAGIC_CASES});
    REQUIRE(!cases.empty());
    for (json expected : cases) {
        const auto code = expected["code"].get<std::string>();
        expected.erase("code");
        CAPTURE(code);
        CHECK(description(code) == expected);
    }
}

TEST_CASE("a cell without the magic is a plain cell") {
    CHECK(is_plain(""));
    CHECK(is_plain("\n  # only a comment\n"));
    CHECK(is_plain("x = 1\n%%interp alice"));
    CHECK(is_plain("%%interpreter alice\nx = 1"));
    CHECK(is_plain("%%time\nx = 1"));
}

TEST_CASE("the magic stands on the first line that is neither blank nor a comment") {
    CHECK(magic("%%interp alice\nx = 1").targets == Lines{"alice"});
    CHECK(magic("\n# a comment\n  %%interp alice\nx = 1").targets == Lines{"alice"});
    CHECK(magic("%%interp\talice\r\nx = 1\r\n").targets == Lines{"alice"});
}

TEST_CASE("the rest of the cell keeps its line numbers") {
    CHECK(magic("%%interp alice\nx = 1\ny = 2").code == "\nx = 1\ny = 2");
    CHECK(magic("# one\n\n%%interp alice\nx = 1").code == "\n\n\nx = 1");
    CHECK(magic("%%interp alice\n%%time\nx").code == "\n%%time\nx");
}

TEST_CASE("an empty rest of the cell is fine") {
    CHECK(magic("%%interp alice").code == "\n");
    CHECK(magic("%%interp alice\n").code == "\n");
}

TEST_CASE("targets are names and ids, in a list with or without spaces, each once") {
    CHECK(magic("%%interp 3").targets == Lines{"3"});
    CHECK(magic("%%interp alice,bob").targets == Lines{"alice", "bob"});
    CHECK(magic("%%interp alice, bob").targets == Lines{"alice", "bob"});
    CHECK(magic("%%interp alice , 2 alice").targets == Lines{"alice", "2"});
    CHECK(magic("%%interp all").targets == Lines{"all"});
}

TEST_CASE("the ampersand and the options may stand in any order") {
    for (const std::string line : {"%%interp alice & --create --preset shared --timeout 2.5",
                                   "%%interp --timeout=2.5 --preset=shared alice --create &",
                                   "%%interp & --create --timeout 2.5 alice --preset shared", // the ampersand first
                                   "%%interp alice& --preset shared --create --timeout 2.5"}) {
        CAPTURE(line);
        const CellMagic parsed = magic(line);
        CHECK(parsed.targets == Lines{"alice"});
        CHECK(parsed.detached);
        CHECK(parsed.create);
        REQUIRE(parsed.preset);
        CHECK(*parsed.preset == Preset::shared);
        REQUIRE(parsed.timeout);
        CHECK(parsed.timeout->count() == 2.5);
    }
}

TEST_CASE("the names of variables reach up to the next option, however they are written") {
    for (const std::string line : {"%%interp alice --in x,y --out z &", "%%interp alice --in x y --out z &",
                                   "%%interp alice & --out=z --in x, y", "%%interp alice --in x --out z --in=y&",
                                   "%%interp alice --in=x,y,x & --out z # of alice"}) {
        CAPTURE(line);
        const CellMagic parsed = magic(line);
        CHECK(parsed.targets == Lines{"alice"});
        CHECK(parsed.in == Lines{"x", "y"});
        CHECK(parsed.out == Lines{"z"});
        CHECK(parsed.detached);
    }
}

TEST_CASE("what cannot be the name of a variable is told") {
    for (const std::string option : {"--in", "--out"}) {
        for (const std::string& line : {option, option + "=", option + " ,", option + " --timeout 5", option + " &"}) {
            CAPTURE(line);
            CHECK(cell_refusal("%%interp alice " + line) == option + " needs the names of variables." + usage);
        }
        for (const std::string wrong : {"3x", "a.b", "a-b", "class", "x=1"})
            CHECK(cell_refusal("%%interp alice " + option + " fine " + wrong) ==
                  option + " takes names of variables, not '" + wrong + "'.");
        CHECK(cell_refusal("%%interp " + option + " x alice") ==
              "%%interp needs a target, before --in and --out: what follows those are names of variables." + usage);
        CHECK(!cell_refusal("%%interp alice " + option + " all main _x größe"));
    }
    CHECK(cell_refusal("%%interp alice --ni x") == "%%interp has no option '--ni'; did you mean --in?" + usage);
}

TEST_CASE("what is not asked for is off") {
    const CellMagic parsed = magic("%%interp alice");
    CHECK(!parsed.detached);
    CHECK(!parsed.create);
    CHECK(!parsed.preset);
    CHECK(!parsed.timeout);
    CHECK(parsed.in == Lines{});
    CHECK(parsed.out == Lines{});
}

TEST_CASE("a comment may follow the magic, even one with a quote in it") {
    CHECK(magic("%%interp alice # don't wait & --create").targets == Lines{"alice"});
    CHECK(!magic("%%interp alice # don't wait &").detached);
}

TEST_CASE("the magic alone asks for help") {
    CHECK(is_help("%%interp"));
    CHECK(is_help("%%interp   # what was it?\nx = 1"));
    CHECK(is_help("%%interp --help"));
    CHECK(is_help("%%interp alice --help"));
}

TEST_CASE("the mistakes in a magic are told with what to type") {
    CHECK(cell_refusal("%%interp &") ==
          "%%interp needs a target: a name, an id, a list such as alice,bob, or all." + usage);
    CHECK(cell_refusal("%%interp alice --preset shared") ==
          "--preset says how to create an interpreter: it goes with --create." + usage);
    CHECK(cell_refusal("%%interp all,alice") ==
          "'all' stands for every interpreter but main: it cannot be part of a list.");
    CHECK(cell_refusal("%%interp all --create") == "'all' cannot be created: name the interpreters.");
    CHECK(cell_refusal("%%interp \"alice") == "a quote (\") is not closed:  \"alice");
}

TEST_CASE("an unknown option names the nearest one") {
    CHECK(cell_refusal("%%interp alice --creat") == "%%interp has no option '--creat'; did you mean --create?" + usage);
    CHECK(cell_refusal("%%interp alice --time=3") ==
          "%%interp has no option '--time'; did you mean --timeout?" + usage);
    CHECK(cell_refusal("%%interp alice --wibble") == "%%interp has no option '--wibble'." + usage);
}

TEST_CASE("an option's value is checked") {
    CHECK(cell_refusal("%%interp alice --create --preset notbook") ==
          "no preset 'notbook'; did you mean notebook? The presets are isolated, notebook and shared.");
    for (const std::string wrong : {"soon", "0", "-1", "nan", "inf", "5s", "1e300"}) {
        CAPTURE(wrong);
        CHECK(cell_refusal("%%interp alice --timeout=" + wrong) ==
              "--timeout takes seconds, a number above 0, not '" + wrong + "'.");
    }
    for (const std::string line : {"--timeout", "--timeout=", "--timeout --create"})
        CHECK(cell_refusal("%%interp alice " + line) == "--timeout needs a number." + usage);
    CHECK(cell_refusal("%%interp alice --create --preset") ==
          "--preset needs a preset: isolated, notebook or shared." + usage);
}

TEST_CASE("a cell of nothing but command lines is the kernel's own") {
    CHECK(command_lines("%interp") == Lines{""});
    CHECK(command_lines("# set up\n%interp create alice\n\n  %interp list # all\n") ==
          Lines{" create alice", " list # all"});
}

TEST_CASE("command lines among other code, or with something to expand, are Python's") {
    CHECK(is_plain("%interp list\nx = 1"));
    CHECK(is_plain("t = %interp list"));
    CHECK(is_plain("%interp create {name}"));
    CHECK(is_plain("%interp create $name"));
    CHECK(is_plain("%interp create \\\nalice"));
    CHECK(is_plain("%interp?"));
    CHECK(is_plain("%interp list\n%%interp alice"));
}

TEST_CASE("words are split as a shell splits them") {
    CHECK(split_words("  a\tb  c\r") == Lines{"a", "b", "c"});
    CHECK(split_words("'a b' \"c # d\" e\"f g\"'h'") == Lines{"a b", "c # d", "ef gh"});
    CHECK(split_words("'' a") == Lines{"", "a"});
    CHECK(split_words("a#b # c 'd") == Lines{"a#b"});
    CHECK(refusal([] { split_words("it's"); }) == "a quote (') is not closed: it's");
}

TEST_CASE("a list of names reads the same however it is written") {
    for (const Lines& words : {Lines{"a,b"}, Lines{"a,", "b"}, Lines{"a", "b"}, Lines{"a", ",", "b"}, Lines{",a,,b,a"}})
        CHECK(split_names(words) == Lines{"a", "b"});
    CHECK(split_names({","}) == Lines{});
}

TEST_CASE("the nearest candidate is the one with the fewest letters changed") {
    CHECK(nearest("alic", {"bob", "alice"}) == "alice");
    CHECK(nearest("alcie", {"malcolm", "alice"}) == "alice");
    CHECK(nearest("worker_3", {"main", "worker_1", "bob"}) == "worker_1");
    CHECK(nearest("al", {"bob", "alexandria"}) == "alexandria"); // what has been typed so far
    CHECK(nearest("zebra", {"alice", "bob"}) == std::nullopt);
    CHECK(nearest("alice", {}) == std::nullopt);
}

TEST_CASE("nothing is near to a word that would have to be replaced whole") {
    CHECK(nearest("5", {"main", "1", "2"}) == std::nullopt);
    CHECK(nearest("x", {"y"}) == std::nullopt);
}

TEST_CASE("a line of commands becomes a request") {
    CHECK(parse_command_line("") == json{{"command", "list"}});
    CHECK(parse_command_line("  # nothing") == json{{"command", "list"}});
    CHECK(parse_command_line("help") == json{{"command", "help"}});
    CHECK(parse_command_line("create alice, bob --preset shared") == json{{"command", "create"},
                                                                          {"names", {"alice", "bob"}},
                                                                          {"preset", "shared"},
                                                                          {"if_missing", false},
                                                                          {"fresh", false}});
    CHECK(parse_command_line("create -n 4 --if-missing --fresh") ==
          json{{"command", "create"}, {"names", json::array()}, {"n", 4}, {"if_missing", true}, {"fresh", true}});
    CHECK(parse_command_line("use alice # from now on") ==
          json{{"command", "use"}, {"targets", {"alice"}}, {"force", false}});
    CHECK(parse_command_line("close --force alice 2") ==
          json{{"command", "close"}, {"targets", {"alice", "2"}}, {"force", true}});
    CHECK(parse_command_line("rename alice carol") ==
          json{{"command", "rename"}, {"target", "alice"}, {"name", "carol"}});
    CHECK(parse_command_line("wait --timeout 0.5") ==
          json{{"command", "wait"}, {"targets", json::array()}, {"force", false}, {"timeout", 0.5}});
}

TEST_CASE("an unknown command names the nearest and all others") {
    const auto sentence = line_refusal("lst");
    REQUIRE(sentence);
    CHECK(
        sentence->starts_with("no command '%interp lst'; did you mean %interp list?\nThe commands are list, create,"));
    CHECK(line_refusal("frobnicate")->starts_with("no command '%interp frobnicate'.\nThe commands are list, create,"));
}

TEST_CASE("the mistakes in a command are told with how it is used") {
    const std::string create = "Usage: %interp create NAME... [--preset P] [--if-missing] [--fresh]";
    CHECK(line_refusal("create alice --frsh") ==
          "%interp create has no option '--frsh'; did you mean --fresh?\n" + create);
    CHECK(line_refusal("create -n 0") == "-n takes a whole number from 1 to 1000, not '0'.");
    CHECK(line_refusal("create -n 2.5") == "-n takes a whole number from 1 to 1000, not '2.5'.");
    CHECK(line_refusal("rename alice") == "rename takes a target and a new name.\nUsage: %interp rename TARGET NAME");
    const auto list = line_refusal("list alice");
    REQUIRE(list);
    CHECK(list->starts_with("list takes no arguments, not 'alice'.\nUsage: %interp list"));
    CHECK(line_refusal("use alice --force") == "%interp use has no option '--force'.\nUsage: %interp use TARGET");
}
