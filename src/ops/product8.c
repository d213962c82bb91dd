/* product8.c: runs of matrix products of 8-bit integers.
 *
 * Sums are exact in int32, in parts too.  Requantization is ONNX Runtime's: the
 * factor is the float32 a_scale * b_scale / y_scale; each sum becomes a
 * float32, is multiplied, rounded half to even, moved by the zero point and
 * kept in range. Source: ONNX operators MatMulInteger-10, QLinearMatMul-21. */
#include "ops.h"

const float *lpi_run_scales(const lpi_run *run, int32_t i, int64_t count,
                            float absent)
{
    float *to = LPI_NEW(run->scratch, float, count);
    int64_t own = i < 0 ? 0 : lpi_in_elements(run->node, i);

    if (to == NULL || (own > 1 && own != count))
        return NULL;
    if (own == count && own > 0)
        lpi_load_floats(lpi_run_team(run).isa, lpi_in_dtype(run->node, i),
                        run->in[i], 0, count, to);
    else if (own == 1)
        lpi_load_floats(lpi_run_team(run).isa, lpi_in_dtype(run->node, i),
                        run->in[i], 0, 1, &absent);
    for (int64_t k = 0; k < count && own != count; k++)
        to[k] = absent;
    return to;
}

const int32_t *lpi_run_zeros(const lpi_run *run, int32_t i, int64_t count)
{
    const float *floats = lpi_run_scales(run, i, count, 0);
    int32_t *to = LPI_NEW(run->scratch, int32_t, count);

    if (floats == NULL || to == NULL)
        return NULL;
    for (int64_t k = 0; k < count; k++)
        to[k] = (int32_t)floats[k];
    return to;
}

void lpi_requantize_row(const lpi_requantize *how, int64_t count,
                        const int32_t *from, uint8_t *to)
{
    float least = how->is_signed ? -128 : 0, most = least + 255;

    least -= (float)how->zero;
    most -= (float)how->zero;
    for (int64_t i = 0; i < count; i++) {
        float value = (float)from[i] * how->factor;

        value = value < least ? least : value > most ? most : value;
        to[i] = (uint8_t)((int32_t)lpi_round_even(value) + how->zero);
    }
}

void lpi_add_sums(int64_t count, const int32_t *from, int32_t *to)
{
    for (int64_t i = 0; i < count; i++)
        to[i] = (int32_t)((uint32_t)to[i] + (uint32_t)from[i]);
}

/* Operands of one of the rows: positions of its inputs, -1 for none. */
typedef struct places {
    int32_t b, a_zero, b_zero, a_scale, b_scale, y_scale, y_zero;
} places;

static const places integer_places = {1, 2, 3, -1, -1, -1, -1};
static const places qlinear_places = {3, 2, 5, 1, 4, 6, 7};

/* A product at work; zeros of A a row, of B a column, factors a column. */
typedef struct job {
    const lpi_run *run;
    lpi_factor a, b;
    const int32_t *a_zeros, *b_zeros;
    const float *factors;
    int32_t *sums;
    lpi_requantize how;
    lpi_gemm8 gemm;
} job;

/* The sums of batch "batch" into "c". */
static void multiply(job *j, int64_t batch, int32_t *c)
{
    const char *a = j->run->in[0];
    const char *b = j->gemm.b.at;
    lpi_gemm8 gemm = j->gemm;

    gemm.a.at = a + lpi_factor_at(&j->a, batch);
    gemm.b.at = b + lpi_factor_at(&j->b, batch);
    gemm.c = c;
    lpi_gemm8_run(&gemm);
}

/* Requantize the sums of batch "batch". */
static void store(const job *j, int64_t batch)
{
    uint8_t *to = (uint8_t *)j->run->out[0] + batch * j->a.rows * j->b.columns;
    lpi_requantize how = j->how;

    for (int64_t i = 0; i < j->a.rows; i++)
        for (int64_t k = 0; k < j->b.columns; k++) {
            int64_t at = i * j->b.columns + k;

            how.factor = j->factors[k];
            lpi_requantize_row(&how, 1, j->sums + at, to + at);
        }
}

/* Factors and the zero point of the result. */
static lp_status read_scales(job *j, const places *at)
{
    const lpi_run *run = j->run;
    const float *a = lpi_run_scales(run, at->a_scale, 1, 1);
    const float *b = lpi_run_scales(run, at->b_scale, j->b.columns, 1);
    const float *y = lpi_run_scales(run, at->y_scale, 1, 1);
    const int32_t *zero = lpi_run_zeros(run, at->y_zero, 1);
    float *factors = LPI_NEW(run->scratch, float, j->b.columns);

    if (a == NULL || b == NULL || y == NULL || zero == NULL || factors == NULL)
        return lpi_node_fail(run->node, "scales or zero points do not fit");
    for (int64_t k = 0; k < j->b.columns; k++) {
        float product = *a * b[k];

        factors[k] = product / *y;
    }
    j->factors = factors;
    j->how.zero = *zero;
    j->how.is_signed = lpi_out(run->node, 0)->dtype == LP_INT8;
    return LP_OK;
}

static bool is_byte(lp_dtype dtype)
{
    return dtype == LP_INT8 || dtype == LP_UINT8;
}

lp_status lpi_matmul8_run(const lpi_run *run)
{
    const lpi_matmul_facts *facts = run->node->layer->row->facts;
    bool scaled = facts->b == 3;
    const places *at = scaled ? &qlinear_places : &integer_places;
    job j = {.run = run};
    int64_t batches, bytes;

    if (!is_byte(lpi_in_dtype(run->node, 0)) ||
        !is_byte(lpi_in_dtype(run->node, at->b)))
        return lpi_run_refuse(run, lpi_in_dtype(run->node, 0));
    LP_TRY(lpi_factors(run, &j.a, &j.b));
    batches = lpi_product(j.a.dims, j.a.rank);
    j.a_zeros = lpi_run_zeros(run, at->a_zero, j.a.rows);
    j.b_zeros = lpi_run_zeros(run, at->b_zero, j.b.columns);
    if (j.a_zeros == NULL || j.b_zeros == NULL)
        return lpi_node_fail(run->node, "zero points do not fit");
    if (scaled)
        LP_TRY(read_scales(&j, at));
    j.gemm = (lpi_gemm8){
        .m = j.a.rows,
        .n = j.b.columns,
        .k = j.a.columns,
        .a = {run->in[0], j.a.row, j.a.column,
              lpi_in_dtype(run->node, 0) == LP_INT8, 0, j.a_zeros},
        .b = {run->in[at->b], j.b.row, j.b.column,
              lpi_in_dtype(run->node, at->b) == LP_INT8, 0, j.b_zeros},
        .c_row = j.b.columns,
        .team = lpi_run_team(run)};
    bytes = lpi_gemm8_workspace(&j.gemm);
    j.gemm.workspace = lpi_arena_room(run->scratch, (size_t)bytes);
    if (scaled || run->continues)
        j.sums = LPI_NEW(run->scratch, int32_t, j.a.rows * j.b.columns);
    if (j.gemm.workspace == NULL ||
        ((scaled || run->continues) && j.sums == NULL))
        return lpi_node_fail_memory(run->node);
    for (int64_t n = 0; n < batches && j.a.rows > 0 && j.b.columns > 0; n++) {
        int32_t *to =
            scaled ? NULL : (int32_t *)run->out[0] + n * j.a.rows * j.b.columns;

        multiply(&j, n, j.sums != NULL ? j.sums : to);
        if (scaled)
            store(&j, n);
        else if (j.sums != NULL)
            lpi_add_sums(j.a.rows * j.b.columns, j.sums, to);
    }
    return LP_OK;
}
