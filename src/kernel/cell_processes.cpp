#include <xinterp/kernel/cell_processes.hpp>

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <limits>
#include <optional>
#include <sstream>
#include <string>
#include <unordered_set>
#include <utility>

namespace xinterp::kernel {
namespace {

// Bounds the time that processes which start others all the time can take.
constexpr int passes = 5;

// How long the start of a process may take at most to be told.
constexpr unsigned long long late_seconds = 10;

constexpr auto whenever = std::numeric_limits<unsigned long long>::max();

unsigned long long ticks_since_boot() {
    timespec now{};
    clock_gettime(CLOCK_BOOTTIME, &now);
    const auto ticks = static_cast<unsigned long long>(sysconf(_SC_CLK_TCK));
    return static_cast<unsigned long long>(now.tv_sec) * ticks +
           static_cast<unsigned long long>(now.tv_nsec) * ticks / 1'000'000'000ULL;
}

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
    std::string skipped;
    for (int field = 0; field < 16; ++field) rest >> skipped; // from the session to itrealvalue
    rest >> process.start;
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

void CellProcesses::started(Source source, pid_t process) {
    {
        const std::scoped_lock lock{mutex_};
        sources_[process] = source;
        if (sources_.size() >= prune_at_) {
            std::erase_if(sources_, [](const auto& entry) { return kill(entry.first, 0) != 0 && errno == ESRCH; });
            prune_at_ = std::max<std::size_t>(64, 2 * sources_.size());
        }
    }
    if (!is_late(source, process)) return;
    std::unordered_set<pid_t> tree{process};
    for (std::size_t before = 0; before != tree.size();) { // a parent may stand behind its children
        before = tree.size();
        for (const Process& each : running_processes())
            if (tree.contains(each.parent)) tree.insert(each.id);
    }
    for (const pid_t id : tree) kill(id, SIGINT);
}

void CellProcesses::interrupt_late(Chooser chosen) {
    const std::scoped_lock lock{mutex_};
    const auto now = ticks_since_boot();
    const auto kept = late_seconds * static_cast<unsigned long long>(sysconf(_SC_CLK_TCK));
    std::erase_if(interrupts_, [&](const Interrupt& interrupt) { return interrupt.at + kept < now; });
    interrupts_.push_back({std::move(chosen), now});
}

bool CellProcesses::is_late(Source source, pid_t process) {
    std::optional<unsigned long long> last;
    {
        const std::scoped_lock lock{mutex_};
        for (const Interrupt& interrupt : interrupts_)
            if (interrupt.chosen(source)) last = interrupt.at;
    }
    if (!last) return false;
    const auto found = read_process(std::filesystem::path{"/proc"} / std::to_string(process));
    return found && found->start < *last;
}

std::vector<pid_t> CellProcesses::choose(const std::vector<Process>& all, pid_t kernel, const Chooser& chosen) const {
    std::unordered_map<pid_t, const Process*> by_id;
    for (const Process& process : all) by_id.emplace(process.id, &process);
    const auto own = by_id.find(kernel);
    if (own == by_id.end()) return {};
    const std::scoped_lock lock{mutex_};
    // Whose it is: what is known of the process itself, else of its nearest ancestor. None if it does not descend from
    // the kernel, whatever was known once of its number.
    const auto source_of = [&](const Process& process) -> std::optional<Source> {
        std::optional<Source> source;
        pid_t at = process.id;
        for (std::size_t depth = 0; at != kernel && depth < all.size(); ++depth) {
            const auto found = by_id.find(at);
            if (found == by_id.end()) return {};
            if (const auto known = sources_.find(at); !source && known != sources_.end()) source = known->second;
            at = found->second->parent;
        }
        return at == kernel ? source : std::nullopt;
    };
    std::vector<pid_t> ids;
    for (const Process& process : all) {
        if (process.group != own->second->group || process.id == kernel) continue;
        if (const auto source = source_of(process); source && chosen(*source)) ids.push_back(process.id);
    }
    return ids;
}

std::vector<pid_t> CellProcesses::look_up(const Chooser& chosen, unsigned long long started_before) const {
    {
        const std::scoped_lock lock{mutex_};
        if (std::ranges::none_of(sources_, [&](const auto& entry) { return chosen(entry.second); })) return {};
    }
    const std::vector<Process> all = running_processes();
    std::vector<pid_t> found = choose(all, getpid(), chosen);
    std::unordered_set<pid_t> later;
    for (const Process& process : all)
        if (process.start >= started_before) later.insert(process.id);
    std::erase_if(found, [&](pid_t id) { return later.contains(id); });
    return found;
}

std::function<void()> CellProcesses::find(Chooser chosen) const {
    std::vector<pid_t> first = look_up(chosen, whenever);
    return [this, chosen = std::move(chosen), found = std::move(first), limit = whenever, now = ticks_since_boot(),
            told = std::unordered_set<pid_t>{}]() mutable {
        // A signal to a process group reaches everything in it at one moment. Here a process may start another one
        // after it has been looked up; so looking is repeated until there is nothing new.
        for (int pass = 0; pass < passes; ++pass) {
            for (const pid_t id : std::exchange(found, {}))
                if (told.insert(id).second) kill(id, SIGINT);
            found = look_up(chosen, limit);
            std::erase_if(found, [&](pid_t id) { return told.contains(id); });
            if (found.empty()) break;
        }
        limit = now; // called again: what the code starts when it has handled the interrupt is left alone
    };
}

} // namespace xinterp::kernel
