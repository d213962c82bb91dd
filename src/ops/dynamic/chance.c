/* chance.c: runs that draw random numbers.
 *
 * The Mersenne Twister, seeded with the attribute "seed", or with the name of
 * the layer where it has none, so that a run can be repeated.  A uniform
 * number has 53 random bits; normal ones come in pairs (Box and Muller).
 * Sources: ONNX operators Dropout-22, RandomNormal-22, RandomUniform-22,
 * Bernoulli-22, Multinomial-22; M. Matsumoto, T. Nishimura, "Mersenne
 * Twister", 1998. */
#include <math.h>

#include "../ops.h"

enum { WORDS = 624, FAR = 397 };

typedef struct twister {
    uint32_t words[WORDS];
    int32_t at;
} twister;

static void seed_twister(twister *t, uint32_t seed)
{
    t->words[0] = seed;
    for (uint32_t i = 1; i < WORDS; i++)
        t->words[i] = 1812433253u * (t->words[i - 1] ^ t->words[i - 1] >> 30) +
                      i;
    t->at = WORDS;
}

static void stir(twister *t)
{
    for (int32_t i = 0; i < WORDS; i++) {
        uint32_t x = (t->words[i] & 0x80000000u) |
                     (t->words[(i + 1) % WORDS] & 0x7fffffffu);

        t->words[i] = t->words[(i + FAR) % WORDS] ^ x >> 1 ^
                      (x & 1 ? 0x9908b0dfu : 0);
    }
    t->at = 0;
}

static uint32_t next_word(twister *t)
{
    uint32_t x;

    if (t->at == WORDS)
        stir(t);
    x = t->words[t->at++];
    x ^= x >> 11;
    x ^= x << 7 & 0x9d2c5680u;
    x ^= x << 15 & 0xefc60000u;
    return x ^ x >> 18;
}

/* Uniform in [0, 1). */
static double uniform(twister *t)
{
    uint32_t high = next_word(t) >> 5, low = next_word(t) >> 6;

    return ((double)high * 67108864 + (double)low) / 9007199254740992;
}

static double normal(twister *t)
{
    double radius = sqrt(-2 * log(1 - uniform(t)));

    return radius * cos(2 * acos(-1) * uniform(t));
}

/* A twister for "run"; NULL without memory. */
static twister *twister_of(const lpi_run *run)
{
    const lpi_chance *params = run->node->params;
    twister *t = LPI_NEW(run->scratch, twister, 1);
    uint32_t seed = 2166136261u;

    if (t == NULL)
        return NULL;
    for (const char *at = run->node->layer->name; *at; at++)
        seed = (seed ^ (uint8_t)*at) * 16777619u;
    seed_twister(t, params->is_seeded ? (uint32_t)params->seed : seed);
    return t;
}

lp_status lpi_random_run(const lpi_run *run)
{
    const lpi_chance *params = run->node->params;
    twister *t = twister_of(run);
    double *to;

    if (t == NULL)
        return lpi_node_fail_memory(run->node);
    LP_TRY(lpi_run_room(run, 0, &to));
    for (int64_t i = 0; i < lpi_out_elements(run->node, 0); i++)
        to[i] = params->is_normal
                    ? (double)params->mean + (double)params->scale * normal(t)
                    : (double)params->low +
                          ((double)params->high - (double)params->low) *
                              uniform(t);
    lpi_run_keep(run, 0, to);
    return LP_OK;
}

lp_status lpi_bernoulli_run(const lpi_run *run)
{
    twister *t = twister_of(run);
    const double *x;
    double *to;

    if (t == NULL)
        return lpi_node_fail_memory(run->node);
    LP_TRY(lpi_run_reals(run, 0, &x));
    LP_TRY(lpi_run_room(run, 0, &to));
    for (int64_t i = 0; i < lpi_out_elements(run->node, 0); i++)
        to[i] = uniform(t) < x[i];
    lpi_run_keep(run, 0, to);
    return LP_OK;
}

/* A class of a row of "x", logarithms of "classes" weights. */
static int64_t choose(twister *t, const double *x, int64_t classes)
{
    double most = -INFINITY, sum = 0, rest;
    int64_t k = 0;

    for (int64_t i = 0; i < classes; i++)
        most = fmax(most, x[i]);
    for (int64_t i = 0; i < classes; i++)
        sum += exp(x[i] - most);
    rest = uniform(t) * sum;
    while (k < classes - 1 && (rest -= exp(x[k] - most)) >= 0)
        k++;
    return k;
}

lp_status lpi_multinomial_run(const lpi_run *run)
{
    lp_shape x = lpi_in_shape(run->node, 0), y = lpi_out_shape(run->node, 0);
    twister *t = twister_of(run);
    const double *from;
    double *to;

    if (t == NULL)
        return lpi_node_fail_memory(run->node);
    LP_TRY(lpi_run_reals(run, 0, &from));
    LP_TRY(lpi_run_room(run, 0, &to));
    for (int64_t i = 0; i < y.dims[0] * y.dims[1]; i++)
        to[i] = (double)choose(t, from + i / y.dims[1] * x.dims[1], x.dims[1]);
    lpi_run_keep(run, 0, to);
    return LP_OK;
}

lp_status lpi_dropout_run(const lpi_run *run)
{
    const lpi_chance *params = run->node->params;
    int64_t count = lpi_out_elements(run->node, 0);
    double ratio = (double)params->ratio, *mask;
    int64_t trains = 1;
    twister *t = twister_of(run);
    const double *x, *given;

    LP_TRY(lpi_run_reals(run, 0, &x));
    LP_TRY(lpi_run_reals(run, 1, &given));
    mask = LPI_NEW(run->scratch, double, count);
    if (t == NULL || mask == NULL)
        return lpi_node_fail_memory(run->node);
    if (given != NULL && lpi_in_elements(run->node, 1) == 1)
        ratio = *given;
    if (lpi_in(run->node, 2) != NULL)
        LP_TRY(lpi_run_int(run, 2, &trains));
    if (!trains)
        ratio = 0;
    for (int64_t i = 0; i < count; i++) {
        mask[i] = ratio == 0 || uniform(t) >= ratio;
        ((double *)x)[i] = mask[i] != 0 ? x[i] / (1 - ratio) : 0;
    }
    lpi_run_keep(run, 0, x);
    if (lpi_out(run->node, 1) != NULL)
        lpi_run_keep(run, 1, mask);
    return LP_OK;
}
