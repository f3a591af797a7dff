#include <xinterp/protocol/log.hpp>
#include <xinterp/services/history_file.hpp>

#include <algorithm>
#include <ctime>
#include <format>
#include <memory>
#include <utility>

namespace xinterp::kernel {

using nlohmann::json;
using python::main_interpreter;

namespace {

// Local time, as IPython writes it: 2026-11-30 09:17:56.123456
std::string now() {
    const auto time = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
    const auto second = std::chrono::floor<std::chrono::seconds>(time);
    const std::time_t seconds = std::chrono::system_clock::to_time_t(second);
    std::tm local{};
    localtime_r(&seconds, &local);
    return std::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:06}", local.tm_year + 1900, local.tm_mon + 1,
                       local.tm_mday, local.tm_hour, local.tm_min, local.tm_sec, (time - second).count());
}

} // namespace

// When the session has begun tells its row from those of others before the file has given it a number.
HistoryFile::HistoryFile(History& history, Backend& backend, Timers& timers, std::function<bool()> main_is_busy)
    : history_{history}, backend_{backend}, timers_{timers}, main_is_busy_{std::move(main_is_busy)},
      session_({{"number", nullptr}, {"started", now()}}) {}

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
        session_["number"] = result.value("number", json{});
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
    if (session_["number"].is_null() && history_.size() == 0) return;
    json last = request();
    last["lines"] = history_.size();
    backend_.ask_at_end("write_history", std::move(last));
}

} // namespace xinterp::kernel
