/* reduce.h: rows that reduce along axes.
 *
 * A row says how an accumulator takes the next element of its chain.
 *
 * A part of ops.h, which alone includes it. */
#ifndef LPI_OPS_REDUCE_H
#define LPI_OPS_REDUCE_H

/* The struct of such rows begins with it. */
typedef struct lpi_reduce {
    int64_t keepdims, noop_with_empty_axes;
} lpi_reduce;

/* Where an accumulator starts: the last two are the ends of the range of the
 * dtype (infinities for floats). */
typedef enum lpi_start {
    LPI_FROM_ZERO,
    LPI_FROM_ONE,
    LPI_FROM_LOWEST,
    LPI_FROM_HIGHEST,
} lpi_start;

/* How a row accumulates: "real" and its kin take the accumulator and the next
 * element, "finish" the accumulator and the number of elements. */
typedef struct lpi_chain {
    double (*real)(double sum, double x);
    int64_t (*sint)(int64_t sum, int64_t x);
    uint64_t (*uint)(uint64_t sum, uint64_t x);
    double (*finish)(double sum, double count);
    lpi_start start;
    bool shifted;          /* the largest x is taken from x and added at the end
                              (LogSumExp, whose exponents would overflow) */
    bool mean;             /* integers are divided by their number */
    lpi_each element;      /* prices: of an element of the input, */
    lpi_each joint;        /* of each element beyond the number of outputs, */
    lpi_each result;       /* of an element of the output */
    int32_t operand_since; /* the opset in which axes became an operand */
    int8_t lanes; /* a reducer of the kernel and 1: how float32, float16 and
                     bfloat16 are reduced along neighbouring axes; 0: none */
    bool goes_on; /* by one chain of floats along any axes, instead */
} lpi_chain;

lp_status lpi_reduce_settle(lpi_node *node);
lp_status lpi_reduce_shape(lpi_node *node);
void lpi_reduce_cost(const lpi_node *node, lp_cost *cost);
lp_status lpi_reduce_run(const lpi_run *run);
lp_status lpi_reduce_tile(const lpi_node *node, const lpi_box *out, lpi_box *in,
                          void *params);

/* Mark the axes of a tensor of "rank" that "axes" (NULL: no operand) name; all
 * of them when it names none. */
lp_status lpi_reduce_mask(const lpi_node *node, const lpi_list *axes,
                          int32_t rank, bool *mask);

/* reducing.c: the same in float32, where lpi_chain.lanes says so and the axes
 * in "mask" allow it: "*ret_done". */
lp_status lpi_reduce_floats(const lpi_run *run, const bool *mask,
                            bool *ret_done);

#endif
