/* recurring.c: runs of LSTM, GRU and RNN.
 *
 * The products of all steps with W are one matrix product; each step goes on
 * with the chains of its rows, the state times R, then adds the biases.  GRU
 * keeps the product of the candidate with its state apart.  A sequence that
 * has ended keeps its state and gives zeros.  Sources: ONNX operators LSTM-22,
 * GRU-22, RNN-22. */
#include <string.h>

#include "../ops.h"

/* One direction of one layer. */
typedef struct job {
    const lpi_run *run;
    const lpi_recurrent *params;
    int64_t gates, steps, batch, width, hidden, directions, direction;
    bool backwards;
    bool quantizes; /* W and R: [D, rows, gates * hidden], of bytes */
    lpi_recurrence cell;
    const float *x, *w;
    float *room;                 /* quantizing: for W */
    float *r;                    /* turned: hidden x gates * hidden */
    const int64_t *lengths;      /* a batch; NULL: all steps */
    float *sums;                 /* steps x batch x gates * hidden */
    float *h, *c, *gate, *extra; /* a row a batch each */
    float *y;
    lpi_gemm step; /* state times R */
} job;

/* ---- products ----------------------------------------------------------- */

static lp_status multiply(const lpi_run *run, lpi_gemm *gemm,
                          const lpi_matrix *b)
{
    gemm->b = (lpi_columns){lpi_pack_matrix, b};
    gemm->team = lpi_run_team(run);
    gemm->workspace =
        LPI_NEW(run->scratch, float, lpi_gemm_workspace(gemm) + 4096);
    if (gemm->workspace == NULL)
        return lpi_node_fail_memory(run->node);
    lpi_gemm_run(gemm);
    return LP_OK;
}

/* The products of all inputs with W. */
static lp_status start_sums(job *j)
{
    int64_t columns = j->gates * j->hidden;
    lpi_matrix w = {j->w, j->quantizes ? columns : 1,
                    j->quantizes ? 1 : j->width, NULL};
    lpi_gemm gemm = {.m = j->steps * j->batch,
                     .n = columns,
                     .k = j->width,
                     .a = {j->x, j->width, 1, NULL},
                     .c = j->sums,
                     .c_row = columns,
                     .fresh = true};

    return multiply(j->run, &gemm, &w);
}

/* R as rows of states. */
static void turn(const job *j, const float *from)
{
    int64_t columns = j->gates * j->hidden;

    for (int64_t i = 0; i < columns; i++)
        for (int64_t k = 0; k < j->hidden; k++)
            j->r[k * columns + i] = from[i * j->hidden + k];
}

/* "to" (batch x count) goes on with "state" times columns [first, first +
 * count) of R. */
static void add_state(const job *j, const float *state, int64_t first,
                      int64_t count, float *to, bool fresh)
{
    lpi_matrix r = {j->r + first, j->gates * j->hidden, 1, NULL};
    lpi_gemm gemm = j->step;

    if (j->quantizes) {
        lpi_round_range(j->run, state, j->batch * j->hidden, j->extra);
        state = j->extra;
    }
    gemm.n = count;
    gemm.a.at = state;
    gemm.b.context = &r;
    gemm.c = to;
    gemm.fresh = fresh;
    lpi_gemm_run(&gemm);
}

/* ---- steps -------------------------------------------------------------- */

/* Position in time of step "s" of batch "b"; -1 when it has ended. */
static int64_t time_of(const job *j, int64_t s, int64_t b)
{
    int64_t length = j->lengths != NULL ? j->lengths[b] : j->steps;

    if (s >= length)
        return -1;
    return j->backwards ? length - 1 - s : s;
}

/* Row of time "t", batch "b" in X and in the sums. */
static int64_t row_of(const job *j, int64_t t, int64_t b)
{
    return j->params->layout != 0 ? b * j->steps + t : t * j->batch + b;
}

/* Where Y has the state of time "t" of batch "b". */
static float *output_of(const job *j, int64_t t, int64_t b)
{
    int64_t d = j->directions, at = (t * d + j->direction) * j->batch + b;

    if (j->params->layout != 0)
        at = (b * j->steps + t) * d + j->direction;
    return j->y + at * j->hidden;
}

/* The gates of step "s" gathered from the sums, then the state times R. */
static void gather(const job *j, int64_t s)
{
    int64_t columns = j->gates * j->hidden;

    for (int64_t b = 0; b < j->batch; b++) {
        int64_t t = time_of(j, s, b);

        if (t >= 0)
            memcpy(j->gate + b * columns, j->sums + row_of(j, t, b) * columns,
                   (size_t)columns * sizeof(*j->gate));
    }
}

/* All rows of a GRU after their gates: the candidate's product. */
static void candidates(const job *j)
{
    int64_t n = j->hidden, columns = j->gates * n;
    float *state = j->extra + j->batch * n;

    for (int64_t b = 0; b < j->batch; b++) {
        lpi_cell_gru_gates(&j->cell, j->gate + b * columns);
        j->cell.isa->binary[LPI_BINARY_MUL](n, j->gate + b * columns + n, 1,
                                            j->h + b * n, 1, state + b * n);
    }
    if (j->params->linear_before_reset != 0)
        state = j->h;
    add_state(j, state, 2 * n, n, j->extra, true);
}

static void run_step(const job *j, int64_t s)
{
    int64_t n = j->hidden, columns = j->gates * n;

    gather(j, s);
    if (j->gates == 3) {
        lpi_matrix r = {j->r, columns, 1, NULL};
        lpi_gemm gemm = j->step;

        gemm.n = 2 * n;
        gemm.a.at = j->h;
        gemm.b.context = &r;
        gemm.c = j->gate;
        gemm.c_row = columns;
        gemm.fresh = false;
        lpi_gemm_run(&gemm);
        candidates(j);
    } else {
        add_state(j, j->h, 0, columns, j->gate, false);
    }
    for (int64_t b = 0; b < j->batch; b++) {
        int64_t t = time_of(j, s, b);
        float *gates = j->gate + b * columns, *h = j->h + b * n;

        if (t < 0)
            continue;
        if (j->gates == 4)
            lpi_cell_lstm(&j->cell, gates, h, j->c + b * n);
        else if (j->gates == 3)
            lpi_cell_gru(&j->cell, gates, j->extra + b * n, h);
        else
            lpi_cell_rnn(&j->cell, gates, h);
        if (j->y != NULL)
            memcpy(output_of(j, t, b), h, (size_t)n * sizeof(*h));
    }
}

/* ---- the layer ---------------------------------------------------------- */

static const struct {
    const char *name;
    lpi_unary unary;
} functions[] = {
    {"Sigmoid", LPI_UNARY_SIGMOID}, {"Tanh", LPI_UNARY_TANH},
    {"Relu", LPI_UNARY_RELU},       {"Softplus", LPI_UNARY_SOFTPLUS},
    {"sigmoid", LPI_UNARY_SIGMOID}, {"tanh", LPI_UNARY_TANH},
    {"relu", LPI_UNARY_RELU},
};

/* The activations of direction "d": "count" of them. */
static lp_status find_functions(job *j, int64_t count)
{
    static const lpi_unary usual[2][LPI_CELL_FUNCTIONS] = {
        {LPI_UNARY_SIGMOID, LPI_UNARY_TANH, LPI_UNARY_TANH},
        {LPI_UNARY_TANH, LPI_UNARY_TANH, LPI_UNARY_TANH},
    };
    const lpi_list *names = &j->params->activations;

    memcpy(j->cell.functions, usual[count == 1], sizeof(j->cell.functions));
    for (int64_t i = 0; i < count && names->count >= count; i++) {
        int64_t at = j->direction * count + i;
        const char *name = names->strings[at < names->count ? at : i];
        int32_t k = 0;

        while (k < LPI_COUNT(functions) && strcmp(functions[k].name, name) != 0)
            k++;
        if (k == LPI_COUNT(functions))
            return lpi_fail(j->run->node->error, LP_EUNSUPPORTED,
                            j->run->node->layer->name,
                            "activation '%.40s' cannot be computed", name);
        j->cell.functions[i] = functions[k].unary;
    }
    return LP_OK;
}

/* Copy between the rows of a state, input or output "at", and "rows". */
static void copy_state(const job *j, float *at, float *rows, bool out)
{
    size_t size = (size_t)j->hidden * sizeof(*rows);

    for (int64_t b = 0; b < j->batch && at != NULL; b++) {
        int64_t row = j->params->layout != 0 ? b * j->directions + j->direction
                                             : j->direction * j->batch + b;
        float *own = rows + b * j->hidden, *far = at + row * j->hidden;

        memcpy(out ? far : own, out ? own : far, size);
    }
}

/* Inputs W, R, B and P of direction j->direction. */
static lp_status find_weights(job *j)
{
    int64_t n = j->hidden, columns = j->gates * n, d = j->direction;
    const float *r;

    if (j->quantizes) {
        LP_TRY(lpi_quantized_weights(j->run, 1, 8, d, j->room));
        LP_TRY(lpi_quantized_weights(j->run, 2, 10, d, j->r));
        j->w = j->room;
    } else {
        LP_TRY(lpi_run_floats(j->run, 1, &j->w));
        LP_TRY(lpi_run_floats(j->run, 2, &r));
        j->w += d * columns * j->width;
        turn(j, r + d * columns * n);
    }
    LP_TRY(lpi_run_floats(j->run, 3, &j->cell.bias));
    j->cell.peephole = NULL;
    if (j->gates == 4 && j->run->node->layer->inputs_count > 7)
        LP_TRY(lpi_run_floats(j->run, 7, &j->cell.peephole));
    if (j->cell.bias != NULL)
        j->cell.bias += d * 2 * columns;
    if (j->cell.peephole != NULL)
        j->cell.peephole += d * 3 * n;
    return LP_OK;
}

static lp_status run_direction(job *j, float *const last[2])
{
    int64_t n = j->hidden;
    const float *state;
    lpi_matrix any = {j->r, j->gates * n, 1, NULL};

    LP_TRY(find_functions(j, j->gates == 4 ? 3 : j->gates == 3 ? 2 : 1));
    LP_TRY(find_weights(j));
    memset(j->h, 0, (size_t)(j->batch * n) * sizeof(*j->h));
    memset(j->c, 0, (size_t)(j->batch * n) * sizeof(*j->c));
    LP_TRY(lpi_run_floats(j->run, 5, &state));
    copy_state(j, (float *)state, j->h, false);
    if (j->gates == 4) {
        LP_TRY(lpi_run_floats(j->run, 6, &state));
        copy_state(j, (float *)state, j->c, false);
    }
    LP_TRY(start_sums(j));
    j->step = (lpi_gemm){.m = j->batch,
                         .n = j->gates * n,
                         .k = n,
                         .a = {j->h, n, 1, NULL},
                         .b = {lpi_pack_matrix, &any},
                         .c = j->gate,
                         .fresh = true,
                         .team = lpi_run_team(j->run)};
    j->step.c_row = j->gates == 3 ? n : j->gates * n;
    j->step.workspace =
        LPI_NEW(j->run->scratch, float, lpi_gemm_workspace(&j->step) + 65536);
    if (j->step.workspace == NULL)
        return lpi_node_fail_memory(j->run->node);
    for (int64_t s = 0; s < j->steps; s++)
        run_step(j, s);
    copy_state(j, last[0], j->h, true);
    copy_state(j, last[1], j->c, true);
    return LP_OK;
}

/* Memory of all directions. */
static lp_status make_room(job *j)
{
    lpi_arena *arena = j->run->scratch;
    int64_t n = j->hidden, columns = j->gates * n;

    j->r = LPI_NEW(arena, float, n *columns);
    j->room = LPI_NEW(arena, float, j->quantizes ? j->width *columns : 0);
    j->sums = LPI_NEW(arena, float, lpi_mul(j->steps * j->batch, columns));
    j->h = LPI_NEW(arena, float, j->batch *n);
    j->c = LPI_NEW(arena, float, j->batch *n);
    j->gate = LPI_NEW(arena, float, j->batch *columns);
    j->extra = LPI_NEW(arena, float, 2 * j->batch * n);
    return j->r != NULL && j->room != NULL && j->sums != NULL && j->h != NULL &&
                   j->c != NULL && j->gate != NULL && j->extra != NULL
               ? LP_OK
               : lpi_node_fail_memory(j->run->node);
}

static lp_status recurrent_run(const lpi_run *run, int64_t gates,
                               bool quantizes)
{
    const lpi_recurrent *p = run->node->params;
    lp_shape x = lpi_in_shape(run->node, 0), w = lpi_in_shape(run->node, 1);
    bool batch_first = p->layout != 0;
    job j = {.run = run,
             .params = p,
             .gates = gates,
             .steps = x.dims[batch_first ? 1 : 0],
             .batch = x.dims[batch_first ? 0 : 1],
             .width = x.dims[2],
             .hidden = lpi_in_shape(run->node, 2).dims[quantizes ? 1 : 2],
             .quantizes = quantizes,
             .directions = w.dims[0]};

    j.cell = (lpi_recurrence){.isa = lpi_run_team(run).isa,
                              .params = p,
                              .hidden = j.hidden,
                              .gates = gates};
    float *last[2] = {NULL, NULL};
    lpi_list lengths = {.count = 0};

    LP_TRY(lpi_run_floats(run, 0, &j.x));
    LP_TRY(lpi_run_result(run, 0, &j.y));
    for (int32_t i = 1; i < 3 && i < run->node->layer->outputs_count; i++)
        LP_TRY(lpi_run_result(run, i, &last[i - 1]));
    if (lpi_in(run->node, 4) != NULL) {
        LP_TRY(lpi_run_ints(run, 4, &lengths));
        j.lengths = lengths.ints;
        if (j.y != NULL)
            memset(j.y, 0,
                   (size_t)lpi_out_elements(run->node, 0) * sizeof(*j.y));
    }
    LP_TRY(make_room(&j));
    if (quantizes)
        LP_TRY(lpi_rounded_inputs(run, j.lengths, &j.x));
    for (j.direction = 0; j.direction < j.directions; j.direction++) {
        j.backwards = j.direction == 1 || strcmp(p->direction, "reverse") == 0;
        LP_TRY(run_direction(&j, last));
    }
    lpi_run_store(run, 0, j.y);
    for (int32_t i = 1; i < 3 && i < run->node->layer->outputs_count; i++)
        lpi_run_store(run, i, last[i - 1]);
    return LP_OK;
}

lp_status lpi_lstm_run(const lpi_run *run)
{
    return recurrent_run(run, 4, false);
}

lp_status lpi_gru_run(const lpi_run *run)
{
    return recurrent_run(run, 3, false);
}

lp_status lpi_rnn_run(const lpi_run *run)
{
    return recurrent_run(run, 1, false);
}

lp_status lpi_lstm_quantized_run(const lpi_run *run)
{
    return recurrent_run(run, 4, true);
}
