/* Text from outside, made safe for where it goes. */
#include "results/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Bytes of the UTF-8 character at `text`, 0 if there is none (overlong forms, surrogates and
 * numbers past U+10FFFF are none). */
static size_t text_character(const unsigned char *text)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char lead = text[0];
    if (lead < 0x80)
        return 1;
    size_t length = lead >= 0xf0 && lead < 0xf8 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 0;
    if (length == 0 || lead >= 0xf8)
        return 0;
    uint32_t point = lead & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        point = point << 6 | (text[i] & 0x3f);
    }
    bool valid = point >= smallest[length] && point <= 0x10ffff && (point & ~0x7ffu) != 0xd800;
    return valid ? length : 0;
}

const char *text_repair(char *out, size_t length, const char *text)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *from = (const unsigned char *)text;
    size_t at = 0;
    while (*from) {
        size_t bytes = text_character(from);
        char escape[] = {'\\', 'x', digits[*from >> 4], digits[*from & 15]};
        size_t need = bytes ? bytes : sizeof escape;
        if (at + need >= length)
            break;
        memcpy(out + at, bytes ? (const char *)from : escape, need);
        at += need;
        from += bytes ? bytes : 1;
    }
    out[at] = '\0';
    return out;
}

size_t text_columns(const char *text)
{
    size_t columns = 0;
    for (; *text; text++)
        columns += ((unsigned char)*text & 0xc0) != 0x80;
    return columns;
}

static bool text_is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}

void text_html(FILE *out, const char *text)
{
    for (; *text; text++)
        switch (*text) {
        case '&':
            fputs("&amp;", out);
            break;
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        case '\'':
            fputs("&#39;", out);
            break;
        default:
            fputs(text_is_control(*text) ? "\xef\xbf\xbd" : (char[]){*text, '\0'}, out);
        }
}

void text_markdown(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '<' || *text == '>' || *text == '&')
            fprintf(out, "&#%d;", *text);
        else if (text_is_control(*text))
            fputs("\xef\xbf\xbd", out);
        else {
            if (strchr("\\`*_{}[]()#!|~", *text))
                fputc('\\', out);
            fputc(*text, out);
        }
    }
}

void text_csv(FILE *out, const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

void text_plain(FILE *out, const char *text)
{
    for (; *text; text++)
        fputc(text_is_control(*text) ? '?' : *text, out);
}

static bool text_has_control(const char *text)
{
    while (*text && !text_is_control(*text))
        text++;
    return *text;
}

void text_shell(FILE *out, const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_./:=,@%+-";
    if (*text && text[strspn(text, plain)] == '\0') {
        fputs(text, out);
        return;
    }
    bool escapes = text_has_control(text);
    fputs(escapes ? "$'" : "'", out);
    for (; *text; text++)
        if (text_is_control(*text))
            fprintf(out, "\\x%02x", (unsigned char)*text);
        else if (escapes && (*text == '\'' || *text == '\\'))
            fprintf(out, "\\%c", *text);
        else if (*text == '\'')
            fputs("'\\''", out);
        else
            fputc(*text, out);
    fputc('\'', out);
}

void text_spaces(FILE *out, size_t count)
{
    while (count--)
        fputc(' ', out);
}

void text_wrap(FILE *out, const char *text, size_t at, size_t indent, size_t width)
{
    while (*text) {
        size_t length = strcspn(text, " \n");
        char word[600];
        snprintf(word, sizeof word, "%.*s", (int)length, text);
        if (at > indent && at + 1 + text_columns(word) > width) {
            fputc('\n', out);
            text_spaces(out, indent);
            at = indent;
        } else if (at > indent) {
            fputc(' ', out);
            at++;
        }
        text_plain(out, word);
        at += text_columns(word);
        text += length + strspn(text + length, " \n");
    }
    fputc('\n', out);
}

size_t text_width(FILE *out)
{
    struct winsize size;
    bool terminal = isatty(fileno(out)) && ioctl(fileno(out), TIOCGWINSZ, &size) == 0;
    return terminal && size.ws_col ? size.ws_col : TEXT_WIDTH;
}
