// include/xinterp/modules/waiting.hpp: waiting for another thread so that an interrupt ends it. Attached thread state
// needed.
#pragma once

#include <xinterp/modules/front_end.hpp>

#include <nlohmann/json.hpp>

#include <optional>

namespace xinterp::modules {

/// How often a wait that nothing can wake looks for an interrupt.
inline constexpr std::chrono::milliseconds interrupt_slice{50};

/// True, with an exception set, if this thread's code has been interrupted. Only an interpreter's own
/// lane can be, and the main thread of a process that is no kernel.
bool interrupted();

/// The answer, or nothing with an exception set when the code that waits is interrupted.
std::optional<nlohmann::json> wait_for(Answer& answer);

/// Until the front end has room for more text; false with an exception set when interrupted.
bool wait_for_room(FrontEnd& front_end);

} // namespace xinterp::modules
