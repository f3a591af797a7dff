// include/xinterp/modules/comm_message.hpp: a comm message from a front end, on its way to the interpreters whose code
// it calls.
#pragma once

#include <nlohmann/json.hpp>

#include <memory>
#include <vector>

namespace xinterp::modules {

struct CommMessage {
    nlohmann::json parts; ///< "header", "parent_header", "metadata", "content", as Python code sees them
    std::vector<std::vector<char>> buffers;
};

/// One message for all its interpreters. Any thread.
using SharedCommMessage = std::shared_ptr<const CommMessage>;

} // namespace xinterp::modules
