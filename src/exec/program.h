/* program.h: a program of steps while it runs: values, groups, weights on their
 * way, planned widths.
 *
 * A part of exec.h, which alone includes it. */
#ifndef LPI_EXEC_PROGRAM_H
#define LPI_EXEC_PROGRAM_H

/* ---- program.c, group.c ---------------------------------------------- */

/* Run the program of "frame", whose inputs are put; its outputs are resident
 * afterwards. */
lp_status lpi_program_run(lpi_frame *frame);

/* Where "value" lies before the first unit, or after the last. */
lp_status lpi_program_end(lpi_frame *frame, int64_t value, bool is_end,
                          char **ret_bytes, int64_t *ret_room);

/* Address of value "value" of the program of "frame" at unit "unit";
 * "*ret_room" are the bytes behind it. */
lp_status lpi_program_address(lpi_frame *frame, int64_t value, int64_t unit,
                              char **ret_bytes, int64_t *ret_room);

/* Address of residency "residency", noted as touched. */
char *lpi_program_at(lpi_frame *frame, int64_t residency);

/* roll.c: make room for tile "tile" in the rows kept of each result. */
void lpi_rows_roll(lpi_frame *frame, const lpi_tiling *tiling, int64_t tile);

/* Run unit "unit", a group, tile by tile. */
lp_status lpi_group_run(lpi_frame *frame, int64_t unit);

/* ---- stream.c: weights on their way ---------------------------------- */

/* What the unit that runs has read, and the pins of the program. */
typedef struct lpi_stream {
    bool is_open; /* a unit runs, and weights come from another memory */
    const lp_tensor **seen;
    int64_t count, room;            /* of "seen", a power of two */
    int32_t *pins;                  /* by tensor id: how many hold it */
    int64_t *begins, *ends;         /* pins by unit, ... */
    int64_t *next_begin, *next_end; /* ... linked; -1 ends */
} lpi_stream;

/* Before and after unit "unit" of the program of "frame". */
lp_status lpi_stream_begin(lpi_frame *frame, int64_t unit);
void lpi_stream_end(lpi_frame *frame, int64_t unit);

/* The unit that runs asks for the content of static "tensor" of "frame". */
lp_status lpi_stream_note(lpi_frame *frame, const lp_tensor *tensor);

/* ---- width.c: values whose planned widths are not their own ----------- */

/* A program with widths: what it plans, beside what is computed. */
typedef struct lpi_widths {
    const lpi_program *planned; /* NULL: values lie as they are planned */
    bool *begun;                /* by residency: touched */
    int64_t *taken;             /* residencies whose planned bytes are taken */
    int64_t taken_count;
} lpi_widths;

/* Begin to run "planned": the program whose values are computed. */
lp_status lpi_width_start(lpi_exec *exec, const lpi_program *planned,
                          const lpi_program **ret_carrier);

/* Residency "residency" of the program of "frame" is touched: it as planned. */
const lpi_residency *lpi_width_touch(lpi_frame *frame, int64_t residency);
void lpi_width_drop(lpi_frame *frame, int64_t residency);

/* Planned bytes of static "tensor" of "frame". */
int64_t lpi_width_stored(const lpi_frame *frame, const lp_tensor *tensor);

/* The entry by which "tensor" of "frame" is rounded, NULL: it is not; and
 * rounding the part "box" of it, or all of it, contiguous at "bytes". */
const lpi_precision *lpi_width_rounds(const lpi_frame *frame,
                                      const lp_tensor *tensor);
void lpi_width_round(const lpi_frame *frame, const lp_tensor *tensor,
                     const lpi_box *box, void *bytes);
void lpi_width_round_whole(const lpi_frame *frame, const lp_tensor *tensor,
                           lp_shape shape, void *bytes);

#endif
