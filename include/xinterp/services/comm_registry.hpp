// include/xinterp/services/comm_registry.hpp: which interpreter's comm is which, and who opens comms for which target.
// I/O thread only; no GIL is needed to look something up.
#pragma once

#include <xinterp/modules/front_end.hpp>

#include <nlohmann/json.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace xinterp::kernel {

using modules::InterpreterId;

class CommRegistry {
public:
    struct Comm {
        std::string target;
        /// One, but for a comm that a front end has opened for a target that several interpreters have registered.
        std::vector<InterpreterId> owners;
    };

    void add_target(const std::string& name, InterpreterId interpreter);
    void remove_target(const std::string& name, InterpreterId interpreter);
    /// In the order in which they registered it.
    std::vector<InterpreterId> registered(const std::string& target) const;

    /// In the place of any comm of that id.
    void open(const std::string& id, std::string target, std::vector<InterpreterId> owners);
    /// That interpreter has the comm too.
    void join(const std::string& id, const std::string& target, InterpreterId interpreter);
    /// That interpreter has closed it. False if others have it still.
    bool leave(const std::string& id, InterpreterId interpreter);
    void close(const std::string& id) { comms_.erase(id); }
    const Comm* find(const std::string& id) const;
    const std::map<std::string, Comm>& all() const { return comms_; }

    /// The interpreter ends. The comms that nobody has any more, in the order of their ids; they are forgotten.
    std::vector<std::string> forget(InterpreterId interpreter);

    /// A comm_info_reply's "comms": all, or those of a target.
    nlohmann::json info(const std::optional<std::string>& target) const;

private:
    std::map<std::string, Comm> comms_;
    std::map<std::string, std::vector<InterpreterId>> targets_;
};

} // namespace xinterp::kernel
