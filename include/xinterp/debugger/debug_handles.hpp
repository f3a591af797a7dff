// include/xinterp/debugger/debug_handles.hpp: one numbering over the debug servers of all interpreters. Each of them
// counts its threads, frames and variables for itself; front ends know one debugger.
#pragma once

#include <xinterp/modules/front_end.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <utility>

namespace xinterp::kernel {

class DebugHandles {
public:
    /// A number of one interpreter's.
    struct Place {
        modules::InterpreterId interpreter = 0;
        std::int64_t number = 0;
        auto operator<=>(const Place&) const = default;
    };

    /// Of a place, the same one every time.
    std::int64_t of(const Place& place) {
        const auto [found, is_new] = handles_.try_emplace(place, last_ + 1);
        if (is_new) places_[++last_] = place;
        return found->second;
    }
    std::optional<Place> find(std::int64_t handle) const {
        const auto found = places_.find(handle);
        return found == places_.end() ? std::nullopt : std::optional{found->second};
    }
    /// What an interpreter has numbered means nothing any more. Its numbers are not used again.
    void forget(modules::InterpreterId interpreter) {
        std::erase_if(handles_, [&](const auto& each) { return each.first.interpreter == interpreter; });
        std::erase_if(places_, [&](const auto& each) { return each.second.interpreter == interpreter; });
    }

private:
    std::map<Place, std::int64_t> handles_;
    std::map<std::int64_t, Place> places_;
    std::int64_t last_ = 0;
};

} // namespace xinterp::kernel
