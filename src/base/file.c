/* file.c: files read by position, opened safely, and written whole.
 *
 * Reads go through pread, so that a file that shrinks gives an error and no
 * signal.  The window is one buffer; sequential parsing costs one system call
 * per 64 KiB and skipping costs none. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base.h"

enum { WINDOW = 64 << 10 };

struct lpi_file {
    int descriptor;
    int64_t size;
    int64_t start, filled; /* the window holds [start, start + filled) */
    char *name;
    uint8_t window[WINDOW];
};

/* Wrap "descriptor", which is closed on failure. */
static lp_status adopt(int descriptor, const char *name, lpi_file **ret_file,
                       lp_error *error)
{
    struct stat status;
    lpi_file *file;

    if (fstat(descriptor, &status) != 0) {
        int reason = errno;

        close(descriptor);
        return lpi_fail(error, LP_EIO, name, "%s", strerror(reason));
    }
    if (!S_ISREG(status.st_mode)) {
        close(descriptor);
        return lpi_fail(error, LP_EIO, name, "%s",
                        S_ISDIR(status.st_mode) ? "is a directory"
                                                : "is not a regular file");
    }
    file = lpi_alloc(sizeof(*file));
    if (file) {
        file->descriptor = descriptor;
        file->size = status.st_size;
        file->start = file->filled = 0;
        file->name = lpi_alloc(strlen(name) + 1);
    }
    if (!file || !file->name) {
        lpi_free(file);
        close(descriptor);
        return lpi_fail_memory(error);
    }
    memcpy(file->name, name, strlen(name) + 1);
    *ret_file = file;
    return LP_OK;
}

lp_status lpi_file_open(const char *path, lpi_file **ret_file, lp_error *error)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (descriptor < 0)
        return lpi_fail(error, LP_EIO, path, "%s", strerror(errno));
    return adopt(descriptor, path, ret_file, error);
}

/* Open "name" in the folder "folder", which is closed. */
static int step_into(int folder, const char *name, int flags)
{
    int descriptor = openat(folder, name, flags | O_CLOEXEC | O_NOFOLLOW);
    int reason = errno;

    close(folder);
    errno = reason;
    return descriptor;
}

/* The folder of "path", opened; -1 with errno on failure. */
static int open_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder;
    int descriptor;

    if (!slash)
        return open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    folder = lpi_alloc((size_t)(slash - path) + 2);
    if (!folder) {
        errno = ENOMEM;
        return -1;
    }
    memcpy(folder, path, (size_t)(slash - path) + 1);
    folder[slash - path + 1] = '\0';
    descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    lpi_free(folder);
    return descriptor;
}

lp_status lpi_file_open_below(const char *path, const char *location,
                              lpi_file **ret_file, lp_error *error)
{
    char part[256];
    const char *at = location;
    int descriptor = open_folder(path);

    if (descriptor < 0)
        return errno == ENOMEM
                   ? lpi_fail_memory(error)
                   : lpi_fail(error, LP_EIO, path, "%s", strerror(errno));
    if (*at == '/' || !*at) {
        close(descriptor);
        return lpi_fail(error, LP_EINPUT, location,
                        "the file must lie below the folder of what names it");
    }
    while (*at) {
        size_t length = strcspn(at, "/");
        bool last = !at[length];

        if (length >= sizeof(part) || (length == 2 && !memcmp(at, "..", 2)) ||
            (last && !length)) {
            close(descriptor);
            return lpi_fail(
                error, LP_EINPUT, location,
                "the file must lie below the folder of what names it");
        }
        memcpy(part, at, length);
        part[length] = '\0';
        at += length + !last;
        if (!length || !strcmp(part, "."))
            continue;
        descriptor =
            step_into(descriptor, part,
                      last ? O_RDONLY | O_NONBLOCK : O_RDONLY | O_DIRECTORY);
        if (descriptor < 0)
            return lpi_fail(
                error, errno == ELOOP || errno == ENOTDIR ? LP_EINPUT : LP_EIO,
                location, "%s",
                errno == ELOOP ? "is a symbolic link" : strerror(errno));
    }
    return adopt(descriptor, location, ret_file, error);
}

void lpi_file_close(lpi_file *file)
{
    if (!file)
        return;
    close(file->descriptor);
    lpi_free(file->name);
    lpi_free(file);
}

const char *lpi_file_name(const lpi_file *file)
{
    return file->name;
}

int64_t lpi_file_size(const lpi_file *file)
{
    return file->size;
}

lp_status lpi_file_read(lpi_file *file, int64_t offset, int64_t length,
                        void *bytes, lp_error *error)
{
    char *at = bytes;

    if (offset < 0 || length < 0 || offset > file->size ||
        length > file->size - offset)
        return lpi_fail(error, LP_EINPUT, file->name,
                        "bytes %lld to %lld lie past the end at %lld",
                        (long long)offset, (long long)lpi_add(offset, length),
                        (long long)file->size);
    while (length) {
        ssize_t got = pread(file->descriptor, at, (size_t)length, offset);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return lpi_fail(error, LP_EIO, file->name, "%s", strerror(errno));
        if (got == 0)
            return lpi_fail(error, LP_EIO, file->name,
                            "the file shrank while it was read");
        at += got;
        offset += got;
        length -= got;
    }
    return LP_OK;
}

lp_status lpi_file_window(lpi_file *file, int64_t offset,
                          const uint8_t **ret_bytes, int64_t *ret_length,
                          lp_error *error)
{
    if (offset < file->start || offset >= file->start + file->filled) {
        int64_t length = file->size - offset;

        if (length > WINDOW)
            length = WINDOW;
        if (offset < 0 || length <= 0)
            return lpi_fail(error, LP_EINPUT, file->name,
                            "byte %lld lies past the end at %lld",
                            (long long)offset, (long long)file->size);
        file->filled = 0;
        LP_TRY(lpi_file_read(file, offset, length, file->window, error));
        file->start = offset;
        file->filled = length;
    }
    *ret_bytes = file->window + (offset - file->start);
    *ret_length = file->filled - (offset - file->start);
    return LP_OK;
}

/* Write all of "text" into "descriptor"; false with errno on failure. */
static bool write_all(int descriptor, const char *text, size_t length)
{
    while (length) {
        ssize_t put = write(descriptor, text, length);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return false;
        text += put;
        length -= (size_t)put;
    }
    return true;
}

lp_status lp_file_write(const char *path, const char *text, size_t length,
                        lp_error *error)
{
    size_t size = strlen(path) + 16;
    char *beside = lpi_alloc(size);
    int descriptor, reason = 0;
    mode_t mask;

    if (!beside)
        return lpi_fail_memory(error);
    snprintf(beside, size, "%s.XXXXXX", path);
    descriptor = mkstemp(beside);
    if (descriptor < 0) {
        lpi_free(beside);
        return lpi_fail(error, LP_EIO, path, "%s", strerror(errno));
    }
    mask = umask(0);
    umask(mask);
    if (!write_all(descriptor, text, length) ||
        fchmod(descriptor, 0666 & ~mask) != 0)
        reason = errno;
    if (close(descriptor) != 0 && !reason)
        reason = errno;
    if (!reason && rename(beside, path) != 0)
        reason = errno;
    if (reason)
        unlink(beside);
    lpi_free(beside);
    return reason ? lpi_fail(error, LP_EIO, path, "%s", strerror(reason))
                  : LP_OK;
}
