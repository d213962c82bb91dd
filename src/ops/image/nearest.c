/* nearest.c: Resize and Upsample by nearest neighbours: elements of any dtype
 * are copied through one table of positions an axis.
 *
 * The last axes that stay as they are make one run of memory.  A row whose
 * source is that of the row before is a copy of it. */
#include <string.h>

#include "../ops.h"

/* Rows at work: "width" runs of "inner" elements, each at "at[last]" of its
 * row.  A position -1 is outside. */
typedef struct rows {
    const lpi_run *run;
    lp_shape y;
    int32_t last, bits;
    int64_t width, inner;
    const int64_t *strides; /* of the input */
    int64_t *const *at;
    bool has_outside; /* in a row */
} rows;

/* Where output position "i" is from; -1 to extrapolate. */
static int64_t source_of(const lpi_resize *p, const lpi_axis_map *m, int64_t i)
{
    double x;

    if (lpi_resize_is_same(p, m))
        return i;
    x = lpi_resize_position(p, m, i);
    return lpi_resize_is_outside(p, m, x) ? -1 : lpi_resize_nearest(p, m, x);
}

/* Write the run at "to" from that at "from". */
static void copy_run(const rows *r, int64_t to, int64_t from)
{
    const lpi_run *run = r->run;
    const lpi_resize *p = run->node->params;

    if (from >= 0)
        lpi_copy_run(r->bits, r->inner, (lpi_place){run->out[0], to, NULL},
                     (lpi_place){(void *)run->in[0], from, NULL});
    for (int64_t i = 0; i < r->inner && from < 0; i++)
        lpi_store_floats(lpi_run_team(run).isa, lpi_in_dtype(run->node, 0),
                         &p->extrapolation_value, to + i, 1, run->out[0]);
}

/* A row of elements of a width of its own. */
#define PICK(type)                                                             \
    static void pick_##type(const rows *r, int64_t to, int64_t from)           \
    {                                                                          \
        const type *source = (const type *)r->run->in[0] + from;               \
        type *target = (type *)r->run->out[0] + to;                            \
        const int64_t *at = r->at[r->last];                                    \
                                                                               \
        for (int64_t i = 0; i < r->width; i++)                                 \
            target[i] = source[at[i]];                                         \
    }

PICK(uint8_t)
PICK(uint16_t)
PICK(uint32_t)
PICK(uint64_t)

/* The row at "to" from that at "from", outside when this is -1. */
static void copy_row(const rows *r, int64_t to, int64_t from)
{
    bool alone = r->inner == 1 && from >= 0 && !r->has_outside;

    if (alone && r->bits == 8)
        pick_uint8_t(r, to, from);
    else if (alone && r->bits == 16)
        pick_uint16_t(r, to, from);
    else if (alone && r->bits == 32)
        pick_uint32_t(r, to, from);
    else if (alone && r->bits == 64)
        pick_uint64_t(r, to, from);
    else
        for (int64_t i = 0; i < r->width; i++) {
            int64_t own = r->at[r->last][i];
            bool outside = from < 0 || own < 0;

            copy_run(r, to + i * r->inner,
                     outside ? -1 : from + own * r->inner);
        }
}

/* Where row "row" is from. */
static int64_t row_source(const rows *r, int64_t row)
{
    int64_t from = 0;

    for (int32_t k = r->last - 1; k >= 0; k--) {
        int64_t own = r->at[k][row % r->y.dims[k]];

        row /= r->y.dims[k];
        from = own < 0 || from < 0 ? -1 : from + own * r->strides[k];
    }
    return from;
}

static void copy_rows(const void *context, int64_t first, int64_t last)
{
    const rows *r = context;
    int64_t length = r->width * r->inner, before = 0;

    for (int64_t row = first; row < last; row++) {
        int64_t from = row_source(r, row), to = row * length;

        if (row > first && from == before)
            lpi_copy_run(r->bits, length, (lpi_place){r->run->out[0], to, NULL},
                         (lpi_place){r->run->out[0], to - length, NULL});
        else
            copy_row(r, to, from);
        before = from;
    }
}

/* Fill the tables; false without memory. */
static bool find_sources(const lpi_run *run, const lpi_axis_map *maps,
                         lp_shape y, int64_t **at)
{
    for (int32_t k = 0; k < y.rank; k++) {
        at[k] = LPI_NEW(run->scratch, int64_t, y.dims[k]);
        if (at[k] == NULL)
            return false;
        for (int64_t i = 0; i < y.dims[k]; i++)
            at[k][i] = source_of(run->node->params, &maps[k], i);
    }
    return true;
}

lp_status lpi_resize_copy(const lpi_run *run, const lpi_axis_map *maps)
{
    int64_t none[1] = {0};
    const lpi_resize *p = run->node->params;
    lp_shape x = lpi_in_shape(run->node, 0), y = lpi_out_shape(run->node, 0);
    int64_t *strides = LPI_NEW(run->scratch, int64_t, y.rank + 1);
    int64_t **at = LPI_NEW(run->scratch, int64_t *, y.rank + 1);
    int64_t count = lpi_shape_elements(y), all;
    rows r = {.run = run, .y = y, .last = y.rank - 1, .inner = 1, .width = 1};

    if (strides == NULL || at == NULL || !find_sources(run, maps, y, at))
        return lpi_node_fail_memory(run->node);
    lpi_strides(x.rank, x.dims, strides);
    while (r.last > 0 && lpi_resize_is_same(p, &maps[r.last]))
        r.inner *= y.dims[r.last--];
    if (r.last < 0)
        at[r.last = 0] = none;
    else
        r.width = y.dims[r.last];
    for (int64_t i = 0; i < r.width; i++)
        r.has_outside = r.has_outside || at[r.last][i] < 0;
    r.bits = lp_dtype_bits(lpi_in_dtype(run->node, 0));
    r.strides = strides;
    r.at = at;
    all = count / (r.width * r.inner);
    if (r.bits < 8)
        copy_rows(&r, 0, all);
    else
        lpi_run_share(run, all, count, copy_rows, &r);
    return LP_OK;
}
