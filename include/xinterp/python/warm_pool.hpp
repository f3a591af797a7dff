// include/xinterp/python/warm_pool.hpp: interpreters made ahead of time, so that one is there at once.
//
// Making one takes about 9 ms and main's GIL; while main is busy in C that can be seconds. The pool is filled while
// main is idle, and a spare is nowhere to be seen until it is handed out.
#pragma once

#include <xinterp/python/lane.hpp>

#include <memory>
#include <mutex>
#include <vector>

namespace xinterp::python {

class WarmPool {
public:
    explicit WarmPool(Lane::Lifecycle lifecycle) : lifecycle_{std::move(lifecycle)} {}

    /// A spare that can be given that configuration, which it then has; or null. Any thread.
    std::shared_ptr<Lane> take(const Configuration& configuration);
    /// If a spare is being made that can be given that configuration, whoever asks gets that one: making another would
    /// take longer, and ids would not follow the order in which they were asked for. `made` is called as by
    /// Lane::start. False: there is none, or somebody has it already. Any thread.
    bool take_when_made(const Configuration& configuration, Lane::Started made);
    /// Starts making one spare if there are fewer than `wanted`, being made included; false if there are enough, or the
    /// last one could not be made. To be called while main is idle.
    bool refill(std::size_t wanted);
    /// Ends all spares. Any thread.
    void clear();

private:
    struct Shared { // outlives the pool while a lane is being made
        std::mutex mutex;
        std::vector<std::shared_ptr<Lane>> spares;
        bool is_making = false;
        Lane::Started asked; ///< whoever gets the one that is being made, instead of the pool
        bool closed = false;
        bool failed = false; ///< the last one could not be made
    };

    Lane::Lifecycle lifecycle_;
    std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
};

} // namespace xinterp::python
