#include <xinterp/python/linkage.hpp>

#include <doctest/doctest.h>

#include <dlfcn.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

using xinterp::python::Diversion;
using xinterp::python::divert_calls;

namespace {

pid_t nobody() { return -7; }

const std::array diversions{Diversion{"getppid", reinterpret_cast<void*>(nobody)}};

pid_t (*load_caller(const std::filesystem::path& path))() {
    void* object = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    REQUIRE(object != nullptr);
    return reinterpret_cast<pid_t (*)()>(dlsym(object, "parent_of_caller"));
}

} // namespace

TEST_CASE("calls of other objects are diverted, those of objects loaded later by the next call, and never our own") {
    const auto first = load_caller(CALLER);
    CHECK(first() == getppid());
    CHECK(divert_calls(diversions) > 0);
    CHECK(first() == -7);
    CHECK(getppid() > 0);
    CHECK(divert_calls(diversions) == 0); // nothing has come since

    const std::filesystem::path copy = std::filesystem::temp_directory_path() / ("caller" + std::to_string(getpid()));
    std::filesystem::copy_file(CALLER, copy);
    const auto second = load_caller(copy);
    std::filesystem::remove(copy);
    CHECK(second() == getppid());
    CHECK(divert_calls(diversions) == 1);
    CHECK(second() == -7);
}

// The linker lists an object before it has filled its addresses in; a diversion at that moment crashed dlopen().
TEST_CASE("calls are diverted while another thread loads objects") {
    const std::filesystem::path folder =
        std::filesystem::temp_directory_path() / ("callers" + std::to_string(getpid()));
    std::filesystem::create_directory(folder);
    std::vector<std::filesystem::path> copies;
    for (int i = 0; i < 300; ++i) {
        copies.push_back(folder / std::to_string(i));
        std::filesystem::copy_file(CALLER, copies.back());
    }
    std::vector<pid_t (*)()> loaded;
    std::atomic<bool> done = false;
    std::thread loader{[&] {
        for (const auto& copy : copies) loaded.push_back(load_caller(copy));
        done = true;
    }};
    while (!done) divert_calls(diversions);
    loader.join();
    divert_calls(diversions);
    for (const auto caller : loaded) CHECK(caller() == -7);
    std::filesystem::remove_all(folder);
}
