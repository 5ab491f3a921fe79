/* bench preflight: what on this machine makes figures doubtful. */
#include "harness/preflight.h"

#include <argp.h>
#include <stdbool.h>

#include "harness/commands/commands.h"

static const struct argp_option preflight_options[] = {
    {"json", 'j', NULL, 0, "Print it as JSON", 0},
    {0},
};

static error_t preflight_option(int key, char *text, struct argp_state *state)
{
    if (key == 'j')
        *(bool *)state->input = true;
    else if (key == ARGP_KEY_ARG)
        argp_error(state, "it takes no argument, so not '%s' either", text);
    else
        return ARGP_ERR_UNKNOWN;
    return 0;
}

static const struct argp preflight_argp = {
    .options = preflight_options,
    .parser = preflight_option,
    .doc = "Says what on this machine makes figures doubtful, and what to do about it: frequency "
           "scaling, other load, missing counters, settings of the kernel. 'bench run' looks too, "
           "and stores what it found with the results.\vExample:\n  bench preflight",
};

int command_preflight(int argc, char **argv)
{
    struct preflight preflight = {0};
    bool json = false;
    command_parse(&preflight_argp, argc, argv, 0, &json);
    preflight_look(&preflight);
    if (json) {
        json_t *found = json_pack("{s:o}", "doubts", preflight_json(&preflight));
        json_dumpf(found, stdout, JSON_INDENT(2));
        fputc('\n', stdout);
        json_decref(found);
    } else {
        preflight_print(stdout, &preflight);
    }
    return STATUS_DONE;
}
