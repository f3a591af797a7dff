#include "printing.hpp"

#include <xinterp/protocol/outbox.hpp>

#include <poll.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

using namespace xinterp::kernel;

namespace {

constexpr auto long_after = Outbox::Clock::time_point::max();
constexpr Source first{1, 0}, second{2, 0};

// All that is due at that time: "1.0 out: text" of cell 1 in interpreter 0; a task writes its own line.
struct Bench {
    Outbox outbox;
    Lines lines;

    void task(CellId cell, const std::string& line) {
        outbox.post(cell, [this, line] { lines.push_back(line); });
    }
    Lines take(Outbox::Clock::time_point now = long_after) {
        while (auto entry = outbox.take(now)) {
            if (auto* task = std::get_if<Outbox::Task>(&*entry)) {
                (*task)();
                continue;
            }
            const auto& text = std::get<Outbox::Text>(*entry);
            lines.push_back(std::to_string(text.source.cell) + "." + std::to_string(text.source.interpreter) +
                            (text.stream == Stream::out ? " out: " : " err: ") + text.text);
        }
        return std::exchange(lines, {});
    }
    bool woken() {
        pollfd descriptor{outbox.descriptor(), POLLIN, 0};
        const bool readable = poll(&descriptor, 1, 0) == 1;
        outbox.acknowledge();
        return readable;
    }
};

} // namespace

TEST_CASE("many small writes leave as one piece") {
    Bench bench;
    for (const char* text : {"one ", "two ", "three"}) bench.outbox.write(first, Stream::out, text);
    CHECK(bench.take() == Lines{"1.0 out: one two three"});
}

TEST_CASE("stdout and stderr of a cell keep their order") {
    Bench bench;
    bench.outbox.write(first, Stream::out, "a");
    bench.outbox.write(first, Stream::err, "b");
    bench.outbox.write(first, Stream::out, "c");
    CHECK(bench.take() == Lines{"1.0 out: a", "1.0 err: b", "1.0 out: c"});
}

TEST_CASE("text does not join what was written before another message of its cell") {
    Bench bench;
    bench.outbox.write(first, Stream::out, "before");
    bench.task(first.cell, "a display");
    bench.outbox.write(first, Stream::out, "after");
    CHECK(bench.take() == Lines{"1.0 out: before", "a display", "1.0 out: after"});
}

TEST_CASE("another cell's messages do not break up a cell's text") {
    Bench bench;
    bench.outbox.write(first, Stream::out, "a");
    bench.outbox.write(second, Stream::out, "x");
    bench.task(second.cell, "a display of the second");
    bench.outbox.write(first, Stream::out, "b");
    CHECK(bench.take() == Lines{"1.0 out: ab", "2.0 out: x", "a display of the second"});
}

TEST_CASE("the text of two interpreters in one cell stays apart") {
    Bench bench;
    bench.outbox.write({1, 1}, Stream::out, "from one");
    bench.outbox.write({1, 2}, Stream::out, "from two");
    bench.outbox.write({1, 1}, Stream::out, "from one again");
    CHECK(bench.take() == Lines{"1.1 out: from one", "1.2 out: from two", "1.1 out: from one again"});
}

TEST_CASE("text waits a moment for more, and no longer") {
    Bench bench;
    CHECK(!bench.outbox.next_due());
    const auto before = Outbox::Clock::now();
    bench.outbox.write(first, Stream::out, "text");
    const auto due = bench.outbox.next_due();
    REQUIRE(due);
    CHECK(*due >= before + Outbox::coalescing_time);
    CHECK(bench.take(*due - std::chrono::nanoseconds{1}) == Lines{});
    bench.outbox.write(first, Stream::out, " and more"); // does not put it off
    CHECK(bench.outbox.next_due() == due);
    CHECK(bench.take(*due) == Lines{"1.0 out: text and more"});
    CHECK(!bench.outbox.next_due());
}

TEST_CASE("what is left in the outbox is due at a time that can be compared with now") {
    Bench bench;
    for (const char* line : {"one", "two", "three"}) bench.task(first.cell, line);
    CHECK(bench.woken());
    while (bench.outbox.take(Outbox::Clock::now())) {
        const auto due = bench.outbox.next_due();
        const auto now = Outbox::Clock::now();
        if (due) CHECK(*due - now <= std::chrono::nanoseconds{0}); // no overflow makes a long sleep of it
    }
    CHECK(!bench.outbox.next_due());
    CHECK(!bench.woken()); // nothing else says that entries are left
}

TEST_CASE("take() gives an entry exactly when next_due() says so") {
    Bench bench;
    bench.outbox.write(first, Stream::out, "a");
    bench.outbox.write(second, Stream::out, "b");
    const auto waits = bench.outbox.next_due();
    REQUIRE(waits);
    CHECK(*waits > Outbox::at_once); // more of the first cell's text may come
    CHECK(!bench.outbox.take(*waits - std::chrono::nanoseconds{1}));
    bench.outbox.write(first, Stream::err, "c"); // now it cannot
    CHECK(bench.outbox.next_due() == Outbox::at_once);
    CHECK(bench.outbox.take(Outbox::at_once));
    CHECK(!bench.outbox.take(Outbox::at_once)); // the second cell's may grow
    bench.task(first.cell, "task");
    CHECK(bench.outbox.next_due() == Outbox::at_once);
    CHECK(bench.take(Outbox::at_once) == Lines{"2.0 out: b", "1.0 err: c", "task"});
}

TEST_CASE("text in front of a task goes at once, with the task") {
    Bench bench;
    bench.outbox.write(first, Stream::out, "text");
    bench.task(first.cell, "a display");
    CHECK(bench.take(Outbox::at_once) == Lines{"1.0 out: text", "a display"});
}

TEST_CASE("a large piece goes at once, and the text after it is a piece of its own") {
    Bench bench;
    const std::string large(Outbox::piece_bytes, 'x');
    bench.outbox.write(first, Stream::out, large);
    bench.outbox.write(first, Stream::out, "rest");
    const auto entry = bench.outbox.take(Outbox::at_once);
    REQUIRE(entry);
    CHECK(std::get<Outbox::Text>(*entry).text == large);
    CHECK(bench.take() == Lines{"1.0 out: rest"});
}

TEST_CASE("text that comes after its piece has been taken is not lost") {
    Bench bench;
    bench.outbox.write(first, Stream::out, "a");
    CHECK(bench.take() == Lines{"1.0 out: a"});
    bench.outbox.write(first, Stream::out, "b");
    CHECK(bench.take() == Lines{"1.0 out: b"});
}

TEST_CASE("the I/O thread is woken by the first text, by a task and by a full piece, and by nothing else") {
    Bench bench;
    CHECK(!bench.woken());
    bench.outbox.write(first, Stream::out, "");
    CHECK(!bench.woken());
    bench.outbox.write(first, Stream::out, "text");
    CHECK(bench.woken());
    bench.outbox.write(first, Stream::out, "more"); // the thread knows already when to look
    CHECK(!bench.woken());
    bench.outbox.write(first, Stream::out, std::string(Outbox::piece_bytes, 'x'));
    CHECK(bench.woken());
    bench.task(first.cell, "a display");
    CHECK(bench.woken());
}

TEST_CASE("what is on its way is bounded, and there is room again when half of it has gone") {
    Bench bench;
    const std::string piece(Outbox::piece_bytes, 'x');
    CHECK(bench.outbox.has_room());
    std::size_t pieces = 0;
    for (; bench.outbox.has_room(); ++pieces) bench.outbox.write(first, Stream::out, piece);
    CHECK(pieces <= Outbox::bound_bytes / Outbox::piece_bytes);
    CHECK(!bench.outbox.wait_for_room(std::chrono::milliseconds{0}));
    std::size_t taken = 0;
    for (; !bench.outbox.wait_for_room(std::chrono::milliseconds{0}); ++taken) REQUIRE(bench.outbox.take(long_after));
    CHECK(taken >= pieces / 2);
    CHECK(bench.outbox.has_room());
}

TEST_CASE("a flood of empty messages is bounded too") {
    Bench bench;
    std::size_t tasks = 0;
    for (; bench.outbox.has_room() && tasks < Outbox::bound_bytes; ++tasks) bench.outbox.post(1, [] {});
    CHECK(!bench.outbox.has_room());
    while (bench.outbox.take(long_after)) {
    }
    CHECK(bench.outbox.has_room());
}

TEST_CASE("a message counts with what it holds") {
    Bench bench;
    const std::size_t megabyte = 1024 * 1024;
    std::size_t messages = 0;
    for (; bench.outbox.has_room(); ++messages) bench.outbox.post(1, [] {}, megabyte);
    CHECK(messages <= Outbox::bound_bytes / megabyte);
    bench.take();
    CHECK(bench.outbox.has_room());
    CHECK(bench.outbox.wait_for_room(std::chrono::milliseconds{0}));
}

TEST_CASE("the texts of many threads arrive whole and in order, each under its own cell") {
    constexpr std::size_t cells = 4, lines = 4000;
    Outbox outbox;
    std::vector<std::thread> writers;
    std::array<std::atomic<int>, cells> ended{};
    for (std::size_t cell = 0; cell < cells; ++cell)
        writers.emplace_back([&outbox, &ended, cell] {
            const Source source{cell, 0};
            for (std::size_t line = 0; line < lines; ++line) {
                outbox.write(source, line % 10 == 0 ? Stream::err : Stream::out, std::to_string(line) + "\n");
                while (!outbox.has_room()) outbox.wait_for_room(std::chrono::milliseconds{50});
            }
            outbox.post(cell, [&ended, cell] { ++ended[cell]; });
        });

    std::array<std::string, cells> arrived;
    std::size_t left = cells;
    while (left > 0) {
        pollfd descriptor{outbox.descriptor(), POLLIN, 0};
        const int woken = poll(&descriptor, 1, 5000);
        if (woken != 1) break; // a wake-up was lost: the checks below fail instead of hanging
        outbox.acknowledge();
        while (auto entry = outbox.take(long_after)) {
            if (auto* task = std::get_if<Outbox::Task>(&*entry)) {
                (*task)();
                --left;
            } else {
                auto& text = std::get<Outbox::Text>(*entry);
                arrived[text.source.cell] += text.text;
            }
        }
    }
    for (std::thread& writer : writers) writer.join();

    std::string expected;
    for (std::size_t line = 0; line < lines; ++line) expected += std::to_string(line) + "\n";
    CHECK(left == 0);
    for (std::size_t cell = 0; cell < cells; ++cell) {
        CHECK(ended[cell] == 1);
        CHECK((arrived[cell] == expected)); // in parentheses: a difference would fill the screen
    }
}

TEST_CASE("a writer past the bound goes on when the I/O thread has made room") {
    Outbox outbox;
    const std::string piece(Outbox::piece_bytes, 'x');
    while (outbox.has_room()) outbox.write(first, Stream::out, piece);
    bool had_room = false;
    std::thread writer{[&] { // in slices, as writers wait that can be interrupted
        for (int slice = 0; slice < 100 && !had_room; ++slice)
            had_room = outbox.wait_for_room(std::chrono::milliseconds{50});
    }};
    while (outbox.take(long_after)) {
    }
    writer.join();
    CHECK(had_room);
}

TEST_CASE("what the publisher has taken over and not sent counts too") {
    Outbox outbox;
    outbox.charge(Outbox::bound_bytes);
    CHECK(!outbox.has_room());
    outbox.write(first, Stream::out, "text");
    CHECK(outbox.take(long_after));
    CHECK(!outbox.wait_for_room(std::chrono::milliseconds{0})); // the outbox is empty, and yet there is no room
    outbox.release(Outbox::bound_bytes);
    CHECK(outbox.wait_for_room(std::chrono::milliseconds{0}));
}
