// What ran where, and in which colours it is shown.
#include <xinterp/magics/colours.hpp>
#include <xinterp/routing/attribution.hpp>
#include <xinterp/routing/run_log.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

using namespace xinterp;
using namespace xinterp::kernel;
using namespace std::chrono_literals;
using nlohmann::json;

namespace {

const RunRecord::Time noon{std::chrono::seconds{1'700'000'000}};

RunRecord run_of(InterpreterId interpreter, RunRecord::Time start = noon) {
    RunRecord record;
    record.interpreter = interpreter;
    record.label = "i" + std::to_string(interpreter);
    record.start = start;
    return record;
}

// Relative luminance and contrast as WCAG 2 defines them, of "#rrggbb".
double luminance(std::string_view colour) {
    double sum = 0;
    for (const auto& [begin, weight] : {std::pair{1U, 0.2126}, {3U, 0.7152}, {5U, 0.0722}}) {
        const double part = std::stoi(std::string{colour.substr(begin, 2)}, nullptr, 16) / 255.0;
        sum += weight * (part <= 0.04045 ? part / 12.92 : std::pow((part + 0.055) / 1.055, 2.4));
    }
    return sum;
}

double contrast(std::string_view one, std::string_view other) {
    const auto [darker, lighter] = std::minmax({luminance(one), luminance(other)});
    return (lighter + 0.05) / (darker + 0.05);
}

std::vector<std::uint64_t> ids(const std::vector<RunRecord>& records) {
    std::vector<std::uint64_t> all;
    for (const RunRecord& record : records) all.push_back(record.id);
    return all;
}

python::InterpreterInfo interpreter(InterpreterId id, const std::string& name = "") {
    python::InterpreterInfo info;
    info.id = id;
    info.name = name;
    return info;
}

using Ids = std::vector<std::uint64_t>;

} // namespace

TEST_CASE("a run is its interpreter's until it has ended") {
    RunLog log;
    log.began(run_of(1));
    log.began(run_of(2));
    CHECK(log.current(1)->id == 1);
    CHECK(log.current(3) == nullptr);
    log.ended(1, "error", noon + 2s);
    log.ended(3, "ok", noon);
    CHECK(log.current(1) == nullptr);
    CHECK(log.current(2)->id == 2);
    const std::vector<RunRecord> all = log.all(noon + 3s);
    CHECK(ids(all) == Ids{1, 2});
    CHECK(to_json(all[0]) == json{{"id", 1},
                                  {"interpreter", 1},
                                  {"label", "i1"},
                                  {"colour", ""},
                                  {"subshell", nullptr},
                                  {"kind", "cell"},
                                  {"count", nullptr},
                                  {"message", nullptr},
                                  {"cell", nullptr},
                                  {"detached", false},
                                  {"start", 1'700'000'000.0},
                                  {"end", 1'700'000'002.0},
                                  {"status", "error"}});
    CHECK(to_json(all[1])["end"].is_null());
}

TEST_CASE("an interpreter runs one thing at a time") {
    RunLog log;
    log.began(run_of(1));
    log.began(run_of(1, noon + 1s));
    CHECK(log.current(1)->id == 2);
    CHECK(log.all(noon + 1s)[0].end == noon + 1s);
}

TEST_CASE("what has begun or ended is told once") {
    RunLog log;
    log.began(run_of(1));
    log.began(run_of(2));
    CHECK(ids(log.take_changed()) == Ids{1, 2});
    CHECK(ids(log.take_changed()).empty());
    log.ended(1, "ok", noon);
    CHECK(ids(log.take_changed()) == Ids{1});
}

TEST_CASE("runs are forgotten ten minutes after their end, those that still run are not") {
    RunLog log;
    log.began(run_of(1));
    log.began(run_of(2));
    log.ended(2, "ok", noon + 1min);
    CHECK(ids(log.all(noon + 11min)) == Ids{1, 2});
    CHECK(ids(log.all(noon + 11min + 1s)) == Ids{1});
    CHECK(ids(log.take_changed()) == Ids{1});
}

TEST_CASE("the last run of a cell is remembered longer, in all of its targets") {
    RunLog log;
    const auto cell = [&log](InterpreterId interpreter, const std::string& message) {
        RunRecord record = run_of(interpreter);
        record.cell = "cell";
        record.message = message;
        log.began(record);
        log.ended(interpreter, "ok", noon);
    };
    cell(1, "first");
    cell(1, "second");
    cell(2, "second");
    CHECK(ids(log.all(noon + 11min)) == Ids{2, 3});
    cell(3, "third");
    CHECK(ids(log.all(noon + 11min)) == Ids{4});
}

TEST_CASE("a thousand are remembered, of as many cells") {
    RunLog log;
    for (int i = 0; i < 1500; ++i) {
        RunRecord record = run_of(7);
        record.cell = record.message = std::to_string(i);
        log.began(record);
    }
    const std::vector<RunRecord> all = log.all(noon);
    CHECK(all.size() <= RunLog::most);
    CHECK(all.back().id == 1500);
    CHECK(log.take_changed().size() == all.size());
}

TEST_CASE("eight interpreters have eight colours, and main's is its own") {
    Colours colours;
    std::set<std::string_view> given{colours.of(interpreter(0, "main"))};
    for (InterpreterId id = 1; id <= 8; ++id) given.insert(colours.of(interpreter(id)));
    CHECK(given.size() == 9);
    CHECK(colours.of(interpreter(9)) == colours.of(interpreter(1)));
}

TEST_CASE("every colour stands out at 4:1 from white and from near-black") {
    Colours colours;
    for (InterpreterId id = 0; id <= 8; ++id) {
        const std::string_view colour = colours.of(interpreter(id, id == 0 ? "main" : ""));
        CAPTURE(colour);
        CHECK(contrast(colour, "#ffffff") >= 4);
        CHECK(contrast(colour, "#111111") >= 4); // JupyterLab's dark theme
    }
}

TEST_CASE("a colour stays with its interpreter and with its name, and is free again when that has gone") {
    Colours colours;
    const auto first = colours.of(interpreter(1)), alice = colours.of(interpreter(2, "alice"));
    CHECK(first != alice);
    CHECK(colours.of(interpreter(1, "renamed")) == first);
    colours.forget(1);
    CHECK(colours.of(interpreter(3)) == first);
    colours.forget(2);
    CHECK(colours.of(interpreter(4, "alice")) == alice);
}

TEST_CASE("names before lines are coloured where the client shows colours") {
    LinePrefixer prefixer{{{"alice", "#0102ff"}}};
    const auto outputs = prefixer.write("alice", Stream::out, "one\rtwo\n", LinePrefixer::Clock::now());
    CHECK(outputs.at(0).text == "\x1b[38;2;1;2;255m[alice]\x1b[0m one\r\x1b[38;2;1;2;255m[alice]\x1b[0m two\n");
    CHECK(prefixer.write("bob", Stream::out, "x\n", LinePrefixer::Clock::now()).at(0).text == "[bob] x\n");
}
