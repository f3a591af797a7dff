// include/xinterp/routing/subshells.hpp: which subshells there are (JEP 91). I/O thread only; no sockets, no Python.
//
// A subshell is a client's queue of its own and a lane of its own beside main's. It has a number here, and an id, which
// clients know. Its thread is made for its first cell: JupyterLab makes subshells for comms that never run one.
#pragma once

#include <xinterp/routing/backend.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace xinterp::kernel {

class Subshells {
public:
    /// The feature that kernel_info promises.
    static constexpr const char* feature = "kernel subshells";

    /// A new one's id.
    std::string create();
    /// Its number, if there was one: nothing can be sent through it from now on.
    std::optional<SubshellNumber> remove(const std::string& id);
    /// In the order in which they were created.
    std::vector<std::string> ids() const;
    /// The id of that number; empty: main's own shell.
    std::string id_of(SubshellNumber number) const;
    /// Which one a request's header names: 0 is main's own shell. Nothing if there is no such subshell (any more).
    std::optional<SubshellNumber> of(const nlohmann::json& header) const;
    /// Likewise by its id.
    std::optional<SubshellNumber> find(const std::string& id) const;
    /// What a client reads who has named one that does not exist.
    std::string unknown(const std::string& id) const;

private:
    SubshellNumber last_ = 0;
    std::map<SubshellNumber, std::string> ids_;
};

/// The subshell's id in a header or in a content; empty: none.
std::string subshell_id(const nlohmann::json& object);

} // namespace xinterp::kernel
