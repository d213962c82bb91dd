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

/* A square: lines "stride" bytes apart, turned into lines "width" apart. */
#define SQUARE(SIZE, vector)                                                   \
    static inline void square_##SIZE(const uint8_t *from, ptrdiff_t stride,    \
                                     ptrdiff_t width, uint8_t *to)             \
    {                                                                          \
        enum { SIDE = VECTOR / SIZE };                                         \
        vector a[SIDE], b[SIDE];                                               \
                                                                               \
        for (int i = 0; i < SIDE; i++)                                         \
            memcpy(&a[i], from + i * stride, VECTOR);                          \
        for (int round = 1; round < SIDE; round *= 2) {                        \
            for (int i = 0; i < SIDE / 2; i++) {                               \
                b[2 * i] = LOW_##SIZE(a[i], a[i + SIDE / 2]);                  \
                b[2 * i + 1] = HIGH_##SIZE(a[i], a[i + SIDE / 2]);             \
            }                                                                  \
            memcpy(a, b, sizeof(a));                                           \
        }                                                                      \
        for (int i = 0; i < SIDE; i++)                                         \
            memcpy(to + i * width, &a[i], VECTOR);                             \
    }                                                                          \
                                                                               \
    /* Lines [n, end) of "from", in squares up to element "whole". */          \
    static void block_##SIZE(const uint8_t *from, ptrdiff_t stride,            \
                             const int64_t range[2], int64_t last,             \
                             int64_t whole, ptrdiff_t width, uint8_t *to)      \
    {                                                                          \
        enum { SIDE = VECTOR / SIZE, STEP = LINE / SIZE };                     \
                                                                               \
        for (int64_t k = 0; k < whole; k += STEP)                              \
            for (int64_t j = range[0]; j < range[1]; j += SIDE) {              \
                int64_t at = j < last ? j : last;                              \
                                                                               \
                for (int64_t i = at; i < at + SIDE; i++)                       \
                    __builtin_prefetch(from + i * stride + (k + STEP) * SIZE); \
                for (int64_t p = k; p < k + STEP && p < whole; p += SIDE)      \
                    square_##SIZE(from + at * stride + p * SIZE, stride,       \
                                  width, to + p * width + at * SIZE);          \
            }                                                                  \
    }                                                                          \
                                                                               \
    static void turn_##SIZE(const uint8_t *from, ptrdiff_t stride,             \
                            const int64_t sides[2], ptrdiff_t width,           \
                            uint8_t *to)                                       \
    {                                                                          \
        enum { SIDE = VECTOR / SIZE };                                         \
        int64_t whole = sides[1] >= SIDE ? sides[0] / SIDE * SIDE : 0;         \
                                                                               \
        for (int64_t n = 0; n < sides[1]; n += BLOCK) {                        \
            int64_t end = n + BLOCK < sides[1] ? n + BLOCK : sides[1];         \
                                                                               \
            block_##SIZE(from, stride, (int64_t[]){n, end}, sides[1] - SIDE,   \
                         whole, width, to);                                    \
            for (int64_t j = n; j < end; j++)                                  \
                for (int64_t p = whole; p < sides[0]; p++)                     \
                    memcpy(to + p * width + j * SIZE,                          \
                           from + j * stride + p * SIZE, SIZE);                \
        }                                                                      \
    }

SQUARE(1, bytes)
SQUARE(2, pairs)
SQUARE(8, longs)

void lpi_turn_elements(int64_t size, const void *from, int64_t stride,
                       const int64_t sides[2], int64_t width, void *to)
{
    ptrdiff_t across = stride * (ptrdiff_t)size, down = width * (ptrdiff_t)size;

    if (size == 1)
        turn_1(from, across, sides, down, to);
    else if (size == 2)
        turn_2(from, across, sides, down, to);
    else if (size == sizeof(float))
        lpi_turn(from, stride, sides, width, to);
    else
        turn_8(from, across, sides, down, to);
}
