#include <xinterp/protocol/log.hpp>
#include <xinterp/python/raw_output.hpp>

#include <unistd.h>

#include <atomic>
#include <ctime>
#include <format>
#include <string>

namespace xinterp::kernel {
namespace {
std::atomic<int> descriptor = STDERR_FILENO;
} // namespace

void set_log_descriptor(int value) { descriptor = value; }

int log_descriptor() { return descriptor; }

void log_warning(std::string_view text) {
    const std::time_t now = std::time(nullptr);
    std::tm local{};
    localtime_r(&now, &local);
    std::string line = std::format("[xinterp] {:02}:{:02}:{:02} ", local.tm_hour, local.tm_min, local.tm_sec);
    for (const char c : text.substr(0, 1000)) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
            line += std::format("\\x{:02x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
        else line += c;
    }
    line += '\n';
    ::write(descriptor, line.data(), line.size());
}

} // namespace xinterp::kernel
