#include "printing.hpp"

#include <xinterp/routing/cell_processes.hpp>

#include <vector>

using namespace xinterp::kernel;

namespace {

constexpr pid_t kernel = 10;

auto of_cell(xinterp::modules::CellId cell) {
    return [cell](const CellProcesses::Start& start) { return start.source.cell == cell; };
}

} // namespace

TEST_CASE("the processes of a cell are those that it has started and their descendants") {
    CellProcesses processes;
    processes.started({1, 0}, 20, {});
    processes.started({2, 0}, 30, {});
    const std::vector<Process> all{{1, 0, 1},    {10, 1, 10},  {20, 10, 10}, {21, 20, 10},
                                   {22, 21, 10}, {30, 10, 10}, {31, 30, 10}, {99, 1, 99}};
    CHECK(processes.choose(all, kernel, of_cell(1)) == std::vector<pid_t>{20, 21, 22});
    CHECK(processes.choose(all, kernel, of_cell(2)) == std::vector<pid_t>{30, 31});
    CHECK(processes.choose(all, kernel, of_cell(3)).empty());
}

TEST_CASE("a process belongs to its own cell, also if another cell has started its parent") {
    CellProcesses processes;
    processes.started({1, 0}, 20, {});
    processes.started({2, 0}, 21, {});
    const std::vector<Process> all{{10, 1, 10}, {20, 10, 10}, {21, 20, 10}, {22, 21, 10}};
    CHECK(processes.choose(all, kernel, of_cell(1)) == std::vector<pid_t>{20});
    CHECK(processes.choose(all, kernel, of_cell(2)) == std::vector<pid_t>{21, 22});
}

TEST_CASE("a process in a group of its own is none of a cell's, as in a terminal") {
    CellProcesses processes;
    processes.started({1, 0}, 20, {});
    const std::vector<Process> all{{10, 1, 10}, {20, 10, 20}, {21, 20, 20}};
    CHECK(processes.choose(all, kernel, of_cell(1)).empty());
}

TEST_CASE("a number that another program has now is none of a cell's") {
    CellProcesses processes;
    processes.started({1, 0}, 20, {});
    CHECK(processes.choose({{1, 0, 1}, {10, 1, 10}, {20, 1, 10}}, kernel, of_cell(1)).empty());
    processes.started({2, 0}, 20, {});
    const std::vector<Process> all{{10, 1, 10}, {20, 10, 10}};
    CHECK(processes.choose(all, kernel, of_cell(1)).empty());
    CHECK(processes.choose(all, kernel, of_cell(2)) == std::vector<pid_t>{20});
}

TEST_CASE("a child that no cell is known to have started is left alone") {
    const CellProcesses processes;
    CHECK(processes.choose({{10, 1, 10}, {20, 10, 10}}, kernel, [](const CellProcesses::Start&) { return true; })
              .empty());
}
