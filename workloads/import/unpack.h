/* libarchive, loaded when it is first needed: it brings a dozen libraries along, whose loading
 * would take most of every other command's start. */
#ifndef WORKLOADS_IMPORT_UNPACK_H
#define WORKLOADS_IMPORT_UNPACK_H

#include <archive.h>
#include <archive_entry.h>

#include "harness/base/err.h"

#define UNPACK_FUNCTIONS(FUNCTION)                                                                 \
    FUNCTION(struct archive *, read_new, (void))                                                   \
    FUNCTION(int, read_free, (struct archive *))                                                   \
    FUNCTION(int, read_support_filter_gzip, (struct archive *))                                    \
    FUNCTION(int, read_support_filter_zstd, (struct archive *))                                    \
    FUNCTION(int, read_support_filter_xz, (struct archive *))                                      \
    FUNCTION(int, read_support_filter_bzip2, (struct archive *))                                   \
    FUNCTION(int, read_support_format_zip, (struct archive *))                                     \
    FUNCTION(int, read_support_format_raw, (struct archive *))                                     \
    FUNCTION(int, read_support_format_empty, (struct archive *))                                   \
    FUNCTION(int, read_open_fd, (struct archive *, int, size_t))                                   \
    FUNCTION(int, filter_code, (struct archive *, int))                                            \
    FUNCTION(int, format, (struct archive *))                                                      \
    FUNCTION(int, read_next_header, (struct archive *, struct archive_entry **))                   \
    FUNCTION(int, read_data_block, (struct archive *, const void **, size_t *, la_int64_t *))      \
    FUNCTION(__LA_MODE_T, entry_filetype, (struct archive_entry *))                                \
    FUNCTION(const char *, error_string, (struct archive *))

/* The functions whose names begin with archive_. */
#define UNPACK_MEMBER(result, name, arguments) result(*name) arguments;
struct unpack {
    UNPACK_FUNCTIONS(UNPACK_MEMBER)
};

/* The library stays loaded. 0 or -ELIBACC. */
int unpack_load(struct unpack *unpack, struct err *err);

#endif
