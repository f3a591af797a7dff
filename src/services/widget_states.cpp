#include <xinterp/services/widget_states.hpp>

#include <algorithm>
#include <utility>

namespace xinterp::kernel {
namespace {

using nlohmann::json;

const json& member(const json& data, const char* name) {
    static const json none;
    const auto found = data.is_object() ? data.find(name) : data.end();
    return data.is_object() && found != data.end() ? *found : none;
}

bool is_path(const json& path) { return path.is_array() && !path.empty() && path.front().is_string(); }

} // namespace

void MergedStates::add(json data, std::vector<std::string> others) {
    if (!member(data, "states").is_object()) return;
    states.update(data["states"]);
    const json& paths = member(data, "buffer_paths");
    for (std::size_t i = 0; paths.is_array() && i < std::min(paths.size(), others.size()); ++i) {
        if (!is_path(paths[i])) continue;
        buffer_paths.push_back(paths[i]);
        buffers.push_back(std::move(others[i]));
    }
}

json MergedStates::data() const {
    return {{"method", "update_states"}, {"states", states}, {"buffer_paths", buffer_paths}};
}

void WidgetStates::update(const std::string& id, const json& data, const std::vector<std::string>& buffers) {
    const json& state = member(data, "state");
    const json& paths = member(data, "buffer_paths");
    if (!state.is_object()) return;
    Widget& widget = widgets_[id];
    const auto is_replaced = [&](const std::string& key) {
        return state.contains(key) ||
               std::ranges::any_of(paths, [&](const json& path) { return is_path(path) && path.front() == key; });
    };
    std::erase_if(widget.buffers, [&](const Buffer& buffer) { return is_replaced(buffer.path.front()); });
    widget.state.update(state);
    for (std::size_t i = 0; paths.is_array() && i < std::min(paths.size(), buffers.size()); ++i) {
        if (!is_path(paths[i])) continue;
        if (paths[i].size() == 1) widget.state.erase(paths[i].front().get_ref<const std::string&>());
        widget.buffers.push_back({paths[i], buffers[i]});
    }
}

void WidgetStates::add_to(MergedStates& merged, const std::string& id) const {
    const auto found = widgets_.find(id);
    if (found == widgets_.end()) return;
    const Widget& widget = found->second;
    merged.states[id] = {{"model_name", member(widget.state, "_model_name")},
                         {"model_module", member(widget.state, "_model_module")},
                         {"model_module_version", member(widget.state, "_model_module_version")},
                         {"state", widget.state}};
    for (const Buffer& buffer : widget.buffers) {
        json path = json::array({id, "state"});
        path.insert(path.end(), buffer.path.begin(), buffer.path.end());
        merged.buffer_paths.push_back(std::move(path));
        merged.buffers.push_back(buffer.bytes);
    }
}

} // namespace xinterp::kernel
