// include/xinterp/protocol/timers.hpp: what the I/O thread does later. I/O thread only.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <utility>

namespace xinterp::kernel {

class Timers {
public:
    using Clock = std::chrono::steady_clock;
    using Handle = std::pair<Clock::time_point, std::uint64_t>;

    Handle after(std::chrono::nanoseconds time, std::function<void()> task) {
        const Handle handle{Clock::now() + time, ++last_};
        tasks_.emplace(handle, std::move(task));
        return handle;
    }
    /// Does nothing for one that has run.
    void cancel(const Handle& handle) { tasks_.erase(handle); }
    std::optional<Clock::time_point> next_due() const {
        return tasks_.empty() ? std::nullopt : std::optional{tasks_.begin()->first.first};
    }
    void run_due() {
        const auto now = Clock::now();
        while (!tasks_.empty() && tasks_.begin()->first.first <= now) {
            const auto task = std::move(tasks_.begin()->second);
            tasks_.erase(tasks_.begin());
            task();
        }
    }

private:
    std::map<Handle, std::function<void()>> tasks_;
    std::uint64_t last_ = 0;
};

} // namespace xinterp::kernel
