/* exchange THREADS OPERATIONS: threads exchange blocks through shared slots, with reallocs that
 * move, and every operation may be on a block that another thread allocated. Prints the calls made,
 * counted by the program itself. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { SLOTS = 64, THREADS = 64 };

static _Atomic(void *) slots[SLOTS];
static long operations;

struct count {
    unsigned long mallocs, reallocs, frees;
};
static struct count counts[THREADS];

static unsigned next(unsigned *seed)
{
    return (*seed = *seed * 1103515245u + 12345u) >> 8;
}

static void *exchange(void *arg)
{
    struct count *count = arg;
    unsigned seed = (unsigned)(count - counts) + 1;
    for (long done = 0; done < operations;) {
        unsigned choice = next(&seed);
        void *mine = atomic_exchange(&slots[next(&seed) % SLOTS], NULL);
        if (!mine) {
            mine = malloc(16 + choice % 480);
            count->mallocs++, done++;
        } else if (choice % 3) {
            mine = realloc(mine, 16 + (choice / 3) % 3000);
            count->reallocs++, done++;
        }
        void *old = atomic_exchange(&slots[next(&seed) % SLOTS], mine);
        if (old) {
            free(old);
            count->frees++, done++;
        }
    }
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t threads[THREADS];
    int many = argc > 1 ? atoi(argv[1]) : 2;
    operations = argc > 2 ? atol(argv[2]) : 100000;
    for (int i = 0; i < many; i++)
        pthread_create(&threads[i], NULL, exchange, &counts[i]);
    struct count all = {0};
    for (int i = 0; i < many; i++) {
        pthread_join(threads[i], NULL);
        all.mallocs += counts[i].mallocs;
        all.reallocs += counts[i].reallocs;
        all.frees += counts[i].frees;
    }
    printf("%lu %lu %lu\n", all.mallocs, all.reallocs, all.frees);
    return 0;
}
