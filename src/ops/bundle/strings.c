/* strings.c: texts: StringConcat, StringSplit, StringNormalizer, Equal of
 * texts, RegexFullMatch.
 *
 * Texts are UTF-8 without a NUL; letters beyond ASCII keep their case.  What a
 * text takes is not counted.  Sources: ONNX operators StringConcat-20,
 * StringSplit-20, StringNormalizer-10, Equal-19. */
#include <string.h>

#include "../ops.h"

typedef struct string_params {
    const char *delimiter, *case_change_action, *pattern;
    int64_t maxsplit, is_case_sensitive;
    lpi_list stopwords;
} string_params;

static const lpi_spec split_specs[] = {
    LPI_SPEC_STRING(string_params, delimiter, ""),
    LPI_SPEC_INT(string_params, maxsplit, -1),
    {.name = NULL},
};

static const lpi_spec normal_specs[] = {
    LPI_SPEC_STRING(string_params, case_change_action, "NONE"),
    LPI_SPEC_INT(string_params, is_case_sensitive, 0),
    LPI_SPEC_LIST(string_params, stopwords, LPI_ATTR_STRINGS),
    {.name = NULL},
};

static const lpi_spec match_specs[] = {
    LPI_SPEC_NEEDED(string_params, pattern, LPI_ATTR_STRING),
    {.name = NULL},
};

/* The texts of input "i". */
static lp_status read_texts(const lpi_run *run, int32_t i,
                            const char ***ret_texts)
{
    const lpi_bundle *bundle;

    LP_TRY(lpi_run_bundle(run, i, LPI_TENSOR, &bundle));
    if (bundle->dtype != LP_STRING)
        return lpi_node_fail(run->node, "input %d holds no texts", i);
    *ret_texts = lpi_bundle_texts(run->scratch, bundle);
    return *ret_texts != NULL ? LP_OK : lpi_node_fail_memory(run->node);
}

/* Make "texts" of "shape" output 0. */
static lp_status give_texts(const lpi_run *run, lp_shape shape,
                            const char *const *texts)
{
    return lpi_run_give(
        run, 0, lpi_bundle_of_texts(run->node->model->arena, shape, texts));
}

/* ---- two operands -------------------------------------------------------- */

/* Element of an operand of "shape" for element "i" of "whole". */
static int64_t spread(lp_shape shape, lp_shape whole, int64_t i)
{
    int64_t at = 0, step = 1;

    for (int32_t k = 1; k <= shape.rank; k++) {
        int64_t length = whole.dims[whole.rank - k];
        int64_t own = shape.dims[shape.rank - k];

        at += own == 1 ? 0 : i % length * step;
        step *= own;
        i /= length;
    }
    return at;
}

static lp_status concat_shape(lpi_node *node)
{
    lp_shape shape;

    if (!lpi_broadcast(node, lpi_in_shape(node, 0), lpi_in_shape(node, 1),
                       &shape))
        return lpi_node_fail(node, "operands that do not broadcast");
    return lpi_out_set_shape(node, 0, LP_STRING, shape);
}

static lp_status concat_run(const lpi_run *run)
{
    lp_shape y = lpi_out_shape(run->node, 0);
    int64_t count = lpi_shape_elements(y);
    const char **a, **b, **texts = LPI_NEW(run->scratch, const char *, count);

    LP_TRY(read_texts(run, 0, &a));
    LP_TRY(read_texts(run, 1, &b));
    for (int64_t i = 0; texts != NULL && i < count; i++) {
        texts[i] = lpi_arena_printf(
            run->scratch, "%s%s", a[spread(lpi_in_shape(run->node, 0), y, i)],
            b[spread(lpi_in_shape(run->node, 1), y, i)]);
        if (texts[i] == NULL)
            texts = NULL;
    }
    return texts != NULL ? give_texts(run, y, texts)
                         : lpi_node_fail_memory(run->node);
}

lp_status lpi_texts_equal_run(const lpi_run *run)
{
    lp_shape y = lpi_out_shape(run->node, 0);
    uint8_t *to = run->out[0];
    const char **a, **b;

    LP_TRY(read_texts(run, 0, &a));
    LP_TRY(read_texts(run, 1, &b));
    for (int64_t i = 0; i < lpi_shape_elements(y); i++)
        to[i] = strcmp(a[spread(lpi_in_shape(run->node, 0), y, i)],
                       b[spread(lpi_in_shape(run->node, 1), y, i)]) == 0;
    return LP_OK;
}

/* ---- StringSplit --------------------------------------------------------- */

/* The number of parts is known by a bound only, where there is one. */
static lp_status split_shape(lpi_node *node)
{
    const string_params *params = node->params;
    lp_shape x = lpi_in_shape(node, 0);
    int64_t *dims;

    LP_TRY(lpi_out_set_shape(node, 1, LP_INT64, x));
    if (x.rank < 0)
        return lpi_out_set_shape(node, 0, LP_STRING, x);
    dims = lpi_node_dims(node, (int64_t)x.rank + 1);
    if (dims == NULL)
        return lpi_node_fail_memory(node);
    if (x.rank > 0)
        memcpy(dims, x.dims, (size_t)x.rank * sizeof(*dims));
    dims[x.rank] = params->maxsplit >= 0 ? lpi_add(params->maxsplit, 1) : -1;
    if (params->maxsplit >= 0)
        lpi_node_note(node, "the number of parts depends on the texts");
    return lpi_out_set(node, 0, LP_STRING, x.rank + 1, dims);
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The end of the part that begins at "at", and the begin of the next; NULL
 * when it is the last. */
static const char *part_end(const string_params *params, const char *at,
                            const char **ret_next)
{
    const char *end = at;

    if (*params->delimiter) {
        end = strstr(at, params->delimiter);
        *ret_next = end ? end + strlen(params->delimiter) : NULL;
        return end ? end : at + strlen(at);
    }
    while (*end && !is_space(*end))
        end++;
    *ret_next = end;
    while (is_space(**ret_next))
        (*ret_next)++;
    if (!**ret_next)
        *ret_next = NULL;
    return end;
}

/* Split "text" into "parts" (NULL: count only), at most as often as allowed;
 * "*ret_count" of them. */
static lp_status split_text(const lpi_run *run, const char *text,
                            const char **parts, int64_t *ret_count)
{
    const string_params *params = run->node->params;
    const char *next = text;
    int64_t count = 0;

    while (!*params->delimiter && is_space(*next))
        next++;
    if (!*params->delimiter && !*next)
        next = NULL;
    while (next) {
        bool is_last = params->maxsplit >= 0 && count == params->maxsplit;
        const char *at = next, *end = at + strlen(at);

        next = NULL;
        if (!is_last)
            end = part_end(params, at, &next);
        if (parts != NULL) {
            parts[count] =
                lpi_arena_strndup(run->scratch, at, (size_t)(end - at));
            if (parts[count] == NULL)
                return lpi_node_fail_memory(run->node);
        }
        count++;
    }
    *ret_count = count;
    return LP_OK;
}

static lp_status split_run(const lpi_run *run)
{
    lp_shape x = lpi_in_shape(run->node, 0), shape;
    int64_t count = lpi_shape_elements(x), most = 0, some;
    int64_t *counts = LPI_NEW(run->scratch, int64_t, count);
    int64_t *dims = LPI_NEW(run->scratch, int64_t, (int64_t)x.rank + 1);
    const char **texts, **parts;

    LP_TRY(read_texts(run, 0, &texts));
    if (counts == NULL || dims == NULL)
        return lpi_node_fail_memory(run->node);
    for (int64_t i = 0; i < count; i++) {
        LP_TRY(split_text(run, texts[i], NULL, &counts[i]));
        most = counts[i] > most ? counts[i] : most;
    }
    parts = LPI_NEW(run->scratch, const char *, lpi_mul(count, most));
    if (parts == NULL)
        return lpi_node_fail_memory(run->node);
    for (int64_t i = 0; i < count * most; i++)
        parts[i] = "";
    for (int64_t i = 0; i < count; i++)
        LP_TRY(split_text(run, texts[i], parts + i * most, &some));
    if (lpi_out(run->node, 1) != NULL)
        memcpy(run->out[1], counts, (size_t)count * sizeof(*counts));
    if (x.rank > 0)
        memcpy(dims, x.dims, (size_t)x.rank * sizeof(*dims));
    dims[x.rank] = most;
    shape = (lp_shape){x.rank + 1, dims};
    return give_texts(run, shape, parts);
}

/* ---- StringNormalizer ---------------------------------------------------- */

/* As many texts as there are, or less. */
static lp_status normal_shape(lpi_node *node)
{
    lp_shape x = lpi_in_shape(node, 0);

    if (x.rank >= 0 && x.rank != 1 && (x.rank != 2 || x.dims[0] != 1))
        return lpi_node_fail(node, "input of rank %d", x.rank);
    node->is_bound = true;
    return lpi_out_set_shape(node, 0, LP_STRING, x);
}

/* The letter "c" of ASCII in the case that "action" asks for. */
static char change_case(const char *action, char c)
{
    if (strcmp(action, "LOWER") == 0 && c >= 'A' && c <= 'Z')
        return (char)(c - 'A' + 'a');
    if (strcmp(action, "UPPER") == 0 && c >= 'a' && c <= 'z')
        return (char)(c - 'a' + 'A');
    return c;
}

static bool same_text(const char *action, const char *a, const char *b)
{
    while (*a && change_case(action, *a) == change_case(action, *b)) {
        a++;
        b++;
    }
    return change_case(action, *a) == change_case(action, *b);
}

static bool is_stopword(const string_params *params, const char *text)
{
    const char *action = params->is_case_sensitive ? "NONE"
                                                   : params->case_change_action;

    for (int64_t i = 0; i < params->stopwords.count; i++)
        if (same_text(action, params->stopwords.strings[i], text))
            return true;
    return false;
}

static lp_status normal_run(const lpi_run *run)
{
    const string_params *params = run->node->params;
    lp_shape x = lpi_in_shape(run->node, 0);
    int64_t count = lpi_shape_elements(x), kept = 0, dims[2] = {1, 0};
    const char **texts;

    LP_TRY(read_texts(run, 0, &texts));
    for (int64_t i = 0; i < count; i++) {
        char *copy = lpi_arena_strdup(run->scratch, texts[i]);

        if (copy == NULL)
            return lpi_node_fail_memory(run->node);
        if (is_stopword(params, copy) || !*copy)
            continue;
        for (char *at = copy; *at; at++)
            *at = change_case(params->case_change_action, *at);
        texts[kept++] = copy;
    }
    static const char *const nothing = "";

    dims[1] = kept > 0 ? kept : 1;
    return give_texts(run, (lp_shape){x.rank, dims + (2 - x.rank)},
                      kept > 0 ? texts : (const char **)&nothing);
}

/* A truth a text. */
static lp_status match_shape(lpi_node *node)
{
    return lpi_out_set_shape(node, 0, LP_BOOL, lpi_in_shape(node, 0));
}

static lp_status match_run(const lpi_run *run)
{
    return lpi_regex_run(run,
                         ((const string_params *)run->node->params)->pattern);
}

#define STRINGS(name_, since_, inputs)                                         \
    .domain = "", .name = name_, .since = since_, .inputs_min = inputs,        \
    .inputs_max = inputs, .outputs_min = 1, .flags = LPI_BUNDLES

const lp_op lpi_ops_strings[] = {
    {STRINGS("StringConcat", 20, 2), .outputs_max = 1, .shape = concat_shape,
     .run = concat_run,
     .samples = "opset 20; input a: string[2, 3]; input b: string[3]; y = "
                "StringConcat(a, b); output y"},
    {STRINGS("StringSplit", 20, 1), .outputs_max = 2,
     .params_size = sizeof(string_params), .specs = split_specs,
     .shape = split_shape, .run = split_run,
     .samples = "opset 20; input a: string[2]; y, n = StringSplit(a) "
                "{delimiter: \",\", maxsplit: 2}; output y; output n"},
    {STRINGS("StringNormalizer", 10, 1), .outputs_max = 1,
     .params_size = sizeof(string_params), .specs = normal_specs,
     .shape = normal_shape, .run = normal_run,
     .samples = "opset 17; input a: string[4]; y = StringNormalizer(a) "
                "{case_change_action: \"LOWER\", stopwords: [\"monday\"]}; "
                "output y"},
    {STRINGS("RegexFullMatch", 20, 1), .outputs_max = 1,
     .params_size = sizeof(string_params), .specs = match_specs,
     .shape = match_shape, .run = match_run,
     .samples = "opset 20; input a: string[4]; y = RegexFullMatch(a) "
                "{pattern: \"a*\"}; output y"},
    {.name = NULL},
};
