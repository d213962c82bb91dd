/* product8.c: runs of matrix products of 8-bit integers.
 *
 * Sums are exact in int32, in parts too.  Requantization is ONNX Runtime's: the
 * factor is the float32 a_scale * b_scale / y_scale; each sum becomes a
 * float32, is multiplied, rounded half to even, moved by the zero point and
 * kept in range. Source: ONNX operators MatMulInteger-10, QLinearMatMul-21;
 * com.microsoft MatMulIntegerToFloat, DynamicQuantizeMatMul, QGemm. */
#include "../ops.h"

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

void lpi_add_sums(int64_t count, const int32_t *from, int32_t *to)
{
#pragma omp simd
    for (int64_t i = 0; i < count; i++)
        to[i] = (int32_t)((uint32_t)to[i] + (uint32_t)from[i]);
}

/* Operands of the rows, by lpi_result8: positions of their inputs, -1 for none.
 */
typedef struct places {
    int32_t b, a_zero, b_zero, a_scale, b_scale, y_scale, y_zero, bias;
} places;

static const places all_places[] = {
    [LPI_RESULT8_SUMS] = {1, 2, 3, -1, -1, -1, -1, -1},
    [LPI_RESULT8_QLINEAR] = {3, 2, 5, 1, 4, 6, 7, -1},
    [LPI_RESULT8_TO_FLOAT] = {1, 4, 5, 2, 3, -1, -1, 6},
    [LPI_RESULT8_DYNAMIC] = {1, -1, 3, -1, 2, -1, -1, 4},
    [LPI_RESULT8_GEMM] = {3, 2, 5, 1, 4, 7, 8, 6},
};

/* A product at work; zeros of A a row, of B a column, factors a column.  "x"
 * is operand A in bytes of "x_type", "a_scale" its scale. */
typedef struct job {
    const lpi_run *run;
    const places *at;
    const void *x;
    lp_dtype x_type;
    lpi_factor a, b;
    const int32_t *a_zeros, *b_zeros;
    const float *a_scale, *factors;
    int32_t *sums;
    const float *y_zeros;
    bool is_signed;
    lpi_gemm8 gemm;
} job;

/* The sums of batch "batch" into "c". */
static void multiply(job *j, int64_t batch, int32_t *c)
{
    const char *a = j->x;
    const char *b = j->gemm.b.at;
    lpi_gemm8 gemm = j->gemm;

    gemm.a.at = a + lpi_factor_at(&j->a, batch);
    gemm.b.at = b + lpi_factor_at(&j->b, batch);
    gemm.c = c;
    lpi_gemm8_run(&gemm);
}

/* Requantize the sums of batch "batch". */
static void store_bytes(const job *j, int64_t batch)
{
    uint8_t *to = (uint8_t *)j->run->out[0] + batch * j->a.rows * j->b.columns;
    lpi_team team = lpi_run_team(j->run);
    lpi_to_bytes how = {j->factors, j->y_zeros, 1, j->is_signed};
    bool shares = team.threads > 1 && j->a.rows * j->b.columns >= LPI_SHARED;

#pragma omp parallel for num_threads(team.threads) schedule(static) if (shares)
    for (int64_t i = 0; i < j->a.rows; i++) {
        int64_t at = i * j->b.columns;

        team.isa->bytes_of_sums(&how, j->b.columns, j->sums + at, to + at);
    }
}

/* The sums of batch "batch" times their factors, plus the bias of floats. */
static lp_status store_floats(const job *j, int64_t batch, float *to)
{
    const lpi_isa *isa = lpi_run_team(j->run).isa;
    int64_t columns = j->b.columns;
    bool is_whole = lpi_in_dtype(j->run->node, j->at->bias) == LP_INT32;
    const float *bias = NULL;

    if (!is_whole && j->at->bias >= 0) {
        LP_TRY(lpi_run_wants(j->run, j->at->bias, columns));
        LP_TRY(lpi_run_floats(j->run, j->at->bias, &bias));
    }
    to += batch * j->a.rows * columns;
    for (int64_t i = 0; i < j->a.rows; i++, to += columns) {
        for (int64_t k = 0; k < columns; k++)
            to[k] = (float)j->sums[i * columns + k] * j->factors[k];
        if (bias != NULL)
            isa->binary[LPI_BINARY_ADD](columns, to, 1, bias, 1, to);
    }
    return LP_OK;
}

/* Add the bias of whole numbers, which broadcasts to rows x columns. */
static void add_bias(const job *j)
{
    int32_t i = j->at->bias;
    lp_shape shape = lpi_in_shape(j->run->node, i);
    const int32_t *bias;
    int64_t own, wide, high;

    if (i < 0 || lpi_in_dtype(j->run->node, i) != LP_INT32)
        return;
    bias = j->run->in[i];
    wide = shape.rank > 0 ? shape.dims[shape.rank - 1] : 1;
    high = shape.rank > 1 ? shape.dims[shape.rank - 2] : 1;
    for (int64_t r = 0; r < j->a.rows; r++)
        for (int64_t k = 0; k < j->b.columns; k++) {
            own = (high > 1 ? r : 0) * wide + (wide > 1 ? k : 0);
            lpi_add_sums(1, bias + own, j->sums + r * j->b.columns + k);
        }
}

/* Factors and the zero point of the result. */
static lp_status read_scales(job *j)
{
    const lpi_run *run = j->run;
    const places *at = j->at;
    const lpi_matmul *p = run->node->params;
    bool has_alpha = at == &all_places[LPI_RESULT8_GEMM];
    lp_dtype bias = lpi_in_dtype(run->node, at->bias);
    const float *a = j->a_scale != NULL
                         ? j->a_scale
                         : lpi_run_scales(run, at->a_scale, 1, 1);
    const float *b = lpi_run_scales(run, at->b_scale, j->b.columns, 1);
    const float *y = lpi_run_scales(run, at->y_scale, 1, 1);
    const float *zero = lpi_run_scales(run, at->y_zero, j->b.columns, 0);
    float *factors = LPI_NEW(run->scratch, float, j->b.columns), left;

    if (a == NULL || b == NULL || y == NULL || zero == NULL || factors == NULL)
        return lpi_node_fail(run->node, "scales or zero points do not fit");
    if (has_alpha && bias != LP_UNDEFINED && bias != LP_INT32)
        return lpi_run_refuse(run, bias);
    left = has_alpha ? p->alpha * *a : *a;
    for (int64_t k = 0; k < j->b.columns; k++) {
        float product = left * b[k];

        factors[k] = product / *y;
    }
    j->factors = factors;
    j->y_zeros = zero;
    j->is_signed = lpi_out(run->node, 0)->dtype == LP_INT8;
    return LP_OK;
}

/* Operand A of floats as bytes, over the range it has. */
static lp_status quantize_operand(job *j)
{
    const lpi_run *run = j->run;
    int64_t count = lpi_in_elements(run->node, 0);
    uint8_t *to = LPI_NEW(run->scratch, uint8_t, count);
    float *scale = LPI_NEW(run->scratch, float, 1), zero;
    int32_t *zeros = LPI_NEW(run->scratch, int32_t, j->a.rows);
    const float *x;

    if (to == NULL || scale == NULL || zeros == NULL)
        return lpi_node_fail_memory(run->node);
    LP_TRY(lpi_run_floats(run, 0, &x));
    lpi_quantize_range(run, x, count, scale, &zero);
    for (int64_t i = 0; i < count; i++) {
        float v = x[i] / *scale, most = 255 - zero;

        v = v < -zero ? -zero : v > most ? most : v;
        to[i] = (uint8_t)(lpi_round_even(v) + zero);
    }
    for (int64_t i = 0; i < j->a.rows; i++)
        zeros[i] = (int32_t)zero;
    j->x = to;
    j->x_type = LP_UINT8;
    j->a_scale = scale;
    j->a_zeros = zeros;
    return LP_OK;
}

static bool is_byte(lp_dtype dtype)
{
    return dtype == LP_INT8 || dtype == LP_UINT8;
}

/* Operands, zero points, factors, and room for the sums unless the result is
 * made of them. */
static lp_status prepare(job *j, bool is_scaled)
{
    const lpi_run *run = j->run;
    lp_dtype b_type = lpi_in_dtype(run->node, j->at->b);
    int64_t bytes;

    if ((j->x != NULL && !is_byte(j->x_type)) || !is_byte(b_type))
        return lpi_run_refuse(run, is_byte(b_type) ? j->x_type : b_type);
    if (j->x == NULL)
        LP_TRY(quantize_operand(j));
    else
        j->a_zeros = lpi_run_zeros(run, j->at->a_zero, j->a.rows);
    j->b_zeros = lpi_run_zeros(run, j->at->b_zero, j->b.columns);
    if (j->a_zeros == NULL || j->b_zeros == NULL)
        return lpi_node_fail(run->node, "zero points do not fit");
    if (is_scaled)
        LP_TRY(read_scales(j));
    j->gemm = (lpi_gemm8){
        .m = j->a.rows,
        .n = j->b.columns,
        .k = j->a.columns,
        .a = {j->x, j->a.row, j->a.column, j->x_type == LP_INT8, 0, j->a_zeros},
        .b = {run->in[j->at->b], j->b.row, j->b.column, b_type == LP_INT8, 0,
              j->b_zeros},
        .c_row = j->b.columns,
        .team = lpi_run_team(run)};
    bytes = lpi_gemm8_workspace(&j->gemm);
    j->gemm.workspace = lpi_arena_room(run->scratch, (size_t)bytes);
    if (is_scaled || run->continues)
        j->sums = lpi_arena_room(run->scratch,
                                 (size_t)lpi_mul(j->a.rows * j->b.columns,
                                                 (int64_t)sizeof(*j->sums)));
    if (j->gemm.workspace == NULL ||
        ((is_scaled || run->continues) && j->sums == NULL))
        return lpi_node_fail_memory(run->node);
    return LP_OK;
}

lp_status lpi_matmul8_run(const lpi_run *run)
{
    const lpi_matmul_facts *facts = run->node->layer->row->facts;
    bool is_scaled = facts->result8 != LPI_RESULT8_SUMS;
    bool is_float = lpi_is_single(lpi_out(run->node, 0)->dtype);
    job j = {.run = run,
             .at = &all_places[facts->result8],
             .x = facts->result8 == LPI_RESULT8_DYNAMIC ? NULL : run->in[0],
             .x_type = lpi_in_dtype(run->node, 0)};
    float *floats = NULL;
    int64_t batches;

    if (is_scaled && !is_float && !is_byte(lpi_out(run->node, 0)->dtype))
        return lpi_run_refuse(run, lpi_out(run->node, 0)->dtype);
    LP_TRY(lpi_factors(run, &j.a, &j.b));
    batches = lpi_product(j.a.dims, j.a.rank);
    LP_TRY(prepare(&j, is_scaled));
    if (is_float)
        LP_TRY(lpi_run_result(run, 0, &floats));
    for (int64_t n = 0; n < batches && j.a.rows > 0 && j.b.columns > 0; n++) {
        int32_t *to = is_scaled
                          ? NULL
                          : (int32_t *)run->out[0] + n * j.a.rows * j.b.columns;

        multiply(&j, n, j.sums != NULL ? j.sums : to);
        if (is_scaled)
            add_bias(&j);
        if (is_float)
            LP_TRY(store_floats(&j, n, floats));
        else if (is_scaled)
            store_bytes(&j, n);
        else if (j.sums != NULL)
            lpi_add_sums(j.a.rows * j.b.columns, j.sums, to);
    }
    lpi_run_store(run, 0, floats);
    return LP_OK;
}
