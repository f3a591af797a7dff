// include/xinterp/protocol/outbox.hpp: the one way from Python's threads to the I/O thread.
//
// Text of a cell's streams is coalesced: it joins the cell's last piece as long as that one is of the same stream and
// interpreter, and nothing else of the cell came in between, so that stdout, stderr and all other messages of a cell
// keep their order. What is on its way is bounded: writers wait past the bound.
#pragma once

#include <xinterp/modules/front_end.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>

namespace xinterp::kernel {

using modules::CellId;
using modules::InterpreterId;
using modules::Source;
using modules::Stream;

class Outbox {
public:
    using Clock = std::chrono::steady_clock;
    /// Runs on the I/O thread, after everything that its cell sent before.
    using Task = std::function<void()>;
    struct Text {
        Source source;
        Stream stream = Stream::out;
        std::string text;
        Clock::time_point begun;
    };
    using Entry = std::variant<Text, Task>;

    /// What next_due() says of an entry that need not wait: the clock's beginning, which has always passed.
    static constexpr Clock::time_point at_once{};
    static constexpr std::chrono::milliseconds coalescing_time{15};
    static constexpr std::size_t piece_bytes = 64 * 1024; ///< a piece of text that reached this goes at once
    /// Of all that is on its way, here and in the publisher: writers wait past it. A cell that writes less than that
    /// ends, and is replied to, even if its client does not look at iopub before it has seen the reply.
    static constexpr std::size_t bound_bytes = 32 * 1024 * 1024;
    /// What an entry costs besides its text: many small ones are bounded too.
    static constexpr std::size_t entry_overhead = 256;

    Outbox();
    ~Outbox();
    Outbox(const Outbox&) = delete;
    Outbox& operator=(const Outbox&) = delete;

    // Any thread.
    void write(Source source, Stream stream, std::string_view text);
    /// `bytes` is what the task holds, a message for example.
    void post(CellId cell, Task task, std::size_t bytes = 0);
    bool has_room() const { return bytes_ < bound_bytes; }
    bool wait_for_room(std::chrono::milliseconds time);
    /// What the publisher has taken over and not sent counts too.
    void charge(std::size_t bytes) { bytes_ += bytes; }
    void release(std::size_t bytes);

    // The I/O thread.
    int descriptor() const { return wake_descriptor_; } ///< readable when there is something new to look at
    void acknowledge();
    /// Waits, without sleeping, until a task has been posted or the time is up.
    void await_task(std::chrono::microseconds time) const;
    /// The first entry, if it is due at that time. Text that more text may join is due after the coalescing time,
    /// unless it is large or a task waits after it; everything else is due at once.
    std::optional<Entry> take(Clock::time_point now);
    /// When take() gives the first entry. The I/O thread must not sleep longer: nothing wakes it a second time for
    /// entries that it has left here.
    std::optional<Clock::time_point> next_due() const;

private:
    struct Slot {
        Entry entry;
        std::size_t bytes = 0;
    };
    void wake();
    // With the lock.
    bool is_open(const Slot& slot) const; ///< more text of its cell may join it
    std::optional<Clock::time_point> first_due() const;

    int wake_descriptor_;
    mutable std::mutex mutex_;
    std::condition_variable room_;
    std::deque<std::unique_ptr<Slot>> slots_;
    std::unordered_map<CellId, Slot*> open_; ///< the piece that more text of the cell may join
    std::atomic<std::size_t> tasks_ = 0;
    std::atomic<std::size_t> bytes_ = 0;
};

} // namespace xinterp::kernel
