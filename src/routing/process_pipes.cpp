#include <xinterp/protocol/log.hpp>
#include <xinterp/python/raw_output.hpp>
#include <xinterp/routing/crash_report.hpp>
#include <xinterp/routing/process_pipes.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

namespace xinterp::kernel {
namespace {

// Bounds one visit: a subprocess that floods must not keep the I/O thread.
constexpr std::size_t bytes_at_once = 256 * 1024;

struct PipeEnds {
    int read, write;
};

PipeEnds make_pipe() {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::system_error{errno, std::generic_category(), "pipe2"};
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    return {ends[0], ends[1]};
}

// Which file a descriptor is; none if it is closed.
using Identity = std::optional<std::pair<dev_t, ino_t>>;

Identity identity_of(int descriptor) {
    struct stat status{};
    if (fstat(descriptor, &status) != 0) return {};
    return std::pair{status.st_dev, status.st_ino};
}

// The pipes that ProcessOutput has put in the place of descriptors 1 and 2.
std::array<Identity, 2> identities;

int crash_pipe = -1; // the read end of what descriptor 2 is

// The last text that went to descriptor 2 past the pipe. Written without a lock: it is read only when all is lost.
std::array<char, 4096> last_words{};
std::atomic<std::size_t> last_words_size = 0;

// Async-signal-safe.
void pass_last_words_on() {
    std::array<char, 4096> buffer{};
    for (ssize_t count = ::read(crash_pipe, buffer.data(), buffer.size()); count > 0;
         count = ::read(crash_pipe, buffer.data(), buffer.size()))
        ::write(log_descriptor(), buffer.data(), static_cast<std::size_t>(count));
    ::write(log_descriptor(), last_words.data(), last_words_size);
}

} // namespace

std::size_t whole_characters(std::string_view text) {
    // At most the last three bytes can begin a character that is not whole.
    for (std::size_t back = 1; back <= 3 && back <= text.size(); ++back) {
        const auto byte = static_cast<unsigned char>(text[text.size() - back]);
        if ((byte & 0xC0U) == 0x80U) continue;
        const std::size_t length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1;
        return length > back ? text.size() - back : text.size();
    }
    return text.size();
}

PipeReader::~PipeReader() { close(descriptor_); }

std::string PipeReader::read_available(bool& ended) {
    std::string text = std::exchange(incomplete_, {});
    std::array<char, 16 * 1024> buffer{};
    ended = false;
    while (text.size() < bytes_at_once) {
        const ssize_t count = ::read(descriptor_, buffer.data(), buffer.size());
        if (count > 0) {
            text.append(buffer.data(), static_cast<std::size_t>(count));
        } else if (count == 0) {
            ended = true;
            return text;
        } else if (errno != EINTR) {
            break;
        }
    }
    const std::size_t whole = whole_characters(text);
    incomplete_ = text.substr(whole);
    text.resize(whole);
    return text;
}

int ProcessPipes::write_end(Source source, Stream stream) {
    std::unique_lock lock{mutex_};
    for (const auto& existing : pipes_)
        if (existing->source.cell == source.cell && existing->source.interpreter == source.interpreter &&
            existing->stream == stream && existing->write_end >= 0)
            return existing->write_end;
    return open(std::move(lock), source, stream, 0);
}

int ProcessPipes::open_for_worker(Source source, modules::PoolId pool, Stream stream) {
    std::unique_lock lock{mutex_};
    source = pools_.try_emplace(pool, source).first->second;
    return open(std::move(lock), source, stream, pool);
}

int ProcessPipes::open(std::unique_lock<std::mutex> lock, Source source, Stream stream, modules::PoolId pool) {
    PipeEnds ends{};
    try {
        ends = make_pipe();
    } catch (const std::system_error&) {
        return -1;
    }
    pipes_.push_back(
        std::shared_ptr<Pipe>{new Pipe{source, stream, PipeReader{ends.read}, pool == 0 ? ends.write : -1, pool}});
    ++count_;
    lock.unlock();
    watcher_.opened(ends.read, source.cell);
    return ends.write;
}

void ProcessPipes::give(Source source, modules::PoolId pool) {
    const std::scoped_lock lock{mutex_};
    pools_[pool] = source;
    for (const auto& pipe : pipes_) {
        if (pipe->pool != pool) continue;
        pass_on(*pipe); // what they have written before belongs to the former one
        pipe->source = source;
    }
}

bool ProcessPipes::pass_on(Pipe& pipe) {
    bool ended = false;
    const std::string text = pipe.reader.read_available(ended);
    outbox_.write(pipe.source, pipe.stream, text);
    return ended;
}

void ProcessPipes::drain(CellId cell) {
    if (count_ == 0) return;
    const std::scoped_lock lock{mutex_};
    for (const auto& pipe : pipes_)
        if (pipe->source.cell == cell) pass_on(*pipe);
}

void ProcessPipes::close_write_ends(CellId cell) {
    if (count_ == 0) return;
    const std::scoped_lock lock{mutex_};
    for (const auto& pipe : pipes_)
        if (pipe->source.cell == cell && pipe->write_end >= 0) close(std::exchange(pipe->write_end, -1));
}

void ProcessPipes::read(int descriptor) {
    std::shared_ptr<Pipe> ended;
    {
        const std::scoped_lock lock{mutex_};
        const auto pipe =
            std::ranges::find_if(pipes_, [&](const auto& each) { return each->reader.descriptor() == descriptor; });
        if (pipe != pipes_.end() && pass_on(**pipe)) {
            ended = *pipe;
            pipes_.erase(pipe);
            --count_;
        }
    }
    if (ended) watcher_.ended(descriptor); // before the descriptor is closed and its number used again
}

bool ProcessOutput::is_in_place(Stream stream) {
    const Identity& own = identities[stream == Stream::out ? 0 : 1];
    return !own || identity_of(stream == Stream::out ? STDOUT_FILENO : STDERR_FILENO) == own;
}

ProcessOutput::ProcessOutput(Outbox& outbox, FindOwner find_owner)
    : outbox_{outbox}, find_owner_{std::move(find_owner)} {
    std::fflush(nullptr);
    for (const int descriptor : {STDOUT_FILENO, STDERR_FILENO}) {
        const auto i = static_cast<std::size_t>(descriptor - 1);
        saved_[i] = fcntl(descriptor, F_DUPFD_CLOEXEC, 3);
        const PipeEnds ends = make_pipe();
        readers_[i] = std::make_unique<PipeReader>(ends.read);
        dup2(ends.write, descriptor);
        close(ends.write);
        identities[i] = identity_of(descriptor);
    }
    set_log_descriptor(saved_[1] >= 0 ? saved_[1] : STDERR_FILENO);
}

ProcessOutput::~ProcessOutput() {
    std::fflush(nullptr);
    for (const std::size_t i : {std::size_t{0}, std::size_t{1}})
        if (saved_[i] >= 0) dup2(saved_[i], static_cast<int>(i) + 1);
    set_log_descriptor(STDERR_FILENO);
}

void ProcessOutput::remember_last_words(std::string_view text) {
    if (last_words_size + text.size() > last_words.size()) last_words_size = 0;
    const std::size_t size = std::min(text.size(), last_words.size());
    std::copy_n(text.begin(), size, last_words.data() + last_words_size);
    last_words_size += size;
}

void ProcessOutput::report_crashes() const {
    crash_pipe = readers_[1]->descriptor();
    kernel::report_crashes(pass_last_words_on);
}

void ProcessOutput::drain() {
    const std::scoped_lock lock{mutex_};
    for (const std::size_t i : {std::size_t{0}, std::size_t{1}}) {
        bool ended = false;
        std::string text = readers_[i]->read_available(ended);
        if (text.empty()) continue;
        const Owner owner = find_owner_();
        const bool goes_on = std::exchange(line_is_open_[i], !text.ends_with('\n'));
        if (!owner.certain) {
            std::string headed = goes_on ? "" : "[process] ";
            for (std::size_t at = 0; at < text.size(); ++at) {
                headed += text[at];
                if (text[at] == '\n' && at + 1 < text.size()) headed += "[process] ";
            }
            text = std::move(headed);
        }
        outbox_.write(owner.source, i == 0 ? Stream::out : Stream::err, text);
    }
}

} // namespace xinterp::kernel
