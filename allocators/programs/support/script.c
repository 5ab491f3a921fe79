/* The runner of the shared heap's exercises 2 to 4: reads the script, starts the processes, hands
 * out the commands. */
#include "allocators/programs/support/script.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <time.h>

#include "allocators/programs/support/player.h"

enum { PLAYERS_MAX = 500, OBJECTS_MAX = 10000000, NUMBERS_MAX = 4 };

struct channel {
    int commands, answers; /* the runner's ends */
};

struct script {
    const char *program;
    bool sets;
    unsigned line;
    size_t players;
    size_t heap_bytes;
    size_t objects;
    size_t written; /* numbers written so far */
    struct board *board;
    shmheap_memory_handle heap;
    struct channel channel[PLAYERS_MAX];
};

__attribute__((format(printf, 2, 3))) static int script_fail(const struct script *script,
                                                             const char *format, ...)
{
    va_list list;
    va_start(list, format);
    fprintf(stderr, "%s: line %u: ", script->program, script->line);
    vfprintf(stderr, format, list);
    fputc('\n', stderr);
    va_end(list);
    return 1;
}

/* ---- reading --------------------------------------------------------------------------------- */

/* The whole numbers of a text, at most NUMBERS_MAX; -1 when there is anything else in it. */
static int script_numbers(const char *text, size_t *numbers)
{
    int count = 0;
    for (;;) {
        text += strspn(text, " \t\r\n");
        if (!*text)
            return count;
        char *end;
        errno = 0;
        unsigned long long number = strtoull(text, &end, 10);
        if (*text < '0' || *text > '9' || errno || number > SIZE_MAX || count == NUMBERS_MAX)
            return -1;
        numbers[count++] = (size_t)number;
        text = end;
    }
}

static int script_read_head(struct script *script, const char *text)
{
    size_t numbers[NUMBERS_MAX];
    if (script_numbers(text, numbers) != 3)
        return script_fail(script, "the first line is three whole numbers: processes, bytes of the "
                                   "heap, objects");
    if (numbers[0] < 1 || numbers[0] > PLAYERS_MAX)
        return script_fail(script, "between 1 and %d processes are possible, not %zu", PLAYERS_MAX,
                           numbers[0]);
    if (numbers[2] > OBJECTS_MAX)
        return script_fail(script, "at most %d objects are possible, not %zu", OBJECTS_MAX,
                           numbers[2]);
    script->players = numbers[0];
    script->heap_bytes = numbers[1];
    script->objects = numbers[2];
    return 0;
}

static int script_read_command(struct script *script, const char *text, struct command *command)
{
    static const int counts[] = {2, 2, 3, 4, 3};
    size_t numbers[NUMBERS_MAX] = {0};
    int count = script_numbers(text, numbers);
    if (count < 1 || numbers[0] > COMMAND_FREE || count != counts[numbers[0]])
        return script_fail(script, "\"%.*s\" is no command: 0 p, 1 p, 2 p b, 3 p b s or 4 p b is",
                           (int)strcspn(text, "\r\n"), text);
    if (numbers[1] >= script->players)
        return script_fail(script, "there are %zu processes, from 0; there is no process %zu",
                           script->players, numbers[1]);
    if (count > 2 && numbers[2] >= script->objects)
        return script_fail(script, "there are %zu objects, from 0; there is no object %zu",
                           script->objects, numbers[2]);
    *command = (struct command){(enum command_kind)numbers[0],
                                script->line,
                                numbers[1],
                                numbers[2],
                                numbers[3],
                                script->written};
    if (command->kind == COMMAND_ALLOC && command->count == 0)
        return script_fail(script, "an object has at least one number");
    if (command->kind == COMMAND_ALLOC)
        script->written += command->count;
    return 0;
}

/* ---- the processes --------------------------------------------------------------------------- */

static int script_make_board(struct script *script)
{
    size_t bytes = sizeof *script->board + script->objects * sizeof script->board->object[0];
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return script_fail(script, "no memory for %zu objects", script->objects);
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    script->board = memory;
    script->board->program = script->program;
    script->board->objects = script->objects;
    snprintf(script->board->name, sizeof script->board->name, "/heapbench-%d-%ld", (int)getpid(),
             now.tv_nsec);
    return sem_init(&script->board->output, 1, 1);
}

/* The child keeps only its own ends: a pipe of which the runner's end is gone must end. */
static int script_start_player(struct script *script, size_t number)
{
    int commands[2], answers[2];
    if (pipe(commands) != 0 || pipe(answers) != 0)
        return script_fail(script, "no pipe for process %zu: %s", number, strerror(errno));
    pid_t child = fork();
    if (child < 0)
        return script_fail(script, "process %zu cannot be started: %s", number, strerror(errno));
    if (child == 0) {
        for (size_t i = 0; i < number; i++) {
            close(script->channel[i].commands);
            close(script->channel[i].answers);
        }
        close(commands[1]);
        close(answers[0]);
        player_run(script->board, number, commands[0], answers[1]);
    }
    close(commands[0]);
    close(answers[1]);
    script->channel[number] = (struct channel){commands[1], answers[0]};
    return 0;
}

static int script_start(struct script *script)
{
    int failed = script_make_board(script);
    for (size_t i = 0; i < script->players && !failed; i++)
        failed = script_start_player(script, i);
    if (failed)
        return 1;
    script->heap = shmheap_create(script->board->name, script->heap_bytes);
    if (!shmheap_underlying(script->heap))
        return script_fail(script, "a heap of %zu bytes cannot be created: %s", script->heap_bytes,
                           strerror(errno));
    return 0;
}

/* Every process ends when its pipe does. */
static int script_finish(struct script *script)
{
    int failed = 0;
    if (shmheap_underlying(script->heap))
        script->board->finished = true;
    for (size_t i = 0; i < script->players; i++)
        if (script->channel[i].commands > 0)
            close(script->channel[i].commands);
    for (int status; wait(&status) > 0;)
        failed |= status != 0;
    if (shmheap_underlying(script->heap))
        shmheap_destroy(script->board->name, script->heap);
    return failed;
}

/* ---- playing --------------------------------------------------------------------------------- */

static int script_send(struct script *script, const struct command *command)
{
    int pipe_end = script->channel[command->player].commands;
    if (write(pipe_end, command, sizeof *command) == sizeof *command)
        return 0;
    return script_fail(script, "process %zu is gone", command->player);
}

static int script_await(struct script *script, size_t player)
{
    char answer;
    if (read(script->channel[player].answers, &answer, 1) == 1)
        return answer;
    return script_fail(script, "process %zu died", player);
}

/* All commands of the line are under way before the first answer is waited for. */
static int script_play_line(struct script *script, char *text)
{
    static const char bar[] = "|";
    int failed = 0;
    size_t sent = 0, length = strlen(text);
    size_t *players = calloc(length + 1, sizeof *players);
    if (!players)
        return script_fail(script, "no memory for a set of commands");
    if (!script->sets && strchr(text, '|'))
        failed = script_fail(script, "one command a line: sets with bars are for shmheap-ex3");
    for (char *part; !failed && (part = strsep(&text, bar));) {
        struct command command;
        failed = script_read_command(script, part, &command) || script_send(script, &command);
        if (!failed)
            players[sent++] = command.player;
    }
    for (size_t i = 0; i < sent; i++)
        failed |= script_await(script, players[i]);
    free(players);
    return failed;
}

/* The next line that is not blank; false at the end. */
static bool script_next_line(struct script *script, char **text, size_t *room)
{
    while (getline(text, room, stdin) > 0) {
        script->line++;
        if ((*text)[strspn(*text, " \t\r\n")])
            return true;
    }
    return false;
}

static int script_play(struct script *script)
{
    char *text = NULL;
    size_t room = 0;
    int failed;
    if (!script_next_line(script, &text, &room))
        failed = script_fail(script, "the input is empty");
    else
        failed = script_read_head(script, text) || script_start(script);
    while (!failed && script_next_line(script, &text, &room))
        failed = script_play_line(script, text);
    free(text);
    return failed;
}

int script_run(const char *program, bool sets)
{
    static struct script script;
    script.program = program;
    script.sets = sets;
    signal(SIGPIPE, SIG_IGN);
    int failed = script_play(&script);
    return script_finish(&script) | failed;
}
