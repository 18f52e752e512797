/* Counts what a process asks the disk to make durable; loaded with LD_PRELOAD by benchmarks/queue_cost.py. */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <unistd.h>

static long count;

long bench_syncs(void) { return __atomic_load_n(&count, __ATOMIC_RELAXED); }

static int call(long number, int fd) {
    __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED);
    return (int)syscall(number, fd);
}

int fsync(int fd) { return call(SYS_fsync, fd); }
int fdatasync(int fd) { return call(SYS_fdatasync, fd); }
