/* recurrent.h: runs of rows with a state: LSTM, GRU, RNN, linear attention.
 *
 * A part of ops.h, which alone includes it. */
#ifndef LPI_OPS_RECURRENT_H
#define LPI_OPS_RECURRENT_H

/* ---- recurring.c ------------------------------------------------------- */

typedef struct lpi_recurrent {
    int64_t hidden_size, layout, linear_before_reset, input_forget;
    const char *direction;
    float clip;
    lpi_list activations, activation_alpha, activation_beta;
} lpi_recurrent;

lp_status lpi_lstm_run(const lpi_run *run);
lp_status lpi_gru_run(const lpi_run *run);
lp_status lpi_rnn_run(const lpi_run *run);
lp_status lpi_lstm_quantized_run(const lpi_run *run);

/* ---- recurquant.c ------------------------------------------------------ */

/* Round "count" floats "from" into "to" (which may be the same) to the bytes
 * that DynamicQuantizeLinear makes of them. */
void lpi_round_range(const lpi_run *run, const float *from, int64_t count,
                     float *to);

/* X, "*x", of layout 0 with its first rows, those that some sequence has,
 * rounded so; "lengths" NULL: all. */
lp_status lpi_rounded_inputs(const lpi_run *run, const int64_t *lengths,
                             const float **x);

/* The weights that input "i" [D, rows, columns] has for "direction", into "to":
 * scaled by input "scales", one a direction or a column, about the zero points
 * of the next input. */
lp_status lpi_quantized_weights(const lpi_run *run, int32_t i, int32_t scales,
                                int64_t direction, float *to);

/* ---- cells.c: one step ------------------------------------------------- */

enum { LPI_CELL_FUNCTIONS = 3 };

/* What a step needs; "bias" and "peephole" NULL: none. */
typedef struct lpi_recurrence {
    const lpi_isa *isa;
    const lpi_recurrent *params;
    int64_t hidden, gates;
    lpi_unary functions[LPI_CELL_FUNCTIONS];
    const float *bias, *peephole;
} lpi_recurrence;

/* From the sums "gates" of a row to its next state "h" (and "c"). */
void lpi_cell_lstm(const lpi_recurrence *cell, float *gates, float *h,
                   float *c);
void lpi_cell_rnn(const lpi_recurrence *cell, float *gates, float *h);

/* A GRU needs its gates before the product of the candidate, "state": of the
 * state with R, or of the state times the reset gate. */
void lpi_cell_gru_gates(const lpi_recurrence *cell, float *gates);
void lpi_cell_gru(const lpi_recurrence *cell, float *gates, float *state,
                  float *h);

/* ---- streaming.c: runs of rotary.c's rows with a state ------------------- */

typedef struct lpi_linear {
    int64_t q_num_heads, kv_num_heads, chunk_size;
    const char *update_rule;
    float scale;
} lpi_linear;

typedef struct lpi_causal {
    const char *activation;
} lpi_causal;

lp_status lpi_linear_run(const lpi_run *run);
lp_status lpi_causal_run(const lpi_run *run);

#endif
