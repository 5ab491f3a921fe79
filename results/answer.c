/* A run's whole answer. */
#include "results/answer.h"

#include <stdlib.h>
#include <string.h>

#include "results/table.h"
#include "results/text.h"

bool answer_advice(const struct store *store, const struct row *rows, size_t count,
                   char lines[RECOMMEND_SENTENCES][RECOMMEND_TEXT])
{
    struct recommendation recommendation;
    recommend_rows(&recommendation, store, rows, count);
    recommend_words(&recommendation, store, lines);
    recommend_release(&recommendation);
    return *lines[RECOMMEND_NOTES]; /* which there are wherever anything is compared */
}

void answer_text(FILE *out, const struct store *store, const struct row *rows, size_t count)
{
    char lines[RECOMMEND_SENTENCES][RECOMMEND_TEXT];
    table_print(out, rows, count, TABLE_TEXT);
    for (size_t i = 0, same; i < count; i += same) {
        same = row_same_trace(rows + i, count - i);
        if (!answer_advice(store, rows + i, same, lines))
            continue;
        fputs("\nwhat would help on ", out);
        text_plain(out, rows[i].trace);
        fputs("\n\n", out);
        for (size_t line = 0; line < RECOMMEND_SENTENCES; line++)
            if (*lines[line]) {
                fputs("  ", out);
                text_wrap(out, lines[line], 2, 2, text_width(out));
            }
    }
}

/* Appends the parts of one run to both lists. */
static void answer_add(const struct store *store, json_t *all, json_t *advice)
{
    size_t count;
    struct row *rows = table_rows(store, &count);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(all, record_to_json(row_fields, row_field_count, &rows[i]));
    for (size_t i = 0, same; i < count; i += same) {
        struct recommendation recommendation;
        same = row_same_trace(rows + i, count - i);
        recommend_rows(&recommendation, store, rows + i, same);
        if (recommendation.base && same > 1)
            json_array_append_new(advice, recommend_json(&recommendation, store));
        recommend_release(&recommendation);
    }
    free(rows);
}

void answer_json(FILE *out, struct store *const *stores, size_t count)
{
    json_t *rows = json_array(), *advice = json_array();
    for (size_t i = 0; i < count; i++)
        answer_add(stores[i], rows, advice);
    json_t *answer = json_pack("{s:o, s:o}", "rows", rows, "recommendations", advice);
    if (!answer)
        err_no_memory("the rows of %zu runs", count);
    json_dumpf(answer, out, JSON_INDENT(2) | JSON_REAL_PRECISION(10));
    fputc('\n', out);
    json_decref(answer);
}
