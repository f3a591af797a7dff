// The blocking system calls that CPython makes, under their libc names: linked into the executable, these definitions
// come before libc's. See wake_signal.hpp for the why. Any thread; no thread state is looked at.

#include <xinterp/python/lane.hpp>
#include <xinterp/python/raw_output.hpp>

#include <dlfcn.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace xinterp::python {
namespace {

// Whether the call that just returned -1 was ended by an interrupt for this lane.
bool cancelled() { return errno == EINTR && Lane::interrupted_here(); }

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

} // namespace

} // namespace xinterp::python

// NOLINTBEGIN(bugprone-reserved-identifier): the names are libc's own.
#define XINTERP_NEXT(name) static const auto next = reinterpret_cast<decltype(&::name)>(dlsym(RTLD_NEXT, #name))

using xinterp::python::or_cancelled;
using xinterp::python::or_nothing;

extern "C" {

ssize_t read(int descriptor, void* buffer, std::size_t size) {
    XINTERP_NEXT(read);
    return or_nothing(next(descriptor, buffer, size));
}

ssize_t readv(int descriptor, const iovec* parts, int count) {
    XINTERP_NEXT(readv);
    return or_nothing(next(descriptor, parts, count));
}

ssize_t write(int descriptor, const void* data, std::size_t size) {
    if (descriptor == STDOUT_FILENO || descriptor == STDERR_FILENO)
        if (const auto hook = xinterp::python::raw_output_hook(); hook != nullptr && hook(descriptor, data, size))
            return static_cast<ssize_t>(size);
    return or_cancelled(xinterp::python::write_directly(descriptor, data, size));
}

ssize_t recv(int socket, void* buffer, std::size_t size, int flags) {
    XINTERP_NEXT(recv);
    return or_nothing(next(socket, buffer, size, flags));
}

ssize_t recvfrom(int socket, void* buffer, std::size_t size, int flags, sockaddr* address, socklen_t* length) {
    XINTERP_NEXT(recvfrom);
    return or_nothing(next(socket, buffer, size, flags, address, length));
}

ssize_t recvmsg(int socket, msghdr* message, int flags) {
    XINTERP_NEXT(recvmsg);
    return or_nothing(next(socket, message, flags));
}

ssize_t send(int socket, const void* data, std::size_t size, int flags) {
    XINTERP_NEXT(send);
    return or_cancelled(next(socket, data, size, flags));
}

int accept(int socket, sockaddr* address, socklen_t* length) {
    XINTERP_NEXT(accept);
    return or_cancelled(next(socket, address, length));
}

int accept4(int socket, sockaddr* address, socklen_t* length, int flags) {
    XINTERP_NEXT(accept4);
    return or_cancelled(next(socket, address, length, flags));
}

int connect(int socket, const sockaddr* address, socklen_t length) {
    XINTERP_NEXT(connect);
    return or_cancelled(next(socket, address, length));
}

int flock(int descriptor, int operation) {
    XINTERP_NEXT(flock);
    return or_cancelled(next(descriptor, operation));
}

int poll(pollfd* entries, nfds_t count, int timeout) {
    XINTERP_NEXT(poll);
    return or_nothing(next(entries, count, timeout));
}

int select(int count, fd_set* readable, fd_set* writable, fd_set* exceptional, timeval* timeout) {
    XINTERP_NEXT(select);
    const int result = next(count, readable, writable, exceptional, timeout);
    if (result != -1 || !xinterp::python::cancelled()) return result;
    for (fd_set* set : {readable, writable, exceptional})
        if (set != nullptr) FD_ZERO(set);
    errno = 0;
    return 0;
}

int epoll_wait(int descriptor, epoll_event* events, int count, int timeout) {
    XINTERP_NEXT(epoll_wait);
    return or_nothing(next(descriptor, events, count, timeout));
}

pid_t waitpid(pid_t child, int* status, int options) {
    XINTERP_NEXT(waitpid);
    return or_nothing(next(child, status, options));
}

pid_t wait4(pid_t child, int* status, int options, rusage* usage) {
    XINTERP_NEXT(wait4);
    return or_nothing(next(child, status, options, usage));
}

int waitid(idtype_t type, id_t child, siginfo_t* info, int options) {
    XINTERP_NEXT(waitid);
    const int result = next(type, child, info, options);
    if (result != -1 || !xinterp::python::cancelled()) return result;
    if (info != nullptr) std::memset(info, 0, sizeof *info);
    errno = 0;
    return 0;
}

} // extern "C"
// NOLINTEND(bugprone-reserved-identifier)
