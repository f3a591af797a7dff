#include <xinterp/magics/command_results.hpp>
#include <xinterp/routing/cell_variables.hpp>
#include <xinterp/routing/router.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace xinterp::kernel {

using nlohmann::json;
using python::main_interpreter;

std::unique_ptr<CellVariables> CellVariables::of(CellId cell, LaneId home, const CellMagic& magic,
                                                 const std::vector<InterpreterInfo>& targets, Backend& backend) {
    if (magic.in.empty() && magic.out.empty()) return nullptr;
    if (std::ranges::any_of(targets, [](const auto& info) { return info.id == main_interpreter; }))
        throw UsageError{"main has its variables already: --in and --out are for cells in other interpreters alone."};
    std::unique_ptr<CellVariables> made{new CellVariables{cell, home, backend}};
    made->in_ = magic.in;
    made->out_ = magic.out;
    made->by_name_ = targets.size() > 1 || magic.targets == std::vector<std::string>{"all"};
    for (const InterpreterInfo& info : targets)
        made->targets_.push_back({.id = info.id,
                                  .label = info.label(),
                                  .key = info.name.empty() ? json(info.id) : json(info.name),
                                  .parcels = json::array(),
                                  .problems = {}});
    return made;
}

void CellVariables::ask(LaneId lane, const std::string& question, json content, Backend::Reply reply) {
    content["cell"] = cell_;
    backend_.ask(lane, question, std::move(content),
                 [alive = std::weak_ptr{alive_}, reply = std::move(reply)](json result) {
                     if (!alive.expired()) reply(std::move(result));
                 });
}

void CellVariables::take(Done done) {
    taking_ = true;
    ask(home_, "pack", {{"names", in_}, {"shipment", shipment_.number()}},
        [this, done = std::move(done)](const json& reply) {
            taking_ = false;
            taken_ = true;
            parcels_ = reply.value("parcels", json::array());
            done(crossing_problems(reply, "", "main"));
        });
}

void CellVariables::bind(std::size_t target, std::function<void()> done) {
    targets_[target].binding = true;
    ask(targets_[target].id, "unpack", {{"parcels", parcels_}},
        [this, target, done = std::move(done)](const json& reply) {
            targets_[target].binding = false;
            const std::string& label = targets_[target].label;
            targets_[target].problems = crossing_problems(reply, label + ": ", label);
            done();
        });
}

CellVariables::Problems CellVariables::problems() const {
    Problems all;
    for (const Target& target : targets_) std::ranges::copy(target.problems, std::back_inserter(all));
    return all;
}

void CellVariables::pack(std::size_t target, std::function<void(const json& failure)> done) {
    ask(targets_[target].id, "pack", {{"names", out_}, {"shipment", shipment_.number()}},
        [this, target, done = std::move(done)](const json& reply) {
            Target& here = targets_[target];
            Problems problems = crossing_problems(reply, here.label + ": ", here.label);
            if (reply.contains("stop_missed")) {
                done(interrupted_reply());
            } else if (failed(reply)) {
                done(reply.value("ename", "") == "KeyboardInterrupt" ? interrupted_reply() : reply);
            } else if (reply.at("status") != "ok") {
                done(error_reply("UsageError", problems.front()));
            } else {
                here.parcels = reply.value("parcels", json::array());
                here.problems = std::move(problems);
                done(nullptr);
            }
        });
}

void CellVariables::deliver(Done done) {
    json parcels = json::array();
    for (const Target& target : targets_)
        for (json parcel : target.parcels) {
            if (by_name_) parcel["key"] = target.key;
            parcels.push_back(std::move(parcel));
        }
    if (parcels.empty()) {
        done(problems());
        return;
    }
    ask(home_, "unpack", {{"parcels", std::move(parcels)}, {"partly", true}},
        [this, done = std::move(done)](const json& reply) {
            Problems all = problems();
            std::ranges::move(crossing_problems(reply, "main: ", "main"), std::back_inserter(all));
            done(all);
        });
}

} // namespace xinterp::kernel
