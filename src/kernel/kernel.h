/* kernel.h: loops over plain buffers; knows no model.
 *
 * Values are computed in one of four classes.  Storage dtypes are unpacked
 * into the class, computed, and packed again: one table serves all.
 *
 * Classes, storage and walks through boxes stand here, the loops in the parts
 * that the last lines include, by what they compute. */
#ifndef LPI_KERNEL_H
#define LPI_KERNEL_H

#include "../base/base.h"

typedef enum lpi_class {
    LPI_F32, /* float32, and float16, bfloat16, float8, float4 */
    LPI_F64,
    LPI_I64,      /* all signed integers, bool, unsigned below 64 bit */
    LPI_U64,      /* uint64 */
    LPI_NO_CLASS, /* strings, complex, undefined */
} lpi_class;

lpi_class lpi_class_of(lp_dtype dtype);

/* Bytes of one element of a class: 4 or 8. */
size_t lpi_class_size(lpi_class class);

#define LPI_INLINED static inline __attribute__((always_inline))

/* The bits of a float, and the float of these bits. */
LPI_INLINED uint32_t lpi_bits_of(float x)
{
    union {
        float x;
        uint32_t bits;
    } both = {.x = x};

    return both.bits;
}

LPI_INLINED float lpi_float_of(uint32_t bits)
{
    union {
        uint32_t bits;
        float x;
    } both = {.bits = bits};

    return both.x;
}

LPI_INLINED int64_t lpi_least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Four floats, and wherever they stand in memory. */
typedef float lpi_four __attribute__((vector_size(16)));
typedef float lpi_loose_four
    __attribute__((vector_size(16), aligned(4), may_alias));

/* ---- pack.c ------------------------------------------------------------ */

/* Unpack elements [first, first + count) of the storage form "from" into
 * "to", an array of the class of "dtype". */
void lpi_unpack(lp_dtype dtype, const void *from, int64_t first, int64_t count,
                void *to);

/* Pack "count" values of the class of "dtype" from "from" into elements
 * [first, first + count) of the storage form "to".  Floats round to nearest
 * even and saturate as ONNX's Cast with saturate = 1 does; integers keep
 * their low bits; bool becomes 0 or 1. */
void lpi_pack(lp_dtype dtype, const void *from, int64_t first, int64_t count,
              void *to);

/* How a float becomes one of less precision.  "round" applies to float8e8m0
 * alone, all others round to nearest even. */
typedef enum lpi_round {
    LPI_NEAREST, /* ties away from zero */
    LPI_UP,      /* away from zero */
    LPI_DOWN,    /* toward zero */
} lpi_round;

/* A dtype of class LPI_F32 and how to round to it: when "saturate" is not set,
 * float8 out of range becomes infinity or NaN (ONNX, Cast, attributes saturate
 * and round_mode). */
typedef struct lpi_target {
    lp_dtype dtype;
    bool saturate;
    lpi_round round;
} lpi_target;

/* The same as lpi_pack for "target". */
void lpi_pack_as(const lpi_target *target, const float *from, int64_t first,
                 int64_t count, void *to);

/* Convert "count" values between classes.  Floats truncate toward zero; what
 * no int64_t holds, NaN included, becomes INT64_MIN. */
void lpi_convert(lpi_class from_class, const void *from, lpi_class to_class,
                 void *to, int64_t count);

/* Doubles as floats rounded to odd: the inexact ones have their last bit set,
 * so that packing them into a narrower float rounds once, not twice. */
void lpi_narrow(const double *from, float *to, int64_t count);

/* ---- turn.c ------------------------------------------------------------ */

/* to[p * width + j] = from[j * stride + p] for p < sides[0], j < sides[1], of
 * elements of "size" bytes: 1, 2, 4 or 8. */
void lpi_turn_elements(int64_t size, const void *from, int64_t stride,
                       const int64_t sides[2], int64_t width, void *to);

/* ---- walk.c ------------------------------------------------------------ */

/* Elements are counted, not bytes, so that packed sub-byte dtypes work. */

enum {
    LPI_WALK_AXES = 64,    /* axes longer than 1 that fit into an int64_t */
    LPI_WALK_OPERANDS = 5, /* most operands of a walk */
};

/* Row-major strides of "dims". */
void lpi_strides(int32_t rank, const int64_t *dims, int64_t *ret_strides);

/* A walk through a box in row-major order, run by run: "length" elements of
 * operand k stand at "at[k]", "step[k]" apart. */
typedef struct lpi_walk {
    int64_t length, at[LPI_WALK_OPERANDS], step[LPI_WALK_OPERANDS];
    int32_t operands, rank;
    int64_t dims[LPI_WALK_AXES], index[LPI_WALK_AXES];
    int64_t strides[LPI_WALK_OPERANDS][LPI_WALK_AXES];
} lpi_walk;

/* Begin the walk through the box of "dims" in which operand k starts at 0 and
 * moves by strides[k][axis].  Axes of one element are dropped, neighbours
 * merged.  False when the box is empty.
 *
 *     for (more = lpi_walk_start(&walk, ...); more; more =
 * lpi_walk_next(&walk))
 */
bool lpi_walk_start(lpi_walk *walk, int32_t rank, const int64_t *dims,
                    int32_t operands, const int64_t *const *strides);
bool lpi_walk_next(lpi_walk *walk);

/* Elements of "bytes" from element "first" on, "strides" apart an axis. */
typedef struct lpi_place {
    void *bytes;
    int64_t first;
    const int64_t *strides;
} lpi_place;

/* Copy a box of elements of "bits" each (2, 4, or whole bytes); strides of 0
 * in "from" repeat elements. */
void lpi_copy_box(int32_t bits, int32_t rank, const int64_t *dims, lpi_place to,
                  lpi_place from);

/* Copy "count" neighbouring elements of "bits" each; strides do not matter. */
void lpi_copy_run(int32_t bits, int64_t count, lpi_place to, lpi_place from);

#include "integer.h"
#include "isa.h"
#ifdef LPI_VECTORS
#include "vector.h"
#endif
#ifdef LPI_DOTS
#include "dot.h"
#endif
#include "exp.h"
#include "gemm.h"
#include "conv.h"
#include "rows.h"

#endif
