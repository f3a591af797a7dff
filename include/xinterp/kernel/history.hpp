// include/xinterp/kernel/history.hpp: the cells of this kernel's life, as typed. I/O thread only.
#pragma once

#include <xeus/xhistory_manager.hpp>

#include <string>
#include <vector>

namespace xinterp::kernel {

class History final : public xeus::xhistory_manager {
private:
    struct Entry {
        int line;
        std::string input, output;
    };
    void configure_impl() override {}
    void store_inputs_impl(int session, int line, const std::string& input, const std::string& output) override;
    nlohmann::json get_tail_impl(int count, bool raw, bool output) const override;
    nlohmann::json get_range_impl(int session, int start, int stop, bool raw, bool output) const override;
    nlohmann::json search_impl(const std::string& pattern, bool raw, bool output, int count,
                               bool unique) const override;

    std::vector<Entry> entries_;
};

} // namespace xinterp::kernel
