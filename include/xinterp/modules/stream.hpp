// include/xinterp/modules/stream.hpp: sys.stdout and sys.stderr, as a subclass of io.TextIOBase.
#pragma once

#include <xinterp/modules/origin.hpp>

namespace xinterp::modules {

/// The type for one interpreter; null with an exception set.
python::Ref make_stream_type(PyObject* module);
/// Its two instances.
python::Ref make_stream(const BridgeState& state, Stream which);

} // namespace xinterp::modules
