/* integer.h: the loops of integer products that a set has (dot.c).
 *
 * A part of kernel.h, which alone includes it. */
#ifndef LPI_KERNEL_INTEGER_H
#define LPI_KERNEL_INTEGER_H

/* Rows of B: "count" of k, "row" bytes apart, of which "columns" are woven,
 * each byte with "flip" toggled, taken as signed or not: groups of neighbours
 * in k stand together, those of all columns side by side, zeros where rows end.
 * "columns" rounded up to vectors are written to "to" and added to "sums". */
typedef struct lpi_weave {
    int64_t count, columns;
    const uint8_t *from;
    int64_t row;
    uint8_t flip;
    bool is_signed;
    void *to;
    uint32_t *sums;
} lpi_weave;

/* "lines" runs of "count" bytes along k, "line" bytes apart, as groups,
 * "to_line" bytes apart (NULL: they are not kept), and added to sums[lines].
 * Written are whole vectors of at most 64 bytes, zeros behind "count". */
typedef struct lpi_byte_lines {
    int64_t count, lines;
    const uint8_t *from;
    int64_t line;
    uint8_t flip;
    bool is_signed;
    void *to;
    int64_t to_line;
    uint32_t *sums;
} lpi_byte_lines;

/* A tile: rows of A, "a_row" bytes apart, times woven columns of B, "c_row"
 * numbers apart, go on from C (from 0 when "fresh"), and take in of_rows[row]
 * and of_columns[column]. */
typedef struct lpi_dot_args {
    int64_t groups;
    const void *a;
    int64_t a_row;
    const void *b;
    int32_t *c;
    int64_t c_row;
    bool fresh;
    const uint32_t *of_rows, *of_columns;
} lpi_dot_args;

/* Some rows of A, as lines of groups, times "b", which is not kept ("to") but
 * added to its sums: C, of whole vectors, goes on. */
typedef struct lpi_few_dots {
    lpi_weave b;
    int64_t rows;
    const void *a;
    int64_t a_row;
    bool turned;
    int32_t *c;
    int64_t c_row;
} lpi_few_dots;

/* A row of a convolution of one channel: to[i] = first + the sum over taps of
 * w[tap] * from[offsets[tap] + i], taken as signed or not (size 1: never); the
 * weights of a group of taps stand together.  Behind "to" and "from" 64 more
 * numbers may be written and read. */
typedef struct lpi_tap_dots {
    int64_t length, groups;
    const uint8_t *from;
    bool is_signed;
    const int64_t *offsets;
    const uint32_t *w;
    uint32_t first;
    int32_t *to;
} lpi_tap_dots;

/* Integer products: the tile is "rows" x up to "columns", in vectors of
 * "lanes", of int32; k in groups of "group" elements of "size" bytes, 4 bytes
 * in all. Size 1: one operand is unsigned, the other signed; the second is A
 * when "turned".  Size 2: both are int16. */
enum { LPI_DOT_VECTORS_MOST = 3 };
typedef struct lpi_dots {
    int32_t rows, lanes, columns, group, size;
    void (*weave)(const lpi_weave *weave);
    void (*lines)(const lpi_byte_lines *lines);
    void (*few)(const lpi_few_dots *few);
    /* The same where k runs along memory: columns are b.row bytes apart. */
    void (*few_lines)(const lpi_few_dots *few);
    void (*taps)(const lpi_tap_dots *taps);
    /* [turned][vectors - 1] */
    void (*run[2][LPI_DOT_VECTORS_MOST])(const lpi_dot_args *args);
} lpi_dots;

#endif
