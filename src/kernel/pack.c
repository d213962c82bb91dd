/* pack.c: between storage dtypes and computing classes.
 *
 * One table says of every dtype its class, its width and, for the floats below
 * 32 bits, its format; decoding and rounding are written once for all formats.
 * Sub-byte elements stand low bits first.  Every value of every small float is
 * exact in float32, so unpacking never rounds; packing rounds once.
 *
 * Formats: IEEE 754-2008 (binary16), bfloat16, and OCP 8-bit Floating Point
 * Specification 1.0, OCP Microscaling Formats 1.0, Noune et al. 2022 (FNUZ);
 * conversions: ONNX, operator Cast. */
#include <math.h>
#include <string.h>

#include "kernel.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "storage form is little-endian");

/* A float format with a sign bit on top.  Magnitudes up to "max" are finite;
 * "inf" 0: there is none. */
typedef struct format {
    int32_t mantissa, bias;
    uint32_t max, inf, nan;
    bool saturates; /* by default */
    bool one_zero;  /* no -0: its code is the only NaN */
} format;

enum kind { NONE, SIGNED, UNSIGNED, BOOL, SMALL, SCALE, FULL };

static const struct {
    uint8_t class, kind, bits;
    format format; /* of SMALL */
} table[LP_DTYPE_COUNT] = {
    [LP_UNDEFINED] = {LPI_NO_CLASS, NONE, 0, {0}},
    [LP_FLOAT32] = {LPI_F32, FULL, 32, {0}},
    [LP_UINT8] = {LPI_I64, UNSIGNED, 8, {0}},
    [LP_INT8] = {LPI_I64, SIGNED, 8, {0}},
    [LP_UINT16] = {LPI_I64, UNSIGNED, 16, {0}},
    [LP_INT16] = {LPI_I64, SIGNED, 16, {0}},
    [LP_INT32] = {LPI_I64, SIGNED, 32, {0}},
    [LP_INT64] = {LPI_I64, FULL, 64, {0}},
    [LP_STRING] = {LPI_NO_CLASS, NONE, 0, {0}},
    [LP_BOOL] = {LPI_I64, BOOL, 8, {0}},
    [LP_FLOAT16] = {LPI_F32, SMALL, 16, {10, 15, 0x7bff, 0x7c00, 0x7e00, 0, 0}},
    [LP_FLOAT64] = {LPI_F64, FULL, 64, {0}},
    [LP_UINT32] = {LPI_I64, UNSIGNED, 32, {0}},
    [LP_UINT64] = {LPI_U64, FULL, 64, {0}},
    [LP_COMPLEX64] = {LPI_NO_CLASS, NONE, 64, {0}},
    [LP_COMPLEX128] = {LPI_NO_CLASS, NONE, 128, {0}},
    [LP_BFLOAT16] = {LPI_F32,
                     SMALL,
                     16,
                     {7, 127, 0x7f7f, 0x7f80, 0x7fc0, 0, 0}},
    [LP_FLOAT8E4M3FN] = {LPI_F32, SMALL, 8, {3, 7, 0x7e, 0, 0x7f, 1, 0}},
    [LP_FLOAT8E4M3FNUZ] = {LPI_F32, SMALL, 8, {3, 8, 0x7f, 0, 0x80, 1, 1}},
    [LP_FLOAT8E5M2] = {LPI_F32, SMALL, 8, {2, 15, 0x7b, 0x7c, 0x7e, 1, 0}},
    [LP_FLOAT8E5M2FNUZ] = {LPI_F32, SMALL, 8, {2, 16, 0x7f, 0, 0x80, 1, 1}},
    [LP_UINT4] = {LPI_I64, UNSIGNED, 4, {0}},
    [LP_INT4] = {LPI_I64, SIGNED, 4, {0}},
    [LP_FLOAT4E2M1] = {LPI_F32, SMALL, 4, {1, 1, 0x7, 0, 0x8, 1, 0}},
    [LP_FLOAT8E8M0] = {LPI_F32, SCALE, 8, {0}},
    [LP_UINT2] = {LPI_I64, UNSIGNED, 2, {0}},
    [LP_INT2] = {LPI_I64, SIGNED, 2, {0}},
};

static const size_t sizes[] = {
    [LPI_F32] = 4, [LPI_F64] = 8,      [LPI_I64] = 8,
    [LPI_U64] = 8, [LPI_NO_CLASS] = 0,
};

lpi_class lpi_class_of(lp_dtype dtype)
{
    return (int)dtype >= 0 && dtype < LP_DTYPE_COUNT
               ? (lpi_class)table[dtype].class
               : LPI_NO_CLASS;
}

size_t lpi_class_size(lpi_class class)
{
    return sizes[class];
}

/* The "bits" bits of element "i" of "bytes"; at most 32. */
static uint32_t load(const uint8_t *bytes, int32_t bits, int64_t i)
{
    uint32_t code = 0;

    if (bits >= 8) {
        memcpy(&code, bytes + i * (bits / 8), (size_t)bits / 8);
        return code;
    }
    return (uint32_t)bytes[i * bits / 8] >> (i * bits % 8) & ((1u << bits) - 1);
}

static void store(uint8_t *bytes, int32_t bits, int64_t i, uint64_t code)
{
    int32_t shift = (int32_t)(i * bits % 8);
    uint32_t mask;

    if (bits >= 8) {
        memcpy(bytes + i * (bits / 8), &code, (size_t)bits / 8);
        return;
    }
    mask = ((1u << bits) - 1) << shift;
    bytes += i * bits / 8;
    *bytes = (uint8_t)((*bytes & ~mask) | ((code << shift) & mask));
}

static float decode(const format *f, int32_t bits, uint32_t code)
{
    uint32_t sign = code >> (bits - 1);
    uint32_t size = code & ((1u << (bits - 1)) - 1);
    uint32_t exponent = size >> f->mantissa;
    uint32_t result;

    if (size > f->max || (f->one_zero && code == f->nan)) {
        result = f->inf && size == f->inf ? 0x7f800000 : 0x7fc00000;
    } else if (exponent == 0) {
        result = lpi_bits_of(ldexpf((float)size, 1 - f->bias - f->mantissa));
    } else {
        result = (exponent + 127 - (uint32_t)f->bias) << 23;
        result |= (size << (23 - f->mantissa)) & 0x7fffff;
    }
    return lpi_float_of(result | sign << 31);
}

/* Magnitude bits of a finite float of magnitude bits "size" rounded to
 * nearest even in "f"; may be above its "max". */
static uint32_t round_to(const format *f, uint32_t size)
{
    int32_t shift = 23 - f->mantissa;
    int32_t exponent = (int32_t)(size >> 23) - 127 + f->bias;
    uint64_t value = size;

    if (exponent >= 1) {
        value -= (uint64_t)(127 - f->bias) << 23;
    } else {
        if (size >> 23)
            value = (size & 0x7fffff) | 0x800000;
        else
            exponent++;
        shift += 1 - exponent;
        if (shift > 40)
            return 0;
    }
    value += (UINT64_C(1) << (shift - 1)) - 1 + (value >> shift & 1);
    return (uint32_t)(value >> shift);
}

static uint32_t encode(const format *f, int32_t bits, float x, bool saturate)
{
    uint32_t size = lpi_bits_of(x) & 0x7fffffff;
    uint32_t sign = lpi_bits_of(x) >> 31 << (bits - 1);
    uint32_t code;

    if (size > 0x7f800000)
        return f->one_zero ? f->nan : f->nan | sign;
    code = size == 0x7f800000 ? UINT32_MAX : round_to(f, size);
    if (code > f->max) {
        code = saturate ? f->max : f->inf ? f->inf : f->nan;
        if (code == f->nan && f->one_zero)
            return code;
    }
    return f->one_zero && code == 0 ? 0 : code | sign;
}

/* A power of two without sign, 255 is NaN (OCP MX 1.0, section 5.4.1).  Zero
 * and negative numbers are out of range. */
static float decode_scale(uint32_t code)
{
    return code == 255 ? lpi_float_of(0x7fc00000)
           : code == 0 ? lpi_float_of(0x400000)
                       : lpi_float_of(code << 23);
}

static uint32_t encode_scale(float x, bool saturate, lpi_round round)
{
    uint32_t bits = lpi_bits_of(x);
    uint32_t code = bits >> 23 & 0xff, rest = bits & 0x7fffff;

    if (x != x)
        return 255;
    if (!(x >= 0x1p-127f) || code == 255)
        return !saturate ? 255 : code == 255 && x > 0 ? 254 : 0;
    if (code == 0)
        rest = (rest & 0x3fffff) << 1;
    if (round == LPI_UP ? rest != 0 : round == LPI_NEAREST && rest >= 0x400000)
        code++;
    return code < 255 ? code : saturate ? 254 : 255;
}

static int64_t integer_of(uint32_t code, int32_t bits, int kind)
{
    int64_t half = INT64_C(1) << (bits - 1);

    if (kind == BOOL)
        return code != 0;
    return kind == SIGNED ? ((int64_t)code ^ half) - half : (int64_t)code;
}

/* Dtypes that have loops of their own (half.c), which are checked against
 * this file's arithmetic. */
static bool is_half(lp_dtype dtype)
{
    return dtype == LP_FLOAT16 || dtype == LP_BFLOAT16;
}

void lpi_unpack(lp_dtype dtype, const void *from, int64_t first, int64_t count,
                void *to)
{
    int32_t bits = table[dtype].bits;
    int kind = table[dtype].kind;
    int64_t i;

    if (kind == FULL) {
        memcpy(to, (const uint8_t *)from + first * (bits / 8),
               (size_t)count * (size_t)(bits / 8));
        return;
    }
    if (is_half(dtype)) {
        (dtype == LP_FLOAT16 ? lpi_isa_best()->from_f16
                             : lpi_isa_best()->from_bf16)(
            count, (const uint16_t *)from + first, to);
        return;
    }
    for (i = 0; i < count && kind != NONE; i++) {
        uint32_t code = load(from, bits, first + i);

        if (kind == SMALL)
            ((float *)to)[i] = decode(&table[dtype].format, bits, code);
        else if (kind == SCALE)
            ((float *)to)[i] = decode_scale(code);
        else
            ((int64_t *)to)[i] = integer_of(code, bits, kind);
    }
}

void lpi_pack_as(const lpi_target *target, const float *from, int64_t first,
                 int64_t count, void *to)
{
    const format *f = &table[target->dtype].format;
    int32_t bits = table[target->dtype].bits;
    int kind = table[target->dtype].kind;
    bool always = target->dtype == LP_FLOAT4E2M1;
    bool saturate = f->saturates && (target->saturate || always);
    int64_t i;

    if (kind == FULL)
        memcpy((float *)to + first, from, (size_t)count * sizeof(*from));
    if (is_half(target->dtype)) {
        (target->dtype == LP_FLOAT16
             ? lpi_isa_best()->to_f16
             : lpi_isa_best()->to_bf16)(count, from, (uint16_t *)to + first);
        return;
    }
    for (i = 0; i < count && kind == SMALL; i++)
        store(to, bits, first + i, encode(f, bits, from[i], saturate));
    for (i = 0; i < count && kind == SCALE; i++)
        store(to, bits, first + i,
              encode_scale(from[i], target->saturate, target->round));
}

void lpi_pack(lp_dtype dtype, const void *from, int64_t first, int64_t count,
              void *to)
{
    int32_t bits = table[dtype].bits;
    int kind = table[dtype].kind;
    int64_t i;

    if (table[dtype].class == LPI_F32) {
        lpi_pack_as(&(lpi_target){dtype, true, LPI_NEAREST}, from, first, count,
                    to);
    } else if (kind == FULL) {
        memcpy((uint8_t *)to + first * (bits / 8), from,
               (size_t)count * (size_t)(bits / 8));
    } else {
        for (i = 0; i < count && kind != NONE; i++) {
            int64_t x = ((const int64_t *)from)[i];

            store(to, bits, first + i, kind == BOOL ? x != 0 : (uint64_t)x);
        }
    }
}

static int64_t truncated(double x)
{
    return x >= -0x1p63 && x < 0x1p63 ? (int64_t)x : INT64_MIN;
}

static uint64_t truncated_unsigned(double x)
{
    return x >= 0x1p63 && x < 0x1p64 ? (uint64_t)x : (uint64_t)truncated(x);
}

/* Element "i" of "from" as element "i" of "to". */
static void convert_one(int pair, const void *from, void *to, int64_t i)
{
    const float *f = from;
    const double *d = from;
    const int64_t *s = from;
    const uint64_t *u = from;

    switch (pair) {
    case LPI_F32 * 4 + LPI_F64:
        ((double *)to)[i] = f[i];
        break;
    case LPI_F32 * 4 + LPI_I64:
        ((int64_t *)to)[i] = truncated(f[i]);
        break;
    case LPI_F32 * 4 + LPI_U64:
        ((uint64_t *)to)[i] = truncated_unsigned(f[i]);
        break;
    case LPI_F64 * 4 + LPI_F32:
        ((float *)to)[i] = (float)d[i];
        break;
    case LPI_F64 * 4 + LPI_I64:
        ((int64_t *)to)[i] = truncated(d[i]);
        break;
    case LPI_F64 * 4 + LPI_U64:
        ((uint64_t *)to)[i] = truncated_unsigned(d[i]);
        break;
    case LPI_I64 * 4 + LPI_F32:
        ((float *)to)[i] = (float)s[i];
        break;
    case LPI_I64 * 4 + LPI_F64:
        ((double *)to)[i] = (double)s[i];
        break;
    case LPI_U64 * 4 + LPI_F32:
        ((float *)to)[i] = (float)u[i];
        break;
    case LPI_U64 * 4 + LPI_F64:
        ((double *)to)[i] = (double)u[i];
        break;
    default:
        ((uint64_t *)to)[i] = u[i];
    }
}

void lpi_convert(lpi_class from_class, const void *from, lpi_class to_class,
                 void *to, int64_t count)
{
    int64_t i;

    if (from_class == to_class)
        memcpy(to, from, (size_t)count * sizes[from_class]);
    else
        for (i = 0; i < count; i++)
            convert_one((int)from_class * 4 + (int)to_class, from, to, i);
}

void lpi_narrow(const double *from, float *to, int64_t count)
{
    int64_t i;

    for (i = 0; i < count; i++) {
        float x = (float)from[i];
        uint32_t bits = lpi_bits_of(x);

        if ((double)x != from[i] && x == x) {
            if (fabs((double)x) > fabs(from[i]))
                bits--;
            bits |= 1;
        }
        to[i] = lpi_float_of(bits);
    }
}
