#include <xinterp/kernel/history_file.hpp>
#include <xinterp/kernel/log.hpp>

#include <algorithm>
#include <memory>
#include <utility>

namespace xinterp::kernel {

using nlohmann::json;
using python::main_interpreter;

json HistoryFile::request() const { return {{"session", session_}, {"entries", history_.entries(written_)}}; }

// The time begins anew with every cell: main is not held up between cells that follow each other.
void HistoryFile::write_after(std::chrono::milliseconds time) {
    if (useless_ || ended_ || writing_) return;
    if (waiting_) timers_.cancel(*waiting_);
    waiting_ = timers_.after(time, [this] {
        waiting_.reset();
        wants_to_write_ = main_is_busy_();
        if (!wants_to_write_) write();
    });
}

void HistoryFile::main_became_idle() {
    if (std::exchange(wants_to_write_, false)) write_after(idle_time);
}

void HistoryFile::write() {
    if (ended_ || written_ == history_.size()) return;
    writing_ = true;
    changed_ = history_.size();
    backend_.ask(main_interpreter, "write_history", request(), [this, count = history_.size()](const json& result) {
        writing_ = false;
        written(count, result);
    });
}

void HistoryFile::written(std::size_t count, const json& result) {
    if (result.value("status", "") == "ok") {
        session_ = result.value("session", json{});
        written_ = std::min(count, changed_);
        if (written_ != history_.size()) changed();
    } else if (result.contains("problem")) {
        complain(result);
        useless_ = true;
    } else { // it is locked, or the person has interrupted it
        write_after(lock_pause);
    }
}

void HistoryFile::complain(const json& result) {
    const std::string problem = result.at("problem");
    if (std::exchange(last_problem_, problem) != problem)
        log_warning("the history of other sessions cannot be used: " + problem);
}

void HistoryFile::answer(const json& request, std::chrono::milliseconds patience, Backend::Reply reply) {
    json own = history_.answer(request);
    if (own.at("status") != "ok") {
        reply(std::move(own));
        return;
    }
    struct Pending {
        json own;
        Backend::Reply reply;
        void give(json content) {
            if (reply) std::exchange(reply, {})(std::move(content));
        }
    };
    const auto pending = std::make_shared<Pending>(Pending{std::move(own), std::move(reply)});
    timers_.after(patience, [this, pending] {
        if (main_is_busy_()) pending->give(pending->own);
        else timers_.after(reading_time, [pending] { pending->give(pending->own); });
    });
    backend_.ask(main_interpreter, "read_history",
                 {{"request", request}, {"session", session_}, {"entries", history_.entries()}},
                 [this, pending](const json& result) {
                     if (result.contains("problem")) complain(result);
                     pending->give(result.contains("history")
                                       ? json{{"status", "ok"}, {"history", result.at("history")}}
                                       : pending->own);
                 });
}

json HistoryFile::command(const json& request) {
    if (request.contains("transformed")) {
        if (const auto index = history_.set_transformed(request.at("line"), request.at("transformed"))) {
            written_ = std::min(written_, *index);
            changed_ = std::min(changed_, *index);
            changed();
        }
        return {{"ok", true}};
    }
    return {{"ok", true}, {"session", session_}, {"entries", history_.entries()}};
}

void HistoryFile::end() {
    if (std::exchange(ended_, true) || useless_) return;
    if (session_.is_null() && history_.size() == 0) return;
    json last = request();
    last["lines"] = history_.size();
    backend_.ask_at_end("write_history", std::move(last));
}

} // namespace xinterp::kernel
