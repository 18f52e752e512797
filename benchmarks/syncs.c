/* Counts what a process asks the disk to make durable, and can make each time take as long as on another disk
   (SYNC_US, microseconds). Loaded with LD_PRELOAD by benchmarks/queue_cost.py and queue_sides.py. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long count;
static long at_least_us;

__attribute__((constructor)) static void read_environment(void) {
    const char *text = getenv("SYNC_US");
    at_least_us = text ? atol(text) : 0;
}

long bench_syncs(void) { return __atomic_load_n(&count, __ATOMIC_RELAXED); }

static int call(long number, int fd) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += at_least_us * 1000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED);
    int result = (int)syscall(number, fd);
    if (at_least_us > 0)
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
    return result;
}

int fsync(int fd) { return call(SYS_fsync, fd); }
int fdatasync(int fd) { return call(SYS_fdatasync, fd); }
