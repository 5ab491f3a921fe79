/* One process of the shared heap's runners. */
#include "allocators/programs/support/player.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>

struct player {
    struct board *board;
    size_t number;
    bool connected;
    shmheap_memory_handle heap;
};

/* Prints the reason and fails. */
__attribute__((format(printf, 3, 4))) static int
player_fail(const struct player *player, const struct command *command, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    sem_wait(&player->board->output);
    fprintf(stderr, "%s: line %u: ", player->board->program, command->line);
    vfprintf(stderr, format, list);
    fputc('\n', stderr);
    sem_post(&player->board->output);
    va_end(list);
    return 1;
}

/* "#p: text", numbers if any, and the end of the line. */
__attribute__((format(printf, 4, 5))) static int
player_say(const struct player *player, const size_t *values, size_t count, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    sem_wait(&player->board->output);
    printf("#%zu: ", player->number);
    vprintf(format, list);
    for (size_t i = 0; i < count; i++)
        printf(" %zu", values[i]);
    putchar('\n');
    fflush(stdout);
    sem_post(&player->board->output);
    va_end(list);
    return 0;
}

static size_t player_offset(const struct player *player, const void *pointer)
{
    return (size_t)((const char *)pointer - (const char *)shmheap_underlying(player->heap));
}

static int player_connect(struct player *player, const struct command *command)
{
    if (player->connected)
        return player_fail(player, command, "process %zu is connected already", player->number);
    player->heap = shmheap_connect(player->board->name);
    if (!shmheap_underlying(player->heap))
        return player_fail(player, command, "process %zu cannot connect to the heap: %s",
                           player->number, strerror(errno));
    player->connected = true;
    return player_say(player, NULL, 0, "Connected");
}

static int player_disconnect(struct player *player)
{
    shmheap_disconnect(player->heap);
    player->connected = false;
    return player_say(player, NULL, 0, "Disconnected");
}

static int player_alloc(struct player *player, const struct command *command, struct object *object)
{
    size_t *values = NULL;
    if (object->live)
        return player_fail(player, command, "object %zu is allocated already", command->object);
    if (command->count <= SIZE_MAX / sizeof *values)
        values = shmheap_alloc(player->heap, command->count * sizeof *values);
    if (!values)
        return player_fail(player, command, "object %zu of %zu numbers cannot be allocated: %s",
                           command->object, command->count, strerror(ENOMEM));
    for (size_t i = 0; i < command->count; i++)
        values[i] = command->first + i;
    *object = (struct object){true, shmheap_ptr_to_handle(player->heap, values), command->count};
    return player_say(player, values, command->count,
                      "Allocated at offset %zu:", player_offset(player, values));
}

static int player_read(struct player *player, struct object *object)
{
    const size_t *values = shmheap_handle_to_ptr(player->heap, object->handle);
    return player_say(player, values, object->count, "Read:");
}

static int player_free(struct player *player, struct object *object)
{
    void *values = shmheap_handle_to_ptr(player->heap, object->handle);
    size_t offset = player_offset(player, values);
    object->live = false;
    shmheap_free(player->heap, values);
    return player_say(player, NULL, 0, "Freed at offset: %zu", offset);
}

static int player_do(struct player *player, const struct command *command)
{
    struct object *object = &player->board->object[command->object];
    if (command->kind == COMMAND_CONNECT)
        return player_connect(player, command);
    if (!player->connected)
        return player_fail(player, command, "process %zu is not connected", player->number);
    if (command->kind == COMMAND_DISCONNECT)
        return player_disconnect(player);
    if (command->kind == COMMAND_ALLOC)
        return player_alloc(player, command, object);
    if (!object->live)
        return player_fail(player, command, "object %zu is not allocated", command->object);
    return command->kind == COMMAND_READ ? player_read(player, object)
                                         : player_free(player, object);
}

void player_run(struct board *board, size_t number, int commands, int answers)
{
    struct player player = {.board = board, .number = number};
    struct command command;
    /* A signal from the terminal is the runner's to die of; who is left removes the name. */
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    while (read(commands, &command, sizeof command) == sizeof command) {
        char answer = (char)player_do(&player, &command);
        if (write(answers, &answer, 1) != 1)
            break;
    }
    if (!board->finished)
        shm_unlink(board->name);
    _exit(0);
}
