#include "printing.hpp"

#include <xinterp/routing/attribution.hpp>

#include <chrono>
#include <string>
#include <vector>

using namespace xinterp::kernel;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

// A prefixer with a clock that only the test moves.
struct Bench {
    LinePrefixer prefixer;
    LinePrefixer::Clock::time_point start{1000s}, now = start;

    /// "out: text" or "err: text"; how the text of one stream is cut into messages does not matter. "draw 1: line" and
    /// "redraw 1: line" of a bar.
    static Lines shown(const std::vector<LinePrefixer::Output>& outputs) {
        Lines lines;
        for (std::size_t i = 0; i < outputs.size(); ++i) {
            if (outputs[i].bar != 0) {
                lines.push_back((outputs[i].redrawn ? "redraw " : "draw ") + std::to_string(outputs[i].bar) + ": " +
                                outputs[i].text);
                continue;
            }
            if (i == 0 || outputs[i - 1].bar != 0 || outputs[i].stream != outputs[i - 1].stream)
                lines.emplace_back(outputs[i].stream == Stream::out ? "out: " : "err: ");
            lines.back() += outputs[i].text;
        }
        return lines;
    }
    Lines out(const std::string& label, std::string_view text) {
        return shown(prefixer.write(label, Stream::out, text, now));
    }
    Lines err(const std::string& label, std::string_view text) {
        return shown(prefixer.write(label, Stream::err, text, now));
    }
    Lines after(std::chrono::milliseconds time) {
        now += time;
        return shown(prefixer.tick(now));
    }
    Lines flush(const std::string& label) { return shown(prefixer.flush(label)); }
};

} // namespace

TEST_CASE("every line gets the prefix of its target, also an empty one") {
    Bench bench;
    CHECK(bench.out("alice", "one\n\ntwo\n") == Lines{"out: [alice] one\n[alice] \n[alice] two\n"});
}

TEST_CASE("lines of several targets do not mix") {
    Bench bench;
    CHECK(bench.out("alice", "al") == Lines{});
    CHECK(bench.out("bob", "bob's line\n") == Lines{"out: [bob] bob's line\n"});
    CHECK(bench.out("alice", "ice's line\n") == Lines{"out: [alice] alice's line\n"});
}

TEST_CASE("an unfinished line shows after 100 ms, counted from its first character") {
    Bench bench;
    CHECK(!bench.prefixer.next_due());
    bench.out("alice", "working");
    CHECK(*bench.prefixer.next_due() == bench.start + 100ms);
    CHECK(bench.after(60ms) == Lines{});
    bench.out("alice", " on it");
    CHECK(*bench.prefixer.next_due() == bench.start + 100ms);
    CHECK(bench.after(39ms) == Lines{});
    CHECK(bench.after(1ms) == Lines{"out: [alice] working on it"});
    CHECK(!bench.prefixer.next_due());
}

TEST_CASE("the rest of a line that has been shown goes on without another prefix") {
    Bench bench;
    bench.out("alice", "half");
    bench.after(100ms);
    CHECK(bench.out("alice", " and half\nnext\n") == Lines{"out:  and half\n[alice] next\n"});
}

TEST_CASE("a newline comes first when another target writes after a line that has been shown unfinished") {
    Bench bench;
    bench.out("alice", "half");
    bench.after(100ms);
    CHECK(bench.out("bob", "whole\n") == Lines{"out: \n[bob] whole\n"});
    // What alice's line still has to say is a line of its own: the two halves no longer stand together.
    CHECK(bench.out("alice", " a line\n") == Lines{"out: [alice]  a line\n"});
}

TEST_CASE("the newline that ends an unfinished line goes to the stream of that line") {
    Bench bench;
    bench.out("alice", "half");
    bench.after(100ms);
    CHECK(bench.err("bob", "warning\n") == Lines{"out: \n", "err: [bob] warning\n"});
}

TEST_CASE("what a target holds back on stdout is shown before it goes on on stderr") {
    Bench bench;
    CHECK(bench.out("alice", "result: ") == Lines{});
    CHECK(bench.err("alice", "failed\n") == Lines{"out: [alice] result: \n", "err: [alice] failed\n"});
}

TEST_CASE("unfinished lines of two targets that are due together are shown one below the other") {
    Bench bench;
    bench.out("alice", "a");
    bench.out("bob", "b");
    CHECK(bench.after(100ms) == Lines{"out: [alice] a\n[bob] b"});
}

TEST_CASE("a carriage return keeps the prefix, so that progress bars are redrawn behind it") {
    Bench bench;
    bench.out("alice", "10%");
    CHECK(bench.after(100ms) == Lines{"out: [alice] 10%"});
    bench.out("alice", "\r20%");
    CHECK(bench.after(100ms) == Lines{"out: \r[alice] 20%"});
    CHECK(bench.out("alice", "\r30%\r40%\n") == Lines{"out: \r[alice] 30%\r[alice] 40%\n"});
}

TEST_CASE("progress bars of two targets are redrawn in places of their own") {
    Bench bench;
    bench.err("alice", "\r 0%");
    bench.err("bob", "\r 0%");
    CHECK(bench.after(100ms) == Lines{"draw 1: [alice]  0%", "draw 2: [bob]  0%"});
    bench.err("bob", "\r50%");
    bench.err("alice", "\r10%\r20%");
    CHECK(bench.after(100ms) == Lines{"redraw 1: [alice] 20%", "redraw 2: [bob] 50%"});
    CHECK(bench.err("alice", "\r100%\ndone\n") == Lines{"redraw 1: [alice] 100%", "err: [alice] done\n"});
    CHECK(bench.err("bob", "\n") == Lines{});
    CHECK(bench.err("bob", "bob, too\n") == Lines{"err: [bob] bob, too\n"});
}

TEST_CASE("a bar whose line ends in a carriage return is redrawn from its beginning") {
    Bench bench;
    bench.out("alice", "10%\r");
    CHECK(bench.after(100ms) == Lines{"draw 1: [alice] 10%"});
    bench.out("alice", "20%\r");
    CHECK(bench.after(100ms) == Lines{"redraw 1: [alice] 20%"});
    CHECK(bench.out("alice", "\x1b[31mdone\n") == Lines{"redraw 1: [alice] \x1b[31mdone\x1b[0m"});
}

TEST_CASE("a bar does not stand in the line that another target has begun") {
    Bench bench;
    bench.out("bob", "half");
    bench.after(100ms);
    bench.err("alice", "\r10%");
    CHECK(bench.after(100ms) == Lines{"out: \n", "draw 1: [alice] 10%"});
    bench.out("alice", "a line\n");
    CHECK(bench.flush("") == Lines{});
    bench.err("alice", "\r20%");
    CHECK(bench.flush("alice") == Lines{"redraw 1: [alice] 20%"});
}

TEST_CASE("the line ends of other systems are line ends, not redraws") {
    Bench bench;
    CHECK(bench.out("alice", "one\r\ntwo\r\n") == Lines{"out: [alice] one\n[alice] two\n"});
}

TEST_CASE("a colour ends with its line") {
    Bench bench;
    CHECK(bench.out("alice", "\x1b[31mred\nplain\n") == Lines{"out: [alice] \x1b[31mred\x1b[0m\n[alice] plain\n"});
    CHECK(bench.out("alice", "\x1b[1;31mred\x1b[0m again\n") == Lines{"out: [alice] \x1b[1;31mred\x1b[0m again\n"});
    CHECK(bench.out("alice", "\x1b[2Kno colour\n") == Lines{"out: [alice] \x1b[2Kno colour\n"});
}

TEST_CASE("a colour does not leak out of a line that another target ends") {
    Bench bench;
    bench.out("alice", "\x1b[31mred");
    bench.after(100ms);
    CHECK(bench.out("bob", "plain\n") == Lines{"out: \x1b[0m\n[bob] plain\n"});
}

TEST_CASE("a colour that began in the part already shown ends with the line") {
    Bench bench;
    bench.out("alice", "\x1b[31mred");
    bench.after(100ms);
    CHECK(bench.out("alice", " and red\n") == Lines{"out:  and red\x1b[0m\n"});
}

TEST_CASE("a flush shows a target's unfinished line and ends it, and leaves other targets alone") {
    Bench bench;
    bench.out("alice", "a");
    bench.out("bob", "b");
    CHECK(bench.flush("alice") == Lines{"out: [alice] a\n"});
    CHECK(bench.flush("alice") == Lines{});
    CHECK(bench.out("bob", "ob\n") == Lines{"out: [bob] bob\n"});
}

TEST_CASE("a flush of all targets ends every unfinished line") {
    Bench bench;
    bench.out("alice", "a");
    bench.err("bob", "b");
    CHECK(bench.flush("") == Lines{"out: [alice] a\n", "err: [bob] b\n"});
}

TEST_CASE("a text result is headed by the name of its target") {
    const HeadedBundle one_line = head_bundle("alice", {{"text/plain", "42"}});
    CHECK(one_line.header.is_null());
    CHECK(one_line.data == json{{"text/plain", "[alice] 42"}});
    // The lines of an array or a table must stay below one another.
    CHECK(head_bundle("alice", {{"text/plain", "1 2\n3 4"}}).data == json{{"text/plain", "[alice]\n1 2\n3 4"}});
}

TEST_CASE("a rich result is headed in its HTML and in its text") {
    const HeadedBundle rich = head_bundle("alice", {{"text/plain", "table"}, {"text/html", "<table/>"}});
    CHECK(rich.header.is_null());
    CHECK(rich.data == json{{"text/plain", "[alice] table"}, {"text/html", "<div><b>[alice]</b></div><table/>"}});
}

TEST_CASE("an image has no place for a name: a message of its own heads it") {
    const HeadedBundle image = head_bundle("alice", {{"text/plain", "<Figure>"}, {"image/png", "iVBORw0"}});
    CHECK(image.header == json{{"text/plain", "[alice]"}});
    CHECK(image.data.at("image/png") == "iVBORw0");
}

TEST_CASE("a bundle with nothing in it, or with no text where text belongs, is only headed") {
    CHECK(head_bundle("alice", json::object()).header == json{{"text/plain", "[alice]"}});
    const HeadedBundle odd = head_bundle("alice", {{"text/html", 3}});
    CHECK(odd.header == json{{"text/plain", "[alice]"}});
    CHECK(odd.data == json{{"text/html", 3}});
}
