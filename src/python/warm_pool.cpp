#include <xinterp/python/warm_pool.hpp>

#include <algorithm>
#include <utility>

namespace xinterp::python {

std::shared_ptr<Lane> WarmPool::take(Preset preset) {
    const std::scoped_lock lock{shared_->mutex};
    const auto found =
        std::ranges::find_if(shared_->spares, [&](const auto& lane) { return lane->preset() == preset; });
    if (found == shared_->spares.end()) return nullptr;
    std::shared_ptr<Lane> lane = *found;
    shared_->spares.erase(found);
    return lane;
}

void WarmPool::refill(Preset preset, std::size_t wanted) {
    {
        const std::scoped_lock lock{shared_->mutex};
        if (shared_->closed || shared_->being_made != 0 || shared_->spares.size() >= wanted) return;
        ++shared_->being_made;
    }
    Lane::start(preset, lifecycle_, [shared = shared_](std::shared_ptr<Lane> lane, const std::string&) {
        {
            const std::scoped_lock lock{shared->mutex};
            --shared->being_made;
            if (lane && !shared->closed) {
                shared->spares.push_back(std::move(lane));
                return;
            }
        }
        if (lane) lane->stop();
    });
}

void WarmPool::clear() {
    std::vector<std::shared_ptr<Lane>> spares;
    {
        const std::scoped_lock lock{shared_->mutex};
        shared_->closed = true;
        spares = std::exchange(shared_->spares, {});
    }
    for (const auto& lane : spares) lane->stop();
}

} // namespace xinterp::python
