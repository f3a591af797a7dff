// include/xinterp/services/widget_states.hpp: what ipywidgets' front end asks for when its page is loaded again, the
// states of all widgets. I/O thread only.
//
// Every interpreter with widgets answers for its own. What one that is busy has told before is kept here, so that a
// page does not have to wait for it: the state that a widget was opened with, and every update in both directions.
#pragma once

#include <nlohmann/json.hpp>

#include <map>
#include <string>
#include <vector>

namespace xinterp::kernel {

/// The content of an `update_states` message: those of several interpreters in one.
struct MergedStates {
    nlohmann::json states = nlohmann::json::object();
    nlohmann::json buffer_paths = nlohmann::json::array(); ///< of each buffer: the widget's id, then keys
    std::vector<std::string> buffers;

    /// One interpreter's answer. What is none adds nothing.
    void add(nlohmann::json data, std::vector<std::string> others);
    nlohmann::json data() const;
};

class WidgetStates {
public:
    /// {"state": {...}, "buffer_paths": [...]}, as comm_open and updates have it; what is none is left out.
    void update(const std::string& widget, const nlohmann::json& data, const std::vector<std::string>& buffers);
    void forget(const std::string& widget) { widgets_.erase(widget); }
    void add_to(MergedStates& merged, const std::string& widget) const;

private:
    struct Buffer {
        nlohmann::json path;
        std::string bytes;
    };
    struct Widget {
        nlohmann::json state = nlohmann::json::object();
        std::vector<Buffer> buffers;
    };
    std::map<std::string, Widget> widgets_;
};

} // namespace xinterp::kernel
