/* Laying out and renumbering a list by numbers. */
#include "allocators/list_order.h"

#include <errno.h>

enum { LIST_ORDER_SLOTS = 1024 }; /* to begin with */

size_t list_order_bytes(size_t count)
{
    size_t slots = 4 * count + LIST_ORDER_SLOTS;
    return fit_tree_bytes(slots) + fit_store_bytes(slots * sizeof(uint32_t));
}

/* Slots up to `end`. */
static int list_order_reach(struct list_order *list, size_t end)
{
    if (fit_tree_reach(&list->sizes, end - 1, list->store))
        return -ENOMEM;
    return fit_store_reach(list->store, list->position, end * sizeof(uint32_t));
}

int list_order_init(struct list_order *list, size_t count, struct fit_store *store)
{
    size_t slots = 4 * count + LIST_ORDER_SLOTS;
    *list = (struct list_order){.store = store};
    fit_tree_init(&list->sizes, slots, store);
    list->position = (uint32_t *)(void *)fit_store_table(store, slots * sizeof(uint32_t));
    list->front = list->end = LIST_ORDER_SLOTS;
    return list_order_reach(list, list->end);
}

/* All blocks move to the end of the slots below `end`. */
static int list_order_move(struct list_order *list, size_t end, list_order_moved *moved, void *arg)
{
    uint32_t *sizes = list->sizes.level[0];
    size_t to = end;
    if (list_order_reach(list, end))
        return -ENOMEM;
    for (size_t from = list->end; from-- > list->front;) {
        uint32_t size = sizes[from];
        if (size == 0)
            continue;
        sizes[from] = 0;
        list_order_set(list, --to, list->position[from], size);
        moved(arg, from, to);
    }
    list->front = to;
    list->end = end;
    return 0;
}

int list_order_reserve(struct list_order *list, size_t count, list_order_moved *moved, void *arg)
{
    if (count <= list->end)
        return 0;
    return list_order_move(list, count, moved, arg);
}

/* Slots of which many are free make renumbering rare; without memory for more it goes on without.
 */
void list_order_renumber(struct list_order *list, list_order_moved *moved, void *arg)
{
    if (2 * list->count > list->end && list_order_move(list, 3 * list->count, moved, arg) == 0)
        return;
    list_order_move(list, list->end, moved, arg);
}

size_t list_order_shrink(struct list_order *list, size_t end, list_order_moved *moved, void *arg)
{
    uint32_t *sizes = list->sizes.level[0];
    size_t down = list->end - end;
    for (size_t from = list->front; from < list->end; from++) {
        uint32_t size = sizes[from];
        sizes[from] = 0;
        list_order_set(list, from - down, list->position[from], size);
        moved(arg, from, from - down);
    }
    list->front -= down;
    list->end = end;
    fit_tree_retreat(&list->sizes, end - 1, list->store);
    fit_store_retreat(list->store, list->position, end * sizeof(uint32_t));
    return down;
}
