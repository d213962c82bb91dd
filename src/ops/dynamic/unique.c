/* unique.c: the run of Unique.
 *
 * Slices along the axis (or single elements) are sorted by content, with ties
 * in their order, so equal ones stand together and the first of them is the
 * first that occurs.  Source: ONNX operator Unique-28. */
#include <stdlib.h>
#include <string.h>

#include "../ops.h"

/* A slice: its elements stand "stride" apart in runs of "inner". */
typedef struct slice {
    const double *reals;   /* all of the tensor; NULL: */
    const int64_t *wholes; /* integers */
    int64_t first, outer, inner, stride;
    int64_t at; /* its position along the axis */
} slice;

static int64_t place(const slice *s, int64_t i)
{
    return s->first + i / s->inner * s->stride + i % s->inner;
}

/* By content; NaN behind all numbers. */
static int compare_content(const slice *a, const slice *b)
{
    for (int64_t i = 0; i < a->outer * a->inner; i++) {
        int64_t left = place(a, i), right = place(b, i);

        if (a->reals == NULL) {
            if (a->wholes[left] != b->wholes[right])
                return a->wholes[left] < b->wholes[right] ? -1 : 1;
            continue;
        }
        double x = a->reals[left], y = b->reals[right];

        if (x == y || (x != x && y != y))
            continue;
        return x < y || y != y ? -1 : 1;
    }
    return 0;
}

static int compare(const void *a, const void *b)
{
    const slice *left = a, *right = b;
    int order = compare_content(left, right);

    return order ? order : (left->at > right->at) - (left->at < right->at);
}

/* A group of equal slices: its first position, how many, its rank when
 * sorted. */
typedef struct group {
    int64_t first, count, rank;
} group;

static int by_first(const void *a, const void *b)
{
    const group *left = a, *right = b;

    return (left->first > right->first) - (left->first < right->first);
}

/* The slices of input 0, sorted; "*ret_count" of them. */
static lp_status sort_slices(const lpi_run *run, slice **ret_slices,
                             int64_t *ret_count)
{
    const lpi_dynamic *params = run->node->params;
    lp_shape x = lpi_in_shape(run->node, 0);
    lpi_class class = lpi_class_of(lpi_in_dtype(run->node, 0));
    int64_t axis = 0, count = lpi_shape_elements(x);
    slice like = {.outer = 1, .inner = 1, .stride = 0};
    slice *slices;

    if (!params->is_flat) {
        lpi_axis(params->axis, x.rank, &axis);
        like.inner = lpi_dims_product(x, axis + 1, x.rank);
        like.outer = lpi_dims_product(x, 0, axis);
        like.stride = like.inner * x.dims[axis];
        count = x.dims[axis];
    }
    if (class == LPI_I64 || class == LPI_U64) {
        lpi_list list;

        LP_TRY(lpi_run_ints(run, 0, &list));
        like.wholes = list.ints;
    } else {
        LP_TRY(lpi_run_reals(run, 0, &like.reals));
    }
    slices = LPI_NEW(run->scratch, slice, count);
    if (slices == NULL)
        return lpi_node_fail_memory(run->node);
    for (int64_t i = 0; i < count; i++) {
        slices[i] = like;
        slices[i].first = i * like.inner;
        slices[i].at = i;
    }
    qsort(slices, (size_t)count, sizeof(*slices), compare);
    *ret_slices = slices;
    *ret_count = count;
    return LP_OK;
}

/* Write the slices that "groups" begin to output 0. */
static void write_values(const lpi_run *run, const slice *like,
                         const group *groups, int64_t count)
{
    for (int64_t g = 0; run->out[0] != NULL && g < count; g++)
        for (int64_t o = 0; o < like->outer; o++)
            lpi_run_copy(run, 0, (o * count + g) * like->inner,
                         o * like->stride + groups[g].first * like->inner,
                         like->inner);
}

static void write_indices(const lpi_run *run, const group *groups,
                          const int64_t *group_of, const int64_t counts[2])
{
    int64_t *rank_of = run->out[1], *inverse = NULL, *sizes = NULL;

    inverse = run->node->layer->outputs_count > 2 ? run->out[2] : NULL;
    sizes = run->node->layer->outputs_count > 3 ? run->out[3] : NULL;
    for (int64_t g = 0; g < counts[1]; g++) {
        if (rank_of != NULL)
            rank_of[g] = groups[g].first;
        if (sizes != NULL)
            sizes[g] = groups[g].count;
    }
    for (int64_t i = 0; inverse != NULL && i < counts[0]; i++)
        inverse[i] = group_of[i];
}

static void tell_dims(const lpi_run *run, const int64_t counts[2])
{
    const lpi_dynamic *params = run->node->params;
    int64_t axis = 0;

    for (int32_t i = 0;
         run->out_dims != NULL && i < run->node->layer->outputs_count; i++) {
        if (run->out_dims[i] == NULL)
            continue;
        if (i == 0 && !params->is_flat)
            lpi_axis(params->axis, lpi_in_shape(run->node, 0).rank, &axis);
        run->out_dims[i][i == 0 ? axis : 0] = counts[i == 2 ? 0 : 1];
    }
}

lp_status lpi_unique_run(const lpi_run *run)
{
    const lpi_dynamic *params = run->node->params;
    int64_t counts[2] = {0}, *group_of, *renamed;
    slice *slices;
    group *groups;

    LP_TRY(sort_slices(run, &slices, &counts[0]));
    groups = LPI_NEW(run->scratch, group, counts[0]);
    group_of = LPI_NEW(run->scratch, int64_t, counts[0]);
    renamed = LPI_NEW(run->scratch, int64_t, counts[0]);
    if (groups == NULL || group_of == NULL || renamed == NULL)
        return lpi_node_fail_memory(run->node);
    for (int64_t i = 0; i < counts[0]; i++) {
        if (i == 0 || compare_content(&slices[i - 1], &slices[i]) != 0) {
            groups[counts[1]] = (group){slices[i].at, 0, counts[1]};
            counts[1]++;
        }
        groups[counts[1] - 1].count++;
        group_of[slices[i].at] = counts[1] - 1;
    }
    if (!params->sorted)
        qsort(groups, (size_t)counts[1], sizeof(*groups), by_first);
    for (int64_t g = 0; g < counts[1]; g++)
        renamed[groups[g].rank] = g;
    for (int64_t i = 0; i < counts[0]; i++)
        group_of[i] = renamed[group_of[i]];
    if (counts[0] > 0)
        write_values(run, slices, groups, counts[1]);
    if (run->node->layer->outputs_count > 1)
        write_indices(run, groups, group_of, counts);
    tell_dims(run, counts);
    return LP_OK;
}
