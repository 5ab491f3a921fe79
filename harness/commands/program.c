/* What commands that run a program have on their line: -- COMMAND [ARGUMENT...]. */
#include "harness/commands/commands.h"

error_t command_parse_program(int key, struct argp_state *state, char ***program)
{
    switch (key) {
    case ARGP_KEY_ARG:
        *program = &state->argv[state->next - 1];
        state->next = state->argc;
        return 0;
    case ARGP_KEY_END:
        if (!*program)
            argp_failure(state, STATUS_USAGE, 0,
                         "no command was given; it stands at the end: -- COMMAND [ARGUMENT...]");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}
