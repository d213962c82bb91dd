/* wire.c: the protobuf wire format, byte by byte.
 *
 * Source of the format: https://protobuf.dev/programming-guides/encoding/.
 * Every read names the end of the message it stands in, so that no length
 * reaches beyond its parent; offsets are 64 bits wide.  The file is seen
 * through the window of lpi_file; skipping moves the offset alone. */
#include <string.h>

#include "onnx.h"

enum { VARINT_BYTES = 10, GROUP_START = 3, GROUP_END = 4 };

lp_status lpi_wire_fail(const lpi_wire *wire, int64_t offset,
                        const char *format, ...)
{
    char where[sizeof(wire->error->where)], message[256];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    snprintf(where, sizeof(where), "%.400s: byte %lld",
             lpi_file_name(wire->file), (long long)offset);
    return lpi_fail(wire->error, LP_EINPUT, where, "%s", message);
}

/* Move the window to the place of "wire". */
static lp_status refill(lpi_wire *wire)
{
    int64_t length;

    LP_TRY(lpi_file_window(wire->file, wire->offset, &wire->window, &length,
                           wire->error));
    wire->start = wire->offset;
    wire->stop = wire->offset + length;
    return LP_OK;
}

/* Bytes of the window from the place of "wire" on; 0: refill. */
static int64_t at_hand(const lpi_wire *wire)
{
    return wire->offset >= wire->start && wire->offset < wire->stop
               ? wire->stop - wire->offset
               : 0;
}

lp_status lpi_wire_varint(lpi_wire *wire, int64_t end, uint64_t *ret_value)
{
    int64_t first = wire->offset;
    uint64_t value = 0;
    int32_t i;

    for (i = 0; i < VARINT_BYTES; i++) {
        uint8_t byte;

        if (wire->offset >= end)
            return lpi_wire_fail(wire, first,
                                 "a number runs past the end of its message "
                                 "at byte %lld",
                                 (long long)end);
        if (!at_hand(wire))
            LP_TRY(refill(wire));
        byte = wire->window[wire->offset++ - wire->start];
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (!(byte & 0x80)) {
            *ret_value = value;
            return LP_OK;
        }
    }
    return lpi_wire_fail(wire, first, "a number is longer than %d bytes",
                         VARINT_BYTES);
}

lp_status lpi_wire_tag(lpi_wire *wire, int64_t end, uint32_t *ret_number,
                       lpi_wire_type *ret_type)
{
    int64_t first = wire->offset;
    uint64_t tag;
    int type;

    LP_TRY(lpi_wire_varint(wire, end, &tag));
    type = (int)(tag & 7);
    if (tag >> 3 == 0 || tag > UINT32_MAX)
        return lpi_wire_fail(wire, first, "field number %llu does not exist",
                             (unsigned long long)(tag >> 3));
    if (type == GROUP_START || type == GROUP_END)
        return lpi_wire_fail(wire, first,
                             "field %u is a group, which ONNX "
                             "does not use",
                             (unsigned)(tag >> 3));
    if (type > LPI_WIRE_32)
        return lpi_wire_fail(wire, first,
                             "field %u has wire type %d, which "
                             "does not exist",
                             (unsigned)(tag >> 3), type);
    *ret_number = (uint32_t)(tag >> 3);
    *ret_type = (lpi_wire_type)type;
    return LP_OK;
}

lp_status lpi_wire_length(lpi_wire *wire, int64_t end, int64_t *ret_length)
{
    int64_t first = wire->offset;
    uint64_t length;

    LP_TRY(lpi_wire_varint(wire, end, &length));
    if (length > (uint64_t)(end - wire->offset))
        return lpi_wire_fail(wire, first,
                             "a length of %llu bytes runs past the end at "
                             "byte %lld",
                             (unsigned long long)length, (long long)end);
    *ret_length = (int64_t)length;
    return LP_OK;
}

lp_status lpi_wire_skip(lpi_wire *wire, int64_t end, lpi_wire_type type)
{
    int64_t length = type == LPI_WIRE_32 ? 4 : 8;
    uint64_t value;

    if (type == LPI_WIRE_VARINT)
        return lpi_wire_varint(wire, end, &value);
    if (type == LPI_WIRE_BYTES)
        LP_TRY(lpi_wire_length(wire, end, &length));
    if (length > end - wire->offset)
        return lpi_wire_fail(wire, wire->offset,
                             "a number of %lld bytes runs past the end of its "
                             "message at byte %lld",
                             (long long)length, (long long)end);
    wire->offset += length;
    return LP_OK;
}

lp_status lpi_wire_copy(lpi_wire *wire, int64_t length, lpi_text *text)
{
    while (length) {
        int64_t piece;

        if (!at_hand(wire))
            LP_TRY(refill(wire));
        piece = at_hand(wire);
        if (piece > length)
            piece = length;
        lpi_text_append(text,
                        (const char *)wire->window + wire->offset - wire->start,
                        (size_t)piece);
        wire->offset += piece;
        length -= piece;
    }
    return LP_OK;
}

int32_t lpi_wire_width(uint64_t value)
{
    int32_t width = 1;

    while (value >>= 7)
        width++;
    return width;
}

void lpi_wire_put(lpi_text *text, uint64_t value, int32_t width)
{
    char bytes[VARINT_BYTES];
    int32_t count = 0;

    do {
        bytes[count++] = (char)((value & 0x7f) | 0x80);
        value >>= 7;
    } while (value || count < width);
    bytes[count - 1] &= 0x7f;
    lpi_text_append(text, bytes, (size_t)count);
}
