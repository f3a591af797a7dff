#include <xinterp/services/comm_registry.hpp>

#include <algorithm>
#include <utility>

namespace xinterp::kernel {

using nlohmann::json;

void CommRegistry::add_target(const std::string& name, InterpreterId interpreter) {
    std::vector<InterpreterId>& registered = targets_[name];
    if (std::ranges::find(registered, interpreter) == registered.end()) registered.push_back(interpreter);
}

void CommRegistry::remove_target(const std::string& name, InterpreterId interpreter) {
    const auto found = targets_.find(name);
    if (found == targets_.end()) return;
    std::erase(found->second, interpreter);
    if (found->second.empty()) targets_.erase(found);
}

std::vector<InterpreterId> CommRegistry::registered(const std::string& target) const {
    const auto found = targets_.find(target);
    return found == targets_.end() ? std::vector<InterpreterId>{} : found->second;
}

void CommRegistry::open(const std::string& id, std::string target, std::vector<InterpreterId> owners) {
    comms_.insert_or_assign(id, Comm{std::move(target), std::move(owners)});
}

void CommRegistry::join(const std::string& id, const std::string& target, InterpreterId interpreter) {
    Comm& comm = comms_.try_emplace(id, Comm{target, {}}).first->second;
    if (std::ranges::find(comm.owners, interpreter) == comm.owners.end()) comm.owners.push_back(interpreter);
}

bool CommRegistry::leave(const std::string& id, InterpreterId interpreter) {
    const auto found = comms_.find(id);
    if (found == comms_.end()) return true;
    std::erase(found->second.owners, interpreter);
    if (!found->second.owners.empty()) return false;
    comms_.erase(found);
    return true;
}

const CommRegistry::Comm* CommRegistry::find(const std::string& id) const {
    const auto found = comms_.find(id);
    return found == comms_.end() ? nullptr : &found->second;
}

std::vector<std::string> CommRegistry::forget(InterpreterId interpreter) {
    for (auto target = targets_.begin(); target != targets_.end();) {
        std::erase(target->second, interpreter);
        target = target->second.empty() ? targets_.erase(target) : std::next(target);
    }
    std::vector<std::string> left;
    for (auto comm = comms_.begin(); comm != comms_.end();) {
        const bool owned = std::erase(comm->second.owners, interpreter) != 0;
        if (owned && comm->second.owners.empty()) {
            left.push_back(comm->first);
            comm = comms_.erase(comm);
        } else {
            ++comm;
        }
    }
    return left;
}

json CommRegistry::info(const std::optional<std::string>& target) const {
    json comms = json::object();
    for (const auto& [id, comm] : comms_)
        if (!target || comm.target == *target) comms[id] = {{"target_name", comm.target}};
    return comms;
}

} // namespace xinterp::kernel
