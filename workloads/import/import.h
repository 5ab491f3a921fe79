/* Brings the recordings of other tools in. */
#ifndef WORKLOADS_IMPORT_H
#define WORKLOADS_IMPORT_H

#include <stdint.h>

#include "harness/base/err.h"

/* What a person should hear of a finished import. */
struct import_report {
    const char *format; /* borrowed, static */
    uint64_t bad_line;  /* the first line or record that could not be understood, 0 none */
    char bad_text[64];  /* its beginning */
    char cut_tail[200]; /* a sentence where the source ends before its end, else "" */
    char remark[200];   /* one where it contradicts itself without a loss, else "" */
};

/* Imports `from` ("-": standard input; plain, or packed by zip, gzip, zstd, xz, bzip2) into a trace
 * at `to`. `format` NULL recognises it by the contents. The report is filled also where the import
 * went through with repairs; those are counted in the trace's summary. */
int import_file(const char *from, const char *format, const char *to, struct import_report *report,
                struct err *err);

#endif
