/* remat_graphs.h: random graphs to recompute, store or spill. */
#ifndef REMAT_GRAPHS_H
#define REMAT_GRAPHS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../src/solve/solve.h"

enum { NODES = 5, TENSORS = 6, INPUTS = 3, BIG = 60 };

typedef struct drawn {
    lp_graph graph;
    lp_graph_node nodes[BIG];
    lp_graph_tensor tensors[2 * BIG];
    int32_t inputs[BIG][INPUTS], outputs[BIG][2], places[BIG][INPUTS];
} drawn;

static uint32_t seed;

static int32_t draw(int32_t limit)
{
    seed = seed * 1664525u + 1013904223u;
    return (int32_t)((seed >> 8) % (uint32_t)limit);
}

/* A tensor of "d" made by node "producer", -1 for none. */
static int32_t add_tensor(drawn *d, int32_t producer)
{
    int32_t t = d->graph.tensors_count++;
    bool moves = draw(3) == 0;

    d->tensors[t] = (lp_graph_tensor){
        .bytes = draw(9),
        .producer = producer,
        .is_output = draw(8) == 0,
        .is_stored = moves && draw(3) == 0,
        .store_cost = moves && draw(4) ? draw(9) : -1,
        .load_cost = moves ? draw(9) : -1,
    };
    return t;
}

static bool reads(const drawn *d, int32_t node, int32_t tensor)
{
    int32_t k;

    for (k = 0; k < d->nodes[node].inputs_count; k++)
        if (d->inputs[node][k] == tensor)
            return true;
    return false;
}

static void fix(lp_graph_tensor *tensor)
{
    tensor->is_stored = false;
    tensor->store_cost = tensor->load_cost = -1;
}

/* Let node "i" of "d" make its first output in the place of some inputs. */
static void draw_places(drawn *d, int32_t i)
{
    lp_graph_node *node = &d->nodes[i];
    lp_graph_tensor *out = &d->tensors[d->outputs[i][0]];
    bool moves = draw(4) == 0;
    int32_t k;

    node->in_place = d->places[i];
    if (!node->outputs_count || !node->inputs_count || draw(3) == 0)
        return;
    out->bytes = d->tensors[d->inputs[i][draw(node->inputs_count)]].bytes;
    for (k = 0; k < node->inputs_count; k++) {
        lp_graph_tensor *in = &d->tensors[d->inputs[i][k]];

        if (in->producer < 0 || in->bytes != out->bytes || draw(4) == 0)
            continue;
        d->places[i][node->in_place_count++] = d->inputs[i][k];
        if (moves)
            continue;
        fix(in);
        fix(out);
    }
}

static void draw_graph(drawn *d, int32_t nodes, int32_t tensors)
{
    int32_t i, k;

    *d = (drawn){0};
    for (k = draw(3); k > 0; k--)
        add_tensor(d, -1);
    for (i = 0; i < nodes; i++) {
        lp_graph_node *node = &d->nodes[i];
        int32_t made = 1 + (draw(4) == 0), known = d->graph.tensors_count;

        *node = (lp_graph_node){.inputs = d->inputs[i],
                                .outputs = d->outputs[i],
                                .extra_bytes = draw(4) ? 0 : draw(4),
                                .cost = draw(10),
                                .once = draw(6) == 0};
        for (k = 0; k < INPUTS && known; k++) {
            int32_t t = draw(3) ? known - 1 - draw(known < 4 ? known : 4)
                                : draw(known);

            if (!reads(d, i, t))
                d->inputs[i][node->inputs_count++] = t;
        }
        for (; made && d->graph.tensors_count < tensors; made--)
            d->outputs[i][node->outputs_count++] = add_tensor(d, i);
        draw_places(d, i);
    }
    d->graph.nodes = d->nodes;
    d->graph.tensors = d->tensors;
    d->graph.nodes_count = nodes;
}

/* A budget between the floor and the peak of "d", and sometimes outside. */
static int64_t draw_budget(lpi_arena *arena, const drawn *d)
{
    int64_t floor_bytes, peak;
    int32_t node;

    lpi_remat_floor(&d->graph, &floor_bytes, &node);
    assert_int_equal(lpi_remat_peak(arena, &d->graph, &peak, NULL), LP_OK);
    assert_true(floor_bytes <= peak);
    return floor_bytes - 1 + draw((int32_t)(peak - floor_bytes) + 3);
}

#endif
