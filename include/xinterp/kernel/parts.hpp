// include/xinterp/kernel/parts.hpp: the kernel's parts, which those who answer requests, show cells and serve Python
// code put to use.
#pragma once

#include <xinterp/commands/commands.hpp>
#include <xinterp/debugger/debugger.hpp>
#include <xinterp/kernel/kernel_info.hpp>
#include <xinterp/protocol/outbox.hpp>
#include <xinterp/protocol/server.hpp>
#include <xinterp/routing/backend.hpp>
#include <xinterp/routing/cell_outputs.hpp>
#include <xinterp/routing/cell_processes.hpp>
#include <xinterp/routing/input_broker.hpp>
#include <xinterp/routing/interpreters.hpp>
#include <xinterp/routing/process_pipes.hpp>
#include <xinterp/routing/router.hpp>
#include <xinterp/routing/subshells.hpp>
#include <xinterp/services/comms.hpp>
#include <xinterp/services/history.hpp>
#include <xinterp/services/history_file.hpp>
#include <xinterp/services/panel.hpp>

#include <xeus/xkernel.hpp>

#include <chrono>
#include <memory>

namespace xinterp::kernel {

/// The I/O thread uses them, but for the outbox, the pipes, the processes and what of the debugger says otherwise.
struct Parts {
    /// How long after a cell's end its pipes stay open: one of its threads may just be starting a subprocess.
    static constexpr std::chrono::milliseconds spawn_time{500};

    /// Binds the sockets; throws std::runtime_error with a sentence if it cannot. Any thread.
    Parts(const xeus::xkernel_configuration& configuration, KernelInfo info, python::Registry& registry);
    Parts(const Parts&) = delete;
    Parts& operator=(const Parts&) = delete;
    ~Parts() = default;
    /// Makes what needs to know who runs code, and whom the router tells what happens to cells.
    void add(Backend& backend, RouterFront& cells);

    Client client_of(const nlohmann::json& header) const;
    void close_pipes_later(CellId cell);

    KernelInfo info;
    xeus::xkernel_configuration configuration;
    python::Registry& registry;
    Outbox outbox;
    Server* server = nullptr; ///< owned by `xeus`
    std::unique_ptr<xeus::xkernel> xeus;
    History history;
    std::unique_ptr<HistoryFile> history_file;
    std::unique_ptr<CellOutputs> outputs;
    std::unique_ptr<InputBroker> inputs;
    ProcessPipes pipes;
    CellProcesses processes;
    Backend* backend = nullptr;
    std::unique_ptr<Interpreters> interpreters;
    Subshells subshells;
    std::unique_ptr<Router> router;
    std::unique_ptr<Commands> commands;
    std::unique_ptr<Comms> comms;
    std::unique_ptr<Debugger> debugger;
    std::unique_ptr<Panel> panel;
    Cell* beginning = nullptr; ///< the cell that xeus is being told of
};

} // namespace xinterp::kernel
