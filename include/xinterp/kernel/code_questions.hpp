// include/xinterp/kernel/code_questions.hpp: what a person who types asks: completion, inspection, whether code is
// complete. I/O thread only.
#pragma once

#include <xinterp/commands/command_completion.hpp>
#include <xinterp/kernel/parts.hpp>

#include <functional>
#include <optional>

namespace xinterp::kernel {

class CodeQuestions {
public:
    explicit CodeQuestions(Parts& parts) : parts_{parts} {}

    /// Answers a complete, inspect or is_complete request, now or later.
    void ask(Channel channel, const xeus::xmessage& request);

private:
    std::optional<InputBroker::Asker> asker_of(const xeus::xmessage& request) const;
    void complete_on_command_line(const CommandCompletion& found, const std::function<void(nlohmann::json)>& reply);

    Parts& parts_;
};

} // namespace xinterp::kernel
