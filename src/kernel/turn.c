/* turn.c: matrices turned, of elements of 1, 2 or 8 bytes; gemm.c turns floats.
 *
 * Squares of a vector's side are turned in registers: N vectors of N elements
 * are interleaved, vector i with vector i + N / 2, log2 N times.  A stretch of
 * a line of the cache is read from each of BLOCK lines, so that lines are read
 * once although they may fall on the same place of the cache. */
#include <string.h>

#include "kernel.h"

enum { VECTOR = 16, LINE = 64, BLOCK = 64 };

typedef uint8_t bytes __attribute__((vector_size(VECTOR)));
typedef uint16_t pairs __attribute__((vector_size(VECTOR)));
typedef uint64_t longs __attribute__((vector_size(VECTOR)));

#define LOW_1(a, b)                                                            \
    __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, \
                            22, 7, 23)
#define HIGH_1(a, b)                                                           \
    __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13,    \
                            29, 14, 30, 15, 31)
#define LOW_2(a, b)  __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define HIGH_2(a, b) __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15)
#define LOW_8(a, b)  __builtin_shufflevector(a, b, 0, 2)
#define HIGH_8(a, b) __builtin_shufflevector(a, b, 1, 3)

/* "lines" lines of "from", "stride" bytes apart, which become columns of "to",
 * whose rows are "width" bytes apart; elements up to "whole" in squares. */
typedef struct turning {
    const uint8_t *from;
    uint8_t *to;
    ptrdiff_t stride, width;
    int64_t lines, whole;
} turning;

/* The square at line "n" and element "k"; lines [n, end); all lines, of "count"
 * elements. */
#define SQUARE(SIZE, vector)                                                   \
    static inline void square_##SIZE(const turning *t, int64_t n, int64_t k)   \
    {                                                                          \
        enum { SIDE = VECTOR / SIZE };                                         \
        const uint8_t *from = t->from + n * t->stride + k * SIZE;              \
        uint8_t *to = t->to + k * t->width + n * SIZE;                         \
        vector a[SIDE], b[SIDE];                                               \
                                                                               \
        for (int i = 0; i < SIDE; i++)                                         \
            memcpy(&a[i], from + i * t->stride, VECTOR);                       \
        for (int round = 1; round < SIDE; round *= 2) {                        \
            for (int i = 0; i < SIDE / 2; i++) {                               \
                b[2 * i] = LOW_##SIZE(a[i], a[i + SIDE / 2]);                  \
                b[2 * i + 1] = HIGH_##SIZE(a[i], a[i + SIDE / 2]);             \
            }                                                                  \
            memcpy(a, b, sizeof(a));                                           \
        }                                                                      \
        for (int i = 0; i < SIDE; i++)                                         \
            memcpy(to + i * t->width, &a[i], VECTOR);                          \
    }                                                                          \
                                                                               \
    static void block_##SIZE(const turning *t, int64_t n, int64_t end)         \
    {                                                                          \
        enum { SIDE = VECTOR / SIZE, STEP = LINE / SIZE };                     \
                                                                               \
        for (int64_t k = 0; k < t->whole; k += STEP)                           \
            for (int64_t j = n; j < end; j += SIDE) {                          \
                int64_t at = j < t->lines - SIDE ? j : t->lines - SIDE;        \
                const uint8_t *next = t->from + (k + STEP) * SIZE;             \
                                                                               \
                for (int64_t i = at; i < at + SIDE; i++)                       \
                    __builtin_prefetch(next + i * t->stride);                  \
                for (int64_t p = k; p < k + STEP && p < t->whole; p += SIDE)   \
                    square_##SIZE(t, at, p);                                   \
            }                                                                  \
    }                                                                          \
                                                                               \
    static void turn_##SIZE(turning t, int64_t count)                          \
    {                                                                          \
        enum { SIDE = VECTOR / SIZE };                                         \
                                                                               \
        t.whole = t.lines >= SIDE ? count / SIDE * SIDE : 0;                   \
        for (int64_t n = 0; n < t.lines; n += BLOCK) {                         \
            int64_t end = n + BLOCK < t.lines ? n + BLOCK : t.lines;           \
                                                                               \
            block_##SIZE(&t, n, end);                                          \
            for (int64_t j = n; j < end; j++)                                  \
                for (int64_t p = t.whole; p < count; p++)                      \
                    memcpy(t.to + p * t.width + j * SIZE,                      \
                           t.from + j * t.stride + p * SIZE, SIZE);            \
        }                                                                      \
    }

SQUARE(1, bytes)
SQUARE(2, pairs)
SQUARE(8, longs)

void lpi_turn_elements(int64_t size, const void *from, int64_t stride,
                       const int64_t sides[2], int64_t width, void *to)
{
    turning t = {.from = from,
                 .to = to,
                 .stride = stride * (ptrdiff_t)size,
                 .width = width * (ptrdiff_t)size,
                 .lines = sides[1]};

    if (size == 1)
        turn_1(t, sides[0]);
    else if (size == 2)
        turn_2(t, sides[0]);
    else if (size == sizeof(float))
        lpi_turn(from, stride, sides, width, to);
    else
        turn_8(t, sides[0]);
}
