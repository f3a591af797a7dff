#include <xinterp/modules/bridge.hpp>
#include <xinterp/modules/builtin_modules.hpp>
#include <xinterp/modules/interpreters_module.hpp>

#include <array>

namespace xinterp::modules {

std::span<const _inittab> builtin_modules() {
    static constexpr std::array table{
        _inittab{"_xinterp", initialize_bridge},
        _inittab{"_interpreters", initialize_interpreters},
    };
    return table;
}

} // namespace xinterp::modules
