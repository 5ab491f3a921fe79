/* The contract of allocator.h, held against every line of list.h, under every layer and under
 * stacks of layers. A new line is covered as it is.
 *
 * Usage: test_conformance [FILTER], such as 'first-fit*'. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "allocators/library.h"
#include "allocators/registry.h"
#include "tests/allocators/support/conformance.h"
#include "tests/allocators/support/fixture.h"
#include "tests/allocators/support/sanitized.h"
#include "tests/unit.h"

/* ---- external allocators: this program again, with the library preloaded ------------------------
 */

static void preloaded_run(const char *library, int output)
{
    char program[] = "/proc/self/exe", filter[] = "system*";
    char *arguments[] = {program, filter, NULL};
    setenv("LD_PRELOAD", library, 1);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    execv(program, arguments);
    _exit(127);
}

/* The library's own malloc, not another under its name, must have answered. */
static void preloaded_prove(const char *library)
{
    Dl_info owner;
    void *symbol = dlsym(RTLD_DEFAULT, "malloc");
    if (dladdr(symbol, &owner) == 0 || !strstr(owner.dli_fname, strrchr(library, '/')))
        exit(EXIT_FAILURE);
}

static void a_library_answers_as_system_does(void **state)
{
    const struct external *external = *state;
    char path[4096], line[512];
    if (sanitized || !library_find(external->library, path, sizeof path))
        skip();
    FILE *output = tmpfile();
    int status;
    pid_t child = fork();
    if (child == 0)
        preloaded_run(path, fileno(output));
    assert_int_equal(waitpid(child, &status, 0), child);
    rewind(output);
    while (status && fgets(line, sizeof line, output))
        print_error("%s", line);
    fclose(output);
    assert_int_equal(status, 0);
}

/* ---- the suite: checks x subjects ---- */

enum { CHECKS = CONFORMANCE_CHECKS, SUBJECTS_MAX = 400, NAME_LENGTH = SPEC_TEXT + 64 };

struct suite {
    size_t subjects;
    struct subject *subject[SUBJECTS_MAX];
    size_t tests;
    struct CMUnitTest test[SUBJECTS_MAX * CHECKS];
    char names[SUBJECTS_MAX * CHECKS][NAME_LENGTH];
};

static struct suite suite;

/* Guarding blocks that are not memory is refused; every other pair must work. */
static bool suite_is_impossible(const struct spec *spec)
{
    return allocator_has(spec->backend, ALLOCATOR_NOT_REAL) &&
           subject_has_layer(spec, &layer_checked);
}

/* The table of the outermost layer is known once a heap exists. */
static void suite_add(const char *backend, const char *layers)
{
    char text[SPEC_TEXT];
    struct err err = {0};
    struct region region;
    struct heap *heap;
    struct subject *subject = calloc(1, sizeof *subject);
    snprintf(text, sizeof text, "%s%s", backend, layers);
    int failed = spec_parse(&subject->spec, text, &err);
    if (!failed)
        failed = spec_create(&subject->spec, &region, NULL, &heap, &err);
    if (failed && suite_is_impossible(&subject->spec)) {
        free(subject);
        return;
    }
    if (failed) {
        fprintf(stderr, "%s: %s\n", text, err.text);
        exit(EXIT_FAILURE);
    }
    subject->table = *heap->ops;
    heap_destroy(heap);
    region_release(&region);
    suite.subject[suite.subjects++] = subject;
    for (size_t i = 0; i < CHECKS; i++) {
        if (!conformance_checks[i].applies(&subject->table))
            continue;
        char *name = suite.names[suite.tests];
        snprintf(name, NAME_LENGTH, "%s: %s", text, conformance_checks[i].name);
        suite.test[suite.tests++] =
            (struct CMUnitTest){name, conformance_checks[i].run, NULL, NULL, subject};
    }
}

/* Every value of an option that has few. */
static void suite_add_option(const char *backend, const struct option_row *row)
{
    char text[SPEC_TEXT];
    const char *at = row->type == OPTION_CHOICE ? row->choices
                     : row->type == OPTION_FLAG ? "0|1"
                                                : "";
    while (*at) {
        size_t word = strcspn(at, "|");
        snprintf(text, sizeof text, ":%s=%.*s", row->name, (int)word, at);
        suite_add(backend, text);
        at += word + (at[word] == '|');
    }
}

static void suite_add_backend(const struct allocator *backend)
{
    char layer[64];
    suite_add(backend->name, "");
    for (size_t i = 0; i < registry_layers(); i++) {
        snprintf(layer, sizeof layer, "+%s", registry_layer(i)->name);
        suite_add(backend->name, layer);
    }
    for (size_t i = 0; i < options_count(backend->options); i++)
        suite_add_option(backend->name, &backend->options[i]);
    suite_add(backend->name, "+checked+locked");
    suite_add(backend->name, "+locked+faulty+checked");
}

static void suite_add_external(const struct external *external)
{
    char *name = suite.names[suite.tests];
    snprintf(name, NAME_LENGTH, "%s: answers as system does", external->name);
    suite.test[suite.tests++] = (struct CMUnitTest){name, a_library_answers_as_system_does, NULL,
                                                    NULL, (void *)(uintptr_t)external};
}

int main(int argc, char **argv)
{
    const char *preloaded = getenv("LD_PRELOAD");
    if (preloaded && *preloaded == '/')
        preloaded_prove(preloaded);
    for (size_t i = 0; i < registry_backends(); i++)
        suite_add_backend(registry_backend(i));
    for (size_t i = 0; i < registry_externals(); i++)
        suite_add_external(registry_external(i));
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return _cmocka_run_group_tests("conformance", suite.test, suite.tests, NULL, NULL);
}
