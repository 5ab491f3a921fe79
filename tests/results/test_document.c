/* The README of the results is what the code says today. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "results/document.h"
#include "tests/unit.h"

static void the_readme_is_up_to_date(void **state)
{
    (void)state;
    char *wanted, *found = NULL;
    size_t wanted_length, room = 0;
    FILE *out = open_memstream(&wanted, &wanted_length);
    document_write(out);
    fclose(out);
    FILE *readme = fopen("results/README.md", "re");
    assert_non_null(readme);
    ssize_t length = getdelim(&found, &room, '\0', readme);
    fclose(readme);
    if (length != (ssize_t)wanted_length || memcmp(found, wanted, wanted_length) != 0)
        fail_msg("renew it by: build/tests/results-readme >results/README.md");
    free(found);
    free(wanted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_readme_is_up_to_date)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
