// Any thread; no thread state is looked at.
#include <xinterp/python/blocking_calls.hpp>
#include <xinterp/python/environment.hpp>
#include <xinterp/python/linkage.hpp>
#include <xinterp/python/raw_output.hpp>
#include <xinterp/python/visits.hpp>

#include <poll.h>
#include <pty.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <ctime>

// What a compiler makes of read() where it knows the buffer's size.
extern "C" ssize_t __read_chk(int descriptor, void* buffer, std::size_t size, std::size_t capacity); // NOLINT

namespace xinterp::python {
namespace {

std::atomic<ForkHook> fork_hook = nullptr;

// Whether the call that just returned -1 was ended by an interrupt for this lane.
bool cancelled() { return errno == EINTR && interrupted_here(); }

// `nothing` instead of an interrupted call's -1: no data, no event, no child.
template <class Result> Result or_nothing(Result result) {
    if (result != Result{-1} || !cancelled()) return result;
    errno = 0; // some callers look at it alone
    return 0;
}

// For calls that have no way to say "nothing": an error that CPython does not retry. The shell reports it as the
// KeyboardInterrupt that it is.
template <class Result> Result or_cancelled(Result result) {
    if (result == Result{-1} && cancelled()) errno = ECANCELED;
    return result;
}

// libc's functions of the same names, called by everybody else in the process. In here the names mean libc's own.
namespace diverted {

ssize_t read(int descriptor, void* buffer, std::size_t size) { return or_nothing(::read(descriptor, buffer, size)); }

ssize_t read_checked(int descriptor, void* buffer, std::size_t size, std::size_t capacity) {
    return or_nothing(::__read_chk(descriptor, buffer, size, capacity));
}

ssize_t readv(int descriptor, const iovec* parts, int count) { return or_nothing(::readv(descriptor, parts, count)); }

ssize_t write(int descriptor, const void* data, std::size_t size) {
    if (descriptor == STDOUT_FILENO || descriptor == STDERR_FILENO)
        if (const auto hook = raw_output_hook(); hook != nullptr && hook(descriptor, data, size))
            return static_cast<ssize_t>(size);
    return or_cancelled(::write(descriptor, data, size));
}

ssize_t writev(int descriptor, const iovec* parts, int count) {
    return or_cancelled(::writev(descriptor, parts, count));
}

ssize_t recv(int socket, void* buffer, std::size_t size, int flags) {
    return or_nothing(::recv(socket, buffer, size, flags));
}

ssize_t recvfrom(int socket, void* buffer, std::size_t size, int flags, sockaddr* address, socklen_t* length) {
    return or_nothing(::recvfrom(socket, buffer, size, flags, address, length));
}

ssize_t recvmsg(int socket, msghdr* message, int flags) { return or_nothing(::recvmsg(socket, message, flags)); }

ssize_t send(int socket, const void* data, std::size_t size, int flags) {
    return or_cancelled(::send(socket, data, size, flags));
}

ssize_t sendto(int socket, const void* data, std::size_t size, int flags, const sockaddr* address, socklen_t length) {
    return or_cancelled(::sendto(socket, data, size, flags, address, length));
}

ssize_t sendmsg(int socket, const msghdr* message, int flags) {
    return or_cancelled(::sendmsg(socket, message, flags));
}

int accept(int socket, sockaddr* address, socklen_t* length) { return or_cancelled(::accept(socket, address, length)); }

int accept4(int socket, sockaddr* address, socklen_t* length, int flags) {
    return or_cancelled(::accept4(socket, address, length, flags));
}

int connect(int socket, const sockaddr* address, socklen_t length) {
    return or_cancelled(::connect(socket, address, length));
}

int flock(int descriptor, int operation) { return or_cancelled(::flock(descriptor, operation)); }

// time.sleep, where it is not the kernel's own. It returns the error.
int clock_nanosleep(clockid_t clock, int flags, const timespec* request, timespec* rest) {
    const int error = ::clock_nanosleep(clock, flags, request, rest);
    return error == EINTR && interrupted_here() ? 0 : error;
}

int poll(pollfd* entries, nfds_t count, int timeout) { return or_nothing(::poll(entries, count, timeout)); }

int select(int count, fd_set* readable, fd_set* writable, fd_set* exceptional, timeval* timeout) {
    const int result = ::select(count, readable, writable, exceptional, timeout);
    if (result != -1 || !cancelled()) return result;
    for (fd_set* set : {readable, writable, exceptional})
        if (set != nullptr) FD_ZERO(set);
    errno = 0;
    return 0;
}

int epoll_wait(int descriptor, epoll_event* events, int count, int timeout) {
    return or_nothing(::epoll_wait(descriptor, events, count, timeout));
}

pid_t waitpid(pid_t child, int* status, int options) { return or_nothing(::waitpid(child, status, options)); }

pid_t wait4(pid_t child, int* status, int options, rusage* usage) {
    return or_nothing(::wait4(child, status, options, usage));
}

pid_t fork() {
    const pid_t child = ::fork();
    if (const auto hook = fork_hook.load(); child > 0 && hook != nullptr) hook(child);
    return child;
}

pid_t forkpty(int* terminal, char* name, const termios* settings, const winsize* size) {
    const pid_t child = ::forkpty(terminal, name, settings, size);
    if (const auto hook = fork_hook.load(); child > 0 && hook != nullptr) hook(child);
    return child;
}

int waitid(idtype_t type, id_t child, siginfo_t* info, int options) {
    const int result = ::waitid(type, child, info, options);
    if (result != -1 || !cancelled()) return result;
    if (info != nullptr) std::memset(info, 0, sizeof *info);
    errno = 0;
    return 0;
}

} // namespace diverted

const std::array diversions{
    Diversion{"read", reinterpret_cast<void*>(diverted::read)},
    Diversion{"readv", reinterpret_cast<void*>(diverted::readv)},
    Diversion{"write", reinterpret_cast<void*>(diverted::write)},
    Diversion{"writev", reinterpret_cast<void*>(diverted::writev)},
    Diversion{"recv", reinterpret_cast<void*>(diverted::recv)},
    Diversion{"recvfrom", reinterpret_cast<void*>(diverted::recvfrom)},
    Diversion{"recvmsg", reinterpret_cast<void*>(diverted::recvmsg)},
    Diversion{"send", reinterpret_cast<void*>(diverted::send)},
    Diversion{"sendto", reinterpret_cast<void*>(diverted::sendto)},
    Diversion{"sendmsg", reinterpret_cast<void*>(diverted::sendmsg)},
    Diversion{"accept", reinterpret_cast<void*>(diverted::accept)},
    Diversion{"accept4", reinterpret_cast<void*>(diverted::accept4)},
    Diversion{"connect", reinterpret_cast<void*>(diverted::connect)},
    Diversion{"flock", reinterpret_cast<void*>(diverted::flock)},
    Diversion{"clock_nanosleep", reinterpret_cast<void*>(diverted::clock_nanosleep)},
    Diversion{"poll", reinterpret_cast<void*>(diverted::poll)},
    Diversion{"select", reinterpret_cast<void*>(diverted::select)},
    Diversion{"epoll_wait", reinterpret_cast<void*>(diverted::epoll_wait)},
    Diversion{"fork", reinterpret_cast<void*>(diverted::fork)},
    Diversion{"forkpty", reinterpret_cast<void*>(diverted::forkpty)},
    Diversion{"waitpid", reinterpret_cast<void*>(diverted::waitpid)},
    Diversion{"wait4", reinterpret_cast<void*>(diverted::wait4)},
    Diversion{"waitid", reinterpret_cast<void*>(diverted::waitid)},
    Diversion{"setenv", reinterpret_cast<void*>(set_environment_variable)},
    Diversion{"unsetenv", reinterpret_cast<void*>(unset_environment_variable)},
    Diversion{"putenv", reinterpret_cast<void*>(put_environment_variable)},
    Diversion{"__read_chk", reinterpret_cast<void*>(diverted::read_checked)},
};

} // namespace

void set_fork_hook(ForkHook hook) { fork_hook = hook; }

bool divert_blocking_calls() {
    static std::atomic<std::size_t> changed = 0;
    changed += divert_calls(diversions);
    return changed != 0;
}

} // namespace xinterp::python
