// include/xinterp/protocol/log.hpp: the kernel's log, one line an event, on the terminal that it was started from.
#pragma once

#include <string_view>

namespace xinterp::kernel {

/// Where lines go: a descriptor that the log takes over. Before it is set: descriptor 2.
void set_log_descriptor(int descriptor);
int log_descriptor();
/// Any thread. Control characters in the text are escaped: what a message contains cannot forge a line.
void log_warning(std::string_view text);

} // namespace xinterp::kernel
