/* norm.h: runs of normalizations.
 *
 * A part of ops.h, which alone includes it. */
#ifndef LPI_OPS_NORM_H
#define LPI_OPS_NORM_H

/* ---- normalise.c, normtile.c, lengths.c -------------------------------- */

typedef struct lpi_norm_params {
    int64_t axis, num_groups, size, p, training_mode, stash_type, spatial;
    float epsilon, momentum, alpha, beta, bias;
    lpi_list axes;
} lpi_norm_params;

lp_status lpi_norm_batch_run(const lpi_run *run);
lp_status lpi_norm_instance_run(const lpi_run *run);
lp_status lpi_norm_layer_run(const lpi_run *run);
lp_status lpi_norm_root_run(const lpi_run *run);
lp_status lpi_norm_groups_run(const lpi_run *run);
lp_status lpi_norm_local_run(const lpi_run *run);
lp_status lpi_norm_length_run(const lpi_run *run);
lp_status lpi_norm_variance_run(const lpi_run *run);
lp_status lpi_norm_batch_tile(const lpi_node *node, const lpi_box *out,
                              lpi_box *in, void *params);
lp_status lpi_norm_channel_tile(const lpi_node *node, const lpi_box *out,
                                lpi_box *in, void *params);
lp_status lpi_norm_layer_tile(const lpi_node *node, const lpi_box *out,
                              lpi_box *in, void *params);
lp_status lpi_norm_groups_tile(const lpi_node *node, const lpi_box *out,
                               lpi_box *in, void *params);

/* ---- fusing.c: runs of contrib_norm.c ------------------------------------ */

typedef struct lpi_fused_norm {
    int64_t groups, activation, channels_last, mask_index_type;
    float epsilon;
} lpi_fused_norm;

/* What a row adds to its input 0 before it normalizes, in this order (0: no
 * more), where scale and shift stand (0: no shift), and whether it subtracts
 * the mean. */
typedef struct lpi_fused_facts {
    lpi_each element, group; /* prices */
    int32_t added[2], scale, shift;
    bool centred;
} lpi_fused_facts;

lp_status lpi_norm_skip_run(const lpi_run *run);
lp_status lpi_norm_skip_groups_run(const lpi_run *run);
lp_status lpi_norm_embed_run(const lpi_run *run);

#endif
