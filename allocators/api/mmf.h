/* Memory-mapped files: what one process writes, every other that has the file mapped sees. */
#ifndef MMF_H
#define MMF_H

#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Maps the file `name`, created with `sz` bytes (mode 0600) if there is none or an empty one; else
 * `sz` must be its size. NULL with errno set when that cannot be, and no file is left that was not
 * there: EINVAL for another size or what is no regular file, EFBIG beyond the process's limit. */
void *mmf_create_or_open(const char *name, size_t sz);

/* Unmaps it: `ptr` as it was returned, `sz` as it was given. One line to stderr if that is not the
 * mapping of a file. */
void mmf_close(void *ptr, size_t sz);

#ifdef __cplusplus
}
#endif

#endif
