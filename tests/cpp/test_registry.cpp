#include "printing.hpp"

#include <xinterp/python/registry.hpp>

#include <limits>
#include <string>
#include <thread>

using namespace xinterp::python;

namespace {

InterpreterInfo interpreter(InterpreterId id, const std::string& name, Preset preset = Preset::notebook) {
    InterpreterInfo info;
    info.id = id;
    info.name = name;
    info.preset = preset;
    info.own_gil = Configuration{preset}.has_own_gil();
    return info;
}

const std::string not_an_identifier = " cannot be a name: a name is a Python identifier, such as alice or worker_2.";

} // namespace

TEST_CASE("main is there from the beginning") {
    const Registry registry;
    CHECK(registry.labels() == Lines{"main"});
    CHECK(registry.find("main")->id == main_interpreter);
    CHECK(registry.find("0")->name == "main");
    CHECK(registry.find("main")->preset_label() == "main");
    CHECK(registry.find("main")->gil() == "own");
}

TEST_CASE("an interpreter is found by its name and by its id") {
    Registry registry;
    registry.add(interpreter(3, "alice"));
    CHECK(registry.find("alice")->id == 3);
    CHECK(registry.find("3")->name == "alice");
    CHECK(registry.get(3)->label() == "alice");
}

TEST_CASE("what names no interpreter finds none") {
    Registry registry;
    registry.add(interpreter(3, ""));
    for (const std::string target : {"", " ", "bob", "4", "-3", "+3", "3 ", "3.0", "0x3", "99999999999999999999"}) {
        CAPTURE(target);
        CHECK(!registry.find(target));
    }
    CHECK(!registry.get(std::numeric_limits<InterpreterId>::max()));
}

TEST_CASE("an interpreter without a name is called by its id") {
    Registry registry;
    registry.add(interpreter(4, ""));
    CHECK(registry.get(4)->label() == "4");
}

TEST_CASE("the list begins with main and goes on by id") {
    Registry registry;
    registry.add(interpreter(10, ""));
    registry.add(interpreter(2, "bob"));
    CHECK(registry.labels() == Lines{"main", "bob", "10"});
}

TEST_CASE("an interpreter that is closing is not among those that a target may be") {
    Registry registry;
    registry.add(interpreter(3, "alice"));
    registry.set_state(3, State::closing);
    CHECK(registry.labels() == Lines{"main"});
}

TEST_CASE("a renamed interpreter is found by its new name only") {
    Registry registry;
    registry.add(interpreter(3, "alice"));
    registry.rename(3, "carol");
    CHECK(registry.find("carol")->id == 3);
    CHECK(!registry.find("alice"));
}

TEST_CASE("what is said of an interpreter that has gone changes nothing") {
    Registry registry;
    registry.add(interpreter(3, "alice"));
    registry.remove(3);
    registry.rename(3, "bob");
    registry.set_state(3, State::running);
    registry.count_cell(3);
    registry.set_arena_bytes(3, 1);
    CHECK(registry.labels() == Lines{"main"});
}

TEST_CASE("a snapshot does not change with the registry") {
    Registry registry;
    registry.add(interpreter(3, "alice"));
    const auto before = registry.get(3);
    registry.set_state(3, State::running);
    registry.count_cell(3);
    CHECK(before->state == State::idle);
    CHECK(before->cells_run == 0);
    CHECK(registry.get(3)->state == State::running);
    CHECK(registry.get(3)->cells_run == 1);
}

TEST_CASE("only a shared interpreter has main's GIL") {
    CHECK(interpreter(1, "", Preset::isolated).gil() == "own");
    CHECK(interpreter(1, "", Preset::notebook).gil() == "own");
    CHECK(interpreter(1, "", Preset::shared).gil() == "with main");
}

TEST_CASE("a configuration is that of the preset with its values, or a custom one") {
    for (const Preset preset : {Preset::isolated, Preset::notebook, Preset::shared})
        CHECK(Configuration{Configuration{preset}.values}.preset == preset);
    PyInterpreterConfig values = Configuration{Preset::isolated}.values;
    values.allow_exec = 1;
    CHECK(Configuration{values}.preset == Preset::custom);
}

TEST_CASE("a spare may become isolated or notebook, and is never shared") {
    const Configuration notebook = Preset::notebook;
    CHECK(notebook.is_made_like(Preset::isolated));
    CHECK(!notebook.is_made_like(Preset::shared));
}

TEST_CASE("an own GIL with main's allocator is unsafe") {
    PyInterpreterConfig values = Configuration{Preset::isolated}.values;
    CHECK(!Configuration{values}.is_unsafe());
    values.use_main_obmalloc = 1;
    CHECK(Configuration{values}.is_unsafe());
}

TEST_CASE("the registry may be read and written on many threads") {
    Registry registry;
    registry.add(interpreter(1, "alice"));
    std::thread counting{[&] {
        for (int i = 0; i < 2000; ++i) registry.count_cell(1);
    }};
    std::thread coming_and_going{[&] {
        for (InterpreterId id = 2; id < 2000; ++id) {
            registry.add(interpreter(id, ""));
            registry.remove(id);
        }
    }};
    int found = 0;
    for (int i = 0; i < 2000; ++i) found += registry.find("alice") ? 1 : 0;
    counting.join();
    coming_and_going.join();
    CHECK(found == 2000);
    CHECK(registry.get(1)->cells_run == 2000);
    CHECK(registry.labels() == Lines{"main", "alice"});
}

TEST_CASE("a name is a Python identifier") {
    for (const std::string name : {"alice", "worker_2", "_", "Zoë", "名前", "match", "Main", "none"}) {
        CAPTURE(name);
        CHECK(!name_problem(name));
    }
    for (const std::string name :
         {"", "2", "2nd", "a b", "a-b", "a,b", "a.b", "alice\n", "&", "--force", "class", "None"}) {
        CAPTURE(name);
        CHECK(name_problem(name) == "'" + name + "'" + not_an_identifier);
    }
}

TEST_CASE("a name with signs that no Python identifier may have is none") {
    for (const std::string name : {"🙂", "a–b", "a\u00A0b", "\xff\xfe"}) {
        CAPTURE(name);
        CHECK(name_problem(name) == "'" + name + "'" + not_an_identifier);
    }
}

TEST_CASE("main and all are taken") {
    CHECK(name_problem("main") == "'main' is taken: it is the kernel's own word.");
    CHECK(name_problem("all") == "'all' is taken: it is the kernel's own word.");
}
