#include <xinterp/protocol/outbox.hpp>

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <thread>
#include <utility>

namespace xinterp::kernel {

Outbox::Outbox() : wake_descriptor_{eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)} {
    if (wake_descriptor_ < 0) throw std::system_error{errno, std::generic_category(), "eventfd"};
}

Outbox::~Outbox() { close(wake_descriptor_); }

void Outbox::wake() { eventfd_write(wake_descriptor_, 1); }

void Outbox::write(Source source, Stream stream, std::string_view text) {
    if (text.empty()) return;
    bool tell = false;
    {
        const std::scoped_lock lock{mutex_};
        const auto open = open_.find(source.cell);
        Text* piece = open == open_.end() ? nullptr : &std::get<Text>(open->second->entry);
        if (piece != nullptr && piece->stream == stream && piece->source.interpreter == source.interpreter &&
            piece->text.size() < piece_bytes) {
            piece->text += text;
            open->second->bytes += text.size();
            bytes_ += text.size();
            tell = piece->text.size() >= piece_bytes;
        } else {
            tell = slots_.empty();
            auto slot = std::make_unique<Slot>(Text{source, stream, std::string{text}, Clock::now()},
                                               text.size() + entry_overhead);
            bytes_ += slot->bytes;
            open_[source.cell] = slot.get();
            slots_.push_back(std::move(slot));
        }
    }
    if (tell) wake();
}

void Outbox::post(CellId cell, Task task, std::size_t bytes) {
    {
        const std::scoped_lock lock{mutex_};
        open_.erase(cell);
        slots_.push_back(std::make_unique<Slot>(std::move(task), bytes + entry_overhead));
        bytes_ += bytes + entry_overhead;
        ++tasks_;
    }
    wake();
}

bool Outbox::wait_for_room(std::chrono::milliseconds time) {
    std::unique_lock lock{mutex_};
    return room_.wait_for(lock, time, [this] { return bytes_ < bound_bytes / 2; });
}

void Outbox::release(std::size_t bytes) {
    const std::size_t before = bytes_.fetch_sub(bytes);
    if (before < bound_bytes / 2 || before - bytes >= bound_bytes / 2) return;
    {
        const std::scoped_lock lock{mutex_};
    } // a writer that has just looked is waiting by now
    room_.notify_all();
}

void Outbox::acknowledge() {
    eventfd_t count = 0;
    eventfd_read(wake_descriptor_, &count);
}

void Outbox::await_task(std::chrono::microseconds time) const {
    const auto until = Clock::now() + time;
    while (tasks_ == 0 && Clock::now() < until) std::this_thread::yield();
}

bool Outbox::is_open(const Slot& slot) const {
    const auto* text = std::get_if<Text>(&slot.entry);
    if (text == nullptr) return false;
    const auto open = open_.find(text->source.cell);
    return open != open_.end() && open->second == &slot;
}

std::optional<Outbox::Clock::time_point> Outbox::first_due() const {
    if (slots_.empty()) return std::nullopt;
    const auto* text = std::get_if<Text>(&slots_.front()->entry);
    if (tasks_ != 0 || !is_open(*slots_.front()) || text->text.size() >= piece_bytes) return at_once;
    return text->begun + coalescing_time;
}

std::optional<Outbox::Entry> Outbox::take(Clock::time_point now) {
    std::unique_ptr<Slot> slot;
    {
        const std::scoped_lock lock{mutex_};
        const auto due = first_due();
        if (!due || now < *due) return std::nullopt;
        slot = std::move(slots_.front());
        slots_.pop_front();
        if (is_open(*slot)) open_.erase(std::get<Text>(slot->entry).source.cell);
        if (std::holds_alternative<Task>(slot->entry)) --tasks_;
    }
    release(slot->bytes);
    return std::move(slot->entry);
}

std::optional<Outbox::Clock::time_point> Outbox::next_due() const {
    const std::scoped_lock lock{mutex_};
    return first_due();
}

} // namespace xinterp::kernel
