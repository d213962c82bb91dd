/* rounds.c: Loop and Scan: a body that runs many times.
 *
 * What one iteration gives to the next is copied out of the frame, which is
 * then begun again; what iterations give one above the other is gathered
 * beside it.  Sources: ONNX operators Loop-25, Scan-25. */
#include <string.h>

#include "exec.h"

static const lpi_attr *attr_of(const lp_layer *layer, const char *name)
{
    for (int32_t i = 0; i < layer->attrs_count; i++)
        if (!strcmp(layer->attrs[i].name, name))
            return &layer->attrs[i];
    return NULL;
}

/* Entry "i" of the list of integers "name", 0 without. */
static int64_t entry_of(const lp_layer *layer, const char *name, int64_t i)
{
    const lpi_attr *attr = attr_of(layer, name);

    return attr && attr->kind == LPI_ATTR_INTS && i < attr->count
               ? attr->ints[i]
               : 0;
}

/* Slices that iterations give one after the other. */
typedef struct stack {
    lpi_text bytes;
    lp_dtype dtype;
    int32_t rank;
    int64_t dims[LPI_RANKS]; /* of one slice */
    int64_t count;
} stack;

/* One layer with a body that runs many times. */
typedef struct rounds {
    lpi_frame *frame;
    const lp_layer *layer;
    const lp_model *body;
    lpi_frame inner;
    int32_t states, state_in, body_in, body_out; /* where the states stand */
    lp_array **carry;                            /* the states */
    int32_t stacks_count;
    stack *stacks;
} rounds;

/* Begin with the operands as states. */
static lp_status start_rounds(rounds *r)
{
    lpi_exec *exec = r->frame->exec;

    LP_TRY(lpi_body_place(r->frame, r->layer, r->body, &r->inner));

    r->carry = lpi_alloc((size_t)(r->states + 1) * sizeof(*r->carry));
    r->stacks = lpi_alloc((size_t)(r->stacks_count + 1) * sizeof(*r->stacks));
    if (r->carry)
        memset(r->carry, 0, (size_t)r->states * sizeof(*r->carry));
    if (r->stacks)
        memset(r->stacks, 0, (size_t)r->stacks_count * sizeof(*r->stacks));
    if (!r->carry || !r->stacks)
        return lpi_fail_memory(exec->error);
    for (int32_t i = 0; i < r->states; i++)
        LP_TRY(lpi_copy_out(r->frame, r->layer->inputs[r->state_in + i],
                            &r->carry[i]));
    return LP_OK;
}

static void end_rounds(rounds *r)
{
    for (int32_t i = 0; r->carry && i < r->states; i++)
        lp_array_free(r->carry[i]);
    for (int32_t i = 0; r->stacks && i < r->stacks_count; i++)
        lpi_text_drop(&r->stacks[i].bytes);
    lpi_free(r->carry);
    lpi_free(r->stacks);
    lpi_frame_end(&r->inner);
}

/* Append the slice that body output "i" holds. */
static lp_status push_slice(rounds *r, stack *s, const lp_tensor *tensor)
{
    lpi_exec *exec = r->frame->exec;
    const void *bytes;
    lp_shape shape;
    bool same;

    LP_TRY(lpi_frame_get(&r->inner, tensor, &bytes, &shape));
    if (shape.rank >= LPI_RANKS || lp_dtype_bits(tensor->dtype) < 8)
        return lpi_exec_fail(exec,
                             "layer '%.200s': slices of rank %d of %s "
                             "cannot be stacked",
                             r->layer->name, shape.rank,
                             lp_dtype_name(tensor->dtype));
    same = !s->count || s->rank == shape.rank;
    for (int32_t i = 0; s->count && same && i < shape.rank; i++)
        same = s->dims[i] == shape.dims[i];
    if (!same)
        return lpi_exec_fail(exec, "layer '%.200s': its slices differ in shape",
                             r->layer->name);
    s->dtype = tensor->dtype;
    s->rank = shape.rank;
    memcpy(s->dims, shape.dims, (size_t)shape.rank * sizeof(*s->dims));
    s->count++;
    LP_TRY(lpi_exec_fits(
        exec,
        lpi_add((int64_t)s->bytes.length,
                lpi_storage_bytes(s->dtype, lpi_shape_elements(shape))),
        "slices of tensor", tensor->name));
    lpi_text_append(
        &s->bytes, bytes,
        (size_t)lpi_storage_bytes(s->dtype, lpi_shape_elements(shape)));
    return s->bytes.failed ? lpi_fail_memory(exec->error) : LP_OK;
}

/* Run the body, whose other inputs are set, and take over what it gives. */
static lp_status run_round(rounds *r)
{
    int32_t first = r->body_out + r->states;

    LP_TRY(lpi_exec_poll(r->frame->exec, r->layer->name));
    for (int32_t i = 0; i < r->states; i++)
        LP_TRY(lpi_copy_in(&r->inner, r->body->inputs[r->body_in + i],
                           r->carry[i]));
    LP_TRY(lpi_frame_run(&r->inner));
    for (int32_t i = 0; i < r->stacks_count; i++)
        LP_TRY(push_slice(r, &r->stacks[i], r->body->outputs[first + i]));
    for (int32_t i = 0; i < r->states; i++) {
        lp_array *next;

        LP_TRY(
            lpi_copy_out(&r->inner, r->body->outputs[r->body_out + i], &next));
        lp_array_free(r->carry[i]);
        r->carry[i] = next;
    }
    return LP_OK;
}

/* The shape of a stack at "axis"; without slices, what the model says. */
static lp_status stacked_shape(const rounds *r, const stack *s,
                               const lp_tensor *body_out, int64_t axis,
                               int64_t *dims, int32_t *ret_rank)
{
    lp_shape slice = {s->rank, s->dims};

    if (!s->count)
        slice = body_out->shape;
    if (slice.rank < 0 || slice.rank >= LPI_RANKS ||
        !lpi_axis(axis, slice.rank + 1, &axis))
        return lpi_exec_fail(r->frame->exec,
                             "layer '%.200s': the shape of its slices is not "
                             "known",
                             r->layer->name);
    for (int32_t i = 0; i <= slice.rank; i++) {
        dims[i] = i == axis ? s->count : slice.dims[i < axis ? i : i - 1];
        if (dims[i] < 0)
            dims[i] = 0;
    }
    *ret_rank = slice.rank + 1;
    return LP_OK;
}

/* Give output "i" of the layer its stack, slices at "axis". */
static lp_status put_stack(rounds *r, int32_t i, const stack *s, int64_t axis,
                           bool is_backward)
{
    const lp_tensor *to = r->layer->outputs[i];
    int64_t dims[LPI_RANKS], outer = 1, inner = 1;
    int32_t rank = 0;
    char *bytes;
    void *room;

    if (!to)
        return LP_OK;
    LP_TRY(stacked_shape(r, s, r->body->outputs[r->body_out + i], axis, dims,
                         &rank));
    lpi_axis(axis, rank, &axis);
    LP_TRY(lpi_frame_put(r->frame, to, (lp_shape){rank, dims}, &room));
    bytes = room;
    for (int64_t k = 0; k < axis; k++)
        outer *= dims[k];
    for (int64_t k = axis + 1; k < rank; k++)
        inner *= dims[k];
    inner = lpi_storage_bytes(to->dtype, inner);
    for (int64_t k = 0; k < s->count; k++)
        for (int64_t o = 0; o < outer && inner; o++) {
            int64_t from = is_backward ? s->count - 1 - k : k;

            memcpy(bytes + (o * s->count + k) * inner,
                   s->bytes.bytes + (from * outer + o) * inner, (size_t)inner);
        }
    return LP_OK;
}

/* Give the layer its final states. */
static lp_status put_states(rounds *r)
{
    for (int32_t i = 0; i < r->states && i < r->layer->outputs_count; i++)
        LP_TRY(lpi_copy_in(r->frame, r->layer->outputs[i], r->carry[i]));
    return LP_OK;
}

/* Give input "tensor" of the body the number at "bytes". */
static lp_status put_number(rounds *r, const lp_tensor *tensor,
                            const void *bytes, size_t size)
{
    static const int64_t none[1] = {0};
    lp_shape shape = tensor->shape;
    void *room;

    if (lpi_shape_elements(shape) != 1)
        shape = (lp_shape){0, none};
    LP_TRY(lpi_frame_put(&r->inner, tensor, shape, &room));
    memcpy(room, bytes, size);
    return LP_OK;
}

static lp_status loop(rounds *r)
{
    lpi_exec *exec = r->frame->exec;
    int64_t trips, going, i;

    LP_TRY(lpi_read_int(r->frame, r->layer, 0, INT64_MAX, &trips));
    LP_TRY(lpi_read_int(r->frame, r->layer, 1, 1, &going));
    LP_TRY(start_rounds(r));
    for (i = 0; i < trips && going; i++) {
        int64_t mark = lpi_content_mark(exec);
        bool condition = true;
        const void *bytes;
        lp_shape shape;

        LP_TRY(lpi_frame_start(exec, r->body, r->frame, &r->inner));
        LP_TRY(put_number(r, r->body->inputs[0], &i, sizeof(i)));
        LP_TRY(
            put_number(r, r->body->inputs[1], &condition, sizeof(condition)));
        LP_TRY(run_round(r));
        LP_TRY(lpi_frame_get(&r->inner, r->body->outputs[0], &bytes, &shape));
        going = *(const uint8_t *)bytes != 0;
        lpi_content_release(exec, mark);
    }
    LP_TRY(put_states(r));
    for (i = 0; i < r->stacks_count; i++)
        if (r->states + i < r->layer->outputs_count)
            LP_TRY(
                put_stack(r, r->states + (int32_t)i, &r->stacks[i], 0, false));
    return LP_OK;
}

lp_status lpi_loop_run(lpi_frame *frame, const lp_layer *layer)
{
    rounds r = {.frame = frame,
                .layer = layer,
                .body = lpi_body_of(layer, "body"),
                .states = layer->inputs_count - 2,
                .state_in = 2,
                .body_in = 2,
                .body_out = 1};
    lp_status status;

    if (!r.body || r.body->inputs_count != layer->inputs_count ||
        r.body->outputs_count < 1 + r.states)
        return lpi_exec_fail(frame->exec, "layer '%.200s' has no such body",
                             layer->name);
    r.stacks_count = (int32_t)(r.body->outputs_count - 1 - r.states);
    status = loop(&r);
    end_rounds(&r);
    return status;
}

/* Give body input "at" slice "t" of operand "i" of the layer. */
static lp_status put_slice(rounds *r, int32_t i, int32_t at, int64_t axis,
                           int64_t t)
{
    const lp_tensor *from = r->layer->inputs[i];
    int64_t dims[LPI_RANKS], outer = 1, inner = 1, length;
    const void *bytes;
    lp_shape shape;
    void *room;

    LP_TRY(lpi_frame_get(r->frame, from, &bytes, &shape));
    if (shape.rank > LPI_RANKS || !lpi_axis(axis, shape.rank, &axis) ||
        lp_dtype_bits(from->dtype) < 8 || t >= shape.dims[axis])
        return lpi_exec_fail(r->frame->exec,
                             "layer '%.200s': input %d cannot be sliced",
                             r->layer->name, i);
    for (int32_t k = 0; k < shape.rank; k++) {
        if (k != axis)
            dims[k < axis ? k : k - 1] = shape.dims[k];
        if (k < axis)
            outer *= shape.dims[k];
        if (k > axis)
            inner *= shape.dims[k];
    }
    length = shape.dims[axis];
    LP_TRY(lpi_frame_put(&r->inner, r->body->inputs[at],
                         (lp_shape){shape.rank - 1, dims}, &room));
    inner = lpi_storage_bytes(from->dtype, inner);
    for (int64_t o = 0; o < outer && inner; o++)
        memcpy((char *)room + o * inner,
               (const char *)bytes + (o * length + t) * inner, (size_t)inner);
    return LP_OK;
}

/* The extent of the scan inputs along their axes. */
static lp_status scan_length(rounds *r, int64_t scans, int64_t *ret_length)
{
    *ret_length = -1;
    for (int64_t i = 0; i < scans; i++) {
        int64_t axis = entry_of(r->layer, "scan_input_axes", i);
        const void *bytes;
        lp_shape shape;

        LP_TRY(lpi_frame_get(r->frame, r->layer->inputs[r->states + i], &bytes,
                             &shape));
        if (!lpi_axis(axis, shape.rank, &axis) ||
            (*ret_length >= 0 && shape.dims[axis] != *ret_length))
            return lpi_exec_fail(r->frame->exec,
                                 "layer '%.200s': its scan inputs differ in "
                                 "length",
                                 r->layer->name);
        *ret_length = shape.dims[axis];
    }
    return LP_OK;
}

static lp_status scan(rounds *r, int64_t scans)
{
    const lp_layer *layer = r->layer;
    int64_t length;

    LP_TRY(scan_length(r, scans, &length));
    LP_TRY(start_rounds(r));
    for (int64_t t = 0; t < length; t++) {
        LP_TRY(lpi_frame_start(r->frame->exec, r->body, r->frame, &r->inner));
        for (int32_t i = 0; i < scans; i++)
            LP_TRY(put_slice(r, r->states + i, r->states + i,
                             entry_of(layer, "scan_input_axes", i),
                             entry_of(layer, "scan_input_directions", i)
                                 ? length - 1 - t
                                 : t));
        LP_TRY(run_round(r));
    }
    LP_TRY(put_states(r));
    for (int32_t i = 0; i < r->stacks_count; i++)
        if (r->states + i < layer->outputs_count)
            LP_TRY(put_stack(r, r->states + i, &r->stacks[i],
                             entry_of(layer, "scan_output_axes", i),
                             entry_of(layer, "scan_output_directions", i)));
    return LP_OK;
}

lp_status lpi_scan_run(lpi_frame *frame, const lp_layer *layer)
{
    const lpi_attr *count = attr_of(layer, "num_scan_inputs");
    int64_t scans = count && count->kind == LPI_ATTR_INT ? count->i : 0;
    rounds r = {
        .frame = frame, .layer = layer, .body = lpi_body_of(layer, "body")};
    lp_status status;

    r.states = layer->inputs_count - (int32_t)scans;
    if (!r.body || scans < 1 || r.states < 0 ||
        r.body->inputs_count != layer->inputs_count ||
        r.body->outputs_count < r.states)
        return lpi_exec_fail(frame->exec, "layer '%.200s' has no such body",
                             layer->name);
    r.stacks_count = (int32_t)(r.body->outputs_count - r.states);
    status = scan(&r, scans);
    end_rounds(&r);
    return status;
}
