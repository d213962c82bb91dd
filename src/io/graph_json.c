/* graph_json.c: graphs with times and sizes, as node-link JSON.
 *
 * Two forms (networkx node_link_data): Checkmate's, whose nodes have "id",
 * "cost_cpu" (time) and "cost_ram" (bytes of the result) and whose links have
 * "source" and "target"; and MOCCASIN's, whose nodes have "name", "duration"
 * and "out_cost", whose links have "0" and "1", and whose "graph" has "order".
 * Without an order the nodes stand in theirs.  Each node makes one tensor;
 * nothing can be stored.  Nothing is guessed: what is odd is an error that
 * names its place. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "io.h"

enum { MOST_NODES = 1 << 20, MOST_LINKS = 1 << 23, MOST_TEXT = 256 << 20 };

typedef struct form {
    const char *id, *time, *bytes, *from, *to;
} form;

static const form forms[] = {
    {"id", "cost_cpu", "cost_ram", "source", "target"},
    {"name", "duration", "out_cost", "0", "1"},
};

/* An id, and where its node stands in the file. */
typedef struct named {
    int64_t id;
    int32_t index;
} named;

typedef struct reader {
    lpi_arena *arena; /* of the problem */
    const char *name;
    const form *form;
    const json_t *nodes, *links;
    int32_t count, links_count;
    named *names;       /* by id */
    int32_t *positions; /* by index in the file: in the order */
    int32_t *order;     /* indices in the file */
    lp_error *error;
} reader;

/* LP_EINPUT at "list"["index"]."key"; "key" may be NULL. */
static lp_status fail(const reader *r, const char *list, int64_t index,
                      const char *key, const char *why)
{
    char where[512];

    snprintf(where, sizeof(where), "%.400s: %s[%lld]%s%s", r->name, list,
             (long long)index, key ? "." : "", key ? key : "");
    return lpi_fail(r->error, LP_EINPUT, where, "%s", why);
}

/* A whole number in [0, 2^62], which may be written with a fraction of 0. */
static bool whole(const json_t *value, int64_t *ret_value)
{
    const int64_t most = INT64_C(1) << 62;

    if (json_is_integer(value)) {
        json_int_t number = json_integer_value(value);

        *ret_value = number;
        return number >= 0 && number <= most;
    }
    if (json_is_real(value)) {
        double number = json_real_value(value);

        if (!(number >= 0 && number <= 9007199254740992.0) ||
            number != floor(number))
            return false;
        *ret_value = (int64_t)number;
        return true;
    }
    return false;
}

static lp_status read_number(const reader *r, const json_t *object,
                             const char *list, int64_t index, const char *key,
                             int64_t *ret_value)
{
    const json_t *value = json_object_get(object, key);

    if (!value)
        return fail(r, list, index, key, "is missing");
    if (!whole(value, ret_value))
        return fail(r, list, index, key, "is no whole number of 0 or more");
    return LP_OK;
}

static int by_id(const void *a, const void *b)
{
    const named *x = a, *y = b;

    if (x->id != y->id)
        return x->id < y->id ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

/* Index of the node called "id"; -1: none. */
static int32_t find(const reader *r, int64_t id)
{
    int32_t low = 0, high = r->count;

    while (low < high) {
        int32_t middle = (low + high) / 2;

        if (r->names[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < r->count && r->names[low].id == id ? r->names[low].index : -1;
}

static lp_status read_names(reader *r)
{
    int32_t i;

    for (i = 0; i < r->count; i++) {
        const json_t *node = json_array_get(r->nodes, (size_t)i);

        if (!json_is_object(node))
            return fail(r, "nodes", i, NULL, "is no object");
        LP_TRY(read_number(r, node, "nodes", i, r->form->id, &r->names[i].id));
        r->names[i].index = i;
    }
    qsort(r->names, (size_t)r->count, sizeof(*r->names), by_id);
    for (i = 1; i < r->count; i++)
        if (r->names[i].id == r->names[i - 1].id)
            return fail(r, "nodes", r->names[i].index, r->form->id,
                        "stands twice");
    return LP_OK;
}

/* The order in "graph", or that of the nodes. */
static lp_status read_order(reader *r, const json_t *root)
{
    const json_t *order =
        json_object_get(json_object_get(root, "graph"), "order");
    int32_t i;

    if (order &&
        (!json_is_array(order) || json_array_size(order) != (size_t)r->count))
        return lpi_fail(r->error, LP_EINPUT, r->name,
                        "graph.order does not name the %d nodes", r->count);
    for (i = 0; i < r->count; i++)
        r->positions[i] = -1;
    for (i = 0; i < r->count; i++) {
        int64_t id;
        int32_t index = i;

        if (order) {
            const json_t *item = json_array_get(order, (size_t)i);

            index = whole(item, &id) ? find(r, id) : -1;
        }
        if (index < 0)
            return fail(r, "graph.order", i, NULL, "is no id of a node");
        if (r->positions[index] >= 0)
            return fail(r, "graph.order", i, NULL, "stands twice");
        r->positions[index] = i;
        r->order[i] = index;
    }
    return LP_OK;
}

static lp_status read_nodes(reader *r, lp_remat_problem *problem)
{
    lp_graph_node *nodes = LPI_NEW(r->arena, lp_graph_node, r->count);
    lp_graph_tensor *tensors = LPI_NEW(r->arena, lp_graph_tensor, r->count);
    int32_t *outputs = LPI_NEW(r->arena, int32_t, r->count);
    int64_t *ids = LPI_NEW(r->arena, int64_t, r->count);
    int32_t i;

    if (!nodes || !tensors || !outputs || !ids)
        return lpi_fail_memory(r->error);
    for (i = 0; i < r->count; i++) {
        int32_t index = r->order[i];
        const json_t *node = json_array_get(r->nodes, (size_t)index);

        tensors[i] =
            (lp_graph_tensor){.producer = i, .store_cost = -1, .load_cost = -1};
        outputs[i] = i;
        nodes[i].outputs = &outputs[i];
        nodes[i].outputs_count = 1;
        LP_TRY(read_number(r, node, "nodes", index, r->form->id, &ids[i]));
        LP_TRY(read_number(r, node, "nodes", index, r->form->time,
                           &nodes[i].cost));
        LP_TRY(read_number(r, node, "nodes", index, r->form->bytes,
                           &tensors[i].bytes));
    }
    problem->ids = ids;
    problem->graph = (lp_graph){nodes, tensors, r->count, r->count};
    return LP_OK;
}

typedef struct link {
    int32_t from, to;
} link;

static int by_target(const void *a, const void *b)
{
    const link *x = a, *y = b;

    if (x->to != y->to)
        return x->to < y->to ? -1 : 1;
    return (x->from > y->from) - (x->from < y->from);
}

static lp_status read_link(const reader *r, int32_t i, link *ret_link)
{
    const json_t *row = json_array_get(r->links, (size_t)i);
    int64_t from = -1, to = -1;
    int32_t of_from, of_to;

    if (!json_is_object(row))
        return fail(r, "links", i, NULL, "is no object");
    LP_TRY(read_number(r, row, "links", i, r->form->from, &from));
    LP_TRY(read_number(r, row, "links", i, r->form->to, &to));
    of_from = find(r, from);
    of_to = find(r, to);
    if (of_from < 0 || of_to < 0)
        return fail(r, "links", i, of_from < 0 ? r->form->from : r->form->to,
                    "is no id of a node");
    *ret_link = (link){r->positions[of_from], r->positions[of_to]};
    if (ret_link->from >= ret_link->to)
        return fail(r, "links", i, NULL, "goes against the order of the nodes");
    return LP_OK;
}

/* Give each node what its links say that it reads, each tensor once. */
static lp_status read_links(reader *r, lp_remat_problem *problem)
{
    lp_graph_node *nodes = (lp_graph_node *)problem->graph.nodes;
    link *links = LPI_NEW(r->arena, link, r->links_count);
    int32_t *inputs = LPI_NEW(r->arena, int32_t, r->links_count);
    int32_t i, used = 0;

    if (!links || !inputs)
        return lpi_fail_memory(r->error);
    for (i = 0; i < r->links_count; i++)
        LP_TRY(read_link(r, i, &links[i]));
    if (r->links_count)
        qsort(links, (size_t)r->links_count, sizeof(*links), by_target);
    for (i = 0; i < r->links_count; i++) {
        lp_graph_node *node = &nodes[links[i].to];

        if (i && !by_target(&links[i], &links[i - 1]))
            continue;
        if (!node->inputs_count)
            node->inputs = &inputs[used];
        node->inputs_count++;
        inputs[used++] = links[i].from;
    }
    return LP_OK;
}

/* Find the lists in "root", and which form they have. */
static lp_status find_lists(reader *r, const json_t *root)
{
    size_t nodes, links;

    r->nodes = json_object_get(root, "nodes");
    r->links = json_object_get(root, "links");
    if (!json_is_array(r->nodes) || !json_is_array(r->links))
        return lpi_fail(r->error, LP_EINPUT, r->name,
                        "no object with the lists \"nodes\" and \"links\"");
    if (json_is_false(json_object_get(root, "directed")))
        return lpi_fail(r->error, LP_EINPUT, r->name,
                        "the graph is not directed");
    nodes = json_array_size(r->nodes);
    links = json_array_size(r->links);
    if (!nodes)
        return lpi_fail(r->error, LP_EINPUT, r->name, "there are no nodes");
    if (nodes > MOST_NODES || links > MOST_LINKS)
        return lpi_fail(r->error, LP_EUNSUPPORTED, r->name,
                        "%zu nodes and %zu links are more than %d and %d",
                        nodes, links, MOST_NODES, MOST_LINKS);
    r->count = (int32_t)nodes;
    r->links_count = (int32_t)links;
    r->form =
        &forms[json_object_get(json_array_get(r->nodes, 0), "out_cost") ? 1
                                                                        : 0];
    return LP_OK;
}

static lp_status read_root(reader *r, const json_t *root,
                           lp_remat_problem *problem)
{
    LP_TRY(find_lists(r, root));
    r->names = LPI_NEW(r->arena, named, r->count);
    r->positions = LPI_NEW(r->arena, int32_t, r->count);
    r->order = LPI_NEW(r->arena, int32_t, r->count);
    if (!r->names || !r->positions || !r->order)
        return lpi_fail_memory(r->error);
    LP_TRY(read_names(r));
    LP_TRY(read_order(r, root));
    LP_TRY(read_nodes(r, problem));
    return read_links(r, problem);
}

lp_status lpi_graph_json_read(lp_remat_problem *problem, const char *bytes,
                              size_t length, lp_error *error)
{
    reader r = {.arena = problem->arena, .name = problem->name, .error = error};
    json_error_t trouble;
    lp_status status;
    json_t *root;

    if (length > MOST_TEXT)
        return lpi_fail(error, LP_EUNSUPPORTED, r.name,
                        "%zu bytes are more than %d", length, MOST_TEXT);
    root = json_loadb(bytes, length, JSON_REJECT_DUPLICATES, &trouble);
    if (!root) {
        char where[512];

        snprintf(where, sizeof(where), "%.400s:%d", r.name, trouble.line);
        return lpi_fail(error, LP_EINPUT, where, "%s", trouble.text);
    }
    status = read_root(&r, root, problem);
    json_decref(root);
    return status;
}
