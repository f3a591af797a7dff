// include/xinterp/routing/cell_variables.hpp: the variables that cross with one cell, `--in` and `--out`. I/O thread
// only. The router says when (router_variables.cpp); callbacks come only as long as this exists.
//
// `--in` is packed in main once, when the cell starts, and bound in each target when the cell has its lane there.
// `--out` is packed in each target before the lane goes on, and bound in main, between its cells, when all have ended.
#pragma once

#include <xinterp/magics/cell_magic.hpp>
#include <xinterp/modules/parcels.hpp>
#include <xinterp/routing/backend.hpp>

#include <nlohmann/json.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace xinterp::kernel {

class CellVariables {
public:
    /// A sentence each: what could not cross, and why.
    using Problems = std::vector<std::string>;
    using Done = std::function<void(const Problems&)>;

    /// Null for a cell without `--in` and `--out`. Throws UsageError.
    /// `home` is where main's side of it is done.
    static std::unique_ptr<CellVariables> of(CellId cell, LaneId home, const CellMagic& magic,
                                             const std::vector<python::InterpreterInfo>& targets, Backend& backend);

    bool comes_in() const { return !in_.empty(); }
    bool goes_out() const { return !out_.empty(); }
    /// Main has been asked for `--in` and has not answered.
    bool waits_for_main() const { return taking_; }
    /// Nothing holds up the cell any more.
    bool has_begun() const { return begun_; }
    void begin() { begun_ = true; }

    // Targets by their index in the cell.
    void take(Done done);
    bool taken() const { return taken_; }
    void bind(std::size_t target, std::function<void()> done);
    bool is_binding(std::size_t target) const { return targets_[target].binding; }
    /// Of all targets.
    Problems problems() const;
    Problems problems(std::size_t target) const { return targets_[target].problems; }

    /// `failure`: null, or the content of an error reply: it could not be found out what crosses.
    void pack(std::size_t target, std::function<void(const nlohmann::json& failure)> done);
    /// With the problems of all targets.
    void deliver(Done done);

private:
    struct Target {
        InterpreterId id;
        std::string label;
        nlohmann::json key; ///< in a dict by name
        nlohmann::json parcels;
        Problems problems;
        bool binding = false;
    };

    CellVariables(CellId cell, LaneId home, Backend& backend) : cell_{cell}, home_{home}, backend_{backend} {}
    void ask(LaneId lane, const std::string& question, nlohmann::json content, Backend::Reply reply);

    CellId cell_;
    LaneId home_;
    Backend& backend_;
    modules::Shipment shipment_; ///< what has been packed is gone when the cell is over
    std::vector<std::string> in_, out_;
    bool by_name_ = false;
    std::vector<Target> targets_;
    bool taking_ = false, taken_ = false, begun_ = false;
    nlohmann::json parcels_; ///< of --in
    std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
};

} // namespace xinterp::kernel
