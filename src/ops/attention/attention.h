/* attention.h: attention in its forms, and the rotation of heads.
 *
 * A part of ops.h, which alone includes it. */
#ifndef LPI_OPS_ATTENTION_H
#define LPI_OPS_ATTENTION_H

/* ---- attention.c: what the attention operators share ------------------- */

/* One attention: every query looks at all keys, those of the past included.
 * -1: not known. */
typedef struct lpi_attention {
    int64_t batch, q_heads, kv_heads;
    int64_t queries, keys;
    int64_t key_size, value_size; /* of one head */
    bool has_bias, has_softcap;
} lpi_attention;

/* Attributes of Attention, and what a tile of it must know of the whole. */
typedef struct lpi_attention_params {
    int64_t q_num_heads, kv_num_heads;
    int64_t qk_matmul_output_mode, softmax_precision, is_causal;
    int64_t left_window_size, right_window_size;
    float scale, softcap;
    int64_t first_row; /* of the queries of a tile */
    int64_t queries;   /* of the whole; 0: this is it */
} lpi_attention_params;

/* What "node", an Attention, attends; the ranks of its operands are known. */
lp_status lpi_attention_resolve(const lpi_node *node,
                                lpi_attention *ret_attention);

/* Add the two products, the softmax between them, scale, bias and cap. */
void lpi_attention_cost(lp_cost *cost, const lpi_attention *attention);

/* Set output "i" to the shape of the scores, dtype "dtype". */
lp_status lpi_attention_scores(lpi_node *node, int32_t i, lp_dtype dtype,
                               const lpi_attention *attention);

/* Set output "i" to keys or values of "length" positions, a head being of
 * "size", dtype "dtype". */
lp_status lpi_attention_cache(lpi_node *node, int32_t i, lp_dtype dtype,
                              const lpi_attention *attention,
                              const int64_t length_and_size[2]);

/* "hidden" elements make "heads" heads: the size of one (-1 unknown), or
 * LP_EINPUT. */
lp_status lpi_attention_head(const lpi_node *node, int64_t hidden,
                             int64_t heads, int64_t *ret_size);

/* ---- attendbias.c: masks ----------------------------------------------- */

typedef struct lpi_bias {
    const lpi_attention_params *params;
    int64_t queries, keys, past;
    const float *mask; /* 0 and -infinity when it was bool; NULL: none */
    lp_shape mask_shape;
    lpi_list limits; /* keys that count, a batch; count 0: all */
} lpi_bias;

/* Input 3 of "run" as the mask. */
lp_status lpi_bias_read(const lpi_run *run, lpi_bias *bias);

/* The mask of batch "b", head "h": element (row, key) of it; strides of 0
 * repeat. */
lpi_matrix lpi_bias_mask(const lpi_bias *bias, int64_t b, int64_t h);

/* The bias of rows [from, from + rows) of batch b_h[0], head b_h[1] into "to",
 * and false in "live" for those that see nothing. */
void lpi_bias_rows(const lpi_bias *bias, const int64_t b_h[2], int64_t from,
                   int64_t rows, float *to, bool *live);

/* ---- attending.c, attendtile.c: runs of Attention ---------------------- */

/* Where the heads of an operand stand: strides of batch, head and row. */
typedef struct lpi_heads {
    const float *at;
    int64_t batch, head, row;
} lpi_heads;

/* Attention at work. */
typedef struct lpi_attending {
    const lpi_run *run;
    const lpi_attention_params *params;
    lpi_attention sizes;
    lpi_heads q, k, v;
    lpi_bias bias;
    int64_t past;
    float scale;
    float *out, *scores_out; /* NULL: not wanted */
    int64_t out_batch, out_head, out_row;
    float *room;  /* scores and bias of a block, workspaces behind */
    int64_t rows; /* of a block */
} lpi_attending;

/* Compute "out" (and "scores_out"), all else but "room" and "rows" being set.
 */
lp_status lpi_attend_all(lpi_attending *j);

lp_status lpi_attention_run(const lpi_run *run);
lp_status lpi_attention_tile(const lpi_node *node, const lpi_box *out,
                             lpi_box *in, void *params);

/* ---- attendfused.c, attendgroups.c: runs of contrib_attention.c -------- */

typedef struct lpi_contrib {
    int64_t num_heads, kv_num_heads, past_present_share_buffer, do_rotary;
    int64_t sliding_window_cache, unidirectional, local_window_size;
    int64_t rotary_interleaved, smooth_softmax, qk_output;
    lpi_list qkv_hidden_sizes;
    float softcap, scale, mask_filter_value;
    lpi_attention found; /* what the shape hook makes of the operands */
    int64_t buffer;      /* positions of the present */
} lpi_contrib;

/* ---- attendfit.c: which operands of contrib_attention.c fit ------------- */

/* Length of the keys that input 1 (or a packed input 0) brings, and the size of
 * a head of the values; keys and values fit heads of "size". */
lp_status lpi_attend_fresh(const lpi_node *node, int64_t size,
                           int64_t *ret_length, int64_t *ret_size);

/* The past that is input "i", if any, has the heads of the keys, "size" each;
 * or those of keys and values that are inputs "i" and "i" + 1. */
lp_status lpi_attend_past(const lpi_node *node, int32_t i, int64_t size);
lp_status lpi_attend_pasts(const lpi_node *node, int32_t i);

/* One of these operators at work: heads of the "fresh" keys and values. */
typedef struct lpi_fusing {
    lpi_attending a;
    lpi_attention_params params;
    const lpi_contrib *p;
    lpi_heads k, v;
    int64_t fresh;
} lpi_fusing;

/* Fill "j" with what attributes and shapes tell; then, heads being set, join
 * them with the past, take the masks, and compute and store output 0. */
lp_status lpi_fuse_begin(const lpi_run *run, lpi_fusing *j);
lp_status lpi_fuse_past(lpi_fusing *j, const float *const past[2],
                        float *const kept[2], int64_t before,
                        const int64_t *used);
lp_status lpi_fuse_masks(lpi_fusing *j, int32_t mask, int32_t added);
lp_status lpi_fuse_finish(lpi_fusing *j);

/* Heads of "size" side by side in "length" rows of "row" elements. */
lpi_heads lpi_heads_in_rows(const float *at, int64_t length, int64_t size,
                            int64_t row);

lp_status lpi_attend_merged_run(const lpi_run *run);
lp_status lpi_attend_multi_run(const lpi_run *run);
lp_status lpi_attend_groups_run(const lpi_run *run);

/* ---- rotating.c: the run of RotaryEmbedding ----------------------------- */

typedef struct lpi_rotary {
    int64_t num_heads, rotary_embedding_dim, interleaved;
} lpi_rotary;

/* Where the caches and the positions stand. */
typedef struct lpi_rotary_facts {
    int32_t cosine, positions;
} lpi_rotary_facts;

/* Rotate "half" pairs of a head by {cosines, sines}; rotating.c. */
void lpi_rotate(const float *from, const float *const caches[2], int64_t half,
                bool interleaved, float *to);

lp_status lpi_rotary_run(const lpi_run *run);

#endif
