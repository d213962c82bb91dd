/* tfidf.c: TfIdfVectorizer over integers.
 *
 * Every n-gram of the pool is counted at every start and every distance of its
 * items, single items at one distance alone.  Priced as one compare for each
 * start, distance and n-gram.  Source: ONNX operator TfIdfVectorizer-9. */
#include <string.h>

#include "../ops.h"

typedef struct tfidf_params {
    int64_t max_gram_length, max_skip_count, min_gram_length;
    const char *mode;
    lpi_list ngram_counts, ngram_indexes, pool_int64s, weights;
} tfidf_params;

static const lpi_spec tfidf_specs[] = {
    LPI_SPEC_NEEDED(tfidf_params, max_gram_length, LPI_ATTR_INT),
    LPI_SPEC_NEEDED(tfidf_params, max_skip_count, LPI_ATTR_INT),
    LPI_SPEC_NEEDED(tfidf_params, min_gram_length, LPI_ATTR_INT),
    LPI_SPEC_NEEDED(tfidf_params, mode, LPI_ATTR_STRING),
    LPI_SPEC_NEEDED(tfidf_params, ngram_counts, LPI_ATTR_INTS),
    LPI_SPEC_NEEDED(tfidf_params, ngram_indexes, LPI_ATTR_INTS),
    LPI_SPEC_LIST(tfidf_params, pool_int64s, LPI_ATTR_INTS),
    LPI_SPEC_LIST(tfidf_params, weights, LPI_ATTR_FLOATS),
    {.name = NULL},
};

static lp_status tfidf_shape(lpi_node *node)
{
    const tfidf_params *params = node->params;
    lp_shape x = lpi_in_shape(node, 0);
    int64_t dims[2] = {-1, 0};

    for (int64_t i = 0; i < params->ngram_indexes.count; i++) {
        int64_t index = params->ngram_indexes.ints[i];

        if (index < 0 || index >= INT32_MAX)
            return lpi_node_fail(node, "an index of %lld", (long long)index);
        if (index >= dims[1])
            dims[1] = index + 1;
    }
    if (x.rank < 0)
        return lpi_out_set_shape(node, 0, LP_FLOAT32, x);
    if (x.rank > 2)
        return lpi_node_fail(node, "input of rank %d", x.rank);
    dims[0] = x.rank == 2 ? x.dims[0] : 1;
    return lpi_out_set(node, 0, LP_FLOAT32, x.rank == 2 ? 2 : 1,
                       dims + (x.rank != 2));
}

static void tfidf_cost(const lpi_node *node, lp_cost *cost)
{
    const tfidf_params *params = node->params;

    lpi_cost_arith(
        cost, LP_CMP,
        lpi_mul(lpi_mul(lpi_in_elements(node, 0), params->ngram_indexes.count),
                lpi_add(params->max_skip_count, 1)));
    lpi_cost_arith(cost, LP_MUL, lpi_out_elements(node, 0));
}

/* Occurrences of the "n" items at "gram" in the row "x" of "length". */
static int64_t occurrences(const tfidf_params *params, const int64_t *x,
                           int64_t length, const int64_t *gram, int64_t n)
{
    int64_t distances = n == 1 ? 1 : lpi_add(params->max_skip_count, 1);
    int64_t count = 0;

    for (int64_t d = 1; d <= distances && d <= length; d++)
        for (int64_t i = 0; i < length && (n - 1) * d < length - i; i++) {
            int64_t k = 0;

            while (k < n && x[i + k * d] == gram[k])
                k++;
            count += k == n;
        }
    return count;
}

/* Add what the row "x" holds to "to". */
static lp_status count_row(const lpi_run *run, const int64_t *x, int64_t length,
                           double *to)
{
    const tfidf_params *params = run->node->params;
    const lpi_list *starts = &params->ngram_counts,
                   *pool = &params->pool_int64s;
    bool is_tf = strcmp(params->mode, "TF") == 0;
    bool is_idf = strcmp(params->mode, "IDF") == 0;
    int64_t gram = 0;

    for (int64_t s = 0; s < starts->count; s++) {
        int64_t n = s + 1, from = starts->ints[s];
        int64_t until = n < starts->count ? starts->ints[n] : pool->count;

        if (from < 0 || until > pool->count)
            return lpi_node_fail(run->node, "ngram_counts leave the pool");
        for (; until - from >= n; from += n, gram++) {
            double weight = 1;
            int64_t count;

            if (gram >= params->ngram_indexes.count)
                return lpi_node_fail(run->node, "an n-gram has no index");
            if (n < params->min_gram_length || n > params->max_gram_length)
                continue;
            count = occurrences(params, x, length, pool->ints + from, n);
            if (!is_tf && gram < params->weights.count)
                weight = (double)params->weights.floats[gram];
            to[params->ngram_indexes.ints[gram]] +=
                weight * (is_idf ? count > 0 : (double)count);
        }
    }
    return LP_OK;
}

static lp_status tfidf_run(const lpi_run *run)
{
    lp_shape x = lpi_in_shape(run->node, 0), y = lpi_out_shape(run->node, 0);
    int64_t rows = x.rank == 2 ? x.dims[0] : 1;
    int64_t length = x.rank > 0 ? x.dims[x.rank - 1] : 1;
    lpi_list list;
    double *to;

    LP_TRY(lpi_run_ints(run, 0, &list));
    LP_TRY(lpi_run_room(run, 0, &to));
    for (int64_t i = 0; i < rows; i++)
        LP_TRY(count_row(run, list.ints + i * length, length,
                         to + i * y.dims[y.rank - 1]));
    lpi_run_keep(run, 0, to);
    return LP_OK;
}

const lp_op lpi_ops_tfidf[] = {
    {.domain = "",
     .name = "TfIdfVectorizer",
     .since = 9,
     .inputs_min = 1,
     .inputs_max = 1,
     .outputs_min = 1,
     .outputs_max = 1,
     .params_size = sizeof(tfidf_params),
     .specs = tfidf_specs,
     .shape = tfidf_shape,
     .cost = tfidf_cost,
     .run = tfidf_run,
     .samples =
         "opset 17; input x: int32[2, 6]; y = TfIdfVectorizer(x) {mode: \"TF\","
         " min_gram_length: 2, max_gram_length: 2, max_skip_count: 1, "
         "ngram_counts: [0, 4], ngram_indexes: [0, 1, 2, 3, 4, 5, 6], "
         "pool_int64s: [2, 3, 5, 4, 5, 6, 7, 8, 6, 7]}; output y"},
    {.name = NULL},
};
