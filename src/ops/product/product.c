/* product.c: runs of matrix products of floats, and of any other numbers.
 *
 * Every element is one chain of fused multiply-adds in ascending k from 0
 * (kernel.h), then times alpha, then plus beta times the bias; products of
 * float64 and of integers are the same without fusing.  A batch whose right
 * operand repeats is one product of more rows. */
#include <string.h>

#include "../ops.h"

/* Axes and strides of "shape" as [batch..., rows, columns], turned as
 * FusedMatMul says; a vector is a row, or a column when "is_right". */
static void factor_of(lp_shape shape, bool swap, bool batch, bool is_right,
                      lpi_factor *ret)
{
    int64_t strides[LPI_VIEW_AXES], dims[LPI_VIEW_AXES];
    int32_t rank = shape.rank;

    lpi_strides(rank, shape.dims, strides);
    memcpy(dims, shape.dims, (size_t)rank * sizeof(*dims));
    if (rank == 1) {
        *ret = (lpi_factor){.rows = is_right ? dims[0] : 1,
                            .columns = is_right ? 1 : dims[0],
                            .row = is_right ? 1 : dims[0],
                            .column = 1};
        return;
    }
    if (batch) {
        int64_t dim = dims[0], stride = strides[0];

        memmove(dims, dims + 1, (size_t)(rank - 2) * sizeof(*dims));
        memmove(strides, strides + 1, (size_t)(rank - 2) * sizeof(*strides));
        dims[rank - 2] = dim;
        strides[rank - 2] = stride;
    }
    ret->rank = rank - 2;
    memcpy(ret->dims, dims, sizeof(dims));
    memcpy(ret->strides, strides, sizeof(strides));
    ret->rows = dims[swap ? rank - 1 : rank - 2];
    ret->columns = dims[swap ? rank - 2 : rank - 1];
    ret->row = strides[swap ? rank - 1 : rank - 2];
    ret->column = strides[swap ? rank - 2 : rank - 1];
}

/* Give "factor" the batch of the result, "rank" axes "dims". */
static void widen(lpi_factor *factor, int32_t rank, const int64_t *dims)
{
    int64_t strides[LPI_VIEW_AXES];
    int32_t lead = rank - factor->rank;

    for (int32_t i = 0; i < rank; i++)
        strides[i] = i < lead || factor->dims[i - lead] == 1
                         ? 0
                         : factor->strides[i - lead];
    factor->rank = rank;
    memcpy(factor->dims, dims, (size_t)rank * sizeof(*dims));
    memcpy(factor->strides, strides, (size_t)rank * sizeof(*strides));
}

lp_status lpi_factors(const lpi_run *run, lpi_factor *ret_a, lpi_factor *ret_b)
{
    const lpi_matmul_facts *facts = run->node->layer->row->facts;
    const lpi_matmul *p = run->node->params;
    lp_shape a = lpi_in_shape(run->node, 0);
    lp_shape b = lpi_in_shape(run->node, facts->b);
    int64_t dims[LPI_VIEW_AXES];
    int32_t rank;

    if (a.rank > LPI_VIEW_AXES || b.rank > LPI_VIEW_AXES)
        return lpi_fail(run->node->error, LP_EUNSUPPORTED,
                        run->node->layer->name, "operands of rank %d and %d",
                        a.rank, b.rank);
    *ret_a = *ret_b = (lpi_factor){.rank = 0};
    factor_of(a, p->transA != 0, p->transBatchA != 0, false, ret_a);
    factor_of(b, p->transB != 0, p->transBatchB != 0, true, ret_b);
    rank = ret_a->rank > ret_b->rank ? ret_a->rank : ret_b->rank;
    for (int32_t i = 0; i < rank; i++) {
        int32_t ia = i - rank + ret_a->rank, ib = i - rank + ret_b->rank;

        dims[i] = ia >= 0 && (ib < 0 || ret_a->dims[ia] != 1) ? ret_a->dims[ia]
                                                              : ret_b->dims[ib];
    }
    widen(ret_a, rank, dims);
    widen(ret_b, rank, dims);
    return LP_OK;
}

int64_t lpi_factor_at(const lpi_factor *factor, int64_t i)
{
    int64_t at = 0;

    for (int32_t axis = factor->rank - 1; axis >= 0; axis--) {
        at += i % factor->dims[axis] * factor->strides[axis];
        i /= factor->dims[axis];
    }
    return at;
}

static int64_t batches_of(const lpi_factor *factor)
{
    return lpi_product(factor->dims, factor->rank);
}

/* Make the batch rows of A where B repeats and the rows of A stay in step. */
static void merge_batch(lpi_factor *a, lpi_factor *b)
{
    while (a->rank > 0) {
        int32_t last = a->rank - 1;

        if (b->strides[last] != 0 || a->strides[last] != a->rows * a->row)
            return;
        a->rows *= a->dims[last];
        a->rank--;
        b->rank--;
    }
}

/* A product of floats at work: "workspace" has "room" floats a thread. */
typedef struct job {
    const lpi_run *run;
    lpi_factor a, b;
    lpi_matrix x, y; /* of batch 0 */
    float *to, *workspace;
    int64_t room, share;
    int32_t threads; /* of one product */
} job;

static void multiply(const job *j, int64_t batch, float *workspace)
{
    lpi_matrix b = lpi_matrix_from(&j->y, lpi_factor_at(&j->b, batch));
    lpi_gemm gemm = {.m = j->a.rows,
                     .n = j->b.columns,
                     .k = j->a.columns,
                     .a = lpi_matrix_from(&j->x, lpi_factor_at(&j->a, batch)),
                     .b = {lpi_pack_matrix, &b},
                     .c = j->to + batch * j->a.rows * j->b.columns,
                     .c_row = j->b.columns,
                     .fresh = !j->run->continues,
                     .team = {lpi_run_team(j->run).isa, j->threads},
                     .workspace = workspace};

    lpi_gemm_run(&gemm);
}

static int64_t room_for(const job *j)
{
    lpi_gemm gemm = {.m = j->a.rows,
                     .n = j->b.columns,
                     .k = j->a.columns,
                     .a = j->x,
                     .b = {lpi_pack_matrix, &j->y},
                     .c = j->to,
                     .c_row = j->b.columns,
                     .fresh = true,
                     .team = {lpi_run_team(j->run).isa, j->threads}};

    return lpi_gemm_workspace(&gemm);
}

static void multiply_share(const void *context, int64_t from, int64_t to)
{
    const job *j = context;

    for (; from < to; from++)
        multiply(j, from, j->workspace + from / j->share * j->room);
}

/* All batches: one after the other with all threads, or, when there are many,
 * a thread a share of them. */
static lp_status multiply_all(job *j)
{
    int32_t threads = lpi_run_team(j->run).threads;
    int64_t batches = batches_of(&j->a), bytes;

    if (batches == 0 || j->a.rows == 0 || j->b.columns == 0)
        return LP_OK;
    if (j->a.columns == 0) {
        if (!j->run->continues)
            memset(j->to, 0,
                   (size_t)(batches * j->a.rows * j->b.columns) *
                       sizeof(*j->to));
        return LP_OK;
    }
    j->threads = batches >= 4 * threads ? 1 : threads;
    j->room = room_for(j);
    if (j->threads == threads)
        threads = 1;
    bytes = lpi_mul(lpi_mul(j->room, threads), sizeof(*j->workspace));
    j->workspace = lpi_arena_room(j->run->scratch, (size_t)bytes);
    if (j->workspace == NULL)
        return lpi_node_fail_memory(j->run->node);
    j->share = lpi_ceil_div(batches, threads);
#pragma omp parallel for num_threads(threads)                                  \
    schedule(static, 1) if (threads > 1)
    for (int32_t i = 0; i < threads; i++) {
        int64_t from = i * j->share, to = from + j->share;

        multiply_share(j, from, to < batches ? to : batches);
    }
    return LP_OK;
}

/* Sums times alpha, then the bias, broadcast to rows x columns, times beta. */
static lp_status finish(const lpi_run *run, int64_t rows, int64_t columns,
                        float *to)
{
    const lpi_matmul_facts *facts = run->node->layer->row->facts;
    const lpi_matmul *p = run->node->params;
    const lpi_isa *isa = lpi_run_team(run).isa;
    bool scaled = p->alpha != 1 && run->node->layer->row->specs != NULL;
    lp_shape shape;
    const float *bias = NULL;
    float *row, beta = p->beta;

    if (scaled)
        isa->binary[LPI_BINARY_MUL](rows * columns, to, 1, &p->alpha, 0, to);
    if (facts->bias >= 0)
        LP_TRY(lpi_run_floats(run, facts->bias, &bias));
    if (bias == NULL)
        return LP_OK;
    shape = lpi_in_shape(run->node, facts->bias);
    int64_t own = shape.rank > 0 ? shape.dims[shape.rank - 1] : 1;
    int64_t step = own == columns && columns > 1;
    int64_t stride = shape.rank > 1 && shape.dims[shape.rank - 2] > 1 ? own : 0;
    row = LPI_NEW(run->scratch, float, own);
    if (row == NULL)
        return lpi_node_fail_memory(run->node);
    for (int64_t i = 0; i < rows; i++) {
        const float *from = bias + i * stride;

        if (beta != 1) {
            isa->binary[LPI_BINARY_MUL](own, from, 1, &beta, 0, row);
            from = row;
        }
        isa->binary[LPI_BINARY_ADD](columns, to + i * columns, 1, from, step,
                                    to + i * columns);
    }
    return LP_OK;
}

/* ---- float64 and integers ---------------------------------------------------
 */

/* Input "i" whole, as numbers of its class. */
static void *numbers_of(const lpi_run *run, int32_t i)
{
    lp_dtype dtype = lpi_in_dtype(run->node, i);
    int64_t count = lpi_in_elements(run->node, i);
    void *to = lpi_arena_array(run->scratch, count, sizeof(double));

    if (to != NULL)
        lpi_unpack(dtype, run->in[i], 0, count, to);
    return to;
}

typedef union number {
    double real;
    uint64_t whole;
} number;

static number chain(const lpi_factor *a, const lpi_factor *b, const number *x,
                    const number *y, bool is_real)
{
    number sum = {.whole = 0};

    LPI_MACS(a->columns);
    for (int64_t k = 0; k < a->columns; k++) {
        number left = x[k * a->column], right = y[k * b->row];

        if (is_real)
            sum.real += left.real * right.real;
        else
            sum.whole += left.whole * right.whole;
    }
    return sum;
}

/* "sum" times alpha, plus the element of the bias "c" (NULL: none) at row "i"
 * and column "j" times beta; factors count for reals alone. */
static number with_bias(const lpi_run *run, const number *c,
                        const int64_t at[2], number sum)
{
    const lpi_matmul_facts *facts = run->node->layer->row->facts;
    const lpi_matmul *p = run->node->params;
    bool is_scaled = run->node->layer->row->specs != NULL;
    bool is_real = lpi_class_of(lpi_in_dtype(run->node, 0)) == LPI_F64;
    int64_t own = 0;

    if (is_real && is_scaled)
        sum.real *= (double)p->alpha;
    if (c == NULL)
        return sum;
    lp_shape shape = lpi_in_shape(run->node, facts->bias);
    int64_t wide = shape.rank > 0 ? shape.dims[shape.rank - 1] : 1;

    own = wide > 1 ? at[1] : 0;
    if (shape.rank > 1 && shape.dims[shape.rank - 2] > 1)
        own += at[0] * wide;
    if (is_real)
        sum.real += (double)p->beta * c[own].real;
    else
        sum.whole += c[own].whole;
    return sum;
}

/* MatMul and Gemm (of integers without factors: alpha and beta 1) of other
 * numbers. */
static lp_status plain_run(const lpi_run *run)
{
    const lpi_matmul_facts *facts = run->node->layer->row->facts;
    const lpi_matmul *p = run->node->params;
    lp_dtype dtype = lpi_in_dtype(run->node, 0);
    bool is_real = lpi_class_of(dtype) == LPI_F64;
    bool has_bias = facts->bias >= 0 && lpi_in(run->node, facts->bias) != NULL;
    lpi_factor a, b;
    number *x, *y, *c = NULL;
    int64_t at = 0;

    if (lpi_class_of(dtype) == LPI_NO_CLASS || lpi_class_of(dtype) == LPI_F32 ||
        (!is_real && facts->is_gemm && (p->alpha != 1 || p->beta != 1)))
        return lpi_run_refuse(run, dtype);
    LP_TRY(lpi_factors(run, &a, &b));
    x = numbers_of(run, 0);
    y = numbers_of(run, facts->b);
    if (has_bias)
        c = numbers_of(run, facts->bias);
    if (x == NULL || y == NULL || (has_bias && c == NULL))
        return lpi_node_fail_memory(run->node);
    for (int64_t n = 0; n < batches_of(&a); n++)
        for (int64_t i = 0; i < a.rows; i++)
            for (int64_t j = 0; j < b.columns; j++) {
                number sum = chain(&a, &b, x + lpi_factor_at(&a, n) + i * a.row,
                                   y + lpi_factor_at(&b, n) + j * b.column,
                                   is_real);
                const int64_t place[2] = {i, j};

                sum = with_bias(run, c, place, sum);
                lpi_pack(dtype, &sum, at++, 1, run->out[0]);
            }
    return LP_OK;
}

lp_status lpi_matmul_run(const lpi_run *run)
{
    const lpi_matmul_facts *facts = run->node->layer->row->facts;
    job j = {.run = run};
    int64_t elements = lpi_out_elements(run->node, 0);

    if (!lpi_is_single(lpi_in_dtype(run->node, 0)))
        return plain_run(run);
    LP_TRY(lpi_factors(run, &j.a, &j.b));
    merge_batch(&j.a, &j.b);
    j.x = (lpi_matrix){NULL, j.a.row, j.a.column, NULL};
    j.y = (lpi_matrix){NULL, j.b.row, j.b.column, NULL};
    LP_TRY(lpi_run_halves(run, 0, &j.x.at, &j.x.widen));
    LP_TRY(lpi_run_halves(run, facts->b, &j.y.at, &j.y.widen));
    LP_TRY(lpi_run_result(run, 0, &j.to));
    LP_TRY(multiply_all(&j));
    if (!run->goes_on && elements > 0) {
        const lpi_matmul *p = run->node->params;
        const float of[2] = {p->activation_alpha, p->activation_beta};

        LP_TRY(finish(run, elements / j.b.columns, j.b.columns, j.to));
        LP_TRY(lpi_activate(run, p->activation, of, elements, j.to));
    }
    lpi_run_store(run, 0, j.to);
    return LP_OK;
}
