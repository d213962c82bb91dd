/* mutate.c: a mutator that knows the tree of a protobuf message.
 *
 * The bytes are read as nested messages without a schema: a field of bytes is
 * taken for a message when it parses as one.  One mutation picks a field of the
 * whole tree, evenly, and drops it, doubles it, swaps it with its neighbour,
 * copies another field of the same file over it, or changes its number, varint
 * or text; every length around it is written anew, so that what comes out is
 * still a tree.  One time in eight libFuzzer's own mutation works on the bytes.
 * A file that is no tree is left to libFuzzer alone. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most,
                               unsigned int seed);

enum { MOST_FIELDS = 4096, MOST_DEPTH = 24, MOST_BYTES = 1 << 17 };

/* Where a field lies: its tag, its payload, and the field around it. */
typedef struct field {
    size_t start, payload, end;
    int parent; /* -1: the file */
    int type;
} field;

typedef struct tree {
    const uint8_t *bytes;
    field fields[MOST_FIELDS];
    int count;
} tree;

/* The varint at "*at", which moves on; false beyond "end". */
static int read_varint(const uint8_t *bytes, size_t end, size_t *at,
                       uint64_t *ret_value)
{
    uint64_t value = 0;
    int shift;

    for (shift = 0; shift < 64 && *at < end; shift += 7) {
        uint8_t byte = bytes[(*at)++];

        value |= (uint64_t)(byte & 127) << shift;
        if (byte < 128) {
            *ret_value = value;
            return 1;
        }
    }
    return 0;
}

/* Bytes of the payload of wire type "type" at "*at", or -1. */
static int64_t payload_of(const uint8_t *bytes, size_t end, size_t *at,
                          int type)
{
    size_t from = *at;
    uint64_t value;

    switch (type) {
    case 0:
        return read_varint(bytes, end, &from, &value) ? (int64_t)(from - *at)
                                                      : -1;
    case 1:
        return end - *at >= 8 ? 8 : -1;
    case 2:
        if (!read_varint(bytes, end, at, &value) || value > end - *at)
            return -1;
        return (int64_t)value;
    case 5:
        return end - *at >= 4 ? 4 : -1;
    default:
        return -1;
    }
}

/* Append the fields of the message in [start, end) to "all"; false, and
 * nothing appended, when the bytes are no message. */
static int parse(tree *all, size_t start, size_t end, int parent, int depth)
{
    int mark = all->count;
    size_t at = start;

    while (at < end) {
        field here = {.start = at, .parent = parent};
        uint64_t tag;
        int64_t length;

        if (all->count == MOST_FIELDS ||
            !read_varint(all->bytes, end, &at, &tag) || tag < 8 ||
            tag >> 3 > 4096) {
            all->count = mark;
            return 0;
        }
        here.type = (int)(tag & 7);
        length = payload_of(all->bytes, end, &at, here.type);
        if (length < 0) {
            all->count = mark;
            return 0;
        }
        here.payload = at;
        here.end = at += (size_t)length;
        all->fields[all->count++] = here;
        if (here.type == 2 && length > 1 && depth < MOST_DEPTH)
            parse(all, here.payload, here.end, all->count - 1, depth + 1);
    }
    return 1;
}

static size_t put_varint(uint8_t *to, uint64_t value)
{
    size_t n = 0;

    for (; value > 127; value >>= 7)
        to[n++] = (uint8_t)(value | 128);
    to[n++] = (uint8_t)value;
    return n;
}

/* Bytes "from" to "to" in the message of field "parent" (-1: the file) that
 * "length" bytes at "with" replace. */
typedef struct edit {
    int parent;
    size_t from, to;
    const uint8_t *with;
    size_t length;
} edit;

/* The file after "e" goes to "out", all lengths right; its size, or 0 when it
 * has more than "most" bytes. */
static size_t splice(const tree *all, size_t size, edit e, uint8_t *out,
                     size_t most)
{
    size_t from = e.from, to = e.to, length = e.length;
    int parent = e.parent;
    static uint8_t one[MOST_BYTES], two[MOST_BYTES];
    uint8_t *inner = one, *outer = two, *other;

    if (length > most || length > MOST_BYTES)
        return 0;
    memcpy(inner, e.with, length);
    for (;; parent = all->fields[parent].parent) {
        const field *around = parent < 0 ? NULL : &all->fields[parent];
        size_t start = around ? around->payload : 0;
        size_t end = around ? around->end : size, n = 0, at;
        uint64_t tag;

        if (length + (end - start) + 24 > MOST_BYTES)
            return 0;
        if (around) {
            at = around->start;
            if (!read_varint(all->bytes, size, &at, &tag))
                return 0;
            n = put_varint(outer, tag);
            n += put_varint(outer + n, from - start + length + (end - to));
        }
        memcpy(outer + n, all->bytes + start, from - start);
        n += from - start;
        memcpy(outer + n, inner, length);
        n += length;
        memcpy(outer + n, all->bytes + to, end - to);
        length = n + (end - to);
        other = inner;
        inner = outer;
        outer = other;
        if (!around)
            break;
        from = around->start;
        to = around->end;
    }
    if (length > most)
        return 0;
    memcpy(out, inner, length);
    return length;
}

/* A changed copy of field "here" in "to", which has room for it and 32 bytes
 * more; its size. */
static size_t change(const tree *all, const field *here, uint8_t *to)
{
    static const uint64_t values[] = {
        0,          1,          2,          3,        7,    16,
        22,         127,        128,        1U << 16, 1000, 1U << 31,
        UINT64_MAX, 1ULL << 62, 1ULL << 40, INT64_MAX};
    size_t length = here->end - here->payload, at = here->start, n;
    uint64_t tag = 0;

    read_varint(all->bytes, here->end, &at, &tag);
    if (rand() % 8 == 0)
        tag = (tag & 7) | (uint64_t)(1 + rand() % 30) << 3;
    n = put_varint(to, tag);
    if (here->type == 0)
        return n +
               put_varint(
                   to + n,
                   values[rand() % (int)(sizeof(values) / sizeof(values[0]))]);
    if (here->type != 2) {
        memcpy(to + n, all->bytes + here->payload, length);
        to[n + (size_t)rand() % length] ^= (uint8_t)(1 << rand() % 8);
        return n + length;
    }
    at = length;
    if (length > 0 && rand() % 2 == 0)
        length = (size_t)rand() % length;
    n += put_varint(to + n, length);
    memcpy(to + n, all->bytes + here->payload, length);
    if (at == length && length > 0)
        to[n + (size_t)rand() % length] = (uint8_t)rand();
    return n + length;
}

/* One mutation of the tree "all" of "size" bytes into "out". */
static size_t mutate(const tree *all, size_t size, uint8_t *out, size_t most)
{
    static uint8_t made[2 * MOST_BYTES + 64];
    int i = rand() % all->count, k = rand() % all->count;
    const field *here = &all->fields[i], *there = &all->fields[k];
    size_t own = here->end - here->start, length = 0;

    switch (rand() % 5) {
    case 0:
        break;
    case 1:
        memcpy(made, all->bytes + here->start, own);
        memcpy(made + own, all->bytes + here->start, own);
        length = 2 * own;
        break;
    case 2:
        length = there->end - there->start;
        memcpy(made, all->bytes + there->start, length);
        break;
    case 3:
        memcpy(made, all->bytes + here->start, own);
        memcpy(made + own, all->bytes + there->start,
               there->end - there->start);
        length = own + (there->end - there->start);
        break;
    default:
        length = change(all, here, made);
    }
    return splice(all, size,
                  (edit){here->parent, here->start, here->end, made, length},
                  out, most);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most,
                               unsigned int seed)
{
    static uint8_t before[MOST_BYTES];
    static tree all;
    int rounds;

    srand(seed);
    if (size > MOST_BYTES / 2 || rand() % 8 == 0)
        return LLVMFuzzerMutate(data, size, most);
    for (rounds = 1 + rand() % 4; rounds > 0; rounds--) {
        size_t changed;

        memcpy(before, data, size);
        all.bytes = before;
        all.count = 0;
        if (!parse(&all, 0, size, -1, 0) || all.count == 0)
            return LLVMFuzzerMutate(data, size, most);
        changed = mutate(&all, size, data, most);
        if (!changed || changed > MOST_BYTES / 2) {
            memcpy(data, before, size);
            break;
        }
        size = changed;
    }
    return size;
}
