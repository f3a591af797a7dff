// include/xinterp/kernel/kernel_info.hpp: what the kernel says of itself. Pure.
#pragma once

#include <nlohmann/json.hpp>

#include <optional>
#include <string>

namespace xinterp::kernel {

/// What the kernel says of itself and its language.
struct KernelInfo {
    std::string version, banner;
    nlohmann::json language; ///< kernel_info's language_info
    /// Whether there is a debugger. Not known before Python has started: until then kernel_info waits for an answer.
    std::optional<bool> debugger;
    std::string connection_file = {}; ///< its path; it says where clients find the kernel
};

/// The content of a kernel_info_reply.
nlohmann::json kernel_info_content(const KernelInfo& info);

} // namespace xinterp::kernel
