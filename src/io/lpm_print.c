/* lpm_print.c: names, strings, types and contents in the text form.
 *
 * A content is printed as values when these read back as the same bytes, and
 * as hexadecimal digits when they do not (padding bits, NaN with a payload) or
 * when there are many. */
#include <inttypes.h>
#include <string.h>

#include "io.h"

enum { MOST_VALUE_BYTES = 1024 };

static const char *const containers[] = {
    [LPI_TENSOR] = NULL,
    [LPI_SEQUENCE] = "sequence",
    [LPI_OPTIONAL] = "optional",
    [LPI_MAP] = "map",
};

const char *lpi_layer_default_name(const lp_layer *layer)
{
    int32_t i;

    for (i = 0; i < layer->outputs_count; i++)
        if (layer->outputs[i] && *layer->outputs[i]->name)
            return layer->outputs[i]->name;
    return layer->op;
}

int32_t lpi_layer_default_opset(const lp_model *model, const char *domain)
{
    int32_t version = lpi_model_opset(model, domain);

    return version || !*domain ? version : 1;
}

void lpi_print_quoted(lpi_text *text, const char *string)
{
    lpi_text_put(text, "\"");
    lpi_text_escape_mark(text, string, '"');
    lpi_text_put(text, "\"");
}

/* Whether "name" can stand without quotes. */
static bool is_bare(const char *name)
{
    static const char first[] = "abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ_/";
    static const char more[] = "abcdefghijklmnopqrstuvwxyz"
                               "ABCDEFGHIJKLMNOPQRSTUVWXYZ_/0123456789.-";

    return *name && strchr(first, *name) && !name[strspn(name, more)] &&
           strcmp(name, "_") != 0;
}

void lpi_print_name(lpi_text *text, const char *name)
{
    if (is_bare(name))
        lpi_text_put(text, name);
    else
        lpi_print_quoted(text, name);
}

void lpi_print_declared(lpi_text *text, const lpi_declared *type)
{
    const char *container = containers[type->container];
    int32_t i;

    if (container)
        lpi_text_printf(text, "%s(", container);
    lpi_text_put(text, lp_dtype_name(type->dtype));
    if (type->rank >= 0)
        lpi_text_put(text, "[");
    for (i = 0; i < type->rank; i++) {
        const lpi_dim *dim = &type->dims[i];

        lpi_text_put(text, i ? ", " : "");
        if (dim->value >= 0)
            lpi_text_printf(text, "%" PRId64, dim->value);
        else if (dim->symbol && *dim->symbol)
            lpi_print_name(text, dim->symbol);
        else
            lpi_text_put(text, "?");
    }
    if (type->rank >= 0)
        lpi_text_put(text, "]");
    if (container)
        lpi_text_put(text, ")");
}

/* Append value "i" of the storage form "bytes" of "dtype"; false when it does
 * not read back as the same bits. */
static bool print_value(lpi_text *text, lp_dtype dtype, const void *bytes,
                        int64_t i)
{
    int32_t bits = lp_dtype_bits(dtype);
    uint8_t again[8] = {0}, stored[8] = {0};
    union {
        float f;
        double d;
        int64_t i;
        uint64_t u;
    } value;

    lpi_unpack(dtype, bytes, i, 1, &value);
    lpi_copy_run(bits, 1, (lpi_place){stored, 0, NULL},
                 (lpi_place){(void *)bytes, i, NULL});
    switch (lpi_class_of(dtype)) {
    case LPI_F32:
        if (value.f != value.f)
            value.f = __builtin_nanf("");
        lpi_print_float(text, value.f);
        break;
    case LPI_F64:
        if (value.d != value.d)
            value.d = __builtin_nan("");
        lpi_print_double(text, value.d);
        break;
    case LPI_U64:
        lpi_text_printf(text, "%" PRIu64, value.u);
        break;
    default:
        lpi_text_printf(text, "%" PRId64, value.i);
    }
    lpi_pack(dtype, &value, 0, 1, again);
    return !memcmp(stored, again, sizeof(stored));
}

/* Append the values of "tensor" in braces; false, and nothing appended, when
 * they do not read back as the same bytes. */
static bool print_values(lpi_text *text, const lp_tensor *tensor)
{
    const lpi_payload *payload = &tensor->payload;
    int64_t each, i, count = lpi_tensor_elements(tensor);
    lp_dtype dtype = lpi_value_dtype(tensor->dtype, &each);
    int32_t spare = (int32_t)(count % 8 * lp_dtype_bits(dtype) % 8);
    size_t begin = text->length;
    bool exact = true;

    lpi_text_put(text, "{");
    for (i = 0; i < count * each && exact; i++) {
        lpi_text_put(text, i ? ", " : "");
        exact = print_value(text, dtype, payload->bytes, i);
    }
    lpi_text_put(text, "}");
    if (exact && spare)
        exact =
            !(((const uint8_t *)payload->bytes)[payload->length - 1] >> spare);
    if (!exact && !text->failed) {
        text->length = begin;
        text->bytes[begin] = '\0';
    }
    return exact;
}

static void print_hex(lpi_text *text, const uint8_t *bytes, int64_t length)
{
    static const char digits[] = "0123456789abcdef";
    int64_t i;

    lpi_text_put(text, "hex\"");
    for (i = 0; i < length; i++) {
        const char pair[] = {digits[bytes[i] >> 4], digits[bytes[i] & 15]};

        lpi_text_append(text, pair, sizeof(pair));
    }
    lpi_text_put(text, "\"");
}

/* Append where the content of a tensor stands: "payload" of a model in the
 * file "path". */
static void print_place(lpi_text *text, const char *path,
                        const lpi_payload *payload)
{
    const char *slash = strrchr(path, '/');

    lpi_text_put(text, " @ ");
    lpi_print_quoted(text, payload->where == LPI_OUTSIDE ? payload->location
                           : slash                       ? slash + 1
                                                         : path);
    if (payload->offset || payload->length >= 0)
        lpi_text_printf(text, " %" PRId64, payload->offset);
    if (payload->length >= 0)
        lpi_text_printf(text, " %" PRId64, payload->length);
    if (payload->encoding == LPI_VARINT)
        lpi_text_put(text, " varint");
}

void lpi_print_tensor(lpi_text *text, const char *path, const lp_tensor *tensor)
{
    const lpi_payload *payload = &tensor->payload;
    int32_t i;

    lpi_text_printf(text, "%s[", lp_dtype_name(tensor->dtype));
    for (i = 0; i < tensor->shape.rank; i++)
        lpi_text_printf(text, "%s%" PRId64, i ? ", " : "",
                        tensor->shape.dims[i]);
    lpi_text_put(text, "]");
    if (payload->where == LPI_OUTSIDE || payload->where == LPI_IN_FILE)
        print_place(text, path, payload);
    if (payload->where != LPI_INLINE ||
        payload->length != lpi_tensor_bytes(tensor))
        return;
    lpi_text_put(text, " = ");
    if (payload->length > MOST_VALUE_BYTES || !print_values(text, tensor))
        print_hex(text, payload->bytes, payload->length);
}
