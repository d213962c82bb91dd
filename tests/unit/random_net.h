/* random_net.h: small random models in the text form that can be run: products,
 * convolutions, element-wise layers, views, joins and cuts, with long lives. */
#ifndef RANDOM_NET_H
#define RANDOM_NET_H

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/io/io.h"

#include <cmocka.h>

static uint64_t net_state;

/* A number below "limit" (Marsaglia's xorshift). */
static int32_t pick(int32_t limit)
{
    net_state ^= net_state << 13;
    net_state ^= net_state >> 7;
    net_state ^= net_state << 17;
    return (int32_t)(net_state % (uint64_t)limit);
}

/* Names are t0, t1, ...; widths are those of their last axis ([1, 4, width]).
 */
typedef struct net {
    lpi_text text;
    int32_t widths[256];
    int32_t count;
} net;

static int32_t fresh(net *n, int32_t width)
{
    n->widths[n->count] = width;
    return n->count++;
}

/* A tensor that is there, most often a late one. */
static int32_t some(const net *n)
{
    return pick(3) ? n->count - 1 - pick(n->count < 4 ? n->count : 4)
                   : pick(n->count);
}

/* One of as many columns as "a"; "a" itself when there is no other. */
static int32_t alike(const net *n, int32_t a)
{
    int32_t b = some(n);

    return n->widths[a] == n->widths[b] ? b : a;
}

static void add_layer(net *n, int32_t kind)
{
    static const char *const unary[] = {"Relu", "Sigmoid", "Neg", "Identity"};
    static const char *const binary[] = {"Add", "Mul", "Sub"};
    int32_t a = some(n), b, c, w = n->widths[a];

    switch (kind) {
    case 0:
    case 1:
        b = alike(n, a);
        c = fresh(n, w);
        lpi_text_printf(&n->text, "t%d = %s(t%d, t%d)\n", c, binary[pick(3)], a,
                        b);
        break;
    case 2:
        b = alike(n, a);
        c = fresh(n, n->widths[a] + n->widths[b]);
        lpi_text_printf(&n->text, "t%d = Concat(t%d, t%d) {axis: 2}\n", c, a,
                        b);
        break;
    case 3:
        c = fresh(n, w);
        lpi_text_printf(&n->text,
                        "u%d = Reshape(t%d, as_rows)\n"
                        "v%d = Relu(u%d)\nt%d = Reshape(v%d, as_cube)\n",
                        c, a, c, c, c, c);
        break;
    case 4:
        c = fresh(n, w);
        lpi_text_printf(&n->text, "t%d = Softmax(t%d) {axis: -1}\n", c, a);
        break;
    case 5:
        c = fresh(n, w);
        lpi_text_printf(&n->text,
                        "weight w%d: float32[%d, %d]\n"
                        "t%d = MatMul(t%d, w%d)\n",
                        c, w, w, c, a, c);
        break;
    case 6:
        if (w < 2)
            return;
        b = fresh(n, w - w / 2);
        c = fresh(n, w / 2);
        lpi_text_printf(&n->text,
                        "weight s%d: int64[2] = {%d, %d}\n"
                        "t%d, t%d = Split(t%d, s%d) {axis: 2}\n",
                        c, w - w / 2, w / 2, b, c, a, c);
        break;
    default:
        c = fresh(n, w);
        lpi_text_printf(&n->text, "t%d = %s(t%d)\n", c, unary[pick(4)], a);
    }
}

/* A model of "layers" draws from "seed". */
static inline lp_model *random_net(uint64_t seed, int32_t layers)
{
    net n = {0};
    lp_model *model = NULL;
    lp_error error = {0};
    int32_t i, outputs;

    net_state = seed * 0x9e3779b97f4a7c15u + 1;
    for (i = 0; i < 8; i++)
        (void)pick(2);
    lpi_text_printf(&n.text, "opset 18\nweight as_rows: int64[2] = {4, -1}\n"
                             "weight as_cube: int64[3] = {1, 4, -1}\n");
    for (i = 0; i < 1 + pick(2); i++) {
        int32_t t = fresh(&n, 2 + pick(8));

        lpi_text_printf(&n.text, "input t%d: float32[1, 4, %d]\n", t,
                        n.widths[t]);
    }
    for (i = 0; i < layers; i++)
        add_layer(&n, pick(9));
    outputs = 1 + pick(2);
    for (i = 0; i < outputs; i++)
        lpi_text_printf(&n.text, "output t%d\n", n.count - 1 - i);
    if (lp_model_read(n.text.bytes, n.text.length, "random", NULL, &model,
                      &error) != LP_OK)
        fail_msg("%s: %s in\n%s", error.where, error.message, n.text.bytes);
    lpi_text_drop(&n.text);
    return model;
}

#endif
