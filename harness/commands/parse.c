/* What all commands do with their line before they look at it themselves. */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/err.h"
#include "harness/base/nearest.h"
#include "harness/commands/commands.h"

enum { PARSE_OPTIONS = 64 };

/* The options of a command as getopt wants them. */
struct parse_rows {
    struct option row[PARSE_OPTIONS + 1]; /* ends with one of zeros */
    size_t count;
    char letters[3 * PARSE_OPTIONS];
};

static void parse_add(struct parse_rows *rows, const struct argp_option *option)
{
    int argument = !option->arg                          ? no_argument
                   : option->flags & OPTION_ARG_OPTIONAL ? optional_argument
                                                         : required_argument;
    if (option->name) {
        if (rows->count == PARSE_OPTIONS)
            BUG("a command of more than %d options", PARSE_OPTIONS);
        rows->row[rows->count++] = (struct option){option->name, argument, NULL, 1};
    }
    if (option->key > ' ' && option->key < 127)
        sprintf(rows->letters + strlen(rows->letters), "%c%.*s", option->key, argument, "::");
}

static void parse_add_all(struct parse_rows *rows, const struct argp *argp)
{
    const struct argp_option *option = argp->options;
    for (; option && (option->name || option->key || option->doc); option++)
        parse_add(rows, option);
    for (const struct argp_child *child = argp->children; child && child->argp; child++)
        parse_add_all(rows, child->argp);
}

/* Whether the word is the beginning of an option: which of several is for argp to say. */
static bool parse_is_begun(const struct parse_rows *rows, const char *word)
{
    for (size_t i = 0; i < rows->count; i++)
        if (strncmp(rows->row[i].name, word, strlen(word)) == 0)
            return true;
    return false;
}

static void parse_refuse(const struct parse_rows *rows, const char *command, const char *word)
{
    struct nearest nearest = nearest_to(word);
    for (size_t i = 0; i < rows->count; i++)
        nearest_offer(&nearest, rows->row[i].name);
    fprintf(stderr, "%s: there is no option '--%s'%s (%s --help lists all)\n", command, word,
            nearest_hint(&nearest).text, command);
    exit(STATUS_USAGE);
}

/* Ends the process at a long option that there is not. */
static void parse_know(const struct argp *argp, int argc, char **argv, unsigned flags)
{
    struct parse_rows rows = {.letters = {flags & ARGP_IN_ORDER ? '+' : '-'}};
    parse_add_all(&rows, argp);
    opterr = 0;
    for (int got; (got = getopt_long(argc, argv, rows.letters, rows.row, NULL)) != -1;) {
        const char *at = argv[optind - 1];
        if (got != '?' || optopt != 0 || strncmp(at, "--", 2) != 0)
            continue;
        char word[64];
        snprintf(word, sizeof word, "%.*s", (int)strcspn(at + 2, "="), at + 2);
        if (!parse_is_begun(&rows, word))
            parse_refuse(&rows, argv[0], word);
    }
}

enum { PARSE_HELP = '?', PARSE_USAGE = 256 };

static const struct argp_option parse_help_options[] = {
    {"help", PARSE_HELP, NULL, 0, "Give this help list", -1},
    {"usage", PARSE_USAGE, NULL, 0, "Give a short usage message", 0},
    {0},
};

/* What argp's own does, but for its leaving with success where nobody could read the help. */
static error_t parse_help(int key, char *text, struct argp_state *state)
{
    (void)text;
    unsigned what = key == PARSE_HELP ? ARGP_HELP_STD_HELP : ARGP_HELP_USAGE;
    if (key == ARGP_KEY_INIT)
        state->child_inputs[0] = state->input;
    else if (key == PARSE_HELP || key == PARSE_USAGE) {
        argp_state_help(state, stdout, what & ~(unsigned)ARGP_HELP_EXIT_OK);
        exit(command_written(state->name, STATUS_DONE));
    } else
        return ARGP_ERR_UNKNOWN;
    return 0;
}

void command_parse(const struct argp *argp, int argc, char **argv, unsigned flags, void *input)
{
    const struct argp_child children[] = {{argp, 0, NULL, 0}, {0}};
    const struct argp all = {
        .options = parse_help_options, .parser = parse_help, .children = children};
    argp_err_exit_status = STATUS_USAGE;
    parse_know(&all, argc, argv, flags);
    argp_parse(&all, argc, argv, flags | ARGP_NO_HELP, NULL, input);
}

int command_written(const char *command, int status)
{
    if (status != STATUS_DONE || (fflush(stdout) == 0 && !ferror(stdout)))
        return status;
    fprintf(stderr, "%s: cannot write its output: %s\n", command, strerror(errno));
    return STATUS_FAILED;
}
