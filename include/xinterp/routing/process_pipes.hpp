// include/xinterp/routing/process_pipes.hpp: what subprocesses and C code write to descriptors.
//
// A subprocess gets a pipe of its cell where it would inherit descriptor 1 or 2. The process's own descriptors 1 and 2
// are a pipe too: what C code writes there goes to the one cell that runs, or else to the foreground cell, headed
// [process]. Any thread, unless it says otherwise.
#pragma once

#include <xinterp/protocol/outbox.hpp>

#include <array>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace xinterp::kernel {

/// The read end of a pipe, as UTF-8 text: a character that is not whole yet waits for its rest.
class PipeReader {
public:
    explicit PipeReader(int descriptor) : descriptor_{descriptor} {}
    ~PipeReader();
    PipeReader(const PipeReader&) = delete;
    PipeReader& operator=(const PipeReader&) = delete;

    int descriptor() const { return descriptor_; }
    /// What can be read now; at its end, `ended` is true.
    std::string read_available(bool& ended);

private:
    int descriptor_;
    std::string incomplete_;
};

/// The longest beginning of the text that ends with a whole character.
std::size_t whole_characters(std::string_view text);

class ProcessPipes {
public:
    /// Told of each read end that the I/O thread has to watch (on any thread) or forget (on the I/O thread).
    struct Watcher {
        std::function<void(int descriptor, CellId cell)> opened;
        std::function<void(int descriptor)> ended;
    };
    ProcessPipes(Outbox& outbox, Watcher watcher) : outbox_{outbox}, watcher_{std::move(watcher)} {}

    /// The write end for a cell's subprocesses; a new pipe if the cell's has been closed. -1 when the process has no
    /// descriptor left.
    int write_end(Source source, Stream stream);
    /// The write end of a new pipe, for a worker of that pool; the caller closes it. The pool's first source, until it
    /// is given work, is this one. -1 when the process has no descriptor left.
    int open_for_worker(Source source, modules::PoolId pool, Stream stream);
    /// What the pool's workers write from now on belongs to the source.
    void give(Source source, modules::PoolId pool);
    /// Passes on what its subprocesses have written so far, so that it precedes what the cell writes next.
    void drain(CellId cell);
    /// The cell is over: its pipes end when the last subprocess that has one does.
    void close_write_ends(CellId cell);
    /// A read end is readable. I/O thread.
    void read(int descriptor);

private:
    struct Pipe {
        Source source;
        Stream stream;
        PipeReader reader;
        int write_end;            ///< -1: closed, or not ours
        modules::PoolId pool = 0; ///< whose worker has it: then `source` changes
    };
    bool pass_on(Pipe& pipe);
    int open(std::unique_lock<std::mutex> lock, Source source, Stream stream, modules::PoolId pool);

    Outbox& outbox_;
    Watcher watcher_;
    std::mutex mutex_; ///< held while pipes are read, which never waits
    std::vector<std::shared_ptr<Pipe>> pipes_;
    std::map<modules::PoolId, Source> pools_;
    std::atomic<std::size_t> count_ = 0;
};

/// The process's own descriptors 1 and 2.
class ProcessOutput {
public:
    /// Whom it belongs to now: a cell, and whether that is certain.
    struct Owner {
        Source source;
        bool certain = false;
    };
    using FindOwner = std::function<Owner()>;

    /// Puts pipes in the place of 1 and 2. Their old descriptor 2 becomes the log's.
    ProcessOutput(Outbox& outbox, FindOwner find_owner);
    ~ProcessOutput();
    ProcessOutput(const ProcessOutput&) = delete;
    ProcessOutput& operator=(const ProcessOutput&) = delete;

    /// Whether the process's descriptor 1 or 2 is still the pipe, and nothing that code has put in its place (dup2).
    /// Any thread.
    static bool is_in_place(Stream stream);
    /// When the process crashes, what it has said of it (Python's "Fatal Python error: ...") goes to the log instead of
    /// into a pipe that nothing reads any more, and a report follows it: see crash_report.hpp.
    void report_crashes() const;
    /// Text for descriptor 2 that did not go through the pipe: remembered for such a report. Any thread.
    static void remember_last_words(std::string_view text);

    std::array<int, 2> descriptors() const { return {readers_[0]->descriptor(), readers_[1]->descriptor()}; }
    /// Passes on what can be read now.
    void drain();

private:
    Outbox& outbox_;
    FindOwner find_owner_;
    std::mutex mutex_;
    std::array<std::unique_ptr<PipeReader>, 2> readers_;
    std::array<int, 2> saved_{};
    std::array<bool, 2> line_is_open_{}; ///< what was passed on last did not end with its line
};

} // namespace xinterp::kernel
