/* order_graphs.h: graphs without a model, to be ordered: random ones, layered
 * ones, and the random wirings of Xie et al. 2019 (Watts and Strogatz 1998). */
#ifndef ORDER_GRAPHS_H
#define ORDER_GRAPHS_H

#include "../../src/solve/solve.h"

enum { MOST_EDGES = 4096 };

typedef struct graph_maker {
    lpi_arena *arena;
    uint64_t random;
    lp_graph graph;
    lp_graph_node *nodes;
    lp_graph_tensor *tensors;
    int32_t *identity; /* the given order */
} graph_maker;

/* A number below "n" (splitmix64). */
static inline int32_t draw(graph_maker *m, int32_t n)
{
    uint64_t z = m->random += 0x9e3779b97f4a7c15ull;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return (int32_t)((z ^ z >> 31) % (uint64_t)n);
}

static inline graph_maker maker(lpi_arena *arena, uint64_t seed)
{
    graph_maker m = {.arena = arena, .random = seed};

    m.random = (uint64_t)draw(&m, INT32_MAX) << 32 | seed;
    return m;
}

static inline void begin_graph(graph_maker *m, int32_t nodes, int32_t tensors)
{
    m->nodes = LPI_NEW(m->arena, lp_graph_node, nodes);
    m->tensors = LPI_NEW(m->arena, lp_graph_tensor, tensors);
    m->identity = LPI_NEW(m->arena, int32_t, nodes);
    m->graph = (lp_graph){m->nodes, m->tensors, nodes, tensors};
    for (int32_t i = 0; i < nodes; i++)
        m->identity[i] = i;
}

static inline void add_input(graph_maker *m, int32_t node, int32_t tensor)
{
    lp_graph_node *n = &m->nodes[node];
    int32_t *inputs = LPI_NEW(m->arena, int32_t, n->inputs_count + 1);

    for (int32_t i = 0; i < n->inputs_count; i++) {
        inputs[i] = n->inputs[i];
        if (inputs[i] == tensor)
            return;
    }
    inputs[n->inputs_count++] = tensor;
    n->inputs = inputs;
}

static inline void add_output(graph_maker *m, int32_t node, int32_t tensor)
{
    lp_graph_node *n = &m->nodes[node];
    int32_t *outputs = LPI_NEW(m->arena, int32_t, n->outputs_count + 1);

    for (int32_t i = 0; i < n->outputs_count; i++)
        outputs[i] = n->outputs[i];
    outputs[n->outputs_count++] = tensor;
    n->outputs = outputs;
    m->tensors[tensor].producer = node;
}

/* Bytes that meet often, or spread, or are none. */
static inline int64_t draw_bytes(graph_maker *m)
{
    switch (draw(m, 4)) {
    case 0:
        return draw(m, 3);
    case 1:
        return 1 + draw(m, 4);
    case 2:
        return 8 << draw(m, 4);
    default:
        return draw(m, 100);
    }
}

/* Any graph of "count" nodes: several outputs of nodes, inputs and outputs of
 * the graph that nobody reads, extra bytes. */
static inline const lp_graph *random_graph(graph_maker *m, int32_t count)
{
    int32_t inputs = draw(m, 4), tensors = inputs, span = 1 + draw(m, count);
    int32_t dense = 1 + draw(m, 4);

    begin_graph(m, count, inputs + 2 * count);
    for (int32_t i = 0; i < inputs; i++)
        m->tensors[i].producer = -1;
    for (int32_t v = 0; v < count; v++) {
        int32_t reads = tensors ? draw(m, 1 + dense) : 0;

        for (int32_t i = 0; i < reads; i++)
            add_input(m, v,
                      draw(m, 3)
                          ? tensors - 1 -
                                draw(m, tensors < 2 * span ? tensors : 2 * span)
                          : draw(m, tensors));
        for (int32_t i = draw(m, 5) == 0 ? 2 : draw(m, 12) != 0; i > 0; i--)
            add_output(m, v, tensors++);
        m->nodes[v].extra_bytes = draw(m, 4) ? 0 : draw_bytes(m);
    }
    m->graph.tensors_count = tensors;
    for (int32_t t = 0; t < tensors; t++) {
        m->tensors[t].bytes = draw_bytes(m);
        m->tensors[t].is_output = draw(m, 10) == 0;
    }
    return &m->graph;
}

/* "count" nodes in layers, each reading one to three of the layer before or
 * now and then of an older one; the last node is the output. */
static inline const lp_graph *layered_graph(graph_maker *m, int32_t count)
{
    int32_t begin = 0, end = 1;

    begin_graph(m, count, count);
    for (int32_t v = 0; v < count; v++) {
        add_output(m, v, v);
        m->tensors[v].bytes = 1 + draw(m, 64);
    }
    while (end < count) {
        int32_t width = 1 + draw(m, 6), v;

        for (v = end; v < end + width && v < count; v++)
            for (int32_t i = 1 + draw(m, 3); i > 0; i--)
                add_input(m, v,
                          draw(m, 5) ? begin + draw(m, end - begin)
                                     : draw(m, end));
        begin = end;
        end = v;
    }
    m->tensors[count - 1].is_output = true;
    return &m->graph;
}

/* WS("count", 4, 0.75), edges from lower to higher numbers, with an input and
 * an output node as in RandWire; results of one byte each, or of some. */
static inline const lp_graph *watts_strogatz(graph_maker *m, int32_t count,
                                             bool has_sizes)
{
    bool *edge = LPI_NEW(m->arena, bool, count *count);
    int32_t i, j, k;

    for (k = 1; k <= 2; k++)
        for (i = 0; i < count; i++)
            edge[i * count + (i + k) % count] = true;
    for (k = 1; k <= 2; k++)
        for (i = 0; i < count; i++) {
            j = (i + k) % count;
            if (draw(m, 4) == 0)
                continue;
            edge[i * count + j] = false;
            do
                j = draw(m, count);
            while (j == i || edge[i * count + j] || edge[j * count + i]);
            edge[i * count + j] = true;
        }
    begin_graph(m, count + 2, count + 2);
    for (i = 0; i < count + 2; i++) {
        add_output(m, i, i);
        m->tensors[i].bytes = has_sizes ? 1 + draw(m, 16) : 1;
    }
    for (i = 0; i < count; i++) {
        bool is_read = false;

        for (j = 0; j < count; j++) {
            if (!edge[i * count + j] && !edge[j * count + i])
                continue;
            if (j < i)
                add_input(m, i + 1, j + 1);
            is_read |= j > i;
        }
        if (m->nodes[i + 1].inputs_count == 0)
            add_input(m, i + 1, 0);
        if (!is_read)
            add_input(m, count + 1, i + 1);
    }
    m->tensors[count + 1].is_output = true;
    return &m->graph;
}

/* A chain of "count" nodes, some of which read what side nodes make of one
 * tensor that they share, as projections of a text are read by attentions. */
static inline const lp_graph *shared_graph(graph_maker *m, int32_t count)
{
    bool is_made = draw(m, 2), has_extra = draw(m, 3) == 0;
    int32_t shared = 0, chain = -1, extra = has_extra ? draw(m, 5) : 0;
    int32_t v = 0, t = 1;

    begin_graph(m, count, count + 1);
    m->tensors[0].producer = -1;
    if (is_made && count) {
        add_input(m, v, 0);
        shared = t++;
        add_output(m, v++, shared);
    }
    for (; v < count; v++) {
        bool is_side = v + 1 < count && draw(m, 2);

        if (is_side)
            add_input(m, v, shared);
        else if (chain >= 0)
            add_input(m, v, chain);
        for (int32_t u = 0; u < v && !is_side; u++)
            if (m->nodes[u].inputs_count == 1 && u >= is_made &&
                m->nodes[u].inputs[0] == shared && draw(m, 3) == 0)
                add_input(m, v, u + 1);
        m->nodes[v].extra_bytes = is_side ? extra : draw(m, 20);
        if (!is_side)
            chain = t;
        add_output(m, v, t++);
    }
    for (t = 0; t <= count; t++)
        m->tensors[t].bytes = draw(m, 3) ? 1 + draw(m, 12) : draw_bytes(m);
    m->tensors[count].is_output = true;
    return &m->graph;
}

#endif
