#include <xinterp/python/environment.hpp>

#include <unistd.h>

#include <cstdlib>
#include <mutex>
#include <string_view>

namespace xinterp::python {
namespace {

std::mutex& mutex() {
    static std::mutex& only = *new std::mutex; // never destroyed: lanes may outlive main()
    return only;
}

} // namespace

std::vector<std::pair<std::string, std::string>> environment() {
    std::vector<std::pair<std::string, std::string>> variables;
    const std::scoped_lock lock{mutex()};
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string_view text{*entry};
        if (const auto equals = text.find('='); equals != std::string_view::npos)
            variables.emplace_back(text.substr(0, equals), text.substr(equals + 1));
    }
    return variables;
}

int set_environment_variable(const char* name, const char* value, int overwrite) {
    const std::scoped_lock lock{mutex()};
    return setenv(name, value, overwrite);
}

int unset_environment_variable(const char* name) {
    const std::scoped_lock lock{mutex()};
    return unsetenv(name);
}

int put_environment_variable(char* assignment) {
    const std::scoped_lock lock{mutex()};
    return putenv(assignment);
}

} // namespace xinterp::python
