/* npy.c: NumPy's file format, versions 1 to 3.
 *
 * The header is a Python dict with exactly three keys, read strictly: descr,
 * fortran_order, shape.  Little-endian and C order alone; dtypes that NumPy
 * lacks are written as raw elements ('|V1', '|V2'; what is packed below eight
 * bits as bytes one an element) and are read from TensorProto files.  Source:
 * numpy.lib.format, NEP 1. */
#include <string.h>

#include "exec.h"

enum { MAGIC_BYTES = 6, HEADER_MOST = 1 << 16, RANK_MOST = 64, ALIGN = 64 };

static const char magic[] = "\x93NUMPY";

static const struct {
    lp_dtype dtype;
    const char *descr;
} kinds[] = {
    {LP_FLOAT32, "<f4"},   {LP_FLOAT64, "<f8"},     {LP_FLOAT16, "<f2"},
    {LP_INT8, "|i1"},      {LP_UINT8, "|u1"},       {LP_INT16, "<i2"},
    {LP_UINT16, "<u2"},    {LP_INT32, "<i4"},       {LP_UINT32, "<u4"},
    {LP_INT64, "<i8"},     {LP_UINT64, "<u8"},      {LP_BOOL, "|b1"},
    {LP_COMPLEX64, "<c8"}, {LP_COMPLEX128, "<c16"}, {LP_INT8, "<i1"},
    {LP_UINT8, "<u1"},     {LP_BOOL, "<b1"},
};

/* The header while it is read. */
typedef struct reader {
    const char *at, *path;
    lp_dtype dtype;
    bool has_order;
    int32_t rank; /* -1: not seen */
    int64_t dims[RANK_MOST];
    lp_error *error;
} reader;

static lp_status wrong(const reader *r, const char *what)
{
    return lpi_fail(r->error, LP_EINPUT, r->path, "%s", what);
}

static void skip_space(reader *r)
{
    while (*r->at == ' ' || *r->at == '\n')
        r->at++;
}

/* Take "text" when it stands here. */
static bool take(reader *r, const char *text)
{
    size_t length = strlen(text);

    skip_space(r);
    if (strncmp(r->at, text, length) != 0)
        return false;
    r->at += length;
    return true;
}

/* A string in quotes into "word", of "size" bytes; false when there is none
 * that fits. */
static bool take_string(reader *r, char *word, size_t size)
{
    char quote;
    size_t length;

    skip_space(r);
    quote = *r->at;
    if (quote != '\'' && quote != '"')
        return false;
    length = strcspn(r->at + 1, quote == '"' ? "\"" : "'");
    if (length >= size || r->at[1 + length] != quote)
        return false;
    memcpy(word, r->at + 1, length);
    word[length] = '\0';
    r->at += length + 2;
    return true;
}

static lp_status read_descr(reader *r)
{
    char word[24];

    if (!take_string(r, word, sizeof(word)))
        return wrong(r, "elements of several fields cannot be read");
    for (int32_t i = 0; i < LPI_COUNT(kinds); i++)
        if (!strcmp(kinds[i].descr, word))
            r->dtype = kinds[i].dtype;
    if (r->dtype != LP_UNDEFINED)
        return LP_OK;
    if (word[0] == '>')
        return lpi_fail(r->error, LP_EUNSUPPORTED, r->path,
                        "elements are '%s': big-endian ones are not read",
                        word);
    return lpi_fail(r->error, LP_EUNSUPPORTED, r->path,
                    "elements of '%s' are not read: give a TensorProto (.pb)",
                    word);
}

static lp_status read_order(reader *r)
{
    if (take(r, "True"))
        return lpi_fail(r->error, LP_EUNSUPPORTED, r->path,
                        "the array is in Fortran order: save it with "
                        "numpy.ascontiguousarray");
    r->has_order = take(r, "False");
    return r->has_order ? LP_OK : wrong(r, "fortran_order is no bool");
}

/* One dimension: decimal digits, with an L from Python 2. */
static lp_status read_dim(reader *r)
{
    int64_t value = 0;

    if (*r->at < '0' || *r->at > '9')
        return wrong(r, "shape is no tuple of numbers");
    while (*r->at >= '0' && *r->at <= '9')
        value = lpi_add(lpi_mul(value, 10), *r->at++ - '0');
    if (*r->at == 'L')
        r->at++;
    if (r->rank == RANK_MOST || value == INT64_MAX)
        return wrong(r, "the shape has too many, or too large, dimensions");
    r->dims[r->rank++] = value;
    return LP_OK;
}

static lp_status read_shape(reader *r)
{
    if (!take(r, "("))
        return wrong(r, "shape is no tuple of numbers");
    r->rank = 0;
    while (!take(r, ")")) {
        LP_TRY(read_dim(r));
        if (!take(r, ",") && (skip_space(r), *r->at != ')'))
            return wrong(r, "shape is no tuple of numbers");
    }
    return LP_OK;
}

static lp_status read_header(reader *r)
{
    char key[24];

    if (!take(r, "{"))
        return wrong(r, "the header is no dict");
    while (!take(r, "}")) {
        if (!take_string(r, key, sizeof(key)) || !take(r, ":"))
            return wrong(r, "the header is no dict of descr, fortran_order "
                            "and shape");
        skip_space(r);
        if (!strcmp(key, "descr") && r->dtype == LP_UNDEFINED)
            LP_TRY(read_descr(r));
        else if (!strcmp(key, "fortran_order") && !r->has_order)
            LP_TRY(read_order(r));
        else if (!strcmp(key, "shape") && r->rank < 0)
            LP_TRY(read_shape(r));
        else
            return lpi_fail(r->error, LP_EINPUT, r->path,
                            "the header has the key '%s', or has it twice",
                            key);
        if (!take(r, ",") && (skip_space(r), *r->at != '}'))
            return wrong(r, "the header is no dict");
    }
    skip_space(r);
    if (*r->at)
        return wrong(r, "bytes stand behind the header's dict");
    return r->dtype && r->has_order && r->rank >= 0
               ? LP_OK
               : wrong(r, "the header lacks descr, fortran_order or shape");
}

/* Read the header of "file" into "text"; "*ret_start" is the first byte
 * behind it. */
static lp_status load_header(lpi_file *file, char *text, int64_t *ret_start,
                             lp_error *error)
{
    const char *path = lpi_file_name(file);
    uint8_t head[12] = {0};
    int64_t width, length, size = lpi_file_size(file);

    if (size < 10)
        return lpi_fail(error, LP_EINPUT, path, "is too short for an NPY file");
    LP_TRY(lpi_file_read(file, 0, size < 12 ? size : 12, head, error));
    if (memcmp(head, magic, MAGIC_BYTES) != 0)
        return lpi_fail(error, LP_EINPUT, path, "is no NPY file");
    if (head[6] < 1 || head[6] > 3 || head[7] != 0)
        return lpi_fail(error, LP_EUNSUPPORTED, path,
                        "NPY version %d.%d is not read", head[6], head[7]);
    width = head[6] == 1 ? 2 : 4;
    length = head[8] | head[9] << 8;
    if (width == 4)
        length |= (int64_t)head[10] << 16 | (int64_t)head[11] << 24;
    if (length > HEADER_MOST)
        return lpi_fail(error, LP_EINPUT, path,
                        "its header of %lld bytes is too long",
                        (long long)length);
    LP_TRY(lpi_file_read(file, 8 + width, length, text, error));
    text[length] = '\0';
    *ret_start = 8 + width + length;
    return LP_OK;
}

static lp_status read_array(lpi_file *file, char *text, int64_t cap_bytes,
                            lp_array **ret_array, lp_error *error)
{
    reader r = {
        .at = text, .path = lpi_file_name(file), .rank = -1, .error = error};
    int64_t start = 0, bytes, rest;
    lp_array *array;
    lp_status status;

    LP_TRY(load_header(file, text, &start, error));
    LP_TRY(read_header(&r));
    bytes = lpi_storage_bytes(r.dtype, lpi_product(r.dims, r.rank));
    rest = lpi_file_size(file) - start;
    if (bytes != rest)
        return lpi_fail(error, LP_EINPUT, r.path,
                        "holds %lld bytes of elements, its shape wants %lld",
                        (long long)rest, (long long)bytes);
    if (bytes > cap_bytes)
        return lpi_fail_memory(error);
    array = lpi_array_new(r.dtype, (lp_shape){r.rank, r.dims});
    if (!array)
        return lpi_fail_memory(error);
    status = lpi_file_read(file, start, bytes, array->bytes, error);
    if (status != LP_OK) {
        lp_array_free(array);
        return status;
    }
    *ret_array = array;
    return LP_OK;
}

/* Read "file", and close it. */
static lp_status read_file(lpi_file *file, int64_t cap_bytes,
                           lp_array **ret_array, lp_error *error)
{
    char *text = lpi_alloc(HEADER_MOST + 1);
    lp_status status = text
                           ? read_array(file, text, cap_bytes, ret_array, error)
                           : lpi_fail_memory(error);

    lpi_free(text);
    lpi_file_close(file);
    return status;
}

lp_status lpi_npy_read(const char *path, int64_t cap_bytes,
                       lp_array **ret_array, lp_error *error)
{
    lpi_file *file;

    LP_TRY(lpi_file_open(path, &file, error));
    return read_file(file, cap_bytes, ret_array, error);
}

lp_status lpi_npy_read_below(const char *path, const char *location,
                             int64_t cap_bytes, lp_array **ret_array,
                             lp_error *error)
{
    lpi_file *file;

    LP_TRY(lpi_file_open_below(path, location, &file, error));
    return read_file(file, cap_bytes, ret_array, error);
}

/* What NumPy calls "dtype", and how many bytes an element takes there. */
static const char *descr_of(lp_dtype dtype)
{
    for (int32_t i = 0; i < LPI_COUNT(kinds); i++)
        if (kinds[i].dtype == dtype)
            return kinds[i].descr;
    if (lp_dtype_bits(dtype) < 8)
        return lpi_dtype_is_signed(dtype) ? "|i1" : "|u1";
    return lp_dtype_bits(dtype) == 8 ? "|V1" : "|V2";
}

/* Append the elements of "array", a byte each, where they are packed. */
static void put_packed(const lp_array *array, lpi_text *text)
{
    int32_t bits = lp_dtype_bits(array->dtype), per = 8 / bits;
    int64_t count = lpi_shape_elements(array->shape);
    const uint8_t *from = array->bytes;

    for (int64_t i = 0; i < count; i++) {
        int32_t value = from[i / per] >> (i % per * bits) & ((1 << bits) - 1);
        char byte;

        if (lpi_dtype_is_signed(array->dtype) && value >> (bits - 1))
            value -= 1 << bits;
        byte = (char)value;
        lpi_text_append(text, &byte, 1);
    }
}

lp_status lpi_npy_write(const lp_array *array, char **ret_bytes,
                        size_t *ret_length, lp_error *error)
{
    lpi_text text = {0};
    size_t length;
    char *head;

    if (!lp_dtype_bits(array->dtype))
        return lpi_fail(error, LP_EUNSUPPORTED, NULL,
                        "an array of %s cannot be written",
                        lp_dtype_name(array->dtype));
    lpi_text_append(&text, magic, MAGIC_BYTES);
    lpi_text_append(&text, "\1\0\0\0", 4);
    lpi_text_printf(&text, "{'descr': '%s', 'fortran_order': False, 'shape': (",
                    descr_of(array->dtype));
    for (int32_t i = 0; i < array->shape.rank; i++)
        lpi_text_printf(&text, "%s%lld%s", i ? " " : "",
                        (long long)array->shape.dims[i],
                        i + 1 < array->shape.rank || i == 0 ? "," : "");
    lpi_text_put(&text, "), }");
    while (!text.failed && text.length % ALIGN != ALIGN - 1)
        lpi_text_append(&text, " ", 1);
    lpi_text_append(&text, "\n", 1);
    length = text.length - 10;
    head = text.bytes;
    if (!text.failed) {
        head[8] = (char)(length & 0xff);
        head[9] = (char)(length >> 8);
    }
    if (lp_dtype_bits(array->dtype) < 8)
        put_packed(array, &text);
    else
        lpi_text_append(&text, array->bytes, (size_t)array->size_bytes);
    return lpi_text_take(&text, ret_bytes, ret_length, error);
}
