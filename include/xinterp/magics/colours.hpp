// include/xinterp/magics/colours.hpp: the colour that an interpreter has wherever it is shown. I/O thread only.
#pragma once

#include <xinterp/python/registry.hpp>

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

namespace xinterp::kernel {

/// Each stands out at 4:1 from white and from near-black, and neighbours also for people who do not tell red from
/// green. There are eight for any number of interpreters: the name always stands beside the colour.
class Colours {
public:
    /// "#rrggbb": of a living interpreter, always the same; of a new one, that of the last with its name, else one
    /// that the fewest others have. Main's is grey.
    std::string_view of(const python::InterpreterInfo& info);
    /// It is gone.
    void forget(python::InterpreterId id) { given_.erase(id); }

private:
    std::map<python::InterpreterId, std::size_t> given_;
    std::map<std::string, std::size_t> remembered_; ///< by name
};

/// The text in that colour, as terminals and notebooks show it: a 24-bit colour, as the 16 colours of terminals have
/// none that is the same as in the panel and the badges.
std::string coloured(std::string_view text, std::string_view colour);

} // namespace xinterp::kernel
