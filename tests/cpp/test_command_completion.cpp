#include "printing.hpp"

#include <xinterp/commands/command_completion.hpp>

#include <string>
#include <string_view>
#include <vector>

using namespace xinterp::kernel;
using xinterp::python::InterpreterInfo;
using xinterp::python::State;

namespace {

std::vector<InterpreterInfo> interpreters() {
    std::vector<InterpreterInfo> all(4);
    for (std::size_t i = 0; i < all.size(); ++i) all[i].id = static_cast<xinterp::python::InterpreterId>(i);
    all[0].name = "main";
    all[1].name = "alice";
    all[3].name = "gone";
    all[3].state = State::closing;
    return all;
}

// What can stand at the end of the code, and what it replaces; "-" for nothing of the kernel's.
Lines complete(std::string_view code) {
    const auto found = complete_command(code, code_points(code), interpreters());
    if (!found) return {"-"};
    Lines lines;
    for (const auto& match : found->matches) lines.push_back(match.text);
    if (found->variables) lines.push_back(found->variables->target + ":" + found->variables->begun);
    return lines;
}

} // namespace

TEST_CASE("what lives can be a target, by its name or its id") {
    CHECK(complete("%%interp ") == Lines{"main", "alice", "2", "all"});
    CHECK(complete("%%interp alice,") == Lines{"main", "2"});
    CHECK(complete("%interp close ") == Lines{"alice", "2", "all"});
}

TEST_CASE("options are those that the parsers know") {
    CHECK(complete("%interp create --") == Lines{"--preset", "--if-missing", "--fresh"});
    CHECK(complete("%%interp alice --create --") == Lines{"--help", "--preset", "--in", "--out", "--timeout"});
    CHECK(complete("%interp close alice --force --") == Lines{});
}

TEST_CASE("variables are asked of the interpreter that has them") {
    CHECK(complete("%%interp alice --in x,y") == Lines{"main:y"});
    CHECK(complete("%%interp alice --out y") == Lines{"alice:y"});
    CHECK(complete("%interp share --from alice y") == Lines{"alice:y"});
}

TEST_CASE("only lines of the magics are answered") {
    CHECK(complete("") == Lines{"-"});
    CHECK(complete("x = 1\n%%interp ") == Lines{"-"});
    CHECK(complete("# %interp ") == Lines{"-"});
    CHECK(complete("print('%interp ") == Lines{"-"});
    CHECK(complete("%interpret ") == Lines{"-"});
    CHECK(complete("%%interp alice\nx") == Lines{"-"});
    CHECK(complete("x = 1\n  t = %interp l") == Lines{"list"});
}

TEST_CASE("places are numbers of characters") {
    const auto inside = complete_command("é = 'ü'\n%interp use al", 22, interpreters());
    REQUIRE(inside);
    CHECK(inside->start == 20);
    CHECK(inside->end == 22);
}

TEST_CASE("a cell's code keeps its places without its %%interp line") {
    CHECK(without_cell_magic("# é\n%%interp ü\nx\n") == "# é\n          \nx\n");
    CHECK(without_cell_magic("x\n%%interp alice\n") == "x\n%%interp alice\n");
}
