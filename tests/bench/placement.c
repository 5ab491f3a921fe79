/* Whole traces: does every policy place every block where its naive reference does?
 *
 *     bench-placement [-p POLICY] TRACE...
 *
 * The references search linearly: minutes for long traces. Status 1 when any two differ. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "tests/allocators/support/twin.h"

static bool compare(const char *policy, const char *path)
{
    struct twin twin;
    struct err err = {0};
    uint64_t begun = clock_ns();
    int error = twin_open(&twin, policy, &err);
    if (!error)
        error = twin_replay(&twin, path, UINT64_MAX, &err);
    double seconds = (double)(clock_ns() - begun) / 1e9;
    if (error)
        printf("%-10s %s: %s\n", policy, path, err.text);
    else
        printf("%-10s %s: %llu operations placed alike (%.1f s)\n", policy, path,
               (unsigned long long)twin.steps, seconds);
    fflush(stdout);
    twin_close(&twin);
    return !error;
}

int main(int argc, char **argv)
{
    const char *only = NULL;
    bool alike = true;
    int option;
    while ((option = getopt(argc, argv, "p:")) != -1) {
        if (option != 'p')
            return 2;
        only = optarg;
    }
    for (int i = optind; i < argc; i++)
        for (const char *const *policy = twin_policies; *policy; policy++)
            if (!only || strcmp(only, *policy) == 0)
                alike &= compare(*policy, argv[i]);
    return alike ? 0 : 1;
}
