#include <xinterp/python/crash_stacks.hpp>
#include <xinterp/python/internals.hpp>
#include <xinterp/python/lane.hpp>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <iterator>

namespace xinterp::python {
namespace {

constexpr std::size_t room_bytes = 64 * 1024;
constexpr int most_frames = 100;  // of a stack: endless recursion has thousands of them
constexpr int most_threads = 100; // as faulthandler has it
constexpr Py_ssize_t most_characters = 500;

// A str, with everything but printable ASCII escaped.
void write_text(CrashText& text, PyObject* object) {
    if (object == nullptr || !PyUnicode_Check(object)) {
        text << "???";
        return;
    }
    const Py_ssize_t length = std::min(PyUnicode_GET_LENGTH(object), most_characters);
    const int kind = PyUnicode_KIND(object);
    const void* data = PyUnicode_DATA(object);
    for (Py_ssize_t i = 0; i < length; ++i) {
        const Py_UCS4 character = PyUnicode_READ(kind, data, i);
        if (character >= ' ' && character < 0x7f) {
            text.add(static_cast<char>(character));
            continue;
        }
        text << (character > 0xffff ? "\\U" : "\\u");
        for (int shift = character > 0xffff ? 28 : 12; shift >= 0; shift -= 4)
            text.add("0123456789abcdef"[(character >> static_cast<unsigned>(shift)) & 15U]);
    }
    if (length < PyUnicode_GET_LENGTH(object)) text << "...";
}

void write_frames(CrashText& text, const PyThreadState* state) {
    internals::CrashStack stack{state};
    internals::CrashFrame frame{};
    int count = 0;
    for (; count < most_frames && stack.next(frame); ++count) {
        text << "  File \"";
        write_text(text, frame.file);
        text << "\", line ";
        if (frame.line >= 0) text << static_cast<std::uint64_t>(frame.line);
        else text << "???";
        text << " in ";
        write_text(text, frame.function);
        text << "\n";
    }
    if (count == most_frames && stack.next(frame)) text << "  ...\n";
}

// What /proc knows of a thread of this process.
void write_name_of(CrashText& text, unsigned long thread) {
    std::array<char, 64> path{};
    char* end = std::ranges::copy(std::string_view{"/proc/self/task/"}, path.data()).out;
    std::array<char, 20> digits{};
    auto* digit = digits.end();
    do *--digit = static_cast<char>('0' + thread % 10);
    while ((thread /= 10) != 0);
    end = std::copy(digit, digits.end(), end);
    std::ranges::copy(std::string_view{"/comm"}, end);
    std::array<char, 32> name{};
    const int file = ::open(path.data(), O_RDONLY | O_CLOEXEC);
    const ssize_t size = file < 0 ? 0 : ::read(file, name.data(), name.size());
    if (file >= 0) ::close(file);
    text << (size > 1 ? std::string_view{name.data(), static_cast<std::size_t>(size) - 1} : std::string_view{"?"});
}

// The state whose code the calling thread runs, or has left to run C code without the GIL.
const PyThreadState* own_state() {
    if (const PyThreadState* attached = PyThreadState_GetUnchecked()) return attached;
    return Lane::state_here();
}

struct Others {
    CrashText& text;
    unsigned long own;
    int count;
};

void write_other(const PyThreadState* state, void* context) {
    Others& others = *static_cast<Others*>(context);
    internals::CrashStack stack{state};
    internals::CrashFrame frame{};
    const unsigned long thread = internals::native_thread_of(state);
    if (thread == others.own || !stack.next(frame) || ++others.count > most_threads) return;
    others.text << "Thread '";
    write_name_of(others.text, thread);
    others.text << "', interpreter " << static_cast<std::uint64_t>(internals::interpreter_of(state))
                << " (most recent call first):\n";
    write_frames(others.text, state);
}

} // namespace

CrashRoom::CrashRoom() {
    memory_ = mmap(nullptr, room_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (memory_ == MAP_FAILED) {
        memory_ = nullptr;
        return;
    }
    const stack_t room{.ss_sp = memory_, .ss_flags = 0, .ss_size = room_bytes};
    sigaltstack(&room, nullptr);
}

CrashRoom::~CrashRoom() {
    if (memory_ == nullptr) return;
    stack_t current{};
    sigaltstack(nullptr, &current);
    if (current.ss_sp == memory_) { // and not faulthandler's
        const stack_t none{.ss_sp = nullptr, .ss_flags = SS_DISABLE, .ss_size = 0};
        sigaltstack(&none, nullptr);
    }
    munmap(memory_, room_bytes);
}

CrashText& CrashText::operator<<(std::string_view text) {
    for (const char character : text) add(character);
    return *this;
}

CrashText& CrashText::operator<<(std::uint64_t number) {
    if (number >= 10) *this << number / 10;
    add(static_cast<char>('0' + number % 10));
    return *this;
}

void CrashText::add(char character) {
    buffer_[size_++] = character;
    if (size_ == std::size(buffer_)) flush();
}

void CrashText::flush() {
    std::size_t written = 0;
    while (written < size_) {
        const ssize_t count = ::write(descriptor_, buffer_ + written, size_ - written);
        if (count <= 0) break;
        written += static_cast<std::size_t>(count);
    }
    size_ = 0;
}

std::optional<std::int64_t> crashed_interpreter() {
    const PyThreadState* state = own_state();
    if (state == nullptr) return std::nullopt;
    return internals::interpreter_of(state);
}

void write_thread_name(CrashText& text) {
    std::array<char, 16> name{};
    prctl(PR_GET_NAME, name.data());
    text << std::string_view{name.data()};
}

void write_stacks(CrashText& text) {
    if (const PyThreadState* state = own_state()) {
        text << "Python stack (most recent call first):\n";
        write_frames(text, state);
    } else {
        text << "The thread runs no Python code.\n";
    }
    text.flush(); // what follows reads what other threads may be changing
    Others others{text, static_cast<unsigned long>(syscall(SYS_gettid)), 0};
    internals::for_each_state_in_crash(write_other, &others);
}

} // namespace xinterp::python
