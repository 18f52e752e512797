/* Watches what one process does to the files below one directory. Loaded with LD_PRELOAD; does nothing until armed.
 *
 * Every operation that can change what lies on a disk has a number. The process can be killed before, after or in the
 * middle of the n-th one, the n-th can be made to fail, and all of them can be written down for the power-cut replay.
 * The kernel's own calls are made directly, so that nothing here is seen by itself. Only 64-bit Linux.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { OPEN = 1, CLOSE, WRITE, SYNC, TRUNCATE, RENAME, UNLINK, MKDIR, RMDIR, LINK, DUP, MARK, READ, STRANGE, ALLOCATE };
enum { BEFORE = 0, AFTER = 1, HALFWAY = 2 };

/* Shared with whoever started the process, who reads it when the process is dead. */
struct page {
    uint64_t count;     /* operations so far */
    uint64_t die_at;    /* 0: never */
    uint64_t die_when;
    uint64_t fail_at;   /* 0: never */
    uint64_t fail_for;  /* that many in a row */
    uint64_t fail_errno;
    uint64_t all;       /* what changes nothing durable counts too: reads, opening what is there, SQLite's -shm */
    uint64_t fired;     /* operation that was cut or failed, 0: none yet */
    uint64_t failed;    /* how many were made to fail */
    char path[232];
};

struct record {
    uint8_t op;
    uint8_t flag; /* OPEN: 1 created, 2 truncated; SYNC: 1 a directory; RENAME: 1 exchange */
    uint16_t path;
    uint16_t other;
    uint16_t zero;
    int32_t fd;
    int32_t fd2;
    uint64_t offset;
    uint64_t size;
};

#define FDS 65536
static char root[512];
static size_t root_length;
static struct page *page;
static int trace = -1;
static char *paths[FDS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* --- arming ---------------------------------------------------------------------------------------------------- */

struct page *crash_page(void) {
    void *fresh = mmap(NULL, sizeof(struct page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return fresh == MAP_FAILED ? NULL : fresh;
}

void crash_arm(const char *directory, struct page *with, int trace_fd) {
    root_length = strlen(directory);
    if (root_length >= sizeof root) abort();
    memcpy(root, directory, root_length + 1);
    trace = trace_fd;
    page = with;
}

/* --- what is watched ------------------------------------------------------------------------------------------- */

static int below(const char *path) {
    return page && path && !strncmp(path, root, root_length) && (path[root_length] == '/' || !path[root_length]);
}

/* Does this count? The shared-memory index of SQLite is made anew at every start. */
static int counts(int op, int fresh, const char *path) {
    size_t length = strlen(path);
    if (page->all) return 1;
    return op != READ && (op != OPEN || fresh) && (length < 4 || strcmp(path + length - 4, "-shm"));
}

static const char *of_fd(int fd) { return fd >= 0 && fd < FDS ? paths[fd] : NULL; }

static const char *absolute(int dirfd, const char *path, char *into) {
    if (!page || !path) return NULL;
    if (path[0] == '/') return below(path) ? path : NULL;
    char cwd[4096];
    const char *base = dirfd == AT_FDCWD ? getcwd(cwd, sizeof cwd) : of_fd(dirfd);
    if (!base) return NULL;
    snprintf(into, 4096, "%s/%s", base, path);
    return below(into) ? into : NULL;
}

static void put_down(int op, int flag, const char *path, const char *other, int fd, int fd2, uint64_t offset,
                     uint64_t size, const void *data) {
    if (trace < 0) return;
    struct record head = {0};
    head.op = (uint8_t)op, head.flag = (uint8_t)flag, head.fd = fd, head.fd2 = fd2;
    head.offset = offset, head.size = size;
    head.path = (uint16_t)(path ? strlen(path) : 0), head.other = (uint16_t)(other ? strlen(other) : 0);
    struct iovec parts[4] = {{&head, sizeof head},
                             {(void *)path, head.path},
                             {(void *)other, head.other},
                             {(void *)data, data ? size : 0}};
    if (syscall(SYS_writev, trace, parts, 4) != (long)(sizeof head + head.path + head.other + (data ? size : 0)))
        abort();
}

static void die(int op, const char *path) {
    page->fired = (uint64_t)op;
    snprintf(page->path, sizeof page->path, "%s", path ? path + root_length : "");
    syscall(SYS_kill, (long)getpid(), SIGKILL);
    for (;;) pause();
}

static int counted; /* the operation in hand; under the lock */

/* Counts an operation. 1: it must fail; dies here if its hour has come. */
static int before(int op, int fresh, const char *path) {
    counted = counts(op, fresh, path);
    if (!counted) return 0;
    uint64_t now = ++page->count;
    if (now == page->die_at && page->die_when == BEFORE) die(op, path);
    if (page->fail_at && now >= page->fail_at && now < page->fail_at + page->fail_for) {
        page->fired = (uint64_t)op, page->failed++;
        snprintf(page->path, sizeof page->path, "%s", path ? path + root_length : "");
        return 1;
    }
    return 0;
}

static void after(int op, const char *path) {
    if (counted && page->count == page->die_at && page->die_when != BEFORE) die(op, path);
}

static int halfway(void) { return counted && page->count == page->die_at && page->die_when == HALFWAY; }

static long fails(void) {
    errno = (int)page->fail_errno;
    return -1;
}

#define WATCHED(OP, PATH, CALL, THEN) COUNTED(OP, 1, PATH, CALL, THEN)
#define COUNTED(OP, FRESH, PATH, CALL, THEN)                                                                                  \
    do {                                                                                                               \
        pthread_mutex_lock(&lock);                                                                                     \
        long done = before(OP, FRESH, PATH) ? fails() : (long)(CALL);                                                  \
        if (done >= 0) {                                                                                               \
            int kept = errno;                                                                                          \
            THEN;                                                                                                      \
            after(OP, PATH);                                                                                           \
            errno = kept;                                                                                              \
        }                                                                                                              \
        pthread_mutex_unlock(&lock);                                                                                   \
        return done;                                                                                                   \
    } while (0)

/* --- names ----------------------------------------------------------------------------------------------------- */

static void remember(long fd, const char *path) {
    if (fd >= FDS) abort();
    paths[fd] = strdup(path);
}

static long do_open(int dirfd, const char *path, int flags, mode_t mode) {
    char full[4096];
    const char *name = absolute(dirfd, path, full);
    if (!name) return syscall(SYS_openat, dirfd, path, flags, mode);
    struct stat found;
    int fresh = (flags & O_CREAT) && syscall(SYS_newfstatat, AT_FDCWD, name, &found, 0) != 0;
    int flag = fresh | ((flags & O_TRUNC) ? 2 : 0);
    COUNTED(OPEN, flag, name, syscall(SYS_openat, dirfd, path, flags, mode),
            (remember(done, name), put_down(OPEN, flag, name, NULL, (int)done, -1, 0, 0, NULL)));
}

#define WITH_MODE                                                                                                      \
    mode_t mode = 0;                                                                                                   \
    if (flags & (O_CREAT | __O_TMPFILE)) {                                                                             \
        va_list rest;                                                                                                  \
        va_start(rest, flags);                                                                                         \
        mode = va_arg(rest, mode_t);                                                                                   \
        va_end(rest);                                                                                                  \
    }
int open(const char *path, int flags, ...) { WITH_MODE return (int)do_open(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { WITH_MODE return (int)do_open(AT_FDCWD, path, flags, mode); }
int openat(int dirfd, const char *path, int flags, ...) { WITH_MODE return (int)do_open(dirfd, path, flags, mode); }
int openat64(int dirfd, const char *path, int flags, ...) { WITH_MODE return (int)do_open(dirfd, path, flags, mode); }
int creat(const char *path, mode_t mode) { return (int)do_open(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return creat(path, mode); }

static long do_rename(int from_fd, const char *from, int to_fd, const char *to, unsigned flags) {
    char full[4096], other[4096];
    const char *source = absolute(from_fd, from, full), *target = absolute(to_fd, to, other);
    if (!source && !target) return syscall(SYS_renameat2, from_fd, from, to_fd, to, flags);
    WATCHED(RENAME, target ? target : source, syscall(SYS_renameat2, from_fd, from, to_fd, to, flags),
            put_down(source && target && !flags ? RENAME : STRANGE, 0, source, target, -1, -1, 0, 0, NULL));
}
int rename(const char *from, const char *to) { return (int)do_rename(AT_FDCWD, from, AT_FDCWD, to, 0); }
int renameat(int f, const char *from, int t, const char *to) { return (int)do_rename(f, from, t, to, 0); }
int renameat2(int f, const char *from, int t, const char *to, unsigned g) { return (int)do_rename(f, from, t, to, g); }

static long do_unlink(int dirfd, const char *path, int flags) {
    char full[4096];
    const char *name = absolute(dirfd, path, full);
    if (!name) return syscall(SYS_unlinkat, dirfd, path, flags);
    int op = flags & AT_REMOVEDIR ? RMDIR : UNLINK;
    WATCHED(op, name, syscall(SYS_unlinkat, dirfd, path, flags), put_down(op, 0, name, NULL, -1, -1, 0, 0, NULL));
}
int unlink(const char *path) { return (int)do_unlink(AT_FDCWD, path, 0); }
int unlinkat(int dirfd, const char *path, int flags) { return (int)do_unlink(dirfd, path, flags); }
int rmdir(const char *path) { return (int)do_unlink(AT_FDCWD, path, AT_REMOVEDIR); }

static long do_mkdir(int dirfd, const char *path, mode_t mode) {
    char full[4096];
    const char *name = absolute(dirfd, path, full);
    if (!name) return syscall(SYS_mkdirat, dirfd, path, mode);
    WATCHED(MKDIR, name, syscall(SYS_mkdirat, dirfd, path, mode),
            put_down(MKDIR, 0, name, NULL, -1, -1, 0, 0, NULL));
}
int mkdir(const char *path, mode_t mode) { return (int)do_mkdir(AT_FDCWD, path, mode); }
int mkdirat(int dirfd, const char *path, mode_t mode) { return (int)do_mkdir(dirfd, path, mode); }

static long do_link(int from_fd, const char *from, int to_fd, const char *to, int flags) {
    char full[4096], other[4096];
    const char *source = absolute(from_fd, from, full), *target = absolute(to_fd, to, other);
    if (!target) return syscall(SYS_linkat, from_fd, from, to_fd, to, flags);
    WATCHED(LINK, target, syscall(SYS_linkat, from_fd, from, to_fd, to, flags),
            put_down(source ? LINK : STRANGE, 0, source, target, -1, -1, 0, 0, NULL));
}
int link(const char *from, const char *to) { return (int)do_link(AT_FDCWD, from, AT_FDCWD, to, 0); }
int linkat(int f, const char *from, int t, const char *to, int flags) { return (int)do_link(f, from, t, to, flags); }

/* --- contents -------------------------------------------------------------------------------------------------- */

#define WRITTEN(DATA, OFFSET) put_down(WRITE, 0, NULL, NULL, fd, -1, (uint64_t)(OFFSET), (uint64_t)done, DATA)

ssize_t write(int fd, const void *data, size_t size) {
    const char *name = of_fd(fd);
    if (!name) return syscall(SYS_write, fd, data, size);
    WATCHED(WRITE, name, syscall(SYS_write, fd, data, halfway() ? size / 2 : size),
            WRITTEN(data, syscall(SYS_lseek, fd, 0, SEEK_CUR) - done));
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset) {
    const char *name = of_fd(fd);
    if (!name) return syscall(SYS_pwrite64, fd, data, size, offset);
    WATCHED(WRITE, name, syscall(SYS_pwrite64, fd, data, halfway() ? size / 2 : size, offset), WRITTEN(data, offset));
}
ssize_t pwrite64(int fd, const void *data, size_t size, off_t offset) { return pwrite(fd, data, size, offset); }

static long gathered(int fd, const struct iovec *parts, int count, off_t offset, int at) {
    size_t size = 0, filled = 0;
    for (int i = 0; i < count; i++) size += parts[i].iov_len;
    char *all = malloc(size + 1);
    for (int i = 0; i < count; filled += parts[i].iov_len, i++) memcpy(all + filled, parts[i].iov_base, parts[i].iov_len);
    long done = at ? pwrite(fd, all, size, offset) : write(fd, all, size);
    free(all);
    return done;
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
    return of_fd(fd) ? gathered(fd, parts, count, 0, 0) : syscall(SYS_writev, fd, parts, count);
}
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) {
    return of_fd(fd) ? gathered(fd, parts, count, offset, 1) : syscall(SYS_pwritev, fd, parts, count, offset, 0);
}
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off_t offset) { return pwritev(fd, parts, count, offset); }

ssize_t read(int fd, void *data, size_t size) {
    const char *name = of_fd(fd);
    if (!name || !page->all) return syscall(SYS_read, fd, data, size);
    WATCHED(READ, name, syscall(SYS_read, fd, data, size), (void)0);
}
ssize_t pread(int fd, void *data, size_t size, off_t offset) {
    const char *name = of_fd(fd);
    if (!name || !page->all) return syscall(SYS_pread64, fd, data, size, offset);
    WATCHED(READ, name, syscall(SYS_pread64, fd, data, size, offset), (void)0);
}
ssize_t pread64(int fd, void *data, size_t size, off_t offset) { return pread(fd, data, size, offset); }

static long do_sync(int fd, long call) {
    const char *name = of_fd(fd);
    if (!name) return syscall(call, fd);
    struct stat found;
    int directory = fstat(fd, &found) == 0 && S_ISDIR(found.st_mode);
    WATCHED(SYNC, name, syscall(call, fd), put_down(SYNC, directory, NULL, NULL, fd, -1, 0, 0, NULL));
}
int fsync(int fd) { return (int)do_sync(fd, SYS_fsync); }
int fdatasync(int fd) { return (int)do_sync(fd, SYS_fdatasync); }

int ftruncate(int fd, off_t size) {
    const char *name = of_fd(fd);
    if (!name) return (int)syscall(SYS_ftruncate, fd, size);
    WATCHED(TRUNCATE, name, syscall(SYS_ftruncate, fd, size),
            put_down(TRUNCATE, 0, NULL, NULL, fd, -1, 0, (uint64_t)size, NULL));
}
int ftruncate64(int fd, off_t size) { return ftruncate(fd, size); }

int fallocate(int fd, int mode, off_t offset, off_t size) {
    const char *name = of_fd(fd);
    if (!name) return (int)syscall(SYS_fallocate, fd, mode, offset, size);
    WATCHED(ALLOCATE, name, syscall(SYS_fallocate, fd, mode, offset, size),
            put_down(mode ? STRANGE : ALLOCATE, 0, NULL, NULL, fd, -1, 0, (uint64_t)(offset + size), NULL));
}
int fallocate64(int fd, int mode, off_t offset, off_t size) { return fallocate(fd, mode, offset, size); }
int posix_fallocate(int fd, off_t offset, off_t size) { return fallocate(fd, 0, offset, size) ? errno : 0; }
int posix_fallocate64(int fd, off_t offset, off_t size) { return posix_fallocate(fd, offset, size); }

/* --- descriptors ----------------------------------------------------------------------------------------------- */

static long duplicate(int fd, long fresh) {
    if (fresh >= 0 && of_fd(fd)) {
        pthread_mutex_lock(&lock);
        remember(fresh, paths[fd]);
        put_down(DUP, 0, NULL, NULL, fd, (int)fresh, 0, 0, NULL);
        pthread_mutex_unlock(&lock);
    }
    return fresh;
}
int dup(int fd) { return (int)duplicate(fd, syscall(SYS_dup, fd)); }
int dup2(int fd, int to) { return (int)(fd == to ? fd : duplicate(fd, syscall(SYS_dup3, fd, to, 0))); }
int dup3(int fd, int to, int flags) { return (int)duplicate(fd, syscall(SYS_dup3, fd, to, flags)); }

int close(int fd) {
    if (!of_fd(fd)) return (int)syscall(SYS_close, fd);
    pthread_mutex_lock(&lock);
    put_down(CLOSE, 0, NULL, NULL, fd, -1, 0, 0, NULL);
    free(paths[fd]);
    paths[fd] = NULL;
    long done = syscall(SYS_close, fd);
    pthread_mutex_unlock(&lock);
    return (int)done;
}

/* Writes that go round all this are said, so that a replay can refuse them; SQLite's -shm is no durable data. */
void *mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset) {
    const char *name = of_fd(fd);
    if (name && (protection & PROT_WRITE) && (flags & MAP_SHARED)) {
        size_t length = strlen(name);
        if (length < 4 || strcmp(name + length - 4, "-shm")) put_down(STRANGE, 0, name, NULL, fd, -1, 0, 0, NULL);
    }
    return (void *)syscall(SYS_mmap, at, size, protection, flags, fd, offset);
}
void *mmap64(void *at, size_t size, int prot, int flags, int fd, off_t offset) {
    return mmap(at, size, prot, flags, fd, offset);
}

/* A word of the program under test, in order with everything else: what it has promised by now. */
void crash_mark(const char *word) {
    pthread_mutex_lock(&lock);
    put_down(MARK, 0, word, NULL, -1, -1, 0, 0, NULL);
    pthread_mutex_unlock(&lock);
}
