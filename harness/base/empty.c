/* Keeps a station that has no file yet a library. */
typedef int harness_base_empty;
