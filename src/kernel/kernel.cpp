#include <xinterp/kernel/kernel.hpp>

#include <cstdio>
#include <iostream>
#include <utility>

namespace xinterp::kernel {

Kernel::Kernel(const xeus::xkernel_configuration& configuration, KernelInfo info, python::Registry& registry)
    : parts_{configuration, std::move(info), registry}, requests_{parts_, [this] { shut_down(); }},
      cells_{parts_, runs_}, python_{parts_} {
    parts_.server->set_handler(requests_);
}

void Kernel::set_backend(Backend& backend, std::function<void()> shut_down) {
    shut_down_ = std::move(shut_down);
    parts_.add(backend, cells_);
}

void Kernel::serve() {
    std::clog.setstate(std::ios_base::failbit); // xeus greets there, which a person would find above the first cell
    parts_.xeus->start();
}

void Kernel::close() {
    if (parts_.debugger) parts_.debugger->end();
    parts_.xeus.reset();
}

void Kernel::python_started(bool has_debugger) {
    parts_.outbox.post(0, [this, has_debugger] { requests_.python_started(has_debugger); });
}

void Kernel::stop() {
    parts_.outbox.post(0, [this] { parts_.server->stop(); });
}

void Kernel::request_shutdown() {
    parts_.outbox.post(0, [this] { shut_down(); });
}

void Kernel::capture_process_output() {
    process_output_ = std::make_unique<ProcessOutput>(parts_.outbox, [this] { return runs_.owner(); });
    process_output_->report_crashes();
    for (const int descriptor : process_output_->descriptors())
        parts_.server->watch(descriptor, [this] { process_output_->drain(); });
}

void Kernel::flush_processes(CellId cell) {
    std::fflush(nullptr);
    if (process_output_) process_output_->drain();
    parts_.pipes.drain(cell);
}

std::function<void()> Kernel::find_processes_in(InterpreterId interpreter) const {
    return parts_.processes.find([this, interpreter](const Source& source) {
        return source.interpreter == interpreter && parts_.router->cell(source.cell) != nullptr;
    });
}

void Kernel::shut_down() {
    if (std::exchange(shutting_down_, true)) return;
    timers().after(shutdown_grace, [this] {
        if (!cells_have_ended_) parts_.server->stop();
    });
    timers().after(exit_handlers_grace, [this] { parts_.server->stop(); });
    parts_.router->wait_for_no_rest();
    parts_.history_file->end();
    shut_down_();
}

} // namespace xinterp::kernel
