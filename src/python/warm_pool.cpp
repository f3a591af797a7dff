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

bool WarmPool::take_when_made(const Configuration& configuration, Lane::Started made) {
    if (!made_as.is_made_like(configuration)) return false;
    const std::scoped_lock lock{shared_->mutex};
    if (!shared_->is_making || shared_->asked) return false;
    shared_->asked = std::move(made);
    return true;
}

bool WarmPool::refill(std::size_t wanted) {
    {
        const std::scoped_lock lock{shared_->mutex};
        if (shared_->closed || shared_->spares.size() + (shared_->is_making ? 1 : 0) >= wanted) return false;
        if (std::exchange(shared_->failed, false)) return false;
        if (std::exchange(shared_->is_making, true)) return true;
    }
    Lane::start(made_as, lifecycle_, [shared = shared_](std::shared_ptr<Lane> lane, const std::string& error) {
        Lane::Started asked;
        {
            const std::scoped_lock lock{shared->mutex};
            shared->is_making = false;
            shared->failed = !lane;
            asked = std::exchange(shared->asked, {});
            if (!asked && lane && !shared->closed) {
                shared->spares.push_back(std::move(lane));
                return;
            }
        }
        if (asked) asked(std::move(lane), error);
        else if (lane) lane->stop();
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
