/* The kernel's own figures of this process. Reads with a buffer on the stack; nothing allocates. */
#ifndef HARNESS_MEASURE_PROC_H
#define HARNESS_MEASURE_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Bytes; from statm: cheap enough for a dense series. */
struct proc_sizes {
    uint64_t rss;
    uint64_t vsz;
    uint64_t shared; /* of rss: pages of files and of shared memory */
};
int proc_sizes(struct proc_sizes *sizes);

/* The same of another process: `statm` is its /proc/PID/statm. */
int proc_sizes_of(const char *statm, struct proc_sizes *sizes);

/* This process's from a descriptor that is opened once (-errno where it cannot be), for reading
 * them after every event. */
int proc_sizes_open(void);
int proc_sizes_again(int fd, struct proc_sizes *sizes);

/* Counters since the process began. */
struct proc_counts {
    uint64_t minor_faults;
    uint64_t major_faults;
    uint64_t context_switches;
    uint64_t involuntary_switches; /* those of them that were not asked for */
    uint64_t delayed_ns;           /* the first thread was ready, but waited for a core */
    uint64_t cpu_ns;               /* user and system time of all threads */
};

/* The delays are read from `delays`, which proc_delays_open() gave. */
void proc_counts(int delays, struct proc_counts *counts);

/* For reading the delays of this process's first thread again and again: -errno where the kernel
 * does not tell, which counts as none. */
int proc_delays_open(void);

/* The same of another process, which has one thread. Text files of the kernel's: 50 us. */
void proc_counts_of(pid_t process, struct proc_counts *counts);

/* For how long a thread, of any process, was ready, but waited for a core; 0 where the kernel does
 * not tell. */
uint64_t proc_delayed_ns(pid_t thread);

/* How often the kernel has moved the thread to another core; UINT64_MAX where it does not tell. A
 * text file of the kernel's: 20 us. */
uint64_t proc_migrations(pid_t thread);

/* The bytes that a file like /proc/self/status gives as "NAME:  123 kB"; `name` is with its colon.
 * Of several such lines (smaps) the sum. UINT64_MAX when there is none. */
uint64_t proc_kilobytes(const char *path, const char *name);

/* Sets the peak of the resident size (VmHWM) to what is resident now. 0 or -errno. */
int proc_reset_peak(void);

/* Resident bytes of the program's own writable memory: its data and bss, the main stack, and shared
 * mappings of no file of the file system (see harness/base/pages.h). `program` is its path as maps
 * spells it. 0 or -errno. */
int proc_own_resident(const char *path, const char *program, uint64_t *bytes);

#endif
