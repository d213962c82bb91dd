/* skim.c: a file to a stripped ModelProto.
 *
 * One walk over the wire copies what the importer needs (schema.c) and
 * nothing else; the content of large tensors is skipped and linked
 * (lpi_onnx_link).  Whatever passes has been checked: nesting, lengths within
 * the parent, wire types, messages that may stand once.  So protobuf-c sees
 * only well-formed bytes, and never a TensorProto.segment that the file wrote.
 *
 * A message's length is known when its end is reached, so its prefix is filled
 * in afterwards, as wide as the file's: varints may be padded. */
#include <string.h>

#include "onnx.h"

enum {
    SEGMENT = 3, /* of TensorProto */
    BEGIN = 1,   /* of TensorProto.Segment */
    KEY = 1,     /* of StringStringEntryProto */
    VALUE = 2,
    KEY_BYTES = 64,
    PREFIX_BYTES = 5
};

/* Width of the numbers in tensor content; 0: varints. */
static const int64_t number_bytes[LPI_FIELD_KINDS] = {
    [LPI_FIELD_RAW] = 1,
    [LPI_FIELD_DATA32] = 4,
    [LPI_FIELD_DATA64] = 8,
};

typedef struct skimmer {
    lpi_wire wire;
    lpi_arena *arena;
    lpi_text *out;
    lpi_onnx_links *links;
    int64_t most;
} skimmer;

/* A field, while the message it stands in is walked. */
typedef struct field {
    lpi_onnx_message parent;
    uint32_t number;
    lpi_wire_type type;
    lpi_onnx_rule rule;
    int64_t first, end; /* its first byte; the end of its message */
    int32_t depth;
    uint32_t seen;      /* a bit a field that may stand once and did */
    lpi_onnx_link data; /* content of the tensor so far */
    int64_t kept;       /* bytes of it that are inline */
} field;

static lp_status skim_message(skimmer *walk, lpi_onnx_message message,
                              int64_t end, int32_t depth);

static void put_tag(skimmer *walk, uint32_t number, lpi_wire_type type)
{
    lpi_wire_put(walk->out, (uint64_t)number << 3 | type, 1);
}

/* Begin a message of "length" bytes in the output and return where it
 * starts; its prefix has "*ret_width" bytes. */
static size_t open_prefix(skimmer *walk, int64_t length, size_t *ret_width)
{
    int32_t width = lpi_wire_width((uint64_t)length);

    *ret_width = (size_t)(width < PREFIX_BYTES ? width : PREFIX_BYTES);
    lpi_wire_put(walk->out, 0, (int32_t)*ret_width);
    return walk->out->length;
}

/* Fill in the prefix of "width" bytes before "start".  A message whose tensor
 * got a link, or whose entries lack a key, can have grown beyond it: then it
 * moves up, at most once a level of nesting. */
static lp_status close_prefix(skimmer *walk, size_t start, size_t width)
{
    lpi_text *out = walk->out;
    size_t length = out->length - start, i;
    size_t needed = (size_t)lpi_wire_width(length);
    size_t more = needed > width ? needed - width : 0;

    if (more)
        lpi_wire_put(out, 0, (int32_t)more);
    if (out->failed || (int64_t)out->length > walk->most)
        return lpi_fail_memory(walk->wire.error);
    memmove(out->bytes + start + more, out->bytes + start, more ? length : 0);
    start += more;
    width += more;
    for (i = 0; i < width; i++)
        out->bytes[start - width + i] =
            (char)((length >> (7 * i) & 0x7f) | (i + 1 < width ? 0x80 : 0));
    return LP_OK;
}

/* Pass a message on. */
static lp_status skim_child(skimmer *walk, field *here)
{
    uint32_t bit = UINT32_C(1) << here->number;
    size_t start, width;
    int64_t length;

    LP_TRY(lpi_wire_length(&walk->wire, here->end, &length));
    if (here->depth >= LPI_ONNX_NESTING)
        return lpi_wire_fail(&walk->wire, here->first,
                             "messages are nested deeper than %d levels",
                             LPI_ONNX_NESTING);
    if (here->rule.kind == LPI_FIELD_ONE && here->seen & bit)
        return lpi_wire_fail(
            &walk->wire, here->first, "field %u of %s stands twice",
            (unsigned)here->number, lpi_schema_name(here->parent));
    here->seen |= bit;
    put_tag(walk, here->number, LPI_WIRE_BYTES);
    start = open_prefix(walk, length, &width);
    LP_TRY(skim_message(walk, (lpi_onnx_message)here->rule.child,
                        walk->wire.offset + length, here->depth + 1));
    return close_prefix(walk, start, width);
}

/* Pass a name or a string on.  Of one that is too long nothing is left; in a
 * tensor, a NUL, which no text of a tensor may hold. */
static lp_status skim_text(skimmer *walk, const field *here)
{
    bool is_name = here->rule.kind == LPI_FIELD_NAME;
    int64_t length;
    size_t start;

    LP_TRY(lpi_wire_length(&walk->wire, here->end, &length));
    put_tag(walk, here->number, LPI_WIRE_BYTES);
    if (is_name && length > LPI_ONNX_NAME_BYTES)
        return lpi_wire_fail(&walk->wire, here->first,
                             "a name has %lld bytes, more than %d",
                             (long long)length, LPI_ONNX_NAME_BYTES);
    if (!is_name && length > LPI_ONNX_TEXT_BYTES) {
        if (here->parent == LPI_ONNX_TENSOR_PROTO)
            lpi_wire_put(walk->out, 1, 1);
        lpi_wire_put(walk->out, 0, 1);
        walk->wire.offset += length;
        return LP_OK;
    }
    lpi_wire_put(walk->out, (uint64_t)length, 1);
    start = walk->out->length;
    LP_TRY(lpi_wire_copy(&walk->wire, length, walk->out));
    if (walk->out->failed)
        return lpi_fail_memory(walk->wire.error);
    if (is_name && memchr(walk->out->bytes + start, 0, (size_t)length))
        return lpi_wire_fail(&walk->wire, here->first,
                             "a name holds a NUL byte");
    return LP_OK;
}

/* Pass one varint, or the packed ones of a field, on. */
static lp_status skim_numbers(skimmer *walk, const field *here)
{
    lpi_wire *wire = &walk->wire;
    size_t start, width;
    int64_t length, end;
    uint64_t value;

    put_tag(walk, here->number, here->type);
    if (here->type == LPI_WIRE_VARINT) {
        LP_TRY(lpi_wire_varint(wire, here->end, &value));
        lpi_wire_put(walk->out, value, 1);
        return LP_OK;
    }
    LP_TRY(lpi_wire_length(wire, here->end, &length));
    start = open_prefix(walk, length, &width);
    end = wire->offset + length;
    while (wire->offset < end) {
        LP_TRY(lpi_wire_varint(wire, end, &value));
        lpi_wire_put(walk->out, value, 1);
    }
    return close_prefix(walk, start, width);
}

/* Pass bytes, or numbers of "size" bytes, one or packed, on. */
static lp_status skim_fixed(skimmer *walk, const field *here, int64_t size)
{
    lpi_wire *wire = &walk->wire;
    int64_t length = size;

    put_tag(walk, here->number, here->type);
    if (here->type == LPI_WIRE_BYTES) {
        LP_TRY(lpi_wire_length(wire, here->end, &length));
        lpi_wire_put(walk->out, (uint64_t)length, 1);
    }
    if (length % size || length > here->end - wire->offset)
        return lpi_wire_fail(
            wire, here->first, "field %u of %s holds no whole count of numbers",
            (unsigned)here->number, lpi_schema_name(here->parent));
    return lpi_wire_copy(wire, length, walk->out);
}

/* The bytes of a key and of a value in the file. */
typedef struct entry {
    int64_t key, key_length, value, value_length;
} entry;

static lp_status find_entry(lpi_wire *wire, int64_t end, entry *ret_entry)
{
    entry pair = {0};

    while (wire->offset < end) {
        lpi_wire_type type;
        uint32_t number;
        int64_t length;

        LP_TRY(lpi_wire_tag(wire, end, &number, &type));
        if (type != LPI_WIRE_BYTES) {
            LP_TRY(lpi_wire_skip(wire, end, type));
            continue;
        }
        LP_TRY(lpi_wire_length(wire, end, &length));
        if (number == KEY) {
            pair.key = wire->offset;
            pair.key_length = length;
        } else if (number == VALUE) {
            pair.value = wire->offset;
            pair.value_length = length;
        }
        wire->offset += length;
    }
    *ret_entry = pair;
    return LP_OK;
}

/* Append field "number", "length" bytes at "offset" of the file. */
static lp_status put_bytes(skimmer *walk, uint32_t number, int64_t offset,
                           int64_t length)
{
    put_tag(walk, number, LPI_WIRE_BYTES);
    lpi_wire_put(walk->out, (uint64_t)length, 1);
    walk->wire.offset = offset;
    return lpi_wire_copy(&walk->wire, length, walk->out);
}

/* Pass an entry of metadata on when its key is kept. */
static lp_status skim_entry(skimmer *walk, const field *here)
{
    lpi_wire *wire = &walk->wire;
    lpi_text *out = walk->out;
    size_t mark = out->length, start, width;
    int64_t length, end;
    entry pair;

    LP_TRY(lpi_wire_length(wire, here->end, &length));
    end = wire->offset + length;
    LP_TRY(find_entry(wire, end, &pair));
    if (pair.key_length <= KEY_BYTES &&
        pair.value_length <= LPI_ONNX_TEXT_BYTES) {
        put_tag(walk, here->number, LPI_WIRE_BYTES);
        start = open_prefix(walk, length, &width);
        LP_TRY(put_bytes(walk, KEY, pair.key, pair.key_length));
        if (out->failed)
            return lpi_fail_memory(wire->error);
        if (lpi_schema_keeps(out->bytes + out->length - pair.key_length,
                             (size_t)pair.key_length)) {
            LP_TRY(put_bytes(walk, VALUE, pair.value, pair.value_length));
            LP_TRY(close_prefix(walk, start, width));
        } else {
            out->length = mark;
        }
    }
    wire->offset = end;
    return LP_OK;
}

/* Pass content of a tensor on, or link it. */
static lp_status skim_data(skimmer *walk, field *here)
{
    lpi_wire *wire = &walk->wire;
    lpi_onnx_link *data = &here->data;
    int64_t begin = wire->offset, start = begin, length;

    if (here->type == LPI_WIRE_BYTES) {
        LP_TRY(lpi_wire_length(wire, here->end, &length));
        start = wire->offset;
        wire->offset += length;
    } else {
        LP_TRY(lpi_wire_skip(wire, here->end, here->type));
        length = wire->offset - start;
    }
    if (data->field &&
        (data->field != here->number || here->rule.kind == LPI_FIELD_RAW))
        return lpi_wire_fail(wire, here->first,
                             "a tensor has its content twice, in fields %u "
                             "and %u",
                             (unsigned)data->field, (unsigned)here->number);
    data->field = here->number;
    if (!data->length && here->kept + length <= LPI_ONNX_LINK_BYTES) {
        here->kept += length;
        wire->offset = begin;
        return number_bytes[here->rule.kind]
                   ? skim_fixed(walk, here, number_bytes[here->rule.kind])
                   : skim_numbers(walk, here);
    }
    data->scattered = data->length || here->kept;
    data->offset = start;
    data->length += length;
    return LP_OK;
}

/* End a tensor: point at what was not kept. */
static lp_status put_link(skimmer *walk, const lpi_onnx_link *data)
{
    lpi_onnx_links *links = walk->links;
    int64_t at = links->count;

    if (!data->length)
        return LP_OK;
    if (!LPI_GROW(walk->arena, links->items, links->count, links->room))
        return lpi_fail_memory(walk->wire.error);
    links->items[links->count++] = *data;
    put_tag(walk, SEGMENT, LPI_WIRE_BYTES);
    lpi_wire_put(walk->out, (uint64_t)lpi_wire_width((uint64_t)at) + 1, 1);
    put_tag(walk, BEGIN, LPI_WIRE_VARINT);
    lpi_wire_put(walk->out, (uint64_t)at, 1);
    return LP_OK;
}

static lp_status skim_field(skimmer *walk, field *here)
{
    switch ((lpi_onnx_field)here->rule.kind) {
    case LPI_FIELD_NUMBER:
    case LPI_FIELD_NUMBERS:
        return skim_numbers(walk, here);
    case LPI_FIELD_FLOAT:
    case LPI_FIELD_FLOATS:
        return skim_fixed(walk, here, 4);
    case LPI_FIELD_NAME:
    case LPI_FIELD_STRING:
        return skim_text(walk, here);
    case LPI_FIELD_ONE:
    case LPI_FIELD_MANY:
        return skim_child(walk, here);
    case LPI_FIELD_ENTRY:
        return skim_entry(walk, here);
    case LPI_FIELD_RAW:
    case LPI_FIELD_DATA32:
    case LPI_FIELD_DATA64:
    case LPI_FIELD_DATAINT:
        return skim_data(walk, here);
    case LPI_FIELD_REFUSED:
        return lpi_wire_fail(&walk->wire, here->first,
                             "a tensor is stored in segments, which lplan "
                             "does not read");
    case LPI_FIELD_DROPPED:
    case LPI_FIELD_KINDS:
        break;
    }
    return lpi_wire_skip(&walk->wire, here->end, here->type);
}

/* Walk the fields of a message up to byte "end". */
static lp_status skim_message(skimmer *walk, lpi_onnx_message message,
                              int64_t end, int32_t depth)
{
    lpi_wire *wire = &walk->wire;
    field here = {.parent = message, .end = end, .depth = depth};

    while (wire->offset < end) {
        here.first = wire->offset;
        LP_TRY(lpi_wire_tag(wire, end, &here.number, &here.type));
        here.rule = lpi_schema_rule(message, here.number);
        if (!lpi_schema_allows(here.rule, here.type))
            return lpi_wire_fail(
                wire, here.first, "field %u of %s has the wrong wire type %d",
                (unsigned)here.number, lpi_schema_name(message), here.type);
        LP_TRY(skim_field(walk, &here));
    }
    return message == LPI_ONNX_TENSOR_PROTO ? put_link(walk, &here.data)
                                            : LP_OK;
}

/* Skim "file", which holds a message of the kind "root"; "walk" has the
 * places of the output and of the error. */
static lp_status skim_file(lpi_file *file, lpi_onnx_message root, skimmer walk)
{
    walk.wire.file = file;
    walk.most = lpi_arena_cap(walk.arena);
    if (walk.most > INT32_MAX)
        walk.most = INT32_MAX;
    LP_TRY(skim_message(&walk, root, lpi_file_size(file), 1));
    return walk.out->failed || (int64_t)walk.out->length > walk.most
               ? lpi_fail_memory(walk.wire.error)
               : LP_OK;
}

lp_status lpi_onnx_skim(lpi_file *file, lpi_arena *arena, lpi_text *bytes,
                        lpi_onnx_links *links, lp_error *error)
{
    return skim_file(file, LPI_ONNX_MODEL,
                     (skimmer){{.error = error}, arena, bytes, links, 0});
}

lp_status lpi_onnx_skim_tensor(lpi_file *file, lpi_arena *arena,
                               lpi_text *bytes, lpi_onnx_links *links,
                               lp_error *error)
{
    return skim_file(file, LPI_ONNX_TENSOR_PROTO,
                     (skimmer){{.error = error}, arena, bytes, links, 0});
}
