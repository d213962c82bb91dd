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

/* ---- walk.c -----------------------------------------------------------
 *
 * Elements are counted, not bytes, so that packed sub-byte dtypes work. */

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

/* ---- isa.c: one set of inner loops per instruction set ------------------
 *
 * Files of inner loops (tile.c, dot.c, vecmath.c, arith.c, lanes.c, half.c,
 * set.c) are compiled once for each set, LPI_SET being its name, and give the
 * same bytes in all: sums have a stated order, products that are fused are
 * written so. Arrays need no more than the alignment of their elements. */

#ifndef LPI_SET
#define LPI_SET generic
#endif
#define LPI_JOIN_(a, b) a##_##b
#define LPI_JOIN(a, b)  LPI_JOIN_(a, b)
#define LPI_OF_SET(a)   LPI_JOIN(a, LPI_SET)

/* Functions of one number.  Errors in units of the last place: exp, log 2;
 * erf, tanh, sigmoid, sin, cos, softplus, silu 4, gelu 16, gelu_tanh 32 (the
 * last three where results are above 2^-118); NaN, infinities and denormals as
 * libm. */
typedef enum lpi_unary {
    LPI_UNARY_EXP,
    LPI_UNARY_LOG,
    LPI_UNARY_ERF,
    LPI_UNARY_TANH,
    LPI_UNARY_SIGMOID,
    LPI_UNARY_SILU,      /* x sigmoid(x) */
    LPI_UNARY_GELU,      /* x (1 + erf(x / sqrt 2)) / 2 */
    LPI_UNARY_GELU_TANH, /* its approximation by tanh */
    LPI_UNARY_SIN,
    LPI_UNARY_COS,
    LPI_UNARY_SOFTPLUS, /* log(1 + exp(x)) */
    LPI_UNARY_RELU,     /* max(x, 0); NaN stays */
    LPI_UNARY_SQRT,
    LPI_UNARY_RECIPROCAL,
    LPI_UNARY_NEG,
    LPI_UNARY_ABS,
    LPI_UNARY_SQUARE,
    LPI_UNARIES,
} lpi_unary;

/* Functions of two.  max and min give NaN when an operand is NaN, and the
 * first operand when both are equal. */
typedef enum lpi_binary {
    LPI_BINARY_ADD,
    LPI_BINARY_SUB,
    LPI_BINARY_MUL,
    LPI_BINARY_DIV,
    LPI_BINARY_MAX,
    LPI_BINARY_MIN,
    LPI_BINARY_POW,
    LPI_BINARIES,
} lpi_binary;

/* Functions of one number and of two parameters, p and q, that do not change.
 * NaN stays. */
typedef enum lpi_shaped {
    LPI_SHAPED_LEAKY,        /* p x below 0, else x */
    LPI_SHAPED_THRESHOLD,    /* 0 up to p, else x */
    LPI_SHAPED_HARD_SIGMOID, /* p x + q within 0 and 1 */
    LPI_SHAPED_HARD_SWISH,   /* x times x / 6 + 1 / 2 within 0 and 1 */
    LPI_SHAPED_SOFTSIGN,     /* x / (1 + |x|) */
    LPI_SHAPED_CLIP,         /* x, at least p, then at most q */
    LPI_SHAPES,
} lpi_shaped;

/* To bytes: with "factor" what numbers are multiplied by (int32) or their
 * scales ("step" 1: one each; floats), rounded half to even, the zero point
 * added, kept in the range of the byte; NaN as 0. */
typedef struct lpi_to_bytes {
    const float *factor, *zero;
    int64_t step;
    bool is_signed;
} lpi_to_bytes;

/* What many numbers become: one, by 16 lanes or by a chain (lpi_reduction). */
typedef enum lpi_reducer {
    LPI_REDUCE_SUM,
    LPI_REDUCE_SUM_ABS,
    LPI_REDUCE_SUM_SQUARES, /* fused: fma(x, x, sum) */
    LPI_REDUCE_MAX,         /* NaN when one is */
    LPI_REDUCE_MIN,
    LPI_REDUCE_PROD,
    LPI_REDUCERS,
} lpi_reducer;

enum { LPI_LANES = 16 };

typedef void (*lpi_unary_loop)(int64_t count, const float *from, float *to);
/* Steps are 0 (one value for all) or 1. */
typedef void (*lpi_binary_loop)(int64_t count, const float *a, int64_t a_step,
                                const float *b, int64_t b_step, float *to);
typedef void (*lpi_shaped_loop)(int64_t count, const float *from,
                                const float *params, float *to);
typedef float (*lpi_reduce_loop)(int64_t count, const float *from);
typedef void (*lpi_take_loop)(int64_t count, const float *from, float *to);

/* A register tile of a matrix product: rows x columns of C go on, c += a * b,
 * one fused multiply-add after the other in ascending k.  "b" holds "columns"
 * floats for each k, packed.  A is read in place: element (i, k) stands at
 * i * a_row + k * a_column.  "c_row" floats lie between rows of C; "fresh":
 * C holds nothing, chains start from 0.  "next" is where the C of the tile
 * that comes next begins, NULL where nobody knows. */
typedef struct lpi_tile_args {
    int64_t k;
    const float *a;
    int64_t a_row, a_column;
    const float *b;
    float *c;
    int64_t c_row;
    bool fresh;
    const float *next;
} lpi_tile_args;

typedef struct lpi_gemm_tile {
    int32_t rows, columns;
    void (*run)(const lpi_tile_args *args);
} lpi_gemm_tile;

/* From wide to narrow. */
enum { LPI_TILES = 3 };
typedef struct lpi_gemm_tiles {
    lpi_gemm_tile tile[LPI_TILES];
} lpi_gemm_tiles;

/* A row of a convolution of one channel: to[i] = chain over k of fma(w[k],
 * from[offset[k] + i]), from 0 ("fresh") or to[i].  LPI_SLACK floats behind
 * what is meant are read, too. */
enum { LPI_SLACK = 32 };
typedef struct lpi_taps {
    int64_t length, count;
    const float *w, *from;
    const int64_t *offset;
    float *to;
    bool fresh;
} lpi_taps;

typedef struct lpi_weave {
    int64_t groups, width;
    const uint8_t *from;
    uint8_t flip;
    bool is_signed;
    void *to;
    uint32_t *sums;
} lpi_weave;

/* The tile of integer products: rows x columns sums of int32 go on; k in
 * groups of "group" elements of "size" bytes (1: a unsigned, b signed; 2: both
 * int16); "a" holds "rows" groups for each step, "b" "columns". */
typedef struct lpi_dots {
    int32_t rows, columns, group, size;
    /* Bring "groups" x group rows of "width" bytes into that form: each byte
     * with "flip" toggled, taken as signed or not; add them to sums[width]. */
    void (*weave)(const struct lpi_weave *weave);
    /* The same from rows of the operand: "width" lines of "count" bytes, "line"
     * bytes apart; what fills the last group counts as 0. */
    void (*weave_lines)(const struct lpi_weave *weave, int64_t line,
                        int64_t count);
    void (*run)(int64_t groups, const void *a, const void *b, int32_t *c,
                int64_t c_row);
} lpi_dots;

/* The loops of a set.  "to" may be the same array as "from". */
typedef struct lpi_isa {
    const char *name;
    const lpi_gemm_tiles *tiles;
    const lpi_dots *dots;

    void (*taps_row)(const lpi_taps *taps);
    /* to[i] = fma(a, b[i], to[i]) */
    void (*axpy)(int64_t count, float a, const float *b, float *to);

    const lpi_unary_loop *unary;   /* [LPI_UNARIES] */
    const lpi_binary_loop *binary; /* [LPI_BINARIES] */
    const lpi_shaped_loop *shaped; /* [LPI_SHAPES] */
    /* to = from / factor + zero, and from * factor + zero, as lpi_to_bytes says
     */
    void (*bytes_of_floats)(const lpi_to_bytes *how, int64_t count,
                            const float *from, uint8_t *to);
    void (*bytes_of_sums)(const lpi_to_bytes *how, int64_t count,
                          const int32_t *from, uint8_t *to);
    /* to[i] = fma(from[i], scale, shift) */
    void (*affine)(int64_t count, const float *from, float scale, float shift,
                   float *to);

    /* Reduce an array: LPI_LANES lanes, element i goes into lane i mod 16 in
     * ascending order, then lane j takes in lane j + 8, j + 4, j + 2, j + 1.
     * Lanes start neutral: 0, 1, infinity or its negative. */
    const lpi_reduce_loop *reduce; /* [LPI_REDUCERS] */
    /* to[i] takes in from[i]: a step of "count" reductions. */
    const lpi_take_loop *take; /* [LPI_REDUCERS] */
    /* to[i] takes in from[i], another lane of the same reduction. */
    const lpi_take_loop *join; /* [LPI_REDUCERS] */
    /* Sum of (x - centre) and of (x - centre)^2 in doubles, by the lanes. */
    void (*moments)(int64_t count, const float *from, double centre,
                    double *ret_sum, double *ret_squares);
    /* to = exp(from - max) (NULL: not kept); returns their sum by the lanes. */
    float (*exp_sum)(int64_t count, const float *from, float max, float *to);
    /* to = fma((from - mean) * inverse, scale, shift), scale and shift an
     * array each; "of" is {mean, inverse}. */
    void (*normalise)(int64_t count, const float *from, const float *of,
                      const float *scale, const float *shift, float *to);

    /* float16 and bfloat16 (storage form) to float32 and back. */
    void (*from_f16)(int64_t count, const uint16_t *from, float *to);
    void (*to_f16)(int64_t count, const float *from, uint16_t *to);
    void (*from_bf16)(int64_t count, const uint16_t *from, float *to);
    void (*to_bf16)(int64_t count, const float *from, uint16_t *to);
} lpi_isa;

/* What the files of one set give to its table in set.c. */
extern const lpi_unary_loop LPI_OF_SET(lpi_unary_loops)[LPI_UNARIES];
extern const lpi_binary_loop LPI_OF_SET(lpi_binary_loops)[LPI_BINARIES];
extern const lpi_shaped_loop LPI_OF_SET(lpi_shaped_loops)[LPI_SHAPES];
extern const lpi_reduce_loop LPI_OF_SET(lpi_reduce_loops)[LPI_REDUCERS];
extern const lpi_take_loop LPI_OF_SET(lpi_take_loops)[LPI_REDUCERS];
extern const lpi_take_loop LPI_OF_SET(lpi_join_loops)[LPI_REDUCERS];
extern const lpi_gemm_tiles LPI_OF_SET(lpi_gemm_tiles);
extern const lpi_dots LPI_OF_SET(lpi_dots);

void LPI_OF_SET(lpi_affine_loop)(int64_t count, const float *from, float scale,
                                 float shift, float *to);
void LPI_OF_SET(lpi_bytes_of_floats)(const lpi_to_bytes *how, int64_t count,
                                     const float *from, uint8_t *to);
void LPI_OF_SET(lpi_bytes_of_sums)(const lpi_to_bytes *how, int64_t count,
                                   const int32_t *from, uint8_t *to);
void LPI_OF_SET(lpi_taps_row)(const lpi_taps *taps);
void LPI_OF_SET(lpi_axpy)(int64_t count, float a, const float *b, float *to);
void LPI_OF_SET(lpi_moments)(int64_t count, const float *from, double centre,
                             double *ret_sum, double *ret_squares);
float LPI_OF_SET(lpi_exp_sum)(int64_t count, const float *from, float max,
                              float *to);
void LPI_OF_SET(lpi_normalise)(int64_t count, const float *from,
                               const float *of, const float *scale,
                               const float *shift, float *to);
void LPI_OF_SET(lpi_from_f16)(int64_t count, const uint16_t *from, float *to);
void LPI_OF_SET(lpi_to_f16)(int64_t count, const float *from, uint16_t *to);
void LPI_OF_SET(lpi_from_bf16)(int64_t count, const uint16_t *from, float *to);
void LPI_OF_SET(lpi_to_bf16)(int64_t count, const float *from, uint16_t *to);

extern const lpi_isa lpi_isa_generic, lpi_isa_avx2, lpi_isa_avx512,
    lpi_isa_avx512vnni;

/* The best set that this machine has, or the one called "name"; NULL when the
 * machine lacks it. */
const lpi_isa *lpi_isa_best(void);
const lpi_isa *lpi_isa_find(const char *name);

/* Who computes: {lpi_isa_best(), threads}.  No result depends on it. */
typedef struct lpi_team {
    const lpi_isa *isa;
    int32_t threads; /* at least 1 */
} lpi_team;

/* ---- count.c --------------------------------------------------------------
 */

/* Said by loops: so many multiply-adds of elements that exist.  Only builds
 * with LPI_COUNTING count. */
#ifdef LPI_COUNTING
void lpi_macs_add(int64_t count);
#define LPI_MACS(count) lpi_macs_add(count)
enum { LPI_COUNTS_MACS = 1 };
#else
#define LPI_MACS(count) ((void)0)
enum { LPI_COUNTS_MACS = 0 };
#endif

/* What was counted since the last call; -1: this build counts none. */
int64_t lpi_macs_take(void);

/* Share "i" of "count" of [0, whole), in multiples of "unit". */
void lpi_share(int64_t whole, int64_t unit, int32_t i, int32_t count,
               int64_t *ret_from, int64_t *ret_to);

/* ---- gemm.c, panel.c ------------------------------------------------------
 *
 * Every element of a product is one chain of fused multiply-adds in ascending
 * k that starts from what C holds (from 0 when "fresh").  So blocks, threads,
 * instruction sets and products split along m, n or (in ascending order) k
 * give the same bytes.
 *
 * Workspaces are floats, made by the caller: lpi_..._workspace tells how many
 * for the struct as it will be run. */

/* "at[i * row + j * column]". */
typedef struct lpi_matrix {
    const float *at;
    int64_t row, column;
} lpi_matrix;

/* Where the columns of B come from: fill "to" with rows [k, k + k_count) of
 * columns [n, n + n_count), "width" floats a row, zeros behind n_count. */
typedef struct lpi_columns {
    void (*pack)(const void *context, int64_t k, int64_t k_count, int64_t n,
                 int64_t n_count, int64_t width, float *to);
    const void *context;
} lpi_columns;

typedef struct lpi_gemm {
    int64_t m, n, k;
    lpi_matrix a;
    lpi_columns b; /* {lpi_pack_matrix, &an_lpi_matrix}: k rows, n columns */
    float *c;
    int64_t c_row; /* columns of C are neighbours */
    bool fresh;    /* C holds nothing yet */
    lpi_team team;
    float *workspace;
} lpi_gemm;

int64_t lpi_gemm_workspace(const lpi_gemm *gemm);

/* C += A B. */
void lpi_gemm_run(const lpi_gemm *gemm);

/* lpi_columns.pack of a matrix in memory; the context is an lpi_matrix.  A
 * product that has it is known to stand in memory and may be computed
 * transposed, or without packing. */
void lpi_pack_matrix(const void *context, int64_t k, int64_t k_count, int64_t n,
                     int64_t n_count, int64_t width, float *to);

/* to[p * width + j] = from[j * stride + p] for p < sides[0], j < sides[1]: a
 * matrix turned, in squares. */
void lpi_turn(const float *from, int64_t stride, const int64_t sides[2],
              int64_t width, float *to);

/* ---- conv.c, window.c, depthwise.c, deconv.c
 * ----------------------------------------
 *
 * Convolutions of 1 to 3 spatial axes, always stored as 3: those that are
 * missing stand in front, with sizes 1, pads 0, stride and dilation 1.
 * x: batch, in_channels, in...; w: out_channels, in_channels / groups,
 * kernel...; y: batch, out_channels, out....
 *
 * y[n, oc, o] = chain over ic, kz, ky, kx ascending of fma(w, x, sum), from 0
 * or from what y holds; then bias[oc] is added.  A tap in the padding counts:
 * it does fma(w, 0, sum), in every path. */
typedef struct lpi_conv {
    int64_t batch, groups, in_channels, out_channels;
    int64_t in[3], out[3], kernel[3], stride[3], dilation[3];
    int64_t pad[3]; /* in front; those behind follow from "out" */
    const float *x, *w;
    const float *bias; /* NULL: none */
    bool goes_on;      /* chains start from y instead of 0 */
    float *y;
    lpi_team team;
    float *workspace;
} lpi_conv;

/* How the columns of a convolution come from x: column o of the grid "out"
 * and tap t read element o * step + first + t * delta of an axis, zeros
 * beyond it.  Rows of the matrix: channels, then taps. */
typedef struct lpi_window {
    const float *x; /* channels x in */
    int64_t in[3], out[3], step[3], taps[3], first[3], delta[3];
} lpi_window;

enum { LPI_STRETCHES = 64 }; /* most columns of a panel */

/* Columns [at, at + count) of a panel: neighbours along the last axis, from
 * "place" on. */
typedef struct lpi_stretch {
    int64_t at, count, place[3];
} lpi_stretch;

/* Cut columns [n, n + count) of an output of extents "out"; how many. */
int32_t lpi_stretches(const int64_t out[3], int64_t n, int64_t count,
                      lpi_stretch *ret);

/* lpi_columns.pack of an lpi_window. */
void lpi_pack_window(const void *context, int64_t k, int64_t k_count, int64_t n,
                     int64_t n_count, int64_t width, float *to);

/* Convolutions with one channel a group; lpi_conv_run calls them. */
bool lpi_conv_is_depthwise(const lpi_conv *conv);
int64_t lpi_depthwise_workspace(const lpi_conv *conv);
void lpi_depthwise_run(const lpi_conv *conv);

int64_t lpi_conv_workspace(const lpi_conv *conv);
void lpi_conv_run(const lpi_conv *conv);

/* The transposed convolution (ONNX ConvTranspose) with the same struct, where
 * w: in_channels, out_channels / groups, kernel...:
 * y[oc, o] = chain over ic, kz, ky, kx ascending of those taps for which
 * o + pad - k * dilation is a multiple of stride, of fma(w, x, sum); a tap
 * beyond x counts as fma(w, 0, sum), one that meets no multiple does not. */
int64_t lpi_deconv_workspace(const lpi_conv *conv);
void lpi_deconv_run(const lpi_conv *conv);

/* ---- attend.c -----------------------------------------------------------
 *
 * out = softmax(q k^T * scale + mask) v of one head, by blocks of rows whose
 * scores are complete, with the bytes of lpi_gemm_run, multiply, add,
 * lpi_softmax_run, lpi_gemm_run. */
typedef struct lpi_attend {
    int64_t rows, keys, depth, value_depth;
    lpi_matrix q, k, v; /* rows x depth, keys x depth, keys x value_depth */
    float scale;        /* 1: not multiplied */
    lpi_matrix mask;    /* added when "at" is set; strides may be 0 */
    bool causal;        /* row i sees keys 0 .. i + past only */
    int64_t past;
    float *out;
    int64_t out_row;
    lpi_team team;
    float *workspace;
} lpi_attend;

int64_t lpi_attend_workspace(const lpi_attend *attention);
void lpi_attend_run(const lpi_attend *attention);

/* ---- rows.c, pointwise.c: arrays at memory speed ---------------------------
 */

void lpi_unary_run(const lpi_team *team, lpi_unary what, int64_t count,
                   const float *from, float *to);

/* An element-wise function with broadcasting: strides are in elements, 0
 * repeats; "to" is contiguous with "dims" and may be an operand that has the
 * same shape. */
typedef struct lpi_spread {
    int32_t rank;
    const int64_t *dims;
    const float *a, *b;
    const int64_t *a_strides, *b_strides;
    float *to;
} lpi_spread;

void lpi_binary_run(const lpi_team *team, lpi_binary what,
                    const lpi_spread *spread);

/* Both operands of the same shape, contiguous. */
void lpi_binary_flat(const lpi_team *team, lpi_binary what, int64_t count,
                     const float *const operands[2], float *to);

/* Softmax over the middle axis of outer x count x inner, contiguous: max,
 * exp(x - max), their sum by LPI_LANES lanes (see lpi_isa.reduce), times its
 * reciprocal; log: x - max - log(sum).  In place is fine. */
typedef struct lpi_softmax {
    int64_t outer, count, inner;
    const float *from;
    float *to;
    bool log;
} lpi_softmax;

void lpi_softmax_run(const lpi_team *team, const lpi_softmax *softmax);

/* One row of it. */
void lpi_softmax_row(const lpi_isa *isa, int64_t count, const float *from,
                     float *to);

/* Reduce the middle axis of outer x count x inner into outer x inner.
 * "chain": one ascending chain from what "to" holds (for sums that go on);
 * else by lanes. */
typedef struct lpi_reduction {
    int64_t outer, count, inner;
    const float *from;
    float *to;
    bool chain;
} lpi_reduction;

void lpi_reduction_run(const lpi_team *team, lpi_reducer what,
                       const lpi_reduction *reduction);

/* Normalise rows of "count" elements: mean and variance in doubles (two
 * passes, by lanes), then (x - mean) * inverse * scale + shift in floats, the
 * last step fused, inverse = 1 / sqrt(variance + epsilon) rounded once.
 * Without "centred": mean 0 (RMS).  Element i of row r has parameter
 * (r * (count / plane) + i / plane) mod channels: a layer norm has plane 1 and
 * channels = count; a group norm has count = channels of a group x plane. */
typedef struct lpi_norm {
    int64_t rows, count, plane, channels;
    const float *from;
    const float *scale, *shift; /* NULL: 1, 0 */
    double epsilon;
    bool centred;
    float *to;
    float *ret_mean, *ret_inverse; /* a value a row; NULL: not wanted */
} lpi_norm;

void lpi_norm_run(const lpi_team *team, const lpi_norm *norm);

/* y = x * scale[c] + shift[c] (fused) of outer x channels x plane: batch
 * normalisation with its statistics given, biases of convolutions. */
typedef struct lpi_affine {
    int64_t outer, channels, plane;
    const float *from, *scale, *shift; /* NULL: 1, 0 */
    float *to;
} lpi_affine;

void lpi_affine_run(const lpi_team *team, const lpi_affine *affine);

/* ---- gemm8.c, conv8.c: products of 8-bit integers ---------------------------
 *
 * Exact: sums of (a - a_zero) * (b - b_zero) modulo 2^32, in int32.  Signed or
 * unsigned as each operand's flag says. */
typedef struct lpi_matrix8 {
    const void *at;
    int64_t row, column;
    bool is_signed;
    int32_t zero;         /* of all, when zeros is NULL */
    const int32_t *zeros; /* one a row of A, one a column of B */
} lpi_matrix8;

/* Columns of B by a function, as lpi_columns; bytes as they are stored. */
typedef struct lpi_columns8 {
    void (*pack)(const void *context, int64_t k, int64_t k_count, int64_t n,
                 int64_t n_count, int64_t width, uint8_t *to);
    const void *context;
} lpi_columns8;

typedef struct lpi_gemm8 {
    int64_t m, n, k;
    lpi_matrix8 a, b;
    lpi_columns8 b_from; /* pack NULL: B stands at b.at */
    int32_t *c;          /* overwritten */
    int64_t c_row;
    lpi_team team;
    void *workspace; /* lpi_gemm8_workspace() bytes */
} lpi_gemm8;

int64_t lpi_gemm8_workspace(const lpi_gemm8 *gemm);
void lpi_gemm8_run(const lpi_gemm8 *gemm);

/* lpi_conv of 8-bit integers ("shape": sizes alone; its x, w, bias, y and
 * workspace are not read) into int32, overwritten.  Padding holds x_zero, so
 * adds 0. */
typedef struct lpi_conv8 {
    const lpi_conv *shape;
    const void *x, *w;
    bool x_signed, w_signed;
    int32_t x_zero, w_zero;
    const int32_t *w_zeros; /* one an out channel; NULL: w_zero */
    int32_t *y;
    void *workspace; /* lpi_conv8_workspace() bytes */
} lpi_conv8;

int64_t lpi_conv8_workspace(const lpi_conv8 *conv);
void lpi_conv8_run(const lpi_conv8 *conv);

#endif
