// A shared object that calls libc: test_linkage.cpp diverts its calls.
#include <unistd.h>

extern "C" __attribute__((visibility("default"))) pid_t parent_of_caller() { return getppid(); }
