#include <xinterp/routing/cell_processes.hpp>

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <unordered_set>
#include <utility>

namespace xinterp::kernel {
namespace {

// Bounds the time that processes which start others all the time can take.
constexpr int passes = 5;

std::optional<Process> read_process(const std::filesystem::path& folder) {
    Process process{};
    const std::string name = folder.filename();
    if (std::from_chars(name.data(), name.data() + name.size(), process.id).ec != std::errc{}) return {};
    std::string line;
    if (!std::getline(std::ifstream{folder / "stat"}, line)) return {}; // it has just ended
    const auto name_end = line.rfind(')');                              // the program's name may hold anything
    if (name_end == std::string::npos) return {};
    std::istringstream rest{line.substr(name_end + 1)};
    char state = 0;
    if (!(rest >> state >> process.parent >> process.group) || state == 'Z' || state == 'X') return {};
    return process;
}

} // namespace

std::vector<Process> running_processes() {
    std::vector<Process> found;
    std::error_code error;
    for (auto entry = std::filesystem::directory_iterator{"/proc", error};
         !error && entry != std::filesystem::directory_iterator{}; entry.increment(error))
        if (std::isdigit(static_cast<unsigned char>(entry->path().filename().native().front())) != 0)
            if (const auto process = read_process(entry->path())) found.push_back(*process);
    return found;
}

void CellProcesses::started(Source source, pid_t process, Clock::time_point began) {
    const std::scoped_lock lock{mutex_};
    starts_[process] = {source, process, began};
    if (starts_.size() < prune_at_) return;
    std::erase_if(starts_, [](const auto& entry) { return kill(entry.first, 0) != 0 && errno == ESRCH; });
    prune_at_ = std::max<std::size_t>(64, 2 * starts_.size());
}

std::vector<pid_t> CellProcesses::choose(const std::vector<Process>& all, pid_t kernel,
                                         const std::function<bool(const Start&)>& chosen) const {
    std::unordered_map<pid_t, const Process*> by_id;
    for (const Process& process : all) by_id.emplace(process.id, &process);
    const auto own = by_id.find(kernel);
    if (own == by_id.end()) return {};
    const std::scoped_lock lock{mutex_};
    // Whose it is: what is known of the process itself, else of its nearest ancestor. None if it does not descend from
    // the kernel, whatever was known once of its number.
    const auto start_of = [&](const Process& process) -> const Start* {
        const Start* start = nullptr;
        pid_t at = process.id;
        for (std::size_t depth = 0; at != kernel && depth < all.size(); ++depth) {
            const auto found = by_id.find(at);
            if (found == by_id.end()) return nullptr;
            if (const auto known = starts_.find(at); start == nullptr && known != starts_.end()) start = &known->second;
            at = found->second->parent;
        }
        return at == kernel ? start : nullptr;
    };
    std::vector<pid_t> ids;
    for (const Process& process : all) {
        if (process.group != own->second->group || process.id == kernel) continue;
        if (const Start* start = start_of(process); start != nullptr && chosen(*start)) ids.push_back(process.id);
    }
    return ids;
}

std::vector<pid_t> CellProcesses::look_up(const std::function<bool(const Start&)>& chosen) const {
    {
        const std::scoped_lock lock{mutex_};
        if (std::ranges::none_of(starts_, [&](const auto& entry) { return chosen(entry.second); })) return {};
    }
    return choose(running_processes(), getpid(), chosen);
}

std::function<void()> CellProcesses::find(std::function<bool(const Source&)> chosen) const {
    std::vector<pid_t> first = look_up([&](const Start& start) { return chosen(start.source); });
    return [this, chosen = std::move(chosen), found = std::move(first), interrupted = Clock::now(), is_again = false,
            told = std::unordered_set<pid_t>{}]() mutable {
        // What the code starts when it has handled the interrupt is left alone, and so is what a process that has had
        // its signal starts then.
        const std::unordered_set<pid_t> told_before = told;
        const auto is_meant = [&](const Start& start) {
            return chosen(start.source) &&
                   (!is_again || (start.began < interrupted && !told_before.contains(start.process)));
        };
        if (is_again) found = look_up(is_meant);
        // A signal to a process group reaches everything in it at one moment. Here a process may start another one
        // after it has been looked up; so looking is repeated until there is nothing new.
        for (int pass = 0; pass < passes && !found.empty(); ++pass) {
            for (const pid_t id : found)
                if (told.insert(id).second) kill(id, SIGINT);
            found = look_up(is_meant);
            std::erase_if(found, [&](pid_t id) { return told.contains(id); });
        }
        found.clear();
        is_again = true;
    };
}

} // namespace xinterp::kernel
