// `share`.
#include <xinterp/kernel/arguments.hpp>
#include <xinterp/kernel/command_results.hpp>
#include <xinterp/kernel/commands.hpp>
#include <xinterp/modules/parcels.hpp>

#include <algorithm>
#include <format>
#include <memory>
#include <utility>

namespace xinterp::kernel {

using nlohmann::json;

namespace {
// How often it is looked whether the interpreters that are waited for are still there.
constexpr std::chrono::milliseconds look_interval{200};
} // namespace

struct Commands::Sharing {
    std::vector<std::string> names;
    InterpreterInfo from;
    std::vector<InterpreterInfo> to;
    std::optional<InterpreterId> own; ///< the calling interpreter, whose lane waits for this
    Done done;
    json parcels = nullptr;
    std::vector<std::string> problems;
    std::size_t waiting_for = 0;
    bool over = false;
};

// In four steps: the variables are packed where they are, unpacked where the calling code runs (it does those two
// itself: its lane waits for this), unpacked in the other targets, and told.
std::function<void()> Commands::share(const json& request, const Caller& caller, const Done& done) {
    const auto sharing = std::make_shared<Sharing>();
    sharing->names = strings(request, "names");
    if (sharing->names.empty()) throw UsageError{"share needs the names of variables.\n" + usage_line("share")};
    sharing->from = interpreters_.resolve(strings(json{{"from", {request.at("from")}}}, "from").front());
    sharing->to = interpreters_.resolve(strings(request, "to"));
    if (std::ranges::any_of(sharing->to, [&](const auto& info) { return info.id == sharing->from.id; }))
        throw UsageError{"the variables are in " + sharing->from.label() +
                         " already: name another with --from or --to.\n" + usage_line("share")};
    sharing->own = caller.interpreter;
    sharing->done = done;
    std::function<void()> cancel = [sharing] { sharing->over = true; };

    if (request.contains("packed")) {
        take_packed(sharing, request, request.at("packed"));
    } else if (sharing->own == sharing->from.id) {
        done({{"ok", true}, {"needs", "pack"}, {"names", sharing->names}});
    } else {
        watch(sharing);
        backend_.ask(sharing->from.id, "pack", {{"names", sharing->names}},
                     [this, sharing, request](const json& packed) { take_packed(sharing, request, packed); });
    }
    return cancel;
}

void Commands::take_packed(const std::shared_ptr<Sharing>& sharing, const json& request, const json& packed) {
    sharing->parcels = packed.value("parcels", json::array());
    if (sharing->over) {
        discard(*sharing);
        return;
    }
    if (packed.contains("refused"))
        for (const json& problem : packed["refused"]) sharing->problems.push_back(problem);
    else if (packed.value("status", "") != "ok")
        sharing->problems.push_back(sharing->from.label() + " was interrupted before anything was shared.");
    const bool to_own = std::ranges::any_of(sharing->to, [&](const auto& info) { return info.id == sharing->own; });
    if (sharing->problems.empty() && to_own && !request.contains("unpacked")) {
        sharing->over = true;
        sharing->done({{"ok", true}, {"needs", "unpack"}, {"packed", packed}});
        return;
    }
    if (request.contains("unpacked")) take_unpacked(*sharing, request.at("unpacked"), "here");
    if (!sharing->problems.empty()) {
        tell(sharing);
        return;
    }
    for (const InterpreterInfo& info : sharing->to) sharing->waiting_for += info.id != sharing->own;
    if (sharing->waiting_for == 0) tell(sharing);
    else watch(sharing);
    for (const InterpreterInfo& info : sharing->to)
        if (info.id != sharing->own)
            backend_.ask(info.id, "unpack", {{"parcels", sharing->parcels}},
                         [sharing, label = info.label()](const json& unpacked) {
                             take_unpacked(*sharing, unpacked, label);
                             if (--sharing->waiting_for == 0) tell(sharing);
                         });
}

void Commands::take_unpacked(Sharing& sharing, const json& unpacked, const std::string& where) {
    if (unpacked.contains("refused"))
        for (const json& problem : unpacked["refused"])
            sharing.problems.push_back(where + ": " + problem.get<std::string>());
    else if (unpacked.value("status", "") != "ok") sharing.problems.push_back(where + " was interrupted meanwhile.");
}

void Commands::discard(Sharing& sharing) {
    if (sharing.parcels.is_array())
        for (const json& parcel : sharing.parcels)
            modules::discard_parcel(parcel.at("number").get<modules::ParcelId>());
    sharing.parcels = nullptr;
}

void Commands::tell(const std::shared_ptr<Sharing>& sharing) {
    std::vector<std::string> labels;
    for (const InterpreterInfo& info : sharing->to) labels.push_back(info.label());
    std::string text;
    json values = json::object();
    if (sharing->parcels.is_array())
        for (const json& parcel : sharing->parcels) {
            const std::string name = parcel.at("name"), how = parcel.at("how");
            text += std::format("{}{}: {}, {} to {}.", text.empty() ? "" : "\n", name, how, sharing->from.label(),
                                joined(labels));
            values[name] = how;
        }
    discard(*sharing);
    if (std::exchange(sharing->over, true)) return;
    std::string problems;
    for (const std::string& problem : sharing->problems) problems += (problems.empty() ? "" : "\n") + problem;
    sharing->done(problems.empty() ? success(text, values) : failure(problems));
}

// One of the interpreters may be closed before it answers.
void Commands::watch(const std::shared_ptr<Sharing>& sharing) {
    timers_.after(look_interval, [this, sharing] {
        if (sharing->over) return;
        std::vector<InterpreterInfo> all = sharing->to;
        all.push_back(sharing->from);
        for (const InterpreterInfo& info : all)
            if (const auto now = interpreters_.registry().get(info.id); !now || now->state == python::State::closing) {
                sharing->problems.push_back(info.label() + " was closed before the variables had crossed.");
                tell(sharing);
                return;
            }
        watch(sharing);
    });
}

} // namespace xinterp::kernel
