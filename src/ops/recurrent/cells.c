/* cells.c: one step of one row of LSTM, GRU and RNN, after its products.
 *
 * "gates" holds the sums of the row; multiplies and adds are not fused.
 * Sources: ONNX operators LSTM-22, GRU-22, RNN-22. */
#include <string.h>

#include "../ops.h"

static void add(const lpi_recurrence *j, float *to, const float *from)
{
    if (from != NULL)
        j->isa->binary[LPI_BINARY_ADD](j->hidden, to, 1, from, 1, to);
}

static void activate(const lpi_recurrence *j, int32_t function, float *to)
{
    float clip = j->params->clip;

    for (int64_t i = 0; i < j->hidden && clip > 0; i++)
        to[i] = to[i] > clip ? clip : to[i] < -clip ? -clip : to[i];
    j->isa->unary[j->functions[function]](j->hidden, to, to);
}

/* Both biases of gate "gate" added to "to". */
static void add_biases(const lpi_recurrence *j, int64_t gate, float *to)
{
    if (j->bias == NULL)
        return;
    add(j, to, j->bias + gate * j->hidden);
    add(j, to, j->bias + (j->gates + gate) * j->hidden);
}

/* to[i] += peephole[i] * cell[i] */
static void peep(const lpi_recurrence *j, int64_t which, const float *cell,
                 float *to)
{
    for (int64_t i = 0; i < j->hidden && j->peephole != NULL; i++) {
        float product = j->peephole[which * j->hidden + i] * cell[i];

        to[i] += product;
    }
}

void lpi_cell_lstm(const lpi_recurrence *j, float *gates, float *h, float *c)
{
    int64_t n = j->hidden;
    float *in = gates, *out = gates + n, *forget = gates + 2 * n;
    float *cell = gates + 3 * n;

    for (int64_t g = 0; g < 4; g++)
        add_biases(j, g, gates + g * n);
    peep(j, 0, c, in);
    peep(j, 2, c, forget);
    activate(j, 0, in);
    activate(j, 0, forget);
    activate(j, 1, cell);
    for (int64_t i = 0; i < n; i++) {
        float kept = (j->params->input_forget ? 1 - in[i] : forget[i]) * c[i];
        float fresh = in[i] * cell[i];

        c[i] = kept + fresh;
    }
    peep(j, 1, c, out);
    activate(j, 0, out);
    j->isa->unary[j->functions[2]](n, c, h);
    j->isa->binary[LPI_BINARY_MUL](n, out, 1, h, 1, h);
}

void lpi_cell_rnn(const lpi_recurrence *j, float *gates, float *h)
{
    add_biases(j, 0, gates);
    activate(j, 0, gates);
    memcpy(h, gates, (size_t)j->hidden * sizeof(*h));
}

void lpi_cell_gru_gates(const lpi_recurrence *j, float *gates)
{
    for (int64_t g = 0; g < 2; g++) {
        add_biases(j, g, gates + g * j->hidden);
        activate(j, 0, gates + g * j->hidden);
    }
}

void lpi_cell_gru(const lpi_recurrence *j, float *gates, float *state, float *h)
{
    int64_t n = j->hidden;
    float *update = gates, *reset = gates + n, *fresh = gates + 2 * n;

    if (j->params->linear_before_reset != 0) {
        if (j->bias != NULL)
            add(j, state, j->bias + 5 * n);
        j->isa->binary[LPI_BINARY_MUL](n, reset, 1, state, 1, state);
        add(j, fresh, state);
        if (j->bias != NULL)
            add(j, fresh, j->bias + 2 * n);
    } else {
        add(j, fresh, state);
        add_biases(j, 2, fresh);
    }
    activate(j, 1, fresh);
    for (int64_t i = 0; i < n; i++) {
        float left = (1 - update[i]) * fresh[i], right = update[i] * h[i];

        h[i] = left + right;
    }
}
