/* content.h: what static tensors hold: made, read or drawn while they are
 * needed.
 *
 * A part of exec.h, which alone includes it. */
#ifndef LPI_EXEC_CONTENT_H
#define LPI_EXEC_CONTENT_H

/* ---- content.c: what static tensors hold ----------------------------- */

typedef struct lpi_slot lpi_slot;

typedef struct lpi_content {
    bool fills; /* absent content is drawn */
    uint64_t seed;
    lpi_file *file;       /* the one that was read last; NULL */
    const char *location; /* its payload.location, NULL: the model's own */
    char *flight; /* mapping of what is in flight, a stack of "flight_bytes" */
    int64_t flight_size, flight_bytes, flight_peak_bytes;
    lpi_slot **held; /* whose content is in flight, oldest first */
    int64_t held_count, held_room;
    int64_t kept_bytes;       /* small ones, which stay in their slots */
    int64_t pinned_bytes;     /* what pins hold in slots */
    const lp_tensor *pinning; /* being made to stay by a pin; NULL */
    int32_t making;           /* content for itself, or for a pin */
    lpi_map *first_of; /* range of a file to the id of the first tensor */
} lpi_content;

/* Store in "ret_bytes" the content of static "tensor" of "frame"; valid until
 * lpi_content_release with the mark that was taken before. */
lp_status lpi_content_get(lpi_frame *frame, const lp_tensor *tensor,
                          const void **ret_bytes);

/* The part "box" of "tensor", of which lpi_can_slice says yes, contiguous;
 * "slot" (zero) holds it, and must stay until it is released. */
lp_status lpi_content_slice(lpi_frame *frame, const lp_tensor *tensor,
                            const lpi_box *box, lpi_slot *slot);

/* A mark of what is in flight, and freeing what came after it. */
int64_t lpi_content_mark(const lpi_exec *exec);
void lpi_content_release(lpi_exec *exec, int64_t mark);

void lpi_content_close(lpi_exec *exec);

/* ---- weights.c: what weights hold ------------------------------------ */

/* Whether weight "tensor" has content that can be read; a file that exists
 * and is wrong is an error. */
lp_status lpi_content_exists(lpi_exec *exec, const lp_tensor *tensor,
                             bool *ret_exists);

/* Fill "bytes" with the content of weight "tensor", read or drawn. */
lp_status lpi_content_read(lpi_exec *exec, const lp_model *model,
                           const lp_tensor *tensor, void *bytes);

/* The same for the elements from "range"[0] to "range"[1] alone. */
lp_status lpi_content_read_part(lpi_exec *exec, const lp_model *model,
                                const lp_tensor *tensor, const int64_t range[2],
                                void *bytes);

#endif
