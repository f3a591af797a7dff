// include/xinterp/kernel/python_front.hpp: what Python code in cells shows, asks and orders, brought to the I/O thread.
#pragma once

#include <xinterp/kernel/parts.hpp>
#include <xinterp/modules/front_end.hpp>

#include <functional>
#include <map>
#include <memory>

namespace xinterp::kernel {

/// Any thread.
class PythonFront final : public modules::FrontEnd {
public:
    explicit PythonFront(Parts& parts) : parts_{parts} {}

    void write(Source source, Stream stream, std::string_view text) override;
    bool has_room() const override { return parts_.outbox.has_room(); }
    bool wait_for_room(std::chrono::milliseconds time) override { return parts_.outbox.wait_for_room(time); }
    void publish(Source source, std::string type, nlohmann::json content, nlohmann::json metadata,
                 std::vector<std::string> buffers) override;
    std::shared_ptr<modules::Answer> ask_input(Source source, modules::InputRequest request) override;
    void withdraw_input(const std::shared_ptr<modules::Answer>& answer) override;
    std::shared_ptr<modules::Answer> command(Source source, nlohmann::json request) override;
    void withdraw_command(const std::shared_ptr<modules::Answer>& answer) override;
    bool debugs() const override { return parts_.debugger->is_on(); }
    int process_pipe(Source source, Stream stream) override;
    int worker_pipe(Source source, modules::PoolId pool, Stream stream) override;
    void work_given(Source source, modules::PoolId pool) override { parts_.pipes.give(source, pool); }
    void process_started(Source source, pid_t process, std::chrono::steady_clock::time_point began) override {
        parts_.processes.started(source, process, began);
    }

private:
    // I/O thread
    void carry_out(Source source, const nlohmann::json& request, const std::shared_ptr<modules::Answer>& answer);
    nlohmann::json parent_message(CellId cell) const;

    Parts& parts_;
    std::map<std::shared_ptr<modules::Answer>, std::function<void()>> command_cancels_; ///< I/O thread
};

} // namespace xinterp::kernel
