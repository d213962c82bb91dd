/* einsum.c: Einstein sums.
 *
 * An equation is a list of terms, each a string of letters and at most one
 * ellipsis; a letter is an axis, the ellipsis stands for the axes left over,
 * which broadcast.  Every axis gets a slot: 0 to 51 for the letters, then one
 * for each axis of the widest ellipsis, aligned at its end.
 *
 * Multiplies: operands are contracted from the left, two at a time; an axis
 * that neither a later operand nor the result has is summed away; each step
 * takes the product of the extents of its axes.  It is linear when one side
 * derives from weights alone.  Source: ONNX operator Einsum-28. */
#include <string.h>

#include "../ops.h"

enum {
    LETTERS = 52,
    EXTRA_MOST = 12,          /* axes that an ellipsis may stand for */
    SLOTS = LPI_EINSUM_SLOTS, /* LETTERS + EXTRA_MOST */
    TERMS_MOST = LPI_EINSUM_TERMS,
};

typedef struct einsum_params {
    const char *equation;
} einsum_params;

typedef lpi_einsum_term einsum_term;

typedef struct einsum_plan {
    int64_t extents[SLOTS]; /* -1 unknown, -2 not seen */
    int32_t uses[SLOTS];    /* operands that have the axis */
    int32_t extra;          /* axes of the widest ellipsis */
    int32_t seen[SLOTS];    /* times a letter stands in the equation */
} einsum_plan;

static const lpi_spec einsum_specs[] = {
    LPI_SPEC_NEEDED(einsum_params, equation, LPI_ATTR_STRING),
    {.name = NULL},
};

/* Slot of "letter", -1 for none. */
static int32_t slot_of(char letter)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    const char *at = letter != '\0' ? strchr(letters, letter) : NULL;

    return at != NULL ? (int32_t)(at - letters) : -1;
}

/* Read a term that ends at "end" into "term"; its ellipsis, if any, stands for
 * "extra" axes. */
static lp_status read_term(const lpi_node *node, const char *text,
                           const char *end, int32_t extra,
                           einsum_term *ret_term)
{
    bool dotted = false;

    ret_term->count = 0;
    for (; text < end; text++) {
        int32_t slot = slot_of(*text);

        if (*text == ' ')
            continue;
        if (*text == '.' && end - text >= 3 && text[1] == '.' &&
            text[2] == '.' && !dotted) {
            dotted = true;
            text += 2;
            for (int32_t i = 0; i < extra && ret_term->count < SLOTS; i++)
                ret_term->slots[ret_term->count++] =
                    (uint8_t)(SLOTS - extra + i);
        } else if (slot >= 0 && ret_term->count < SLOTS) {
            ret_term->slots[ret_term->count++] = (uint8_t)slot;
        } else {
            return lpi_node_fail(node, "equation has '%c' out of place", *text);
        }
    }
    return LP_OK;
}

/* Axes that the ellipsis of the term from "text" to "end" stands for in an
 * operand of rank "rank": 0 without one. */
static int32_t extra_of(const char *text, const char *end, int32_t rank)
{
    bool dotted = false;
    int32_t letters = 0;

    for (; text < end; text++) {
        dotted = dotted || *text == '.';
        letters += slot_of(*text) >= 0;
    }
    return dotted ? rank - letters : 0;
}

/* Enter operand "i", whose term is "term", into "plan". */
static lp_status add_operand(const lpi_node *node, int32_t i,
                             const einsum_term *term, einsum_plan *plan)
{
    lp_shape shape = lpi_in_shape(node, i);
    uint64_t had = 0;

    if (term->count != shape.rank)
        return lpi_node_fail(node, "operand %d has rank %d, its term %d", i,
                             shape.rank, term->count);
    for (int32_t axis = 0; axis < term->count; axis++) {
        int32_t slot = term->slots[axis];
        int64_t dim = shape.dims[axis], *extent = &plan->extents[slot];

        if (*extent == -2 || *extent == 1)
            *extent = dim;
        else if (*extent < 0)
            *extent = dim > 1 ? dim : *extent;
        else if (dim >= 0 && dim != 1 && dim != *extent)
            return lpi_node_fail(node, "operand %d has %lld where %lld stands",
                                 i, (long long)dim, (long long)*extent);
        plan->seen[slot]++;
        plan->uses[slot] += (had >> slot & 1) == 0;
        had |= (uint64_t)1 << slot;
    }
    return LP_OK;
}

/* End of the term at "text": a comma, an arrow, or the end. */
static const char *term_end(const char *text)
{
    while (*text != '\0' && *text != ',' && *text != '-')
        text++;
    return text;
}

/* Read the terms of all operands into "terms" and "plan".  "*ret_rest" is what
 * follows them. */
static lp_status read_operands(const lpi_node *node, einsum_term *terms,
                               einsum_plan *plan, const char **ret_rest)
{
    const char *text = ((const einsum_params *)node->params)->equation;
    const char *end = text;
    int32_t count = node->layer->inputs_count;

    for (int32_t i = 0; i < SLOTS; i++)
        plan->extents[i] = -2;
    for (int32_t i = 0; i < count; i++, text = end + 1) {
        int32_t extra = 0;

        end = term_end(text);
        extra = extra_of(text, end, lpi_in_shape(node, i).rank);
        if ((*end == ',') != (i + 1 < count))
            return lpi_node_fail(node,
                                 "equation and operands differ in number");
        if (extra < 0 || extra > EXTRA_MOST)
            return lpi_node_fail(node,
                                 "the ellipsis of operand %d stands for "
                                 "%d axes",
                                 i, extra);
        if (extra > plan->extra)
            plan->extra = extra;
        LP_TRY(read_term(node, text, end, extra, &terms[i]));
        LP_TRY(add_operand(node, i, &terms[i], plan));
    }
    *ret_rest = end;
    return LP_OK;
}

/* The implicit result: the ellipsis, then the letters that stand once. */
static void implicit_result(const einsum_plan *plan, einsum_term *ret_term)
{
    ret_term->count = 0;
    for (int32_t i = SLOTS - plan->extra; i < SLOTS; i++)
        ret_term->slots[ret_term->count++] = (uint8_t)i;
    for (int32_t i = 0; i < LETTERS; i++)
        if (plan->seen[i] == 1)
            ret_term->slots[ret_term->count++] = (uint8_t)i;
}

/* Read the whole equation: the terms of the operands, and that of the result
 * into terms[TERMS_MOST]. */
static lp_status read_equation(const lpi_node *node, einsum_term *terms,
                               einsum_plan *plan)
{
    const char *rest = "";

    if (node->layer->inputs_count > TERMS_MOST)
        return lpi_node_fail(node, "more than %d operands", TERMS_MOST);
    LP_TRY(read_operands(node, terms, plan, &rest));
    if (*rest == '\0') {
        implicit_result(plan, &terms[TERMS_MOST]);
        return LP_OK;
    }
    if (rest[1] != '>')
        return lpi_node_fail(node, "equation has '-' out of place");
    return read_term(node, rest + 2, rest + strlen(rest), plan->extra,
                     &terms[TERMS_MOST]);
}

lp_status lpi_einsum_read(const lpi_node *node, lpi_einsum *ret_einsum)
{
    einsum_term terms[TERMS_MOST + 1];
    einsum_plan plan = {.extra = 0};

    LP_TRY(read_equation(node, terms, &plan));
    memcpy(ret_einsum->terms, terms, sizeof(ret_einsum->terms));
    ret_einsum->result = terms[TERMS_MOST];
    memcpy(ret_einsum->extents, plan.extents, sizeof(plan.extents));
    return LP_OK;
}

static lp_status einsum_shape(lpi_node *node)
{
    einsum_term terms[TERMS_MOST + 1];
    einsum_plan plan = {.extra = 0};
    const einsum_term *result = &terms[TERMS_MOST];
    int64_t dims[SLOTS];

    for (int32_t i = 0; i < node->layer->inputs_count; i++)
        if (lpi_in_shape(node, i).rank < 0)
            return lpi_out_set_shape(node, 0, lpi_in_dtype(node, 0),
                                     lpi_shape_unknown);
    LP_TRY(read_equation(node, terms, &plan));
    for (int32_t i = 0; i < result->count; i++) {
        dims[i] = plan.extents[result->slots[i]];
        if (dims[i] == -2)
            return lpi_node_fail(node,
                                 "an axis of the result is in no operand");
    }
    return lpi_out_set(node, 0, lpi_in_dtype(node, 0), result->count, dims);
}

/* The set of slots of "term" as bits. */
static uint64_t slots_of(const einsum_term *term)
{
    uint64_t set = 0;

    for (int32_t i = 0; i < term->count; i++)
        set |= (uint64_t)1 << term->slots[i];
    return set;
}

static int64_t volume(const einsum_plan *plan, uint64_t set)
{
    int64_t product = 1;

    for (int32_t i = 0; i < SLOTS; i++)
        if ((set >> i & 1) != 0)
            product = lpi_mul(product, plan->extents[i]);
    return product;
}

/* A single operand is only summed: an add for each of its elements, when the
 * result has fewer axes. */
static void einsum_cost(const lpi_node *node, lp_cost *cost)
{
    einsum_term terms[TERMS_MOST + 1];
    einsum_plan plan = {.extra = 0};
    int32_t count = node->layer->inputs_count;
    uint64_t held, result;
    bool is_weight;

    for (int32_t i = 0; i < count; i++)
        if (lpi_in(node, i) == NULL)
            return;
    is_weight = lpi_in(node, 0)->is_weight;
    if (read_equation(node, terms, &plan) != LP_OK)
        return;
    held = slots_of(&terms[0]);
    result = slots_of(&terms[TERMS_MOST]);
    if (count == 1 && held != result)
        lpi_cost_arith(cost, LP_ADD, volume(&plan, held));
    for (int32_t i = 1; i < count; i++) {
        bool own = lpi_in(node, i)->is_weight;
        int64_t *macs = is_weight || own ? &cost->macs_linear
                                         : &cost->macs_attention;
        uint64_t later = result;

        held |= slots_of(&terms[i]);
        *macs = lpi_add(*macs, volume(&plan, held));
        for (int32_t j = i + 1; j < count; j++)
            later |= slots_of(&terms[j]);
        held &= later;
        is_weight = is_weight && own;
    }
}

const lp_op lpi_ops_einsum[] = {
    {.name = "Einsum",
     .operands = "T*+",
     .domain = "",
     .since = 12,
     .inputs_min = 1,
     .inputs_max = -1,
     .outputs_min = 1,
     .outputs_max = 1,
     .params_size = sizeof(einsum_params),
     .specs = einsum_specs,
     .shape = einsum_shape,
     .cost = einsum_cost,
     .run = lpi_einsum_run,
     .samples =
         "opset 17; input a: float32[2, 3, 4]; weight b: float32[4, 5]; y = "
         "Einsum(a, b) {equation: \"bij,jk->bik\"}; output y\n---\n"
         "opset 12; input a: float32[2, 5, 3, 4]; input b: float32[5, 4, 6]; "
         "y = Einsum(a, b) {equation: \"...ij,...jk\"}; output y\n---\n"
         "opset 12; input a: float32[3, 3]; y = Einsum(a) {equation: "
         "\"ii->i\"}; output y\n---\n"
         "opset 12; input a: float32[2, 3]; input b: float32[3, 4]; weight c: "
         "float32[4, 5]; y = Einsum(a, b, c) {equation: \"ij, jk, kl -> "
         "il\"}; output y"},
    {.name = NULL},
};
