#include <xinterp/magics/arguments.hpp>
#include <xinterp/routing/subshells.hpp>

#include <xeus/xguid.hpp>

namespace xinterp::kernel {

using nlohmann::json;

std::string Subshells::create() {
    std::string id = xeus::new_xguid();
    ids_.emplace(++last_, id);
    return id;
}

std::optional<SubshellNumber> Subshells::remove(const std::string& id) {
    const auto number = find(id);
    if (number) ids_.erase(*number);
    return number;
}

std::vector<std::string> Subshells::ids() const {
    std::vector<std::string> all;
    for (const auto& [number, id] : ids_) all.push_back(id);
    return all;
}

std::string Subshells::id_of(SubshellNumber number) const {
    const auto found = ids_.find(number);
    return found == ids_.end() ? "" : found->second;
}

std::optional<SubshellNumber> Subshells::of(const json& header) const {
    const std::string id = subshell_id(header);
    return id.empty() ? std::optional<SubshellNumber>{0} : find(id);
}

std::optional<SubshellNumber> Subshells::find(const std::string& id) const {
    for (const auto& [number, known] : ids_)
        if (known == id) return number;
    return std::nullopt;
}

std::string Subshells::unknown(const std::string& id) const {
    const std::vector<std::string> all = ids();
    const std::string there = all.empty() ? "is none" : all.size() == 1 ? "is " + all.front() : "are " + joined(all);
    return "no subshell '" + id + "'; there " + there +
           ". Create one with a create_subshell_request, or leave subshell_id out.";
}

std::string subshell_id(const json& object) {
    const auto found = object.find("subshell_id");
    return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

} // namespace xinterp::kernel
