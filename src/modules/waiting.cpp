#include <xinterp/modules/waiting.hpp>
#include <xinterp/python/internals.hpp>
#include <xinterp/python/ref.hpp>
#include <xinterp/python/visits.hpp>

namespace xinterp::modules {

using python::Detached;

bool interrupted() {
    if (python::interruptible_here() && python::internals::raise_pending_interrupt()) return true;
    return PyErr_CheckSignals() != 0; // does something in main only, and on its own thread
}

std::optional<nlohmann::json> wait_for(Answer& answer) {
    while (true) {
        std::optional<nlohmann::json> value;
        {
            const Detached detached;
            value = answer.wait_for(interrupt_slice);
        }
        if (value) return value;
        if (interrupted()) return std::nullopt;
    }
}

bool wait_for_room(FrontEnd& front_end) {
    while (true) {
        bool room = false;
        {
            const Detached detached;
            room = front_end.wait_for_room(interrupt_slice);
        }
        if (room) return true;
        if (interrupted()) return false;
    }
}

} // namespace xinterp::modules
