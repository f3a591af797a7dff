// Where plain cells go: the router's part of `%interp use`.
#include <xinterp/routing/router.hpp>

#include <algorithm>
#include <utility>

namespace xinterp::kernel {

void Router::use(const Client& client, const std::vector<InterpreterId>& targets) {
    uses_.erase(client);
    if (targets.empty() || (targets.size() == 1 && targets.front() == python::main_interpreter)) return;
    Use use{targets, {}};
    for (const InterpreterId id : targets) use.labels.push_back(interpreters_.registry().get(id)->label());
    uses_.emplace(client, std::move(use));
}

void Router::replace(InterpreterId old_id, InterpreterId new_id) {
    for (auto& [client, use] : uses_) std::ranges::replace(use.targets, old_id, new_id);
}

std::map<Client, std::vector<InterpreterId>> Router::uses() const {
    std::map<Client, std::vector<InterpreterId>> uses;
    for (const auto& [client, use] : uses_)
        if (std::ranges::all_of(use.targets, [this](InterpreterId id) {
                const auto info = interpreters_.registry().get(id);
                return info && info->state != python::State::closing;
            }))
            uses.emplace(client, use.targets);
    return uses;
}

InterpreterId Router::target_of(const Client& client, const std::string& code) const {
    try {
        const ParsedCell parsed = parse_cell(code);
        if (const auto* magic = std::get_if<CellMagic>(&parsed))
            return interpreters_.resolve(magic->targets).front().id;
    } catch (const UsageError&) {
        // It is still being typed: completion goes where a plain cell would.
        return plain_target(client);
    }
    return plain_target(client);
}

InterpreterId Router::plain_target(const Client& client) const {
    const auto use = uses_.find(client);
    if (use == uses_.end()) return python::main_interpreter;
    const auto info = interpreters_.registry().get(use->second.targets.front());
    return info && info->state != python::State::closing ? info->id : python::main_interpreter;
}

std::vector<InterpreterInfo> Router::default_targets(Cell& cell) {
    std::vector<InterpreterInfo> targets;
    if (const auto use = uses_.find(cell.client); use != uses_.end()) {
        for (std::size_t i = 0; i < use->second.targets.size(); ++i) {
            auto info = interpreters_.registry().get(use->second.targets[i]);
            if (info && info->state != python::State::closing) targets.push_back(std::move(*info));
            else
                front_.write(cell, Stream::err,
                             use->second.labels[i] + " has been closed; plain cells run in main again.\n");
        }
        if (targets.size() != use->second.targets.size()) {
            uses_.erase(use);
            targets.clear();
        }
    }
    if (targets.empty()) targets.push_back(*interpreters_.registry().get(python::main_interpreter));
    return targets;
}

} // namespace xinterp::kernel
