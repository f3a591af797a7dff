#include "printing.hpp"

#include <xinterp/routing/process_pipes.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

using namespace xinterp::kernel;

namespace {

void put(int descriptor, std::string_view text) {
    REQUIRE(write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
}

// A pipe whose read end a PipeReader owns.
struct Pipe {
    static std::array<int, 2> make() {
        std::array<int, 2> ends{};
        REQUIRE(pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) == 0);
        return ends;
    }
    std::array<int, 2> ends = make();
    PipeReader reader{ends[0]};
    bool ended = false;

    void close_write_end() const { close(ends[1]); }
    std::string read() { return reader.read_available(ended); }
};

struct Bench {
    Outbox outbox;
    std::vector<int> watched, forgotten;
    ProcessPipes pipes{outbox,
                       {[this](int descriptor, CellId) { watched.push_back(descriptor); },
                        [this](int descriptor) { forgotten.push_back(descriptor); }}};

    Lines written() {
        Lines lines;
        while (const auto entry = outbox.take(Outbox::Clock::time_point::max())) {
            const auto& text = std::get<Outbox::Text>(*entry);
            lines.push_back(std::to_string(text.source.cell) + "." + std::to_string(text.source.interpreter) +
                            (text.stream == Stream::out ? " out: " : " err: ") + text.text);
        }
        return lines;
    }
};

} // namespace

TEST_CASE("only whole characters are passed on") {
    const std::string face = "\xF0\x9F\x98\x80", euro = "\xE2\x82\xAC", umlaut = "\xC3\xA4";
    CHECK(whole_characters("") == 0);
    CHECK(whole_characters("plain") == 5);
    for (const std::string& character : {face, euro, umlaut}) {
        CHECK(whole_characters("ab" + character) == 2 + character.size());
        for (std::size_t part = 1; part < character.size(); ++part)
            CHECK(whole_characters("ab" + character.substr(0, part)) == 2);
    }
}

TEST_CASE("what is no UTF-8 at all is not held back") {
    CHECK(whole_characters("\x80") == 1);
    CHECK(whole_characters("a\x80\x80\x80\x80") == 5);
    CHECK(whole_characters("\xE2\x82\xACz") == 4);
}

TEST_CASE("a character that is cut by the end of a read waits for its rest") {
    Pipe pipe;
    put(pipe.ends[1], "caf\xC3");
    CHECK(pipe.read() == "caf");
    CHECK(pipe.read().empty());
    put(pipe.ends[1], "\xA9\n");
    CHECK(pipe.read() == "\xC3\xA9\n");
    CHECK(!pipe.ended);
    pipe.close_write_end();
}

TEST_CASE("at the end of a pipe everything is passed on, also half a character") {
    Pipe pipe;
    put(pipe.ends[1], "caf\xC3");
    CHECK(pipe.read() == "caf");
    pipe.close_write_end();
    CHECK(pipe.read() == "\xC3");
    CHECK(pipe.ended);
}

TEST_CASE("text and the end of a pipe are found in one read") {
    Pipe pipe;
    put(pipe.ends[1], "last words");
    pipe.close_write_end();
    CHECK(pipe.read() == "last words");
    CHECK(pipe.ended);
}

TEST_CASE("each cell, interpreter and stream has one pipe") {
    Bench bench;
    const int out = bench.pipes.write_end({1, 0}, Stream::out);
    CHECK(bench.pipes.write_end({1, 0}, Stream::out) == out);
    const int err = bench.pipes.write_end({1, 0}, Stream::err);
    const int elsewhere = bench.pipes.write_end({1, 2}, Stream::out);
    const int later = bench.pipes.write_end({2, 0}, Stream::out);
    CHECK(bench.watched.size() == 4);
    put(later, "d");
    put(elsewhere, "c");
    put(err, "b");
    put(out, "a");
    bench.pipes.drain(1);
    CHECK(bench.written() == Lines{"1.0 out: a", "1.0 err: b", "1.2 out: c"});
    bench.pipes.drain(2);
    CHECK(bench.written() == Lines{"2.0 out: d"});
    bench.pipes.close_write_ends(1);
    bench.pipes.close_write_ends(2);
}

TEST_CASE("no program that the process starts inherits both ends of a pipe") {
    Bench bench;
    const int end = bench.pipes.write_end({1, 0}, Stream::out);
    CHECK((fcntl(end, F_GETFD) & FD_CLOEXEC) != 0);
    CHECK((fcntl(bench.watched.at(0), F_GETFD) & FD_CLOEXEC) != 0);
    bench.pipes.close_write_ends(1);
}

TEST_CASE("a pipe outlives its cell for as long as a subprocess has it") {
    Bench bench;
    const int subprocess = dup(bench.pipes.write_end({1, 0}, Stream::out));
    const int reader = bench.watched.at(0);
    bench.pipes.close_write_ends(1);
    put(subprocess, "still here\n");
    bench.pipes.read(reader);
    CHECK(bench.written() == Lines{"1.0 out: still here\n"});
    CHECK(bench.forgotten.empty());

    put(subprocess, "goodbye\n");
    close(subprocess);
    bench.pipes.read(reader);
    CHECK(bench.written() == Lines{"1.0 out: goodbye\n"});
    CHECK(bench.forgotten == std::vector<int>{reader});
    CHECK(fcntl(reader, F_GETFD) == -1); // closed
}

TEST_CASE("the end of one cell's pipes leaves those of other cells open") {
    Bench bench;
    bench.pipes.write_end({1, 0}, Stream::out);
    const int other = bench.pipes.write_end({2, 0}, Stream::out);
    bench.pipes.close_write_ends(1);
    bench.pipes.read(bench.watched.at(0));
    CHECK(bench.forgotten == std::vector<int>{bench.watched.at(0)});
    put(other, "alive");
    bench.pipes.read(bench.watched.at(1));
    CHECK(bench.written() == Lines{"2.0 out: alive"});
    bench.pipes.close_write_ends(2);
}

TEST_CASE("a subprocess that a thread starts after the end of its cell still gets a pipe") {
    Bench bench;
    const int subprocess = dup(bench.pipes.write_end({1, 0}, Stream::out));
    bench.pipes.close_write_ends(1);
    const int late = bench.pipes.write_end({1, 0}, Stream::out);
    CHECK(late >= 0);
    close(subprocess);
    bench.pipes.close_write_ends(1);
}

TEST_CASE("what C code writes to the process's descriptors goes to the one cell that runs") {
    Outbox outbox;
    Lines written;
    {
        ProcessOutput output{outbox, [] { return ProcessOutput::Owner{{7, 1}, true}; }};
        put(STDOUT_FILENO, "from C\n");
        put(STDERR_FILENO, "to stderr\n");
        output.drain();
    }
    while (const auto entry = outbox.take(Outbox::Clock::time_point::max())) {
        const auto& text = std::get<Outbox::Text>(*entry);
        written.push_back((text.stream == Stream::out ? "out: " : "err: ") + text.text);
        CHECK(text.source.cell == 7);
    }
    CHECK(written == Lines{"out: from C\n", "err: to stderr\n"});
}

TEST_CASE("where it cannot be told whose it is, [process] heads every line") {
    Outbox outbox;
    {
        ProcessOutput output{outbox, [] { return ProcessOutput::Owner{{7, 1}, false}; }};
        put(STDOUT_FILENO, "one\ntwo\n");
        output.drain();
    }
    const auto entry = outbox.take(Outbox::Clock::time_point::max());
    REQUIRE(entry);
    CHECK(std::get<Outbox::Text>(*entry).text == "[process] one\n[process] two\n");
}

TEST_CASE("a line that is read in two parts is headed once") {
    Outbox outbox;
    {
        ProcessOutput output{outbox, [] { return ProcessOutput::Owner{{7, 1}, false}; }};
        put(STDOUT_FILENO, "one ");
        output.drain();
        put(STDOUT_FILENO, "line\n");
        output.drain();
    }
    const auto entry = outbox.take(Outbox::Clock::time_point::max());
    REQUIRE(entry);
    CHECK(std::get<Outbox::Text>(*entry).text == "[process] one line\n");
}
