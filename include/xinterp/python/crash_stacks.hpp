// include/xinterp/python/crash_stacks.hpp: the Python stacks of a process that is about to end by a signal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace xinterp::python {

/// A signal that ends the process finds room to report it on the thread that made one of these, also when that thread's
/// own stack is full. Until the end of the thread.
class CrashRoom {
public:
    CrashRoom();
    ~CrashRoom();
    CrashRoom(const CrashRoom&) = delete;
    CrashRoom& operator=(const CrashRoom&) = delete;

private:
    void* memory_ = nullptr;
};

/// Text for a descriptor, in pieces. Everything here is async-signal-safe, as all that follows.
class CrashText {
public:
    explicit CrashText(int descriptor) : descriptor_{descriptor} {}
    ~CrashText() { flush(); }
    CrashText(const CrashText&) = delete;
    CrashText& operator=(const CrashText&) = delete;

    CrashText& operator<<(std::string_view text);
    CrashText& operator<<(std::uint64_t number);
    void add(char character);
    void flush();

private:
    int descriptor_;
    char buffer_[512];
    std::size_t size_ = 0;
};

/// The interpreter whose code the calling thread runs, if it runs any.
std::optional<std::int64_t> crashed_interpreter();
/// The name that the operating system has for the calling thread.
void write_thread_name(CrashText& text);
/// The calling thread's frames, the most recent call first, and then those of all other threads that run Python code.
void write_stacks(CrashText& text);

} // namespace xinterp::python
