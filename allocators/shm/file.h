/* Files of shared memory that get their name when they are whole: nobody ever finds half a heap
 * under a name, and a process that dies before leaves nothing behind. */
#ifndef ALLOCATORS_SHM_FILE_H
#define ALLOCATORS_SHM_FILE_H

#include <stdbool.h>

/* An empty file (mode 0600) that is going to have `name`; where the system knows no file without a
 * name, it has it already. Returns a descriptor or -errno: -EINVAL and -ENAMETOOLONG for a name
 * that shm_open refuses, -EEXIST. */
int shm_file_make(const char *name, bool *named);

/* Gives the file its name. 0 or -errno: -EEXIST. */
int shm_file_name(int file, const char *name);

#endif
