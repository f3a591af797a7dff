#include <xinterp/python/raw_output.hpp>

#include <dlfcn.h>

#include <atomic>

namespace xinterp::python {
namespace {
std::atomic<RawOutputHook> hook = nullptr;
} // namespace

void set_raw_output_hook(RawOutputHook value) { hook = value; }

RawOutputHook raw_output_hook() { return hook; }

ssize_t write_directly(int descriptor, const void* data, std::size_t size) {
    static const auto real = reinterpret_cast<ssize_t (*)(int, const void*, std::size_t)>(dlsym(RTLD_NEXT, "write"));
    return real(descriptor, data, size);
}

} // namespace xinterp::python
