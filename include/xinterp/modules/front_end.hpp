// include/xinterp/modules/front_end.hpp: what Python code in a cell needs of whoever shows its output and answers it.
// The kernel implements it; the modules and their tests know no more of the kernel than this.
#pragma once

#include <xinterp/python/registry.hpp>

#include <nlohmann/json.hpp>

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace xinterp::modules {

using python::InterpreterId;

/// Numbers the cells of a kernel's life from 1; 0 is no cell.
using CellId = std::uint64_t;

/// Numbers the pools of worker processes.
using PoolId = std::uint64_t;

/// Where an output comes from.
struct Source {
    CellId cell = 0;
    InterpreterId interpreter = python::main_interpreter;
};

enum class Stream { out, err };
inline std::string_view stream_name(Stream stream) { return stream == Stream::out ? "stdout" : "stderr"; }

/// A value that one thread waits for and another gives, once. Any thread.
class Answer {
public:
    void give(nlohmann::json value) {
        {
            const std::scoped_lock lock{mutex_};
            value_ = std::move(value);
        }
        given_.notify_all();
    }
    /// The value, or nothing if it has not come in that time.
    std::optional<nlohmann::json> wait_for(std::chrono::milliseconds time) {
        std::unique_lock lock{mutex_};
        given_.wait_for(lock, time, [this] { return value_.has_value(); });
        return value_;
    }

private:
    std::mutex mutex_;
    std::condition_variable given_;
    std::optional<nlohmann::json> value_;
};

/// A line that code asks the person for.
struct InputRequest {
    std::string prompt;
    bool password = false;
    unsigned long thread = 0; ///< the one that waits, as Python numbers threads
};

/// Every member may be called on any thread and returns at once, unless it says otherwise.
class FrontEnd {
public:
    virtual ~FrontEnd() = default;

    /// UTF-8 text for a cell's stdout or stderr; never waits, so a writer asks has_room() afterwards.
    virtual void write(Source source, Stream stream, std::string_view text) = 0;
    virtual bool has_room() const = 0;
    /// Waits until what is on its way has shrunk; false after that time.
    virtual bool wait_for_room(std::chrono::milliseconds time) = 0;

    /// Any other message of a cell (display_data, execute_result, clear_output, ...).
    virtual void publish(Source source, std::string type, nlohmann::json content, nlohmann::json metadata,
                         std::vector<std::string> buffers) = 0;
    /// Asks the person: the answer is {"value": text}, or {"error": sentence} where the front end allows no input.
    virtual std::shared_ptr<Answer> ask_input(Source source, InputRequest request) = 0;
    /// Nobody waits for that answer any more.
    virtual void withdraw_input(const std::shared_ptr<Answer>& answer) = 0;
    /// A management command; the answer is {"ok": bool, ...} as commands.hpp says.
    virtual std::shared_ptr<Answer> command(Source source, nlohmann::json request) = 0;
    virtual void withdraw_command(const std::shared_ptr<Answer>& answer) = 0;
    /// Whether the debugger is on: then it is told of an interpreter before code of another one enters it, by the
    /// command {"command": "debugger", "what": "connect", "id": interpreter}.
    virtual bool debugs() const { return false; }
    /// The descriptor that a subprocess of the cell gets in place of 1 or 2. It stays open until the cell ends. -1 if
    /// it inherits its own: code has put something else in the place of the process's.
    virtual int process_pipe(Source source, Stream stream) = 0;
    /// The same for a worker of a pool, which works for one cell after another. The caller closes it.
    virtual int worker_pipe(Source source, PoolId pool, Stream stream) = 0;
    /// From now on what the pool's workers write belongs to the source.
    virtual void work_given(Source source, PoolId pool) = 0;
    /// A process belongs to the cell from now on: Stop interrupts it with the cell.
    /// `began`: just before the call that has made it.
    virtual void process_started(Source source, pid_t process, std::chrono::steady_clock::time_point began) = 0;
};

} // namespace xinterp::modules
