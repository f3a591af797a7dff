#include <xinterp/python/warm_pool.hpp>

#include <utility>

namespace xinterp::python {
namespace {

// What isolated and notebook interpreters have in common: permissions are given when a spare is handed out.
const Configuration made_as = Preset::notebook; // NOLINT(cert-err58-cpp): does not throw

} // namespace

std::shared_ptr<Lane> WarmPool::take(const Configuration& configuration) {
    if (!made_as.is_made_like(configuration)) return nullptr;
    const std::scoped_lock lock{shared_->mutex};
    if (shared_->spares.empty()) return nullptr;
    std::shared_ptr<Lane> lane = std::move(shared_->spares.front());
    shared_->spares.erase(shared_->spares.begin());
    return lane;
}

bool WarmPool::refill(std::size_t wanted) {
    {
        const std::scoped_lock lock{shared_->mutex};
        if (shared_->closed || shared_->spares.size() + shared_->being_made >= wanted) return false;
        if (shared_->being_made != 0) return true;
        ++shared_->being_made;
    }
    Lane::start(made_as, lifecycle_, [shared = shared_](std::shared_ptr<Lane> lane, const std::string&) {
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
    return true;
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
