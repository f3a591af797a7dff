#include <xinterp/python/raw_output.hpp>

#include <atomic>

namespace xinterp::python {
namespace {
std::atomic<RawOutputHook> hook = nullptr;
} // namespace

void set_raw_output_hook(RawOutputHook value) { hook = value; }

RawOutputHook raw_output_hook() { return hook; }

} // namespace xinterp::python
