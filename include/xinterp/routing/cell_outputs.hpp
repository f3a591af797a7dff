// include/xinterp/routing/cell_outputs.hpp: what cells show, each message under its own cell. I/O thread only.
#pragma once

#include <xinterp/protocol/outbox.hpp>
#include <xinterp/protocol/server.hpp>
#include <xinterp/routing/attribution.hpp>
#include <xinterp/routing/router.hpp>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace xinterp::kernel {

class CellOutputs {
public:
    /// The threads of a cell may print long after its end. The parents of this many ended cells are kept, and of as
    /// many ended callbacks, of which a slider that is moved makes a thousand a minute.
    static constexpr std::size_t remembered = 10'000;

    explicit CellOutputs(Server& server) : server_{server} {}

    /// In which colour the names of interpreters stand before the output of that client's cells, if in any.
    using NameColour = std::function<std::optional<std::string_view>(const std::string& session, InterpreterId)>;
    void colour_names(NameColour name_colour) { name_colour_ = std::move(name_colour); }

    /// Numbers from here on are those of messages that are no cell's: code has set them for the parent of its output.
    static constexpr CellId first_foreign_parent = CellId{1} << 62U;

    void begin(const Cell& cell);
    void routed(const Cell& cell);
    void ended(const Cell& cell);

    void write(Source source, Stream stream, const std::string& text);
    void publish(Source source, const std::string& type, nlohmann::json content, nlohmann::json metadata,
                 std::vector<std::string> buffers);
    void show_error(CellId cell, const std::string& label, const nlohmann::json& reply);
    /// Shows the unfinished lines of a cell's target, of all its targets for an empty label.
    void flush(CellId cell, const std::string& label);

    std::optional<Timers::Clock::time_point> next_due() const;
    void tick();

    /// Where a request on behalf of the cell goes; null for a cell that is not remembered.
    const xeus::xrequest_context* context(CellId cell) const;
    /// The header that the cell's messages have for their parent; {} for a cell that is not remembered.
    const nlohmann::json& parent(CellId cell) const;
    /// The number of the cell that has that header; if there is none, a new one, whose messages have it for their
    /// parent.
    CellId cell_of(const nlohmann::json& header);
    /// Why code of the cell cannot ask the person for a line; empty if it can.
    std::string_view why_no_input(CellId cell) const;

private:
    struct Output {
        xeus::xrequest_context context;
        std::shared_ptr<const std::string> parent; ///< its header as JSON
        std::string_view why_no_input;
        std::map<InterpreterId, std::string> labels; ///< of a cell with several targets
        LabelColours colours;                        ///< likewise
        std::unique_ptr<LinePrefixer> prefixer;      ///< likewise
    };
    static Output output_under(xeus::xrequest_context context);
    Output* find(CellId cell);
    void forget_oldest(std::deque<CellId>& ended);
    void publish_text(CellId cell, Stream stream, const std::string& text);
    void publish_all(CellId cell, const std::vector<LinePrefixer::Output>& outputs);

    Server& server_;
    NameColour name_colour_ = [](const std::string&, InterpreterId) { return std::nullopt; };
    std::map<CellId, Output> outputs_;
    std::deque<CellId> ended_cells_, ended_callbacks_;
    CellId last_foreign_parent_ = first_foreign_parent;
    std::set<CellId> holding_; ///< cells whose prefixers may hold unfinished lines back
};

} // namespace xinterp::kernel
