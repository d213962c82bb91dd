/* fit.c: whether the operands of a node fit together, as its row's "operands"
 * says: one form an input, split by commas.
 *
 * A form is a capital letter for the dtype ('.': any; 'F' is one of floats, 'I'
 * one of integers, the others any) and what the shape is:
 * "*" any, "!" one element, "=" that of input 0, else one character a
 * dimension.  A letter stands for one extent wherever it occurs in the row, a
 * digit for itself, "?" for any; "*" among them for any number of dimensions.
 * The last form goes on for all further inputs when "+" ends it.  So
 * "Tnc*,Uc,Uc" are data of any rank and two vectors as long as its channels,
 * which are 1 where the data has one dimension only. */
#include <ctype.h>
#include <string.h>

#include "ops.h"

enum { LETTERS = 26 };

/* What the letters of a row stand for: dtypes, and extents or -1. */
typedef struct fitting {
    const lpi_node *node;
    lp_dtype types[LETTERS];
    int64_t extents[LETTERS];
} fitting;

static lp_status fit_type(fitting *f, int32_t i, char letter)
{
    lp_dtype own = lpi_in_dtype(f->node, i);
    lp_dtype *type = &f->types[letter - 'A'];

    if (own != LP_UNDEFINED &&
        ((letter == 'F' && !lpi_dtype_is_float(own)) ||
         (letter == 'I' &&
          (own == LP_BOOL || own == LP_STRING || lpi_dtype_is_float(own)))))
        return lpi_node_fail(f->node, "input %d is %s", i, lp_dtype_name(own));
    if (own != LP_UNDEFINED && *type != LP_UNDEFINED && own != *type)
        return lpi_node_fail(f->node, "input %d is %s, another one %s", i,
                             lp_dtype_name(own), lp_dtype_name(*type));
    if (own != LP_UNDEFINED)
        *type = own;
    return LP_OK;
}

/* Extent "dim" of input "i" is what "sign" says. */
static lp_status fit_dim(fitting *f, int32_t i, char sign, int64_t dim)
{
    char what[64];
    int64_t same;

    snprintf(what, sizeof(what), "a dimension of input %d", i);
    if (isdigit((unsigned char)sign))
        return lpi_dim_same(f->node, what, dim, sign - '0', &same);
    if (sign == '?')
        return LP_OK;
    return lpi_dim_same(f->node, what, dim, f->extents[sign - 'a'],
                        &f->extents[sign - 'a']);
}

/* Input "i" has the dimensions "form" of "length" characters. */
static lp_status fit_dims(fitting *f, int32_t i, const char *form,
                          int32_t length)
{
    const char *star = memchr(form, '*', (size_t)length);
    int32_t before = star ? (int32_t)(star - form) : length;
    int32_t behind = star ? length - before - 1 : 0;
    lp_shape shape = lpi_in_shape(f->node, i);

    if (star ? shape.rank < behind : shape.rank != length)
        return lpi_node_fail(f->node, "input %d of rank %d", i, shape.rank);
    for (int32_t k = 0; k < before; k++)
        LP_TRY(fit_dim(f, i, form[k],
                       k < shape.rank - behind ? shape.dims[k] : 1));
    for (int32_t k = 0; k < behind; k++)
        LP_TRY(fit_dim(f, i, star[1 + k], shape.dims[shape.rank - behind + k]));
    return LP_OK;
}

static lp_status fit_shape(fitting *f, int32_t i, const char *form,
                           int32_t length)
{
    lp_shape shape = lpi_in_shape(f->node, i), first = lpi_in_shape(f->node, 0);
    int64_t same;

    if (shape.rank < 0)
        return LP_OK;
    if (*form == '!')
        return lpi_dim_same(f->node, "elements of an operand that is one",
                            lpi_dims_product(shape, 0, shape.rank), 1, &same);
    if (*form != '=')
        return fit_dims(f, i, form, length);
    if (first.rank < 0)
        return LP_OK;
    if (first.rank != shape.rank)
        return lpi_node_fail(f->node, "input %d of rank %d", i, shape.rank);
    for (int32_t k = 0; k < shape.rank; k++)
        LP_TRY(lpi_dim_same(f->node, "a dimension of two inputs", shape.dims[k],
                            first.dims[k], &same));
    return LP_OK;
}

lp_status lpi_node_fit(const lpi_node *node)
{
    const lp_op *row = node->layer->row;
    const char *form = row ? row->operands : NULL;
    fitting f = {.node = node};

    if (row && row->outputs_min > 0 && row->outputs_max == 1 &&
        !lpi_out(node, 0))
        return lpi_node_fail(node, "its output is absent");
    memset(f.extents, 0xff, sizeof(f.extents));
    for (int32_t i = 0; form && i < node->layer->inputs_count; i++) {
        int32_t length = (int32_t)strcspn(form, ",+");
        const lp_tensor *input = lpi_in(node, i);

        if (input && input->container == LPI_TENSOR) {
            if (*form != '.')
                LP_TRY(fit_type(&f, i, *form));
            LP_TRY(fit_shape(&f, i, form + 1, length - 1));
        }
        if (form[length] != '+')
            form = form[length] ? form + length + 1 : NULL;
    }
    return LP_OK;
}
