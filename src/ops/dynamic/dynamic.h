/* dynamic.h: runs whose results depend on data or on chance.
 *
 * A part of ops.h, which alone includes it. */
#ifndef LPI_OPS_DYNAMIC_H
#define LPI_OPS_DYNAMIC_H

/* ---- suppress.c: the run of NonMaxSuppression --------------------------- */

typedef struct lpi_dynamic {
    int64_t axis, sorted, largest, k, center_point_box;
    bool is_flat; /* Unique without an axis */
} lpi_dynamic;

lp_status lpi_suppress_run(const lpi_run *run);

/* ---- unique.c: the run of Unique ----------------------------------------- */

lp_status lpi_unique_run(const lpi_run *run);

/* ---- chance.c: runs of random.c ------------------------------------------ */

typedef struct lpi_chance {
    lpi_list shape;
    int64_t dtype, sample_size, is_test, seed;
    float mean, scale, low, high, ratio;
    bool is_seeded, is_normal;
} lpi_chance;

lp_status lpi_random_run(const lpi_run *run);
lp_status lpi_bernoulli_run(const lpi_run *run);
lp_status lpi_multinomial_run(const lpi_run *run);
lp_status lpi_dropout_run(const lpi_run *run);

#endif
