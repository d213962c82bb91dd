/* kernel.h: loops over plain buffers; knows no model.
 *
 * Values are computed in one of four classes.  Storage dtypes are unpacked
 * into the class, computed, and packed again: one table serves all. */
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

/* ---- pack.c ----------------------------------------------------------- */

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

/* The same for a dtype of class LPI_F32 with the rounding "round" and, when
 * "saturate" is not set, float8 out of range as infinity or NaN (ONNX, Cast,
 * attributes saturate and round_mode). */
void lpi_pack_as(lp_dtype dtype, const float *from, int64_t first,
                 int64_t count, void *to, bool saturate, lpi_round round);

/* Convert "count" values between classes.  Floats truncate toward zero; what
 * no int64_t holds, NaN included, becomes INT64_MIN. */
void lpi_convert(lpi_class from_class, const void *from, lpi_class to_class,
                 void *to, int64_t count);

/* Doubles as floats rounded to odd: the inexact ones have their last bit set,
 * so that packing them into a narrower float rounds once, not twice. */
void lpi_narrow(const double *from, float *to, int64_t count);

/* ---- walk.c -----------------------------------------------------------
 *
 * Elements are counted, not bytes, so that packed sub-byte dtypes work. */

enum {
    LPI_WALK_AXES = 64,     /* axes longer than 1 that fit into an int64_t */
    LPI_WALK_OPERANDS = 5,  /* most operands of a walk */
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
 *     for (more = lpi_walk_start(&walk, ...); more; more = lpi_walk_next(&walk))
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
void lpi_copy_box(int32_t bits, int32_t rank, const int64_t *dims,
                  lpi_place to, lpi_place from);

/* Copy "count" neighbouring elements of "bits" each. */
void lpi_copy_run(int32_t bits, int64_t count, void *to, int64_t to_first,
                  const void *from, int64_t from_first);

/* ---- isa.c: one set of inner loops per instruction set ------------------
 *
 * tile.c is compiled once for each; all give the same bytes. */

typedef struct lpi_isa {
    const char *name;
    int32_t rows, columns; /* of the register tile of a matrix product */

    /* C (rows x columns, "stride" floats a row) goes on: c += a * b, one
     * fused multiply-add after the other in ascending k.  "a" holds "rows"
     * floats for each k, "b" "columns" of them. */
    void (*tile)(int64_t k, const float *a, const float *b, float *c,
                 int64_t stride);
} lpi_isa;

extern const lpi_isa lpi_isa_generic, lpi_isa_avx2, lpi_isa_avx512;

/* The best set that this machine has, or the one called "name"; NULL when the
 * machine lacks it. */
const lpi_isa *lpi_isa_best(void);
const lpi_isa *lpi_isa_find(const char *name);

/* ---- gemm.c ---------------------------------------------------------------
 *
 * Every element of a product is one chain of fused multiply-adds in ascending
 * k that starts from what C holds.  So blocks, threads, instruction sets and
 * products split along m, n or (in ascending order) k give the same bytes. */

/* "at[i * row + j * column]". */
typedef struct lpi_matrix {
    const float *at;
    int64_t row, column;
} lpi_matrix;

/* Where the columns of B come from when B is not a matrix in memory: fill
 * "to" with rows [k, k + k_count) of columns [n, n + n_count), "width" floats
 * a row, zeros behind n_count. */
typedef struct lpi_columns {
    void (*pack)(const void *context, int64_t k, int64_t k_count, int64_t n,
                 int64_t n_count, int64_t width, float *to);
    const void *context;
} lpi_columns;

typedef struct lpi_gemm {
    int64_t m, n, k;
    lpi_matrix a;
    lpi_columns b;
    float *c;
    int64_t c_row;
    const lpi_isa *isa;
    int32_t threads;
    float *workspace; /* lpi_gemm_workspace(...) floats, aligned to 64 bytes */
} lpi_gemm;

/* Floats of workspace that a product of this size takes. */
int64_t lpi_gemm_workspace(const lpi_gemm *gemm);

/* C += A B. */
void lpi_gemm_run(const lpi_gemm *gemm);

/* lpi_columns.pack of a matrix in memory; the context is an lpi_matrix. */
void lpi_pack_matrix(const void *context, int64_t k, int64_t k_count,
                     int64_t n, int64_t n_count, int64_t width, float *to);

#endif
