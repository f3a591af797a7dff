// `share`.
#include <xinterp/commands/commands.hpp>
#include <xinterp/magics/arguments.hpp>
#include <xinterp/magics/command_results.hpp>
#include <xinterp/modules/parcels.hpp>

#include <algorithm>
#include <format>
#include <memory>
#include <set>
#include <utility>

namespace xinterp::kernel {

using nlohmann::json;

struct Commands::Sharing {
    InterpreterInfo from;
    std::vector<InterpreterInfo> to;
    std::optional<InterpreterId> own; ///< the calling interpreter, whose lane waits for this
    SubshellNumber subshell;          ///< in which main's part is done
    Done done;
    // What is packed is gone when nobody waits for it any more: calling code keeps its own shipment (bridge.cpp).
    std::optional<modules::Shipment> shipment{};
    json parcels = json::array();
    std::vector<std::string> problems{};
    std::size_t waiting_for = 0;
    std::set<LaneId> asked{}; ///< they have not answered yet
    bool over = false;
};

// In four steps: the variables are packed where they are, unpacked where the calling code runs (it does those two
// itself: its lane waits for this), unpacked in the other targets, and told.
std::function<void()> Commands::share(const json& request, const Caller& caller, const Done& done) {
    const std::vector<std::string> names = strings(request, "names");
    if (names.empty()) throw UsageError{"share needs the names of variables.\n" + usage_line("share")};
    const std::shared_ptr<Sharing> sharing{new Sharing{
        .from = interpreters_.resolve(strings(json{{"from", {request.at("from")}}}, "from").front()),
        .to = interpreters_.resolve(strings(request, "to")),
        .own = caller.interpreter,
        .subshell = caller.client.subshell,
        .done = done,
    }};
    if (std::ranges::any_of(sharing->to, [&](const auto& info) { return info.id == sharing->from.id; }))
        throw UsageError{"the variables are in " + sharing->from.label() +
                         " already: name another with --from or --to.\n" + usage_line("share")};

    if (request.contains("packed")) {
        take_packed(sharing, request, request.at("packed"));
    } else if (sharing->own == sharing->from.id) {
        done({{"ok", true}, {"needs", "pack"}, {"names", names}});
        return {};
    } else {
        json content{{"names", names}};
        if (request.contains("shipment")) content["shipment"] = request["shipment"];
        else content["shipment"] = sharing->shipment.emplace().number();
        ask(sharing, sharing->from.id, "pack", std::move(content), [this, sharing, request](const json& packed) {
            if (!sharing->over) take_packed(sharing, request, packed);
        });
    }
    return [this, sharing] {
        sharing->over = true;
        sharing->shipment.reset();
        for (const LaneId lane : sharing->asked) router_.stop_asking(lane);
    };
}

void Commands::ask(const std::shared_ptr<Sharing>& sharing, InterpreterId interpreter, const char* question,
                   json content, Backend::Reply reply) {
    const LaneId lane{interpreter, sharing->subshell};
    sharing->asked.insert(lane);
    backend_.ask(lane, question, std::move(content), [sharing, lane, reply = std::move(reply)](const json& answer) {
        sharing->asked.erase(lane);
        reply(answer);
    });
}

void Commands::take_packed(const std::shared_ptr<Sharing>& sharing, const json& request, const json& packed) {
    sharing->parcels = packed.value("parcels", json::array());
    sharing->problems = crossing_problems(packed, "", sharing->from.label());
    const bool to_own = std::ranges::any_of(sharing->to, [&](const auto& info) { return info.id == sharing->own; });
    if (sharing->problems.empty() && to_own) {
        if (!request.contains("unpacked")) {
            sharing->over = true;
            sharing->done({{"ok", true}, {"needs", "unpack"}, {"packed", packed}});
            return;
        }
        sharing->problems = crossing_problems(request["unpacked"], "here: ", "the cell");
    }
    if (sharing->problems.empty())
        for (const InterpreterInfo& info : sharing->to) sharing->waiting_for += info.id != sharing->own;
    if (sharing->waiting_for == 0) {
        tell(*sharing);
        return;
    }
    for (const InterpreterInfo& info : sharing->to)
        if (info.id != sharing->own)
            ask(sharing, info.id, "unpack", {{"parcels", sharing->parcels}},
                [sharing, label = info.label()](const json& unpacked) {
                    std::ranges::move(crossing_problems(unpacked, label + ": ", label),
                                      std::back_inserter(sharing->problems));
                    if (--sharing->waiting_for == 0 && !sharing->over) tell(*sharing);
                });
}

void Commands::tell(Sharing& sharing) {
    sharing.over = true;
    sharing.shipment.reset();
    if (!sharing.problems.empty()) {
        std::string problems;
        for (const std::string& problem : sharing.problems) problems += (problems.empty() ? "" : "\n") + problem;
        sharing.done(failure(problems));
        return;
    }
    std::vector<std::string> labels;
    for (const InterpreterInfo& info : sharing.to) labels.push_back(info.label());
    std::string text;
    json values = json::object();
    for (const json& parcel : sharing.parcels) {
        const std::string name = parcel.at("name"), how = parcel.at("how");
        text += std::format("{}{}: {}, {} to {}.", text.empty() ? "" : "\n", name, how, sharing.from.label(),
                            joined(labels));
        values[name] = how;
    }
    sharing.done(success(text, values));
}

} // namespace xinterp::kernel
