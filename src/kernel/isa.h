/* isa.h: one set of inner loops per instruction set, and what they count.
 *
 * Files of inner loops (tile.c, taps.c, dot.c, vecmath.c, arith.c, lanes.c,
 * half.c, set.c) are compiled once for each set, LPI_SET being its name, and
 * give the same bytes in all: sums have a stated order, products that are fused
 * are written so.  Arrays need no more than the alignment of their elements.
 *
 * A part of kernel.h, which alone includes it. */
#ifndef LPI_KERNEL_ISA_H
#define LPI_KERNEL_ISA_H

#ifndef LPI_SET
#define LPI_SET generic
#endif
#define LPI_JOIN_(a, b) a##_##b
#define LPI_JOIN(a, b)  LPI_JOIN_(a, b)
#define LPI_OF_SET(a)   LPI_JOIN(a, LPI_SET)

/* Functions of one number.  Errors in units of the last place: exp, log 2;
 * erf, tanh, sigmoid, sin, cos, softplus, silu 4, gelu 16, gelu_tanh 32 (the
 * last three where results are above 2^-24); NaN, infinities and denormals as
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
    LPI_SHAPED_ELU, /* p (exp(x / q) - 1) below 0, else x; times a third, s */
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

/* The same of LPI_LANES channels that are neighbours: to[i * LPI_LANES + c] =
 * chain over k of fma(w[k * LPI_LANES + c], from[offset[k] + i * step + c])
 * from 0, then bias[c] is added (NULL: none). */
typedef struct lpi_channels {
    int64_t length, count, step;
    const float *w, *from, *bias;
    const int64_t *offset;
    float *to;
} lpi_channels;

/* Rows of A times lines of memory, which are columns of B: c[i * c_row + j] =
 * chain over p < k of fma(a[i * a_row + p], b[j * line + p]), from 0 ("fresh")
 * or what C holds, for i < rows, j < count, a multiple of LPI_LANES. */
typedef struct lpi_lines {
    int64_t k, rows, count;
    const float *a, *b;
    int64_t a_row, line;
    float *c;
    int64_t c_row;
    bool fresh;
} lpi_lines;

/* A row that is read and, where "to" is set, written.  "ahead": elements from
 * here to the row that is brought to the cache meanwhile; 0: none is. */
typedef struct lpi_row {
    int64_t count, ahead;
    const float *from;
    float *to;
} lpi_row;

LPI_INLINED void lpi_row_fetch(const lpi_row *row, int64_t at)
{
    if (row->ahead > 0)
        __builtin_prefetch(row->from + at + row->ahead, 0, 2);
    if (row->ahead > 0 && row->to)
        __builtin_prefetch(row->to + at + row->ahead, 1, 3);
}

/* The loops of a set.  "to" may be the same array as "from". */
typedef struct lpi_isa {
    const char *name;
    const lpi_gemm_tiles *tiles;
    const lpi_dots *dots;

    void (*taps_row)(const lpi_taps *taps);
    /* The same of maxima: from minus infinity; NaN when one is; of equal
     * numbers the first.  Reads no "w". */
    void (*taps_max)(const lpi_taps *taps);
    void (*taps_channels)(const lpi_channels *taps);
    /* lpi_turn in squares of whole vectors. */
    void (*turn)(const float *from, int64_t stride, const int64_t sides[2],
                 int64_t width, float *to);
    /* even[i] = from[2 i] for i < (count + 1) / 2, odd[i] = from[2 i + 1] for
     * i < count / 2 */
    void (*halve)(int64_t count, const float *from, float *even, float *odd);
    void (*lines)(const lpi_lines *lines);
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
    /* Sums of x - pivot, and of its squares, in doubles, by the lanes. */
    void (*moments)(const lpi_row *row, float pivot, double ret_sums[2]);
    /* to = exp(from - max) (NULL: not kept); returns their sum by the lanes.
     * "max" is the largest of them; NaN: one is. */
    float (*exp_sum)(const lpi_row *row, float max);
    /* A step of "count" such sums: to = exp(from - max), lane += to. */
    void (*exp_take)(int64_t count, const float *from, const float *max,
                     float *to, float *lane);
    /* to = fma((from - mean) * inverse, scale, shift), scale and shift an
     * array each; "of" is {mean, inverse}. */
    void (*normalise)(int64_t count, const float *from, const float *of,
                      const float *scale, const float *shift, float *to);
    /* The same with one scale and shift: "of" is {mean, inverse, scale, shift}.
     */
    void (*normalise_plane)(int64_t count, const float *from, const float *of,
                            float *to);

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
void LPI_OF_SET(lpi_taps_max)(const lpi_taps *taps);
void LPI_OF_SET(lpi_taps_channels)(const lpi_channels *taps);
void LPI_OF_SET(lpi_turn_squares)(const float *from, int64_t stride,
                                  const int64_t sides[2], int64_t width,
                                  float *to);
void LPI_OF_SET(lpi_halve)(int64_t count, const float *from, float *even,
                           float *odd);
void LPI_OF_SET(lpi_lines_run)(const lpi_lines *lines);
void LPI_OF_SET(lpi_axpy)(int64_t count, float a, const float *b, float *to);
void LPI_OF_SET(lpi_moments)(const lpi_row *row, float pivot,
                             double ret_sums[2]);
void LPI_OF_SET(lpi_elu_loop)(int64_t count, const float *from,
                              const float *params, float *to);
float LPI_OF_SET(lpi_exp_sum)(const lpi_row *row, float max);
void LPI_OF_SET(lpi_exp_take)(int64_t count, const float *from,
                              const float *max, float *to, float *lane);
void LPI_OF_SET(lpi_normalise)(int64_t count, const float *from,
                               const float *of, const float *scale,
                               const float *shift, float *to);
void LPI_OF_SET(lpi_normalise_plane)(int64_t count, const float *from,
                                     const float *of, float *to);
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

/* Share "i" of "count" of [0, whole), in multiples of "unit". */
void lpi_share(int64_t whole, int64_t unit, int32_t i, int32_t count,
               int64_t *ret_from, int64_t *ret_to);

/* ---- count.c ----------------------------------------------------------- */

/* Said by loops: so many multiply-adds of elements that exist.  Only builds
 * with LPI_COUNTING count. */
#ifdef LPI_COUNTING
enum { LPI_COUNTS_MACS = 1 };
#else
enum { LPI_COUNTS_MACS = 0 };
#endif
#define LPI_MACS(count) (LPI_COUNTS_MACS ? lpi_macs_add(count) : (void)0)
void lpi_macs_add(int64_t count);

/* What was counted since the last call; -1: this build counts none. */
int64_t lpi_macs_take(void);

#endif
