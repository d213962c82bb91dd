/* lpm_value.c: types and content of tensors, read from the text form.
 *
 * A content is checked against the shape before memory is taken for it: it
 * needs a character of text for every element, so the memory is bounded by
 * the length of the text. */
#include <string.h>

#include "io.h"

static const struct {
    const char *word;
    lpi_container container;
} containers[] = {
    {"sequence", LPI_SEQUENCE},
    {"optional", LPI_OPTIONAL},
    {"map", LPI_MAP},
};

lp_dtype lpi_value_dtype(lp_dtype dtype, int64_t *ret_each)
{
    bool complex = dtype == LP_COMPLEX64 || dtype == LP_COMPLEX128;

    *ret_each = complex ? 2 : 1;
    return dtype == LP_COMPLEX64    ? LP_FLOAT32
           : dtype == LP_COMPLEX128 ? LP_FLOAT64
                                    : dtype;
}

/* Pass the name of a dtype; "undefined" is one. */
static lp_status read_dtype(lpi_lexer *lexer, lp_dtype *ret_dtype)
{
    lp_dtype dtype;

    if (lexer->sign != LPI_WORD)
        return lpi_lex_expected(lexer, "a dtype");
    dtype = lp_dtype_from_name(lexer->word.bytes);
    if (dtype == LP_UNDEFINED && !lpi_lex_is_word(lexer, "undefined"))
        return lpi_lex_refuse(lexer, "unknown dtype");
    LP_TRY(lpi_lex_next(lexer));
    *ret_dtype = dtype;
    return LP_OK;
}

/* Pass a dimension: a number, a name or "?". */
static lp_status read_dim(lpi_lexer *lexer, lpi_dim *dim)
{
    *dim = (lpi_dim){.value = -1, .symbol = ""};
    if (lpi_lex_is(lexer, '?'))
        return lpi_lex_next(lexer);
    if (lexer->sign == LPI_NUMBER)
        return lpi_lex_int(lexer, "a dimension", 0, INT64_MAX, &dim->value);
    return lpi_lex_take(lexer, "a dimension", &dim->symbol);
}

/* Pass the dimensions of "type" after '['. */
static lp_status read_dims(lpi_lexer *lexer, lpi_declared *type)
{
    int64_t count = 0, room = 0;
    lpi_dim *dims = NULL;
    bool more = !lpi_lex_is(lexer, ']');

    if (!more)
        LP_TRY(lpi_lex_next(lexer));
    while (more) {
        if (count == INT32_MAX || !LPI_GROW(lexer->arena, dims, count, room))
            return lpi_fail_memory(lexer->error);
        LP_TRY(read_dim(lexer, &dims[count++]));
        LP_TRY(lpi_lex_item(lexer, ']', &more));
    }
    type->rank = (int32_t)count;
    type->dims = dims;
    return LP_OK;
}

/* Pass a dtype and, if any, a shape. */
static lp_status read_type(lpi_lexer *lexer, lpi_declared *type)
{
    type->rank = -1;
    LP_TRY(read_dtype(lexer, &type->dtype));
    if (!lpi_lex_is(lexer, '['))
        return LP_OK;
    LP_TRY(lpi_lex_next(lexer));
    return read_dims(lexer, type);
}

lp_status lpi_lpm_declared(lpi_lexer *lexer, const lpi_declared **ret_type)
{
    lpi_declared *type = LPI_NEW(lexer->arena, lpi_declared, 1);
    int32_t i;

    if (!type)
        return lpi_fail_memory(lexer->error);
    *ret_type = type;
    for (i = 0; i < LPI_COUNT(containers); i++) {
        if (!lpi_lex_is_word(lexer, containers[i].word))
            continue;
        type->container = containers[i].container;
        LP_TRY(lpi_lex_next(lexer));
        LP_TRY(lpi_lex_pass(lexer, '('));
        LP_TRY(read_type(lexer, type));
        return lpi_lex_pass(lexer, ')');
    }
    return read_type(lexer, type);
}

/* Pass the dtype and the shape of "tensor": all dimensions are numbers, and
 * bytes and elements fit 64 bits. */
static lp_status read_known_type(lpi_lexer *lexer, lp_tensor *tensor)
{
    lpi_spot spot = lexer->token;
    lpi_declared type = {0};
    int64_t *dims;
    int32_t i;

    LP_TRY(read_type(lexer, &type));
    dims = LPI_NEW(lexer->arena, int64_t, type.rank < 0 ? 0 : type.rank);
    if (!dims)
        return lpi_fail_memory(lexer->error);
    for (i = 0; i < type.rank && type.dims[i].value >= 0; i++)
        dims[i] = type.dims[i].value;
    tensor->dtype = type.dtype;
    tensor->shape = (lp_shape){.rank = type.rank, .dims = dims};
    if (i == type.rank && lpi_product(dims, i) < INT64_MAX &&
        lpi_storage_bytes(type.dtype, lpi_product(dims, i)) < INT64_MAX)
        return LP_OK;
    LP_TRY(lpi_lex_back(lexer, spot));
    return i < type.rank || type.rank < 0
               ? lpi_lex_fail(lexer, "a stored tensor needs a shape of numbers")
               : lpi_lex_fail(lexer, "the bytes of this shape do not fit 64 "
                                     "bits");
}

/* Pass an integer of "dtype"; "true" and "false" are numbers too. */
static lp_status read_integer(lpi_lexer *lexer, lp_dtype dtype, int64_t *value)
{
    int32_t bits = dtype == LP_BOOL ? 1 : lp_dtype_bits(dtype);
    int64_t most = INT64_MAX;

    if (lpi_lex_is_word(lexer, "true") || lpi_lex_is_word(lexer, "false")) {
        *value = lpi_lex_is_word(lexer, "true");
        return lpi_lex_next(lexer);
    }
    if (!lpi_dtype_is_signed(dtype))
        most = (INT64_C(1) << bits) - 1;
    else if (bits < 64)
        most = (INT64_C(1) << (bits - 1)) - 1;
    return lpi_lex_int(lexer, "an element",
                       lpi_dtype_is_signed(dtype) ? -most - 1 : 0, most, value);
}

/* Pass value "i" of the storage form "bytes" of "dtype". */
static lp_status read_element(lpi_lexer *lexer, lp_dtype dtype, int64_t i,
                              void *bytes)
{
    union {
        float f;
        double d;
        int64_t i;
        uint64_t u;
    } value;

    switch (lpi_class_of(dtype)) {
    case LPI_F32:
        LP_TRY(lpi_lex_float(lexer, &value.f));
        break;
    case LPI_F64:
        LP_TRY(lpi_lex_double(lexer, &value.d));
        break;
    case LPI_U64:
        LP_TRY(lpi_lex_unsigned(lexer, &value.u));
        break;
    default:
        LP_TRY(read_integer(lexer, dtype, &value.i));
    }
    lpi_pack(dtype, &value, i, 1, bytes);
    return LP_OK;
}

/* Pass the values of "tensor" after '{' into "bytes". */
static lp_status read_values(lpi_lexer *lexer, const lp_tensor *tensor,
                             void *bytes)
{
    int64_t each, i = 0, count = lpi_tensor_elements(tensor);
    lp_dtype dtype = lpi_value_dtype(tensor->dtype, &each);
    bool more = true;

    count = lpi_mul(count, each);
    if (count == 0)
        return lpi_lex_pass(lexer, '}');
    while (more) {
        if (i == count)
            return lpi_lex_fail(lexer, "more than %lld values for this shape",
                                (long long)count);
        LP_TRY(read_element(lexer, dtype, i++, bytes));
        if (lpi_lex_is(lexer, '}') && i < count)
            return lpi_lex_fail(lexer, "%lld values, the shape wants %lld",
                                (long long)i, (long long)count);
        LP_TRY(lpi_lex_item(lexer, '}', &more));
    }
    return LP_OK;
}

/* Pass the "size" bytes of the string in hand, two hexadecimal digits each,
 * into "bytes". */
static lp_status read_hex(lpi_lexer *lexer, int64_t size, uint8_t *bytes)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = lexer->word.bytes;
    size_t i;

    if (lexer->sign != LPI_QUOTED || strspn(at, digits) != lexer->word.length)
        return lpi_lex_fail(lexer, "expected a string of digits 0 to 9 and "
                                   "a to f");
    if (lexer->word.length != (size_t)size * 2)
        return lpi_lex_fail(lexer, "%zu digits, the shape wants %lld",
                            lexer->word.length, (long long)size * 2);
    for (i = 0; i < (size_t)size; i++)
        bytes[i] = (uint8_t)((strchr(digits, at[2 * i]) - digits) * 16 +
                             (strchr(digits, at[2 * i + 1]) - digits));
    return lpi_lex_next(lexer);
}

/* Pass the content of "tensor" after '='. */
static lp_status read_inline(lpi_lexer *lexer, lp_tensor *tensor)
{
    int64_t size = lpi_tensor_bytes(tensor);
    uint8_t *bytes;

    if (lpi_tensor_elements(tensor) && !size)
        return lpi_lex_fail(lexer, "a content of dtype %s cannot be written",
                            lp_dtype_name(tensor->dtype));
    if (size / 16 > lexer->end - lexer->next.at)
        return lpi_lex_fail(lexer, "the text is too short for %lld elements",
                            (long long)lpi_tensor_elements(tensor));
    bytes = lpi_arena_array(lexer->arena, size, 1);
    if (!bytes)
        return lpi_fail_memory(lexer->error);
    tensor->payload =
        (lpi_payload){.where = LPI_INLINE, .bytes = bytes, .length = size};
    if (!lpi_lex_is_word(lexer, "hex")) {
        LP_TRY(lpi_lex_pass(lexer, '{'));
        return read_values(lexer, tensor, bytes);
    }
    LP_TRY(lpi_lex_next(lexer));
    return read_hex(lexer, size, bytes);
}

/* Whether "location" is absolute, empty, or climbs. */
static bool leaves_folder(const char *location)
{
    const char *at = location;

    while (at) {
        if (!strncmp(at, "..", 2) && (!at[2] || at[2] == '/'))
            return true;
        at = strchr(at, '/');
        if (at)
            at++;
    }
    return !*location || *location == '/';
}

/* Store in "ret_bytes" the size of the file "location" below the folder of the
 * text, -1 when it is absent; each file is looked up once. */
static lp_status size_of_file(lpi_lexer *lexer, const char *location,
                              int64_t *ret_bytes)
{
    int64_t known = lexer->sides ? lpi_map_get(lexer->sides, location) : -1;
    lp_error local = {.message = ""};
    lpi_file *file;
    lp_status status;

    *ret_bytes = known - 1;
    if (known >= 0)
        return LP_OK;
    if (!lexer->sides)
        lexer->sides = lpi_map_new(lexer->arena);
    if (!lexer->sides)
        return lpi_fail_memory(lexer->error);
    status = lpi_file_open_below(lexer->name, location, &file, &local);
    if (status == LP_ENOMEM)
        return lpi_fail_memory(lexer->error);
    if (status == LP_OK) {
        *ret_bytes = lpi_file_size(file);
        lpi_file_close(file);
    } else if (status == LP_EIO) {
        *ret_bytes = -1;
    } else {
        return lpi_lex_fail(lexer, "'%.200s': %s", location, local.message);
    }
    return lpi_map_set(lexer->sides, location, *ret_bytes + 1)
               ? LP_OK
               : lpi_fail_memory(lexer->error);
}

/* Check that the place "payload" can hold "tensor". */
static lp_status check_place(lpi_lexer *lexer, const lp_tensor *tensor,
                             const lpi_payload *payload)
{
    int64_t wanted = lpi_tensor_bytes(tensor), size;
    int64_t length = payload->length < 0 ? wanted : payload->length;

    if (payload->encoding == LPI_VARINT && payload->length < 0)
        return lpi_lex_expected(lexer, "offset and length before varint");
    if (payload->encoding == LPI_RAW && lp_dtype_bits(tensor->dtype) &&
        length != wanted)
        return lpi_lex_fail(lexer, "%lld bytes, the shape wants %lld",
                            (long long)length, (long long)wanted);
    LP_TRY(size_of_file(lexer, payload->location, &size));
    if (size >= 0 && lpi_add(payload->offset, length) > size)
        return lpi_lex_fail(lexer,
                            "bytes %lld to %lld lie past the end of '%.200s', "
                            "at %lld",
                            (long long)payload->offset,
                            (long long)lpi_add(payload->offset, length),
                            payload->location, (long long)size);
    return LP_OK;
}

/* Pass the place of the content of "tensor" after '@': the file, and if given
 * the first byte, the length and the encoding. */
static lp_status read_outside(lpi_lexer *lexer, lp_tensor *tensor)
{
    lpi_payload payload = {.where = LPI_OUTSIDE, .length = -1};

    if (lexer->sign == LPI_QUOTED && leaves_folder(lexer->word.bytes))
        return lpi_lex_refuse(lexer, "not below the folder of the model is");
    LP_TRY(lpi_lex_string(lexer, "the name of a file in quotes",
                          &payload.location));
    if (lexer->sign == LPI_NUMBER)
        LP_TRY(lpi_lex_int(lexer, "an offset", 0, INT64_MAX, &payload.offset));
    if (lexer->sign == LPI_NUMBER)
        LP_TRY(lpi_lex_int(lexer, "a length", 0, INT64_MAX - payload.offset,
                           &payload.length));
    if (lpi_lex_is_word(lexer, "varint")) {
        payload.encoding = LPI_VARINT;
        LP_TRY(lpi_lex_next(lexer));
    }
    tensor->payload = payload;
    return check_place(lexer, tensor, &payload);
}

lp_status lpi_lpm_tensor(lpi_lexer *lexer, lp_tensor *tensor)
{
    LP_TRY(read_known_type(lexer, tensor));
    if (lpi_lex_is(lexer, '=')) {
        LP_TRY(lpi_lex_next(lexer));
        return read_inline(lexer, tensor);
    }
    if (lpi_lex_is(lexer, '@')) {
        LP_TRY(lpi_lex_next(lexer));
        return read_outside(lexer, tensor);
    }
    return LP_OK;
}
