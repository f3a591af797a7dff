// include/xinterp/kernel/requests.hpp: what front ends send, validated and given to the part that answers it. I/O
// thread only.
#pragma once

#include <xinterp/kernel/code_questions.hpp>
#include <xinterp/kernel/parts.hpp>

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace xinterp::kernel {

class Requests final : public ServerHandler {
public:
    /// How long a client that deletes a subshell waits for the end of its thread, which needs main's GIL.
    static constexpr std::chrono::milliseconds subshell_patience{250};

    /// `shut_down`: what a shutdown_request asks for.
    Requests(Parts& parts, std::function<void()> shut_down)
        : parts_{parts}, questions_{parts}, shut_down_{std::move(shut_down)} {}

    /// Python has started: those who have asked for kernel_info are answered.
    void python_started(bool has_debugger);

    void received(Channel channel, Received received) override;
    bool takes_requests() const override { return parts_.router->has_room(); }
    void write_text(Outbox::Text text) override;
    std::optional<Timers::Clock::time_point> next_due() const override { return parts_.outputs->next_due(); }
    void due() override { parts_.outputs->tick(); }

private:
    void refuse(Channel channel, const xeus::xrequest_context& request, nlohmann::json content);
    void answer(Channel channel, xeus::xmessage request, const std::string& lone_surrogate);
    void execute(Channel channel, xeus::xmessage request, const std::string& lone_surrogate);
    void answer_about_subshells(const xeus::xrequest_context& context, const nlohmann::json& content);
    void answer_kernel_info(Channel channel, const xeus::xrequest_context& request);
    nlohmann::json interrupt(const xeus::xmessage& request);
    /// Front ends have one light for the kernel, which shows the last status that came.
    void show_busy_again();

    Parts& parts_;
    CodeQuestions questions_;
    std::function<void()> shut_down_;
    std::vector<std::pair<Channel, xeus::xrequest_context>> ask_for_info_; ///< before Python has started
};

} // namespace xinterp::kernel
