/* Laying out and renumbering a list by numbers. */
#include "allocators/list_order.h"

#include <errno.h>

enum { LIST_ORDER_SLOTS = 1024 }; /* to begin with */

size_t list_order_bytes(size_t count)
{
    size_t slots = 4 * count + LIST_ORDER_SLOTS;
    return fit_tree_bytes(slots) + fit_store_bytes(slots * sizeof(uint32_t));
}

/* Memory for `room` slots. */
static int list_order_reach(struct list_order *list, size_t room)
{
    if (fit_tree_reach(&list->sizes, room - 1, list->store) ||
        fit_store_reach(list->store, list->position, room * sizeof(uint32_t)))
        return -ENOMEM;
    list->room = room;
    return 0;
}

int list_order_init(struct list_order *list, size_t count, struct fit_store *store)
{
    size_t slots = 4 * count + LIST_ORDER_SLOTS;
    *list = (struct list_order){.store = store};
    fit_tree_init(&list->sizes, slots, store);
    list->position = (uint32_t *)(void *)fit_store_table(store, slots * sizeof(uint32_t));
    list->front = list->end = LIST_ORDER_SLOTS;
    return list_order_reach(list, LIST_ORDER_SLOTS);
}

int list_order_reserve(struct list_order *list, size_t count)
{
    return count <= list->room ? 0 : list_order_reach(list, count);
}

/* Slots of which many are free make renumbering rare; without memory for more it goes on without.
 */
void list_order_renumber(struct list_order *list, list_order_moved *moved, void *arg)
{
    uint32_t *sizes = list->sizes.level[0];
    if (2 * list->count > list->room)
        (void)list_order_reach(list, 2 * list->count);
    size_t to = list->room;
    for (size_t from = list->end; from-- > list->front;) {
        uint32_t size = sizes[from];
        if (size == 0)
            continue;
        sizes[from] = 0;
        list_order_set(list, --to, list->position[from], size);
        moved(arg, from, to);
    }
    list->front = to;
    list->end = list->room;
}

size_t list_order_shrink(struct list_order *list, size_t room, list_order_moved *moved, void *arg)
{
    uint32_t *sizes = list->sizes.level[0];
    size_t down = list->end - room;
    for (size_t from = list->front; from < list->end; from++) {
        uint32_t size = sizes[from];
        sizes[from] = 0;
        list_order_set(list, from - down, list->position[from], size);
        moved(arg, from, from - down);
    }
    list->front -= down;
    list->end = list->room = room;
    fit_tree_retreat(&list->sizes, room - 1, list->store);
    fit_store_retreat(list->store, list->position, room * sizeof(uint32_t));
    return down;
}
