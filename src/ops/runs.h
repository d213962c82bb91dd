/* runs.h: what runs call: operands and results as numbers and as bundles, and
 * shares of work.
 *
 * A part of ops.h, which alone includes it. */
#ifndef LPI_OPS_RUNS_H
#define LPI_OPS_RUNS_H

enum { LPI_SHARED = 32768 }; /* elements that are worth a second thread */

/* ---- operands.c: operands as they stand -------------------------------- */

/* In a run: the content of input "i", which must be there, as integers. */
lp_status lpi_run_ints(const lpi_run *run, int32_t i, lpi_list *ret_list);

/* In a run: values of "dtype" (strings, complex numbers) are not computed. */
lp_status lpi_run_refuse(const lpi_run *run, lp_dtype dtype);

/* In a run: copy "count" elements of input "i", from element "from" on, to
 * element "to" of output 0. */
void lpi_run_copy(const lpi_run *run, int32_t i, int64_t to, int64_t from,
                  int64_t count);

/* The run of views: output 0 has the bytes of input 0. */
lp_status lpi_run_view(const lpi_run *run);

/* For each element "at" of input 1, an index along "axis" of input 0 where the
 * other axes are its own: call "each" with where in input 0 it points. */
lp_status lpi_run_elements(const lpi_run *run, int64_t axis,
                           void (*each)(const lpi_run *run, int64_t in_data,
                                        int64_t at));

/* ---- runs.c: operands as floats, and shares of work --------------------- */

/* float32, and what is computed in float32 and rounded once: float16,
 * bfloat16. */
bool lpi_is_single(lp_dtype dtype);

/* Who computes "run". */
lpi_team lpi_run_team(const lpi_run *run);

/* Elements [first, first + count) of "from" as floats and back: memory speed
 * for lpi_is_single, any dtype that holds numbers otherwise. */
void lpi_load_floats(const lpi_isa *isa, lp_dtype dtype, const void *from,
                     int64_t first, int64_t count, float *to);
void lpi_store_floats(const lpi_isa *isa, lp_dtype dtype, const float *from,
                      int64_t first, int64_t count, void *to);

/* Input "i" as floats: where it stands when it is float32, else a copy; NULL
 * when it is absent.  Only lpi_is_single. */
lp_status lpi_run_floats(const lpi_run *run, int32_t i,
                         const float **ret_floats);

/* Input "i" as lpi_run_floats gives it, but float16 and bfloat16 as they stand,
 * and what widens them (NULL: floats). */
lp_status lpi_run_halves(const lpi_run *run, int32_t i, const float **ret_at,
                         lpi_widen *ret_widen);

/* Where to compute output "i" as floats (NULL when it is absent), and, once
 * computed, rounding it to where it belongs. */
lp_status lpi_run_result(const lpi_run *run, int32_t i, float **ret_floats);
void lpi_run_store(const lpi_run *run, int32_t i, const float *floats);

/* Call "work" for parts that make up [0, whole), one a thread, in multiples of
 * "unit"; small "cost"s (operations in all) stay in one. */
typedef void (*lpi_work)(const void *context, int64_t from, int64_t to);
void lpi_run_share(const lpi_run *run, int64_t whole, int64_t cost,
                   lpi_work work, const void *context);

/* lpi_copy_box of elements as input 0 has them, by all threads. */
void lpi_run_copy_box(const lpi_run *run, lp_shape box, lpi_place to,
                      lpi_place from);

/* The integer in input "i" (0 when it is absent or empty). */
lp_status lpi_run_int(const lpi_run *run, int32_t i, int64_t *ret_value);

/* ---- reals.c: operands as doubles ---------------------------------------- */

/* Input "i" as doubles in the scratch, whatever numbers it holds; NULL when it
 * is absent. */
lp_status lpi_run_reals(const lpi_run *run, int32_t i,
                        const double **ret_reals);

/* LP_EINPUT unless input "i" is absent or has "count" elements. */
lp_status lpi_run_wants(const lpi_run *run, int32_t i, int64_t count);

/* Room for the doubles of output "i" (which may be absent), all zero, and
 * rounding them once to where they belong. */
lp_status lpi_run_room(const lpi_run *run, int32_t i, double **ret_reals);
void lpi_run_keep(const lpi_run *run, int32_t i, const double *reals);

/* The same for "count" elements of "dtype" at "to". */
void lpi_store_reals(lp_dtype dtype, const double *from, int64_t count,
                     void *to);

/* ---- bundles.c: sequences, optionals, texts ------------------------------ */

/* In a run: make "bundle" (NULL: there was no memory) output "i". */
lp_status lpi_run_give(const lpi_run *run, int32_t i, const lpi_bundle *bundle);

/* In a run: input "i" as a bundle, one made of it where it is a plain tensor;
 * the second fails when it is not of "container". */
lp_status lpi_run_item(const lpi_run *run, int32_t i,
                       const lpi_bundle **ret_bundle);
lp_status lpi_run_bundle(const lpi_run *run, int32_t i, lpi_container container,
                         const lpi_bundle **ret_bundle);

/* In a run: make "item" output "i", which may be a plain tensor. */
lp_status lpi_run_take(const lpi_run *run, int32_t i, const lpi_bundle *item);

/* In shape: the bundle that input "i" holds in this run, else NULL. */
const lpi_bundle *lpi_in_bundle(const lpi_node *node, int32_t i);

/* Set the type of output "i"; the second to that of "item". */
lp_status lpi_out_container(lpi_node *node, int32_t i, lpi_container container,
                            lp_dtype dtype, lp_shape shape);
lp_status lpi_out_item(lpi_node *node, int32_t i, const lpi_bundle *item);

/* "a" where "b" is the same, else unknown. */
lp_shape lpi_shape_shared(lp_shape a, lp_shape b);

/* ---- activate.c -------------------------------------------------------- */

/* Apply the activation called "name" (NULL or empty: none), with parameters
 * "of", to "count" floats.  LP_EUNSUPPORTED for one that is not known. */
lp_status lpi_activate(const lpi_run *run, const char *name, const float of[2],
                       int64_t count, float *y);

/* ---- casttext.c --------------------------------------------------------- */

/* The run of Cast from texts, or to texts. */
lp_status lpi_cast_texts_run(const lpi_run *run);

#endif
