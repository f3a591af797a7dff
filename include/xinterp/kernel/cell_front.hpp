// include/xinterp/kernel/cell_front.hpp: what front ends see of cells from their beginning to their end. I/O thread
// only.
#pragma once

#include <xinterp/kernel/current_runs.hpp>
#include <xinterp/kernel/parts.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace xinterp::kernel {

class CellFront final : public RouterFront {
public:
    CellFront(Parts& parts, CurrentRuns& runs) : parts_{parts}, runs_{runs} {}

    void begin(Cell& cell) override;
    void abort(Cell& cell) override;
    void routed(const Cell& cell) override;
    void flush(const Cell& cell, const Cell::Run* run) override;
    void write(const Cell& cell, Stream stream, const std::string& text) override;
    void show_error(const Cell& cell, const std::string& label, const nlohmann::json& reply) override;
    void lane_taken(const Cell& cell, const Cell::Run& run) override;
    void lane_left(const Cell& cell, const Cell::Run& run, const nlohmann::json& reply) override;
    void became_idle(InterpreterId interpreter) override;
    void ended(const Cell& cell) override;
    bool read_requests() override { return parts_.server->read_shell(); }
    std::function<void()> find_processes(CellId cell, std::optional<InterpreterId> interpreter) override;
    void run_commands(Cell& cell, std::vector<std::string> lines, std::function<void(nlohmann::json)> done) override;

private:
    void begin_callback(Cell& cell);
    void run_next_command(CellId cell, const std::shared_ptr<std::vector<std::string>>& lines, std::size_t index,
                          const std::function<void(nlohmann::json)>& done);

    Parts& parts_;
    CurrentRuns& runs_;
};

} // namespace xinterp::kernel
