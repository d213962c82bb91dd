/* dtype.c: the table of element types. */
#include <string.h>

#include "graph.h"

typedef enum class { NONE, FLOAT, SIGNED, UNSIGNED, OTHER } class;

static const struct {
    const char *name, *alias, *short_form;
    int32_t bits;
    class class;
} dtypes[LP_DTYPE_COUNT] = {
    [LP_UNDEFINED] = {"undefined", "", "", 0, NONE},
    [LP_FLOAT32] = {"float32", "fp32", "f32", 32, FLOAT},
    [LP_UINT8] = {"uint8", "u8", "u8", 8, UNSIGNED},
    [LP_INT8] = {"int8", "i8", "i8", 8, SIGNED},
    [LP_UINT16] = {"uint16", "u16", "u16", 16, UNSIGNED},
    [LP_INT16] = {"int16", "i16", "i16", 16, SIGNED},
    [LP_INT32] = {"int32", "i32", "i32", 32, SIGNED},
    [LP_INT64] = {"int64", "i64", "i64", 64, SIGNED},
    [LP_STRING] = {"string", "str", "str", 0, OTHER},
    [LP_BOOL] = {"bool", "boolean", "b8", 8, OTHER},
    [LP_FLOAT16] = {"float16", "fp16", "f16", 16, FLOAT},
    [LP_FLOAT64] = {"float64", "double", "f64", 64, FLOAT},
    [LP_UINT32] = {"uint32", "u32", "u32", 32, UNSIGNED},
    [LP_UINT64] = {"uint64", "u64", "u64", 64, UNSIGNED},
    [LP_COMPLEX64] = {"complex64", "c64", "c64", 64, OTHER},
    [LP_COMPLEX128] = {"complex128", "c128", "c128", 128, OTHER},
    [LP_BFLOAT16] = {"bfloat16", "bf16", "bf16", 16, FLOAT},
    [LP_FLOAT8E4M3FN] = {"float8e4m3fn", "fp8", "f8e4m3fn", 8, FLOAT},
    [LP_FLOAT8E4M3FNUZ] = {"float8e4m3fnuz", "f8e4m3fnuz", "", 8, FLOAT},
    [LP_FLOAT8E5M2] = {"float8e5m2", "f8e5m2", "", 8, FLOAT},
    [LP_FLOAT8E5M2FNUZ] = {"float8e5m2fnuz", "f8e5m2fnuz", "", 8, FLOAT},
    [LP_UINT4] = {"uint4", "u4", "u4", 4, UNSIGNED},
    [LP_INT4] = {"int4", "i4", "i4", 4, SIGNED},
    [LP_FLOAT4E2M1] = {"float4e2m1", "fp4", "f4e2m1", 4, FLOAT},
    [LP_FLOAT8E8M0] = {"float8e8m0", "f8e8m0", "", 8, FLOAT},
    [LP_UINT2] = {"uint2", "u2", "u2", 2, UNSIGNED},
    [LP_INT2] = {"int2", "i2", "i2", 2, SIGNED},
};

static bool in_range(lp_dtype dtype)
{
    return (int)dtype >= 0 && dtype < LP_DTYPE_COUNT;
}

const char *lp_dtype_name(lp_dtype dtype)
{
    return dtypes[in_range(dtype) ? dtype : LP_UNDEFINED].name;
}

lp_dtype lp_dtype_from_name(const char *name)
{
    int i;

    for (i = LP_UNDEFINED + 1; i < LP_DTYPE_COUNT; i++)
        if (!strcmp(name, dtypes[i].name) || !strcmp(name, dtypes[i].alias) ||
            (*name && !strcmp(name, dtypes[i].short_form)))
            return (lp_dtype)i;
    return LP_UNDEFINED;
}

int32_t lp_dtype_bits(lp_dtype dtype)
{
    return in_range(dtype) ? dtypes[dtype].bits : 0;
}

bool lpi_dtype_is_float(lp_dtype dtype)
{
    return in_range(dtype) && dtypes[dtype].class == FLOAT;
}

bool lpi_dtype_is_signed(lp_dtype dtype)
{
    return in_range(dtype) && dtypes[dtype].class == SIGNED;
}

bool lpi_dtype_is_integer(lp_dtype dtype)
{
    return in_range(dtype) &&
           (dtypes[dtype].class == SIGNED || dtypes[dtype].class == UNSIGNED);
}
