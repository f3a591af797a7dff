// include/xinterp/magics/command_results.hpp: what commands read from requests and put into results (commands.hpp has
// their form). I/O thread.
#pragma once

#include <xinterp/magics/table.hpp>

#include <nlohmann/json.hpp>

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace xinterp::kernel {

nlohmann::json success(const std::string& text, nlohmann::json value = nullptr);
nlohmann::json failure(const std::string& error);
/// One result of several: all their sentences; the first error fails it.
nlohmann::json combine(const std::vector<nlohmann::json>& results);

/// A request's list of names or ids; empty if it has none. Throws UsageError for anything else in it.
std::vector<std::string> strings(const nlohmann::json& request, const char* key);
/// What a person sees as a table, also rich.
nlohmann::json table(const Rows& rows, nlohmann::json value);
/// "Usage: %interp COMMAND ...", what ends an error message about that command.
std::string usage_line(std::string_view command);

/// What went wrong where values were packed or unpacked (transfer.py), a sentence each: what was refused, behind
/// `prefix`, or why the interpreter `label` has not answered.
std::vector<std::string> crossing_problems(const nlohmann::json& reply, const std::string& prefix,
                                           const std::string& label);

/// Collects the results of several steps, in the order of the steps, and reports once all have come.
class Gathered {
public:
    Gathered(std::size_t count, std::function<void(std::vector<nlohmann::json>)> done)
        : results_(count), left_{count}, done_{std::move(done)} {}
    void give(std::size_t index, nlohmann::json result) {
        results_[index] = std::move(result);
        if (--left_ == 0) done_(std::move(results_));
    }

private:
    std::vector<nlohmann::json> results_;
    std::size_t left_;
    std::function<void(std::vector<nlohmann::json>)> done_;
};

} // namespace xinterp::kernel
