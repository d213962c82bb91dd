/* array.h: arrays outside models, and values drawn for them.
 *
 * A part of exec.h, which alone includes it. */
#ifndef LPI_EXEC_ARRAY_H
#define LPI_EXEC_ARRAY_H

/* ---- array.c, npy.c, pb.c: tensors outside models -------------------- */

/* An array of zeros; NULL without memory.  Free with lp_array_free. */
lp_array *lpi_array_new(lp_dtype dtype, lp_shape shape);

lp_status lpi_npy_read(const char *path, int64_t cap_bytes,
                       lp_array **ret_array, lp_error *error);

/* The same of "location" below the folder of "path", as lpi_file_open_below. */
lp_status lpi_npy_read_below(const char *path, const char *location,
                             int64_t cap_bytes, lp_array **ret_array,
                             lp_error *error);

/* scales.c: read the files that hold scales of "schedule", whose own file is
 * "path". */
lp_status lpi_scales_read(lp_schedule *schedule, const char *path,
                          lp_error *error);

/* The NPY form of "array"; free the bytes with lp_text_free. */
lp_status lpi_npy_write(const lp_array *array, char **ret_bytes,
                        size_t *ret_length, lp_error *error);

/* compare.c: how many elements differ and by how much, in "size" bytes at
 * "text", or nothing, where it is no number. */
void lpi_difference_print(const lp_difference *difference, char *text,
                          size_t size);

/* compare.c: sums over floats that are compared, and what they say. */
typedef struct lpi_distances {
    double largest, got_squares, wanted_squares, difference_squares, products;
} lpi_distances;

/* Add the elements of two arrays of the same dtype and shape, if floats. */
void lpi_distance_add(lpi_distances *sums, const lp_array *got,
                      const lp_array *wanted);
lp_distance lpi_distance_of(const lpi_distances *sums);

/* ---- draw.c: numbers out of a counter -------------------------------- */

/* The start of the stream of numbers for the tensor called "name". */
uint64_t lpi_draw_key(uint64_t seed, const char *name);

/* How drawn numbers become values: centre + spread * u, u uniform in [-1, 1)
 * (floats); least .. most uniform (integers, bool). */
typedef struct lpi_draw {
    float centre, spread;
    int64_t least, most;
} lpi_draw;

/* Fill "to", "count" elements of "dtype", from the stream of "key"; bool by a
 * coin.  False for dtypes that hold no numbers. */
bool lpi_draw_fill(lp_dtype dtype, const lpi_draw *draw, uint64_t key,
                   int64_t count, void *to);

/* The same for the elements from "range"[0] to "range"[1]. */
bool lpi_draw_part(lp_dtype dtype, const lpi_draw *draw, uint64_t key,
                   const int64_t range[2], void *to);

/* How input "input" of the graph "model" is drawn: floats in [-1, 1), integers
 * 0 to 9, but indices of a Gather within the axis. */
lpi_draw lpi_draw_input(const lp_model *model, const lp_tensor *input);

/* ---- fill.c: values for weights whose content is absent -------------- */

/* How static tensor "tensor" of "model" is drawn: by what reads it. */
lpi_draw lpi_fill_draw(const lp_model *model, const lp_tensor *tensor);

#endif
