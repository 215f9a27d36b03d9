/* Preloaded into a process (LD_PRELOAD), this counts the calls that change files below a folder, over all processes that are given
 * the same counter, and ends all of them with SIGKILL in place of the call with a given number; half of a write is done before.
 *
 * CRASH_ROOT: the folder. CRASH_COUNTER: a file of two 64-bit numbers, mapped by all: calls so far, and the fatal one (0: none).
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static volatile long *counter;
static char root[4096];
static size_t root_length;

__attribute__((constructor)) static void begin(void) {
    const char *file = getenv("CRASH_COUNTER"), *folder = getenv("CRASH_ROOT");
    if (!file || !folder) return;
    int descriptor = open(file, O_RDWR | O_CLOEXEC);
    if (descriptor < 0) return;
    void *found = mmap(NULL, 2 * sizeof(long), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    close(descriptor);
    if (found == MAP_FAILED) return;
    strncpy(root, folder, sizeof root - 1);
    root_length = strlen(root);
    counter = found;
}

/* Whether this is the fatal call. */
static int fatal(void) {
    long now = __sync_add_and_fetch(&counter[0], 1);
    return now == counter[1];
}

static void end(void) {
    kill(0, SIGKILL); /* the process group: nobody is left to tell others */
    for (;;) pause();
}

static int below_path(int folder, const char *path) {
    char whole[8192];
    if (!counter || !path) return 0;
    if (path[0] == '/') {
        strncpy(whole, path, sizeof whole - 1);
        whole[sizeof whole - 1] = 0;
    } else if (folder == AT_FDCWD) {
        if (!getcwd(whole, 4096)) return 0;
        strcat(whole, "/");
        strncat(whole, path, 4000);
    } else return 0;
    return strncmp(whole, root, root_length) == 0;
}

static int below_descriptor(int descriptor) {
    char link[64], whole[4096];
    if (!counter || descriptor < 3) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t n = readlink(link, whole, sizeof whole - 1);
    if (n < 0) return 0;
    whole[n] = 0;
    return strncmp(whole, root, root_length) == 0;
}

#define REAL(type, name, ...) \
    static type (*real)(__VA_ARGS__); \
    if (!real) real = (type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

#define PATH_CALL(name, parameters, arguments, folder, path, ...) \
    int name parameters { \
        REAL(int, #name, __VA_ARGS__); \
        if (below_path(folder, path) && fatal()) end(); \
        return real arguments; \
    }

PATH_CALL(rename, (const char *a, const char *b), (a, b), AT_FDCWD, b, const char *, const char *)
PATH_CALL(renameat, (int c, const char *a, int d, const char *b), (c, a, d, b), d, b, int, const char *, int, const char *)
PATH_CALL(unlink, (const char *a), (a), AT_FDCWD, a, const char *)
PATH_CALL(unlinkat, (int d, const char *a, int f), (d, a, f), d, a, int, const char *, int)
PATH_CALL(rmdir, (const char *a), (a), AT_FDCWD, a, const char *)
PATH_CALL(mkdir, (const char *a, mode_t m), (a, m), AT_FDCWD, a, const char *, mode_t)
PATH_CALL(truncate, (const char *a, off_t n), (a, n), AT_FDCWD, a, const char *, off_t)

#define FILE_CALL(name, parameters, arguments, ...) \
    int name parameters { \
        REAL(int, #name, __VA_ARGS__); \
        if (below_descriptor(descriptor) && fatal()) end(); \
        return real arguments; \
    }

FILE_CALL(fsync, (int descriptor), (descriptor), int)
FILE_CALL(fdatasync, (int descriptor), (descriptor), int)
FILE_CALL(ftruncate, (int descriptor, off_t n), (descriptor, n), int, off_t)
FILE_CALL(ftruncate64, (int descriptor, off64_t n), (descriptor, n), int, off64_t)

ssize_t write(int descriptor, const void *buffer, size_t n) {
    REAL(ssize_t, "write", int, const void *, size_t);
    if (below_descriptor(descriptor) && fatal()) {
        real(descriptor, buffer, n / 2);
        end();
    }
    return real(descriptor, buffer, n);
}

#define PWRITE(name, offset) \
    ssize_t name(int descriptor, const void *buffer, size_t n, offset at) { \
        REAL(ssize_t, #name, int, const void *, size_t, offset); \
        if (below_descriptor(descriptor) && fatal()) { \
            real(descriptor, buffer, n / 2, at); \
            end(); \
        } \
        return real(descriptor, buffer, n, at); \
    }

PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        va_list rest; \
        va_start(rest, flags); \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; \
        va_end(rest); \
        REAL(int, #name, const char *, int, ...); \
        if (flags & (O_CREAT | O_TRUNC) && below_path(AT_FDCWD, path) && fatal()) end(); \
        return real(path, flags, mode); \
    }

OPEN(open)
OPEN(open64)
