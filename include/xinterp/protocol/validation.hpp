// include/xinterp/protocol/validation.hpp: what a request must look like before anything acts on it. Pure functions.
#pragma once

#include <xeus/xmessage.hpp>

#include <optional>
#include <string>

namespace xinterp::kernel {

enum class Channel { shell, control, standard_input };
std::string_view channel_name(Channel channel);

/// Why a header is not fit to be answered, as a sentence: it then gets a line in the log and nothing else.
std::optional<std::string> header_problem(const nlohmann::json& header);

/// Why a request with a sound header cannot be served on that channel: an unknown type, a field of the wrong type.
/// It gets busy, a reply with status error that says so, and idle.
std::optional<std::string> request_problem(Channel channel, const xeus::xmessage& request);

/// "execute_reply" for "execute_request"; empty for a type that has no reply.
std::string reply_type(const std::string& request_type);

} // namespace xinterp::kernel
