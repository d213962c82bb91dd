/* rotating.c: the run of RotaryEmbedding.
 *
 * Pair (a, b) of a head at a position becomes (cos a - sin b, sin a + cos b);
 * elements behind the rotated ones are copied.  Sources: ONNX operator
 * RotaryEmbedding-23, com.microsoft RotaryEmbedding. */
#include <string.h>

#include "../ops.h"

/* One head at one position: "half" pairs, "step" apart, b "apart" behind a. */
void lpi_rotate(const float *from, const float *const caches[2], int64_t half,
                bool interleaved, float *to)
{
    int64_t step = interleaved ? 2 : 1, apart = interleaved ? 1 : half;

    for (int64_t i = 0; i < half; i++) {
        float a = from[i * step], b = from[i * step + apart];
        float c = caches[0][i], s = caches[1][i];
        float ca = c * a, sb = s * b, sa = s * a, cb = c * b;

        to[i * step] = ca - sb;
        to[i * step + apart] = sa + cb;
    }
}

typedef struct job {
    const float *from, *caches[2];
    float *to;
    int64_t heads, length, size, half, rows; /* rows of the caches */
    int64_t head, row, batch;                /* strides */
    bool interleaved;
    const int64_t *positions; /* NULL: the caches have them */
    int64_t positions_count;
} job;

/* Row of the caches for position "t" of batch "b". */
static int64_t cache_row(const job *j, int64_t b, int64_t t)
{
    bool is_first = j->positions_count == 1;
    int64_t row;

    if (j->positions == NULL)
        return b * j->length + t;
    row = j->positions[is_first ? 0 : b * j->length + t];
    return is_first && row < j->rows ? row + t : row;
}

static lp_status rotate_all(const lpi_node *node, const job *j, int64_t batch)
{
    for (int64_t i = 0; i < batch * j->length; i++) {
        int64_t b = i / j->length, t = i % j->length;
        int64_t row = cache_row(j, b, t);
        const float *caches[2];

        if (row < 0 || row >= j->rows)
            return lpi_node_fail(node, "position %lld of %lld", (long long)row,
                                 (long long)j->rows);
        caches[0] = j->caches[0] + row * j->half;
        caches[1] = j->caches[1] + row * j->half;
        for (int64_t h = 0; h < j->heads; h++) {
            int64_t at = b * j->batch + h * j->head + t * j->row;

            memcpy(j->to + at, j->from + at, (size_t)j->size * sizeof(*j->to));
            lpi_rotate(j->from + at, caches, j->half, j->interleaved,
                       j->to + at);
        }
    }
    return LP_OK;
}

lp_status lpi_rotary_run(const lpi_run *run)
{
    const lpi_rotary *p = run->node->params;
    const lpi_rotary_facts *facts = run->node->layer->row->facts;
    lp_shape x = lpi_in_shape(run->node, 0);
    lp_shape cache = lpi_in_shape(run->node, facts->cosine);
    job j = {.interleaved = p->interleaved != 0};
    lpi_list positions = {.count = 0};

    LP_TRY(lpi_run_floats(run, 0, &j.from));
    LP_TRY(lpi_run_floats(run, facts->cosine, &j.caches[0]));
    LP_TRY(lpi_run_floats(run, facts->cosine + 1, &j.caches[1]));
    LP_TRY(lpi_run_result(run, 0, &j.to));
    j.half = cache.rank > 0 ? cache.dims[cache.rank - 1] : 1;
    j.rows = j.half > 0 ? lpi_shape_elements(cache) / j.half : 0;
    j.length = x.dims[x.rank == 4 ? 2 : 1];
    if (x.rank == 4) {
        j.heads = x.dims[1];
        j.size = x.dims[3];
        j.row = j.size;
        j.head = j.length * j.size;
    } else {
        j.heads = p->num_heads > 0 ? p->num_heads
                                   : x.dims[2] / (j.half > 0 ? 2 * j.half : 1);
        j.size = j.heads > 0 ? x.dims[2] / j.heads : 0;
        j.row = x.dims[2];
        j.head = j.size;
    }
    j.batch = lpi_dims_product(x, 1, x.rank);
    if (2 * j.half > j.size)
        return lpi_node_fail(run->node, "rotates %lld of %lld elements",
                             (long long)(2 * j.half), (long long)j.size);
    if (lpi_in(run->node, facts->positions) != NULL) {
        LP_TRY(lpi_run_ints(run, facts->positions, &positions));
        j.positions = positions.ints;
        j.positions_count = positions.count;
    }
    if (lpi_shape_elements(lpi_in_shape(run->node, facts->cosine + 1)) !=
        lpi_shape_elements(cache))
        return lpi_node_fail(run->node, "cosines and sines of unlike shapes");
    if (j.positions != NULL && j.positions_count != 1 &&
        j.positions_count != lpi_mul(x.dims[0], j.length))
        return lpi_node_fail(run->node, "%lld positions of %lld",
                             (long long)j.positions_count,
                             (long long)lpi_mul(x.dims[0], j.length));
    LP_TRY(rotate_all(run->node, &j, x.dims[0]));
    lpi_run_store(run, 0, j.to);
    return LP_OK;
}
