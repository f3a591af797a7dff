#include <xinterp/python/registry.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <clocale>
#include <cwchar>
#include <cwctype>
#include <utility>

namespace xinterp::python {

// Letters, digits and underscores of any script, beginning with no digit. libc's tables know scripts; its classes
// differ from Python's in a few rare signs.
bool is_identifier(std::string_view name) {
    // Python's keywords cannot be identifiers; its soft keywords can.
    static constexpr std::array keywords{"False",  "None",   "True",    "and",      "as",       "assert", "async",
                                         "await",  "break",  "class",   "continue", "def",      "del",    "elif",
                                         "else",   "except", "finally", "for",      "from",     "global", "if",
                                         "import", "in",     "is",      "lambda",   "nonlocal", "not",    "or",
                                         "pass",   "raise",  "return",  "try",      "while",    "with",   "yield"};
    static const locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    const locale_t outer = uselocale(utf8);
    std::mbstate_t state{};
    bool sound = !name.empty() && std::ranges::find(keywords, name) == keywords.end();
    for (std::size_t at = 0; sound && at < name.size();) {
        wchar_t sign = 0;
        const std::size_t length = std::mbrtowc(&sign, name.data() + at, name.size() - at, &state);
        const auto letter = static_cast<wint_t>(sign);
        const bool digit = sign >= L'0' && sign <= L'9';
        sound = length != 0 && length <= name.size() - at && (at > 0 || !digit) &&
                (sign == L'_' || std::iswalnum(letter) != 0);
        at += length;
    }
    uselocale(outer);
    return sound;
}

std::string_view state_name(State state) {
    switch (state) {
    case State::idle: return "idle";
    case State::running: return "running";
    case State::closing: return "closing";
    }
    return "";
}

Registry::Registry() {
    InterpreterInfo main;
    main.name = "main";
    main.origin = "main";
    interpreters_.emplace(main_interpreter, std::move(main));
}

void Registry::add(InterpreterInfo info) {
    const std::scoped_lock lock{mutex_};
    const InterpreterId id = info.id;
    interpreters_.insert_or_assign(id, std::move(info));
}

void Registry::remove(InterpreterId id) {
    const std::scoped_lock lock{mutex_};
    interpreters_.erase(id);
}

void Registry::rename(InterpreterId id, std::string name) {
    const std::scoped_lock lock{mutex_};
    if (const auto found = interpreters_.find(id); found != interpreters_.end()) found->second.name = std::move(name);
}

void Registry::set_state(InterpreterId id, State state) {
    const std::scoped_lock lock{mutex_};
    if (const auto found = interpreters_.find(id); found != interpreters_.end()) found->second.state = state;
}

void Registry::count_cell(InterpreterId id) {
    const std::scoped_lock lock{mutex_};
    if (const auto found = interpreters_.find(id); found != interpreters_.end()) ++found->second.cells_run;
}

void Registry::set_arena_bytes(InterpreterId id, std::size_t bytes) {
    const std::scoped_lock lock{mutex_};
    if (const auto found = interpreters_.find(id); found != interpreters_.end()) found->second.arena_bytes = bytes;
}

std::optional<InterpreterInfo> Registry::get(InterpreterId id) const {
    const std::scoped_lock lock{mutex_};
    const auto found = interpreters_.find(id);
    return found == interpreters_.end() ? std::nullopt : std::optional{found->second};
}

std::optional<InterpreterInfo> Registry::find(std::string_view target) const {
    InterpreterId id = 0;
    const auto [end, error] = std::from_chars(target.data(), target.data() + target.size(), id);
    if (error == std::errc{} && end == target.data() + target.size()) return get(id);
    const std::scoped_lock lock{mutex_};
    const auto found =
        std::ranges::find_if(interpreters_, [&](const auto& entry) { return entry.second.name == target; });
    return found == interpreters_.end() || target.empty() ? std::nullopt : std::optional{found->second};
}

std::vector<InterpreterInfo> Registry::list() const {
    const std::scoped_lock lock{mutex_};
    std::vector<InterpreterInfo> all;
    for (const auto& [id, info] : interpreters_) all.push_back(info);
    return all;
}

std::vector<std::string> Registry::labels() const {
    std::vector<std::string> all;
    for (const InterpreterInfo& info : list())
        if (info.state != State::closing) all.push_back(info.label());
    return all;
}

std::optional<std::string> name_problem(std::string_view name) {
    const auto quoted = "'" + std::string{name} + "'";
    if (name == "main" || name == "all") return quoted + " is taken: it is the kernel's own word.";
    if (!is_identifier(name))
        return quoted + " cannot be a name: a name is a Python identifier, such as alice or worker_2.";
    return std::nullopt;
}

} // namespace xinterp::python
