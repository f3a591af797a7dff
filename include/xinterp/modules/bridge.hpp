// include/xinterp/modules/bridge.hpp: `_xinterp`, the builtin module through which the shell, written in Python,
// reaches the kernel. Per-interpreter state; multi-phase initialization.
#pragma once

#include <xinterp/modules/origin.hpp>

namespace xinterp::modules {

PyObject* initialize_bridge(); ///< PyInit function

/// The attached interpreter's; imports the module if need be. Null with an exception set.
BridgeState* bridge_state();

/// Whether this process is a child that forked from the kernel: it must touch neither sockets nor locks of ours.
bool in_forked_child();

} // namespace xinterp::modules
