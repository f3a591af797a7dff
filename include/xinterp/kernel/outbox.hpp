// include/xinterp/kernel/outbox.hpp: the one way from Python's threads to the I/O thread.
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
    void post(CellId cell, Task task);
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
    /// The next entry that is due; text is due when it has waited for its time, is large, or has a task behind it.
    std::optional<Entry> take(Clock::time_point now);
    /// When the next entry will be due by itself.
    std::optional<Clock::time_point> next_due();

private:
    struct Slot {
        Entry entry;
        std::size_t bytes = 0;
    };
    void wake();

    int wake_descriptor_;
    mutable std::mutex mutex_;
    std::condition_variable room_;
    std::deque<std::unique_ptr<Slot>> slots_;
    std::unordered_map<CellId, Slot*> open_; ///< the piece that more text of the cell may join
    std::atomic<std::size_t> tasks_ = 0;
    std::atomic<std::size_t> bytes_ = 0;
};

} // namespace xinterp::kernel
