/* schema.c: which fields of ONNX's messages pass the skimmer, and how.
 *
 * What is not listed is dropped: documentation, training information,
 * quantization annotations, device configurations, and fields newer than
 * these tables.  Source: onnx.proto. */
#include <string.h>

#include "onnx.h"

enum { FIELDS = 32 };

static const char *const message_names[LPI_ONNX_MESSAGES] = {
    [LPI_ONNX_MODEL] = "ModelProto",
    [LPI_ONNX_GRAPH] = "GraphProto",
    [LPI_ONNX_NODE] = "NodeProto",
    [LPI_ONNX_ATTRIBUTE] = "AttributeProto",
    [LPI_ONNX_TENSOR_PROTO] = "TensorProto",
    [LPI_ONNX_SPARSE] = "SparseTensorProto",
    [LPI_ONNX_VALUE_INFO] = "ValueInfoProto",
    [LPI_ONNX_TYPE] = "TypeProto",
    [LPI_ONNX_TYPE_TENSOR] = "TypeProto.Tensor",
    [LPI_ONNX_TYPE_ELEMENT] = "TypeProto.Sequence",
    [LPI_ONNX_TYPE_MAP] = "TypeProto.Map",
    [LPI_ONNX_TYPE_OPAQUE] = "TypeProto.Opaque",
    [LPI_ONNX_SHAPE] = "TensorShapeProto",
    [LPI_ONNX_DIMENSION] = "TensorShapeProto.Dimension",
    [LPI_ONNX_OPSET] = "OperatorSetIdProto",
    [LPI_ONNX_PAIR] = "StringStringEntryProto",
    [LPI_ONNX_FUNCTION] = "FunctionProto",
};

/* clang-format off */
#define NUMBER {LPI_FIELD_NUMBER, 0}
#define NUMBERS {LPI_FIELD_NUMBERS, 0}
#define NAME {LPI_FIELD_NAME, 0}
#define STRING {LPI_FIELD_STRING, 0}
#define DATAINT {LPI_FIELD_DATAINT, 0}
#define ONE(child) {LPI_FIELD_ONE, child}
#define MANY(child) {LPI_FIELD_MANY, child}

static const lpi_onnx_rule rules[LPI_ONNX_MESSAGES][FIELDS] = {
    [LPI_ONNX_MODEL] = {
        [1] = NUMBER, [2] = NAME, [3] = NAME, [7] = ONE(LPI_ONNX_GRAPH),
        [8] = MANY(LPI_ONNX_OPSET), [25] = MANY(LPI_ONNX_FUNCTION),
    },
    [LPI_ONNX_GRAPH] = {
        [1] = MANY(LPI_ONNX_NODE), [2] = NAME,
        [5] = MANY(LPI_ONNX_TENSOR_PROTO),
        [11] = MANY(LPI_ONNX_VALUE_INFO), [12] = MANY(LPI_ONNX_VALUE_INFO),
        [13] = MANY(LPI_ONNX_VALUE_INFO), [15] = MANY(LPI_ONNX_SPARSE),
    },
    [LPI_ONNX_NODE] = {
        [1] = NAME, [2] = NAME, [3] = NAME, [4] = NAME,
        [5] = MANY(LPI_ONNX_ATTRIBUTE), [7] = NAME, [8] = NAME,
        [9] = {LPI_FIELD_ENTRY, LPI_ONNX_PAIR},
    },
    [LPI_ONNX_ATTRIBUTE] = {
        [1] = NAME, [2] = {LPI_FIELD_FLOAT, 0}, [3] = NUMBER, [4] = STRING,
        [5] = ONE(LPI_ONNX_TENSOR_PROTO), [6] = ONE(LPI_ONNX_GRAPH),
        [7] = {LPI_FIELD_FLOATS, 0}, [8] = NUMBERS, [9] = STRING,
        [20] = NUMBER, [21] = NAME, [22] = ONE(LPI_ONNX_SPARSE),
    },
    [LPI_ONNX_TENSOR_PROTO] = {
        [1] = NUMBERS, [2] = NUMBER, [3] = {LPI_FIELD_REFUSED, 0},
        [4] = {LPI_FIELD_DATA32, 0}, [5] = DATAINT, [6] = STRING,
        [7] = DATAINT, [8] = NAME, [9] = {LPI_FIELD_RAW, 0},
        [10] = {LPI_FIELD_DATA64, 0}, [11] = DATAINT,
        [13] = MANY(LPI_ONNX_PAIR), [14] = NUMBER,
    },
    [LPI_ONNX_SPARSE] = {
        [1] = ONE(LPI_ONNX_TENSOR_PROTO), [2] = ONE(LPI_ONNX_TENSOR_PROTO),
        [3] = NUMBERS,
    },
    [LPI_ONNX_VALUE_INFO] = {[1] = NAME, [2] = ONE(LPI_ONNX_TYPE)},
    [LPI_ONNX_TYPE] = {
        [1] = ONE(LPI_ONNX_TYPE_TENSOR), [4] = ONE(LPI_ONNX_TYPE_ELEMENT),
        [5] = ONE(LPI_ONNX_TYPE_MAP), [7] = ONE(LPI_ONNX_TYPE_OPAQUE),
        [8] = ONE(LPI_ONNX_TYPE_TENSOR), [9] = ONE(LPI_ONNX_TYPE_ELEMENT),
    },
    [LPI_ONNX_TYPE_TENSOR] = {[1] = NUMBER, [2] = ONE(LPI_ONNX_SHAPE)},
    [LPI_ONNX_TYPE_ELEMENT] = {[1] = ONE(LPI_ONNX_TYPE)},
    [LPI_ONNX_TYPE_MAP] = {[1] = NUMBER, [2] = ONE(LPI_ONNX_TYPE)},
    [LPI_ONNX_SHAPE] = {[1] = MANY(LPI_ONNX_DIMENSION)},
    [LPI_ONNX_DIMENSION] = {[1] = NUMBER, [2] = NAME},
    [LPI_ONNX_OPSET] = {[1] = NAME, [2] = NUMBER},
    [LPI_ONNX_PAIR] = {[1] = NAME, [2] = NAME},
    [LPI_ONNX_FUNCTION] = {
        [1] = NAME, [4] = NAME, [5] = NAME, [6] = NAME,
        [7] = MANY(LPI_ONNX_NODE), [9] = MANY(LPI_ONNX_OPSET), [10] = NAME,
        [11] = MANY(LPI_ONNX_ATTRIBUTE),
        [12] = MANY(LPI_ONNX_VALUE_INFO), [13] = NAME,
    },
};
/* clang-format on */

enum {
    VARINT = 1 << LPI_WIRE_VARINT,
    FIXED64 = 1 << LPI_WIRE_64,
    FIXED32 = 1 << LPI_WIRE_32,
    BYTES = 1 << LPI_WIRE_BYTES
};

/* Wire types, as bits, that a field of a kind may have. */
static const uint8_t allowed[LPI_FIELD_KINDS] = {
    [LPI_FIELD_DROPPED] = VARINT | FIXED64 | FIXED32 | BYTES,
    [LPI_FIELD_NUMBER] = VARINT,
    [LPI_FIELD_NUMBERS] = VARINT | BYTES,
    [LPI_FIELD_FLOAT] = FIXED32,
    [LPI_FIELD_FLOATS] = FIXED32 | BYTES,
    [LPI_FIELD_NAME] = BYTES,
    [LPI_FIELD_STRING] = BYTES,
    [LPI_FIELD_ONE] = BYTES,
    [LPI_FIELD_MANY] = BYTES,
    [LPI_FIELD_ENTRY] = BYTES,
    [LPI_FIELD_RAW] = BYTES,
    [LPI_FIELD_DATA32] = FIXED32 | BYTES,
    [LPI_FIELD_DATA64] = FIXED64 | BYTES,
    [LPI_FIELD_DATAINT] = VARINT | BYTES,
    [LPI_FIELD_REFUSED] = VARINT | FIXED64 | FIXED32 | BYTES,
};

/* Metadata of a node from which its module path is told. */
static const char *const kept_keys[] = {
    "namespace",
    "pkg.torch.onnx.name_scopes",
};

lpi_onnx_rule lpi_schema_rule(lpi_onnx_message message, uint32_t number)
{
    return number < FIELDS ? rules[message][number]
                           : (lpi_onnx_rule){LPI_FIELD_DROPPED, 0};
}

const char *lpi_schema_name(lpi_onnx_message message)
{
    return message_names[message];
}

bool lpi_schema_allows(lpi_onnx_rule rule, lpi_wire_type type)
{
    return allowed[rule.kind] >> type & 1;
}

bool lpi_schema_keeps(const char *key, size_t length)
{
    int32_t i;

    for (i = 0; i < LPI_COUNT(kept_keys); i++)
        if (length == strlen(kept_keys[i]) &&
            !memcmp(key, kept_keys[i], length))
            return true;
    return false;
}
