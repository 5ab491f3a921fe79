/* Option tables: one row an option. */
#include "harness/base/options.h"

#include <errno.h>
#include <string.h>

#include "harness/base/nearest.h"
#include "harness/base/units.h"

size_t options_count(const struct option_row *rows)
{
    size_t count = 0;
    while (rows && rows[count].name)
        count++;
    return count;
}

static int options_parse_flag(const char *text, uint64_t *number, struct err *err)
{
    static const char *const words[] = {"0", "1", "no", "yes", "off", "on"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i], text) == 0) {
            *number = i & 1;
            return 0;
        }
    return err_set(err, EINVAL, "'%.80s' is neither 0 nor 1", text);
}

static int options_parse_choice(const char *choices, const char *text, uint64_t *number,
                                struct err *err)
{
    size_t length = strlen(text), place = 0;
    for (const char *at = choices; *at; place++) {
        size_t word = strcspn(at, "|");
        if (word == length && memcmp(at, text, length) == 0) {
            *number = place;
            return 0;
        }
        at += word + (at[word] == '|');
    }
    return err_set(err, EINVAL, "'%.80s' is none of %s", text, choices);
}

static int options_parse(const struct option_row *row, const char *text, union option_value *value,
                         struct err *err)
{
    switch (row->type) {
    case OPTION_FLAG:
        return options_parse_flag(text, &value->number, err);
    case OPTION_COUNT:
        return units_parse_count(text, &value->number, err);
    case OPTION_SIZE:
        return units_parse_size(text, &value->number, err);
    case OPTION_TIME:
        return units_parse_time(text, &value->number, err);
    case OPTION_CHOICE:
        return options_parse_choice(row->choices, text, &value->number, err);
    case OPTION_TEXT:
        value->text = text;
        return 0;
    }
    BUG("option %s has no known type", row->name);
}

int options_default(const struct option_row *rows, union option_value *values, struct err *err)
{
    for (size_t i = 0; i < options_count(rows); i++) {
        values[i].number = 0;
        if (!rows[i].fallback)
            continue;
        int failed = options_parse(&rows[i], rows[i].fallback, &values[i], err);
        if (failed)
            return failed;
    }
    return 0;
}

int options_assign(const struct option_row *rows, union option_value *values, const char *owner,
                   const char *name, const char *value, struct err *err)
{
    struct nearest nearest = nearest_to(name);
    for (size_t i = 0; i < options_count(rows); i++) {
        if (strcmp(rows[i].name, name) == 0) {
            struct err why = {0};
            int failed = options_parse(&rows[i], value, &values[i], &why);
            return failed ? err_set(err, -failed, "%s: option %s: %s", owner, name, why.text) : 0;
        }
        nearest_offer(&nearest, rows[i].name);
    }
    if (!options_count(rows))
        return err_set(err, EINVAL, "%s has no options, so not '%.80s' either", owner, name);
    return err_set(err, EINVAL, "%s has no option '%.80s'%s", owner, name,
                   nearest_hint(&nearest).text);
}
