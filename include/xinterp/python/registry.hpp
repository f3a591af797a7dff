// include/xinterp/python/registry.hpp: which interpreters exist, and what can be said of them without any GIL.
// Every member may be called on any thread, with or without a thread state; nothing here calls Python.
#pragma once

#include <xinterp/python/presets.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace xinterp::python {

using InterpreterId = std::int64_t;
inline constexpr InterpreterId main_interpreter = 0;

enum class State { idle, running, closing };
std::string_view state_name(State state);

/// A snapshot of one interpreter.
struct InterpreterInfo {
    InterpreterId id = main_interpreter;
    std::string name;                 ///< empty: it has an id only
    Preset preset = Preset::isolated; ///< meaningless for main
    bool own_gil = true;
    State state = State::idle;
    std::uint64_t cells_run = 0;
    std::size_t arena_bytes = 0; ///< small-object arenas of its own allocator; 0 for `shared`
    std::chrono::steady_clock::time_point created = std::chrono::steady_clock::now();
    std::string origin; ///< where it came from: "main", "%interp", "Python"

    /// What a person calls it: its name, else its id.
    std::string label() const { return name.empty() ? std::to_string(id) : name; }
    std::string_view preset_label() const { return id == main_interpreter ? "main" : preset_name(preset); }
    /// "own" or "with main".
    std::string_view gil() const { return own_gil ? "own" : "with main"; }
};

class Registry {
public:
    Registry();

    void add(InterpreterInfo info);
    void remove(InterpreterId id);
    void rename(InterpreterId id, std::string name);
    void set_state(InterpreterId id, State state);
    void count_cell(InterpreterId id);
    void set_arena_bytes(InterpreterId id, std::size_t bytes);

    std::optional<InterpreterInfo> get(InterpreterId id) const;
    /// By name ("main" included) or by id in digits.
    std::optional<InterpreterInfo> find(std::string_view target) const;
    /// All, main first, then by id.
    std::vector<InterpreterInfo> list() const;
    /// Names and ids that a target may be, main first: what an error message lists.
    std::vector<std::string> labels() const;

private:
    mutable std::mutex mutex_;
    std::map<InterpreterId, InterpreterInfo> interpreters_;
};

/// Whether it can name a variable: a Python identifier, and no keyword.
bool is_identifier(std::string_view name);
/// Why a string cannot name an interpreter, as a sentence; nothing when it can.
std::optional<std::string> name_problem(std::string_view name);

} // namespace xinterp::python
