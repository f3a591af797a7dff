#include <xinterp/routing/cell_outputs.hpp>

#include <format>
#include <iterator>
#include <utility>

namespace xinterp::kernel {

using nlohmann::json;

CellOutputs::Output CellOutputs::output_under(xeus::xrequest_context context) {
    Output output;
    output.parent =
        std::make_shared<const std::string>(context.header().dump(-1, ' ', false, json::error_handler_t::replace));
    output.context = std::move(context);
    return output;
}

void CellOutputs::begin(const Cell& cell) {
    Output output = output_under(xeus::xrequest_context{cell.request.header(), cell.request.identities()});
    if (cell.callback)
        output.why_no_input = "input() was called in a callback, where front ends ask nobody: call it in a cell.";
    else if (!cell.allow_stdin)
        output.why_no_input = "input() was called, but this front end does not support input requests.";
    outputs_.emplace(cell.id, std::move(output));
}

void CellOutputs::ended(const Cell& cell) {
    std::deque<CellId>& ended = cell.callback ? ended_callbacks_ : ended_cells_;
    ended.push_back(cell.id);
    forget_oldest(ended);
}

void CellOutputs::forget_oldest(std::deque<CellId>& ended) {
    if (ended.size() <= remembered) return;
    holding_.erase(ended.front());
    outputs_.erase(ended.front());
    ended.pop_front();
}

void CellOutputs::routed(const Cell& cell) {
    Output* output = find(cell.id);
    if (output == nullptr || cell.runs.size() < 2) return;
    for (const Cell::Run& run : cell.runs) {
        output->labels.emplace(run.target, run.label);
        if (const auto colour = name_colour_(cell.client.session, run.target))
            output->colours.emplace(run.label, *colour);
    }
    output->prefixer = std::make_unique<LinePrefixer>(output->colours);
}

CellOutputs::Output* CellOutputs::find(CellId cell) {
    const auto found = outputs_.find(cell);
    return found == outputs_.end() ? nullptr : &found->second;
}

const json& CellOutputs::parent(CellId cell) const {
    static const json none = json::object();
    const auto found = outputs_.find(cell);
    return found == outputs_.end() ? none : found->second.context.header();
}

CellId CellOutputs::cell_of(const json& header) {
    const json id = header.value("msg_id", json{});
    // From the newest: a message that was sent twice has begun two cells.
    for (auto known = outputs_.rbegin(); known != outputs_.rend(); ++known)
        if (known->second.context.header().value("msg_id", json{}) == id) return known->first;
    Output output = output_under(xeus::xrequest_context{header, {}});
    output.why_no_input =
        "input() was called where output goes to a message that no front end of this kernel has sent.";
    outputs_.emplace(++last_foreign_parent_, std::move(output));
    ended_cells_.push_back(last_foreign_parent_);
    forget_oldest(ended_cells_);
    return last_foreign_parent_;
}

const xeus::xrequest_context* CellOutputs::context(CellId cell) const {
    const auto found = outputs_.find(cell);
    return found == outputs_.end() ? nullptr : &found->second.context;
}

std::string_view CellOutputs::why_no_input(CellId cell) const {
    const auto found = outputs_.find(cell);
    return found == outputs_.end() ? "the cell that asks is long over." : found->second.why_no_input;
}

void CellOutputs::publish_text(CellId cell, Stream stream, const std::string& text) {
    static const auto none = std::make_shared<const std::string>("{}");
    const Output* output = find(cell);
    server_.publish_text({output == nullptr ? none : output->parent, stream, text});
}

void CellOutputs::publish_all(CellId cell, const std::vector<LinePrefixer::Output>& outputs) {
    for (const LinePrefixer::Output& output : outputs) {
        if (output.bar == 0) {
            publish_text(cell, output.stream, output.text);
            continue;
        }
        const std::string display_id = std::format("xinterp-bar-{}-{}", cell, output.bar);
        server_.publish(parent(cell), output.redrawn ? "update_display_data" : "display_data",
                        json{{"data", {{"text/plain", output.text}}},
                             {"metadata", json::object()},
                             {"transient", {{"display_id", display_id}}}});
    }
}

void CellOutputs::write(Source source, Stream stream, const std::string& text) {
    Output* output = find(source.cell);
    if (output != nullptr && output->prefixer) {
        const auto label = output->labels.find(source.interpreter);
        if (label != output->labels.end()) {
            publish_all(source.cell, output->prefixer->write(label->second, stream, text, LinePrefixer::Clock::now()));
            holding_.insert(source.cell);
            return;
        }
    }
    publish_text(source.cell, stream, text);
}

void CellOutputs::publish(Source source, const std::string& type, json content, json metadata,
                          std::vector<std::string> buffers) {
    Output* output = find(source.cell);
    if (output != nullptr && output->prefixer) {
        const auto label = output->labels.find(source.interpreter);
        if (label != output->labels.end()) {
            publish_all(source.cell, output->prefixer->flush(label->second));
            publish_all(source.cell, output->prefixer->end_line());
            if (type == "error" && content.contains("traceback") && content["traceback"].is_array())
                content["traceback"].insert(content["traceback"].begin(), text_head(label->second, output->colours));
            if (content.contains("data") && content["data"].is_object()) {
                HeadedBundle headed = head_bundle(label->second, std::move(content["data"]), output->colours);
                if (!headed.header.is_null() && type != "update_display_data")
                    server_.publish(parent(source.cell), "display_data",
                                    json{{"data", std::move(headed.header)},
                                         {"metadata", json::object()},
                                         {"transient", json::object()}});
                content["data"] = std::move(headed.data);
            }
        }
    }
    server_.publish(parent(source.cell), type, std::move(content), std::move(metadata), std::move(buffers));
}

void CellOutputs::show_error(CellId cell, const std::string& label, const json& reply) {
    json traceback = reply.value("traceback", json::array());
    const Output* output = find(cell);
    if (!label.empty())
        traceback.insert(traceback.begin(), text_head(label, output == nullptr ? LabelColours{} : output->colours));
    server_.publish(parent(cell), "error",
                    json{{"ename", reply.value("ename", "")},
                         {"evalue", reply.value("evalue", "")},
                         {"traceback", std::move(traceback)}});
}

void CellOutputs::flush(CellId cell, const std::string& label) {
    if (Output* output = find(cell); output != nullptr && output->prefixer)
        publish_all(cell, output->prefixer->flush(label));
}

std::optional<Timers::Clock::time_point> CellOutputs::next_due() const {
    std::optional<Timers::Clock::time_point> due;
    for (const CellId cell : holding_) {
        const auto when = outputs_.at(cell).prefixer->next_due();
        if (when && (!due || *when < *due)) due = when;
    }
    return due;
}

void CellOutputs::tick() {
    const auto now = LinePrefixer::Clock::now();
    for (auto cell = holding_.begin(); cell != holding_.end();) {
        LinePrefixer& prefixer = *outputs_.at(*cell).prefixer;
        publish_all(*cell, prefixer.tick(now));
        cell = prefixer.next_due() ? std::next(cell) : holding_.erase(cell);
    }
}

} // namespace xinterp::kernel
