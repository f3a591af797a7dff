// include/xinterp/routing/interpreters.hpp: creating, naming, finding and closing interpreters. I/O thread only.
#pragma once

#include <xinterp/magics/cell_magic.hpp>
#include <xinterp/routing/backend.hpp>

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace xinterp::kernel {

using python::InterpreterInfo;

class Interpreters {
public:
    using Created = std::function<void(std::optional<InterpreterInfo>, std::string error)>;

    Interpreters(python::Registry& registry, Backend& backend) : registry_{registry}, backend_{backend} {}

    python::Registry& registry() { return registry_; }

    /// What a target names. Throws UsageError: what exists, the nearest, how to create it.
    InterpreterInfo resolve(const std::string& target) const;
    /// Likewise for a list or "all", each once.
    std::vector<InterpreterInfo> resolve(const std::vector<std::string>& targets) const;

    /// Throws UsageError if the name cannot be given to an interpreter.
    void check_name(const std::string& name) const;
    /// An empty name: an id only. The name has been checked; it is reserved from now on. `origin` says who asks.
    void create(const std::string& name, const python::Configuration& configuration, Created created,
                const std::string& origin = "%interp");
    /// From now on it is "closing" and no target any more; `done` when it is gone. What its finalization prints belongs
    /// to that cell.
    void close(InterpreterId id, CellId cell, std::function<void(std::string remark)> done);

    /// Called when an interpreter begins to close, for a cell.
    void on_closing(std::function<void(InterpreterId, CellId)> hook) { closing_ = std::move(hook); }

private:
    python::Registry& registry_;
    Backend& backend_;
    std::set<std::string> reserved_;
    std::function<void(InterpreterId, CellId)> closing_ = [](InterpreterId, CellId) {};
};

} // namespace xinterp::kernel
