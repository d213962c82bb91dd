/* make.h: schedules made and changed: copies, devices, baselines, aliases.
 *
 * A part of sched.h, which alone includes it. */
#ifndef LPI_SCHED_MAKE_H
#define LPI_SCHED_MAKE_H

/* An empty schedule of "model" in an arena of its own, and what frees it. */
lp_status lpi_schedule_new(const lp_model *model, lp_schedule **ret_schedule,
                           lp_error *error);

/* device.c: give "schedule", which has no other columns yet, the memories of
 * "device". */
lp_status lpi_schedule_for(lp_schedule *schedule, const lp_device *device,
                           lp_error *error);

/* Set the column precision, copied by no one: "list" lives as long as the
 * schedule. */
lp_status lpi_schedule_set_widths(lp_schedule *schedule,
                                  const lpi_precision *list, int64_t count,
                                  lp_error *error);

/* Assume "dtype" for every float that takes more, inputs and outputs of the
 * graph excepted. */
lp_status lpi_schedule_assume(lp_schedule *schedule, lp_dtype dtype,
                              lp_error *error);

/* The baseline of "model" (a body too): file order, everything stored, views
 * and in-place results where legal, placed by the best greedy rule. */
lp_status lpi_schedule_baseline(const lp_model *model,
                                const lp_schedule_options *options,
                                lp_schedule **ret_schedule, lp_error *error);

/* Set the units: each layer and group once, in the order of the model, a group
 * where its last layer stands. */
lp_status lpi_schedule_units(lp_schedule *schedule, lp_error *error);

/* Set the aliases: views, with "in_place" results over operands that die
 * there, and with "parts" what Concat joins, made inside its result where it is
 * contiguous. */
lp_status lpi_schedule_aliases(lp_schedule *schedule, bool in_place, bool parts,
                               lp_error *error);

/* Set the places, by "rule" (NULL: the best greedy one), and the predictions
 * and the bound that follow. */
lp_status lpi_schedule_place(lp_schedule *schedule, const char *rule,
                             lp_error *error);

/* Group the attentions of the model of "schedule", which has no groups: tiles
 * of "rows" rows of the scores. */
lp_status lpi_schedule_attention(lp_schedule *schedule, int64_t rows,
                                 lp_error *error);

/* Cut each layer of "schedule" that stands in no group, and can be cut, into
 * tiles of "rows" along the last axis but one of its result. */
lp_status lpi_schedule_rows(lp_schedule *schedule, int64_t rows,
                            lp_error *error);

/* The same for "layer" alone; LP_EUNSUPPORTED when it cannot be cut. */
lp_status lpi_schedule_rows_of(lp_schedule *schedule, const lp_layer *layer,
                               int64_t rows, lp_error *error);

/* The program of a body as lowering sees it when it sizes the workspace of its
 * layer: the baseline of "body" (its inputs and outputs included, captures
 * not), placed, in "arena".  The same body gives the same program. */
lp_status lpi_program_body(lpi_arena *arena, const lp_model *body,
                           lpi_program *ret_program, lp_error *error);

/* Hash of the canonical graph: structure, attributes, shapes and small
 * constants, no content of weights. */
lp_status lpi_model_hash(const lp_model *model, uint64_t *ret_hash,
                         lp_error *error);

#endif
