"""Cases of operators of com.microsoft and ai.onnx.ml: CASES maps an operator to a function
that draws one."""
import numpy as np
from onnx import helper

import runtime

ML = 'ai.onnx.ml'

class Case:
    """One node of com.microsoft: operands (arrays, None where absent), those
    of them that are weights by their position."""

    def __init__(self, op, operands, weights=(), outputs=1, domain=None,
                 tolerance=None, expected=None, texts=None, **attributes):
        self.op, self.operands, self.weights = op, operands, set(weights)
        self.outputs, self.attributes = outputs, attributes
        self.domain = 'com.microsoft' if domain is None else domain
        self.tolerance, self.expected = tolerance, expected
        self.texts = texts or {'values_strings', 'classlabels_strings'} & set(
            attributes)

    def model(self, rng):
        names = ['' if x is None else 'i%d' % at
                 for at, x in enumerate(self.operands)]
        while names and not names[-1]:
            names.pop()
        outputs = self.outputs if isinstance(self.outputs, list) else [
            'o%d' % x for x in range(self.outputs)]
        node = helper.make_node(self.op, names, outputs, domain=self.domain,
                                **self.attributes)
        arrays = {n: x for n, x in zip(names, self.operands) if n}
        held = {n: x for n, x in arrays.items() if int(n[1:]) in self.weights}
        free = {n: x for n, x in arrays.items() if n not in held}
        model = runtime.model_of([node], free, held,
                                 [x for x in outputs if x], 17)
        if self.domain == ML:
            model.opset_import.append(helper.make_opsetid(
                ML, {'TreeEnsemble': 5, 'LabelEncoder': 4}.get(self.op, 1)))
        if self.texts:
            model.graph.output[0].type.tensor_type.elem_type = 8
        return model, free


    def round_to(self, kind):
        """Round the operands of float32 to "kind" where they stand."""
        for at, x in enumerate(self.operands):
            if x is not None and np.asarray(x).dtype == 'float32':
                rounded = np.asarray(x).astype(kind).astype('float32')
                if rounded.ndim:
                    x[...] = rounded
                else:
                    self.operands[at] = rounded

    def turn_to(self, kind):
        """Give the operands of float32 the dtype "kind"."""
        self.operands = [
            x if x is None or np.asarray(x).dtype != 'float32' else
            np.asarray(x).astype(kind) for x in self.operands]


def some(rng, *choices):
    return choices[rng.integers(len(choices))]


def floats(rng, *shape, dtype='float32', spread=1.0):
    return (rng.standard_normal(shape) * spread).astype(dtype)


def dims(rng, rank, most=6):
    return [int(x) for x in rng.integers(1, most + 1, rank)]


def byte(rng, shape, dtype):
    info = np.iinfo(dtype)
    return rng.integers(info.min, info.max + 1, shape).astype(dtype)


def scale(rng, *shape):
    return np.exp(rng.uniform(-5, -1, shape)).astype('float32')


# ---- activations

def activation(op, bias):
    def draw(rng):
        shape = dims(rng, rng.integers(1, 5))
        x = floats(rng, *shape, spread=3)
        x.flat[0] = 3  # errors near 0 are those of 1 - tanh there
        b = [floats(rng, shape[-1])] if bias == 2 or \
            bias and rng.integers(2) else []
        more = dict(alpha=float(np.float32(rng.uniform(0.5, 2)))) \
            if op == 'QuickGelu' else {}
        return Case(op, [x] + b, **more)
    return draw


def bias_add(rng):
    n, p, c = dims(rng, 3)
    x, b, s = floats(rng, n, p, c), floats(rng, c), floats(rng, n, p, c)
    return Case('BiasAdd', [x, b, s], expected=lambda: [x + b + s])


def split_gelu(rng):
    from math import erf
    n, p, c = dims(rng, 3)
    x, b = floats(rng, n, p, 2 * c), floats(rng, 2 * c)

    def expected():
        left, right = np.split((x + b).astype('float64'), 2, -1)
        gelu = right * 0.5 * (1 + np.vectorize(erf)(right / np.sqrt(2)))
        return [(left * gelu).astype('float32')]
    return Case('BiasSplitGelu', [x, b], expected=expected)


# ---- bytes

def binary(op):
    def draw(rng):
        kind = some(rng, 'uint8', 'int8')
        shape = dims(rng, rng.integers(1, 5), 9)
        other = [1 if rng.integers(3) == 0 else x
                 for x in shape[rng.integers(len(shape)):]]
        parts = [byte(rng, shape, kind), byte(rng, other, kind)]
        if rng.integers(2):
            parts.reverse()
        operands = []
        for x in parts:
            operands += [x, scale(rng), byte(rng, (), kind)]
        return Case(op, operands + [scale(rng), byte(rng, (), kind)],
                    [1, 2, 4, 5, 6, 7])
    return draw


def concat(rng):
    kind = some(rng, 'uint8', 'int8')
    shape = dims(rng, rng.integers(1, 5))
    axis = int(rng.integers(len(shape)))
    operands = [scale(rng), byte(rng, (), kind)]
    for _ in range(rng.integers(1, 5)):
        own = list(shape)
        own[axis] = int(rng.integers(1, 5))
        operands += [byte(rng, own, kind), scale(rng), byte(rng, (), kind)]
        if rng.integers(3) == 0:
            operands[-2:] = operands[:2]
    return Case('QLinearConcat', operands, [
        x for x in range(len(operands)) if x < 2 or x % 3 != 2], axis=axis)


def table(op):
    def draw(rng):
        kind = some(rng, 'uint8', 'int8')
        x = byte(rng, dims(rng, rng.integers(1, 5)), kind)
        more = dict(alpha=float(np.float32(rng.uniform(0, 1)))) \
            if op == 'QLinearLeakyRelu' else {}
        return Case(op, [x, scale(rng), byte(rng, (), kind), scale(rng),
                         byte(rng, (), kind)], [1, 2, 3, 4], **more)
    return draw


def softmax(rng):
    """Rows of two or more: the sum of one overflows there."""
    kind = some(rng, 'uint8', 'int8')
    shape = [x + 1 for x in dims(rng, rng.integers(1, 5), 8)]
    opset = some(rng, 11, 13)
    more = {}
    if rng.integers(3) or len(shape) < 2:
        more['axis'] = int(rng.integers(-len(shape), len(shape)))
    return Case('QLinearSoftmax', [
        byte(rng, shape, kind), scale(rng), byte(rng, (), kind),
        np.float32(1 / 255), np.array(0 if kind == 'uint8' else -128, kind)],
                [1, 2, 3, 4], opset=opset, **more)


def global_mean(rng):
    kind = some(rng, 'uint8', 'int8')
    last = int(rng.integers(2))
    x = byte(rng, dims(rng, rng.integers(3, 6)), kind)
    return Case('QLinearGlobalAveragePool', [
        x, scale(rng), byte(rng, (), kind), scale(rng),
        byte(rng, (), kind)], [1, 2, 3, 4], channels_last=last)


def window(rng, rank, most=8):
    """Extents and the attributes of a window that slides over them."""
    kernel = dims(rng, rank, 3)
    stride = dims(rng, rank, 3)
    pads = [int(rng.integers(k)) for k in kernel + kernel]
    extents = [int(rng.integers(k, most + 1)) for k in kernel]
    how = dict(kernel_shape=kernel, strides=stride)
    if rng.integers(4) == 0:
        how['auto_pad'] = some(rng, 'VALID', 'SAME_UPPER', 'SAME_LOWER')
    else:
        how['pads'] = pads
    return extents, how


def mean(rng):
    kind = some(rng, 'uint8', 'int8')
    last = int(rng.integers(2))
    rank = int(rng.integers(1, 4))
    extents, how = window(rng, rank)
    n, c = dims(rng, 2)
    x = byte(rng, [n] + extents + [c] if last else [n, c] + extents, kind)
    return Case('QLinearAveragePool', [
        x, scale(rng), byte(rng, (), kind), scale(rng),
        byte(rng, (), kind)], [1, 2, 3, 4], channels_last=last,
                count_include_pad=int(rng.integers(2)), **how)


# ---- normalizations

def skip_norm(op, centred):
    def draw(rng):
        kind = some(rng, 'float32', 'float32', 'float16')
        b, n, h = dims(rng, 3, 9)
        x = floats(rng, b, n, h, dtype=kind)
        r = floats(rng, *some(rng, (b, n, h), (1, n, h), (n, h)), dtype=kind)
        operands = [x, r, floats(rng, h, dtype=kind)]
        if centred:
            operands.append(some(rng, None, floats(rng, h, dtype=kind)))
        operands.append(some(rng, None, floats(rng, h, dtype=kind)))
        outputs = some(rng, 1, ['y', '', '', 's'])
        more = dict(epsilon=1e-3) if rng.integers(2) else {}
        return Case(op, operands, [2, 3, 4], outputs, **more)
    return draw


def embed(rng):
    b, n, h, v = dims(rng, 4, 7)
    ids = rng.integers(0, v, (b, n)).astype('int32')
    segments = some(rng, None, rng.integers(0, 2, (b, n)).astype('int32'))
    mask = some(rng, None, rng.integers(0, 2, (b, n)).astype('int32'))
    places = some(rng, None, rng.integers(0, n + 2, (b, n)).astype('int32'))
    return Case('EmbedLayerNormalization', [
        ids, segments, floats(rng, v, h), floats(rng, n + 2, h),
        None if segments is None else floats(rng, 2, h), floats(rng, h),
        floats(rng, h), mask, places], [2, 3, 4, 5, 6],
                some(rng, 2, 3), epsilon=1e-4)


def group_norm(skips):
    def draw(rng):
        n, y, x, c = dims(rng, 4)
        groups = c
        c *= int(rng.integers(1, 4))
        last = int(rng.integers(2))
        shape = (n, y, x, c) if last else (n, c, y, x)
        operands = [floats(rng, *shape), floats(rng, c), floats(rng, c)]
        how = dict(groups=groups, channels_last=last, epsilon=1e-3,
                   activation=int(rng.integers(2)))
        if skips:
            operands.append(floats(rng, *(some(rng, shape, (n, c), (
                n, 1, 1, c)) if last else shape)))
            operands.append(floats(rng, c) if last and rng.integers(2)
                            else None)

        def expected():
            total = operands[0].astype('float64')
            if skips:
                r = operands[3]
                total = total + (r.reshape(n, 1, 1, c) if r.size == n * c
                                 and last else r)
                if operands[4] is not None:
                    total = total + operands[4]
            z = np.moveaxis(total, -1, 1) if last else total
            z = z.reshape(n, groups, -1)
            z = (z - z.mean(-1, keepdims=True)) / np.sqrt(
                z.var(-1, keepdims=True) + np.float32(1e-3))
            z = z.reshape(n, c, y, x) * operands[1].reshape(1, c, 1, 1) + \
                operands[2].reshape(1, c, 1, 1)
            if how['activation']:
                z = z / (1 + np.exp(-z))
            z = np.moveaxis(z, 1, -1) if last else z
            return [z.astype('float32'), total.astype('float32')][:1 + skips]
        return Case('SkipGroupNorm' if skips else 'GroupNorm', operands,
                    [1, 2], 1 + skips, expected=expected, **how)
    return draw


def simple_norm(rng):
    shape = dims(rng, rng.integers(2, 5))
    return Case('SimplifiedLayerNormalization', [
        floats(rng, *shape), floats(rng, shape[-1])], [1], 1, domain='',
                axis=-1, epsilon=1e-4)


# ---- packed weights

def pack(values, bits):
    """Items of "bits" bits, lowest first, along the last axis."""
    each = 8 // bits
    pad = -values.shape[-1] % each
    v = np.pad(values, [(0, 0)] * (values.ndim - 1) + [(0, pad)])
    v = v.reshape(*v.shape[:-1], -1, each).astype('uint32')
    return (v << (np.arange(each) * bits)).sum(-1).astype('uint8')


def nbits(rng):
    bits = some(rng, 2, 4, 8)
    block = some(rng, 16, 32)
    k, n = int(rng.integers(1, 80)), int(rng.integers(1, 20))
    blocks = -(-k // block)
    kind = some(rng, 'float32', 'float32', 'float16')
    q = rng.integers(0, 1 << bits, (n, blocks, block))
    operands = [floats(rng, *dims(rng, rng.integers(0, 3)), k, dtype=kind),
                pack(q, bits), (scale(rng, n * blocks)).astype(kind)]
    zeros = some(rng, None, 'packed', 'floats')
    if zeros == 'packed':
        operands.append(pack(rng.integers(0, 1 << bits, (n, blocks)),
                             bits).reshape(-1))
    elif zeros:
        operands.append(floats(rng, n * blocks, dtype=kind, spread=4))
    else:
        operands.append(None)
    operands.append(None)
    operands.append(some(rng, None, floats(rng, n, dtype=kind)))
    return Case('MatMulNBits', operands, [1, 2, 3, 4, 5], bits=bits, K=k, N=n,
                block_size=block, accuracy_level=int(rng.integers(0, 3)))


def bnb4(rng):
    block = some(rng, 16, 32, 64)
    k, n = int(rng.integers(1, 5)) * block, int(rng.integers(1, 20))
    return Case('MatMulBnb4', [
        floats(rng, *dims(rng, rng.integers(0, 3)), k),
        rng.integers(0, 256, -(-k * n // 2)).astype('uint8'),
        scale(rng, -(-k * n // block))], [1, 2], K=k, N=n, block_size=block,
                quant_type=int(rng.integers(2)))


def gather_blocks(rng):
    import ml_dtypes
    bits, block = some(rng, 4, 8), some(rng, 16, 32)
    rank = int(rng.integers(2, 4))
    shape = dims(rng, rank, 5)
    form = some(rng, 'uint8', 'uint8', 'int4', 'uint4')
    axis = rank - 1
    gather = 0
    if form != 'uint8':
        axis = int(rng.integers(rank))
        bits = 4
        gather = int(rng.integers(rank))
    shape[axis] = int(rng.integers(1, 70))
    if form == 'uint8' and bits == 4:
        shape[axis] += shape[axis] % 2
    blocked = list(shape)
    blocked[axis] = -(-shape[axis] // block)
    low = -8 if form == 'int4' else 0
    kind = some(rng, 'float32', 'float32', 'float16')
    q = rng.integers(low, low + (1 << bits), shape)
    z = rng.integers(low, low + (1 << bits), blocked)
    if form == 'uint8':
        q, z = pack(q, bits), pack(z, bits)
    else:
        q, z = (x.astype(getattr(ml_dtypes, form)) for x in (q, z))
    where = rng.integers(-shape[gather], shape[gather], dims(
        rng, rng.integers(0, 3), 4)).astype(some(rng, 'int32', 'int64'))
    return Case('GatherBlockQuantized', [
        q, where, scale(rng, *blocked).astype(kind), some(rng, None, z)],
                [0, 2, 3],
                bits=bits, block_size=block, gather_axis=gather,
                quantize_axis=axis)


# ---- products of bytes

def no_saturation(x):
    """Weights of 7 bits, whose products in pairs fit 16 bits."""
    return (x.astype('int16') // 2).astype(x.dtype)


def to_float(rng):
    a_kind, b_kind = 'uint8', some(rng, 'uint8', 'int8')
    m, k, n = dims(rng, 3, 20)
    a = byte(rng, dims(rng, rng.integers(0, 3), 3) + [m, k], a_kind)
    b = no_saturation(byte(rng, (k, n), b_kind))
    wide = rng.integers(2)
    return Case('MatMulIntegerToFloat', [
        a, b, scale(rng), scale(rng, n) if wide else scale(rng),
        some(rng, None, byte(rng, (), a_kind)),
        some(rng, None, byte(rng, (n,) if wide else (), b_kind)),
        some(rng, None, floats(rng, n))], [1, 2, 3, 4, 5, 6])


def dynamic(rng):
    kind = some(rng, 'uint8', 'int8')
    m, k, n = dims(rng, 3, 20)
    wide = rng.integers(2)
    return Case('DynamicQuantizeMatMul', [
        floats(rng, *dims(rng, rng.integers(0, 2), 3), m, k),
        no_saturation(byte(rng, (k, n), kind)),
        scale(rng, n) if wide else scale(rng),
        some(rng, None, byte(rng, (n,) if wide else (), kind)),
        some(rng, None, floats(rng, n))], [1, 2, 3, 4])


def quantized_gemm(rng):
    a_kind, b_kind = 'uint8', some(rng, 'uint8', 'int8')
    m, k, n = dims(rng, 3, 20)
    turn_a, turn_b = int(rng.integers(2)), int(rng.integers(2))
    wide = rng.integers(2)
    operands = [
        byte(rng, (k, m) if turn_a else (m, k), a_kind), scale(rng),
        byte(rng, (), a_kind),
        no_saturation(byte(rng, (n, k) if turn_b else (k, n), b_kind)),
        scale(rng, n) if wide else scale(rng),
        byte(rng, (n,) if wide else (), b_kind),
        some(rng, None, rng.integers(-900, 900, some(
            rng, (n,), (m, n), (1, n), (m, 1))).astype('int32'))]
    if rng.integers(2):
        operands += [scale(rng) * np.float32(40), byte(rng, (), a_kind)]
    return Case('QGemm', operands, [1, 2, 3, 4, 5, 6, 7, 8], transA=turn_a,
                transB=turn_b, alpha=some(rng, 1.0, 0.5, 0.3))


def fused_matmul(op):
    def draw(rng):
        batch = dims(rng, rng.integers(0, 3), 3)
        m, k, n = dims(rng, 3, 12)
        turn_a, turn_b = int(rng.integers(2)), int(rng.integers(2))
        more = {}
        a, b = batch + [m, k], batch + [k, n]
        if turn_a:
            a[-2:] = a[:-3:-1]
        if turn_b:
            b[-2:] = b[:-3:-1]
        if op == 'FusedMatMul' and batch:
            for name, shape in (('transBatchA', a), ('transBatchB', b)):
                if rng.integers(3) == 0:
                    more[name] = 1
                    turned = more[name] and shape[:]
                    middle = turned.pop(-2)
                    shape[:] = [middle] + turned
        kind = some(rng, 'float32', 'float64') if op == 'FusedMatMul' else \
            'float32'
        return Case(op, [floats(rng, *a, dtype=kind),
                         floats(rng, *b, dtype=kind)], [], transA=turn_a,
                    transB=turn_b, alpha=some(rng, 1.0, 0.37), **more)
    return draw


ACTIVATIONS = {
    'Relu': [], 'Tanh': [], 'Sigmoid': [], 'LeakyRelu': ['alpha'],
    'Clip': ['alpha', 'beta'], 'HardSigmoid': ['alpha', 'beta'],
}


def fused_gemm(rng):
    m, k, n = dims(rng, 3, 12)
    name = some(rng, 'Relu', 'Tanh', 'Sigmoid', 'LeakyRelu', 'HardSigmoid',
                'Elu', 'Softplus', 'Softsign', 'ThresholdedRelu')
    return Case('FusedGemm', [
        floats(rng, m, k), floats(rng, n, k),
        some(rng, None, floats(rng, n), floats(rng, m, n), floats(rng, m, 1))],
                [1, 2], transB=1, alpha=some(rng, 1.0, 0.5),
                beta=some(rng, 1.0, 0.25), activation=name,
                activation_alpha=some(rng, 0.2, 0.5),
                activation_beta=some(rng, 0.5, 0.75))


# ---- convolutions

def fused_conv(rng):
    rank = int(rng.integers(1, 3))
    extents, how = window(rng, rank)
    group, each, own, n = dims(rng, 4, 3)
    w = [group * own, each] + how['kernel_shape']
    name = some(rng, *ACTIVATIONS)
    params = sorted(float(np.float32(x)) for x in rng.uniform(
        -1 if name == 'Clip' else 0, 1, len(ACTIVATIONS[name])))
    case = Case('FusedConv', [
        floats(rng, n, group * each, *extents), floats(rng, *w),
        some(rng, None, floats(rng, group * own))], [1, 2], group=group,
                activation=name, **how)
    if params:
        case.attributes['activation_params'] = params
    return case


def q_conv(rng):
    rank = int(rng.integers(1, 4))
    extents, how = window(rng, rank)
    group, each, own, n = dims(rng, 4, 3)
    a, b = some(rng, 'uint8', 'int8'), 'int8'
    last = int(rng.integers(2))
    c = group * each
    x = byte(rng, [n, *extents, c] if last else [n, c, *extents], a)
    w = no_saturation(byte(rng, [group * own, each] + how['kernel_shape'], b))
    wide = rng.integers(2)
    return Case('QLinearConv', [
        x, scale(rng), byte(rng, (), a), w,
        scale(rng, group * own) if wide else scale(rng), np.zeros((), b),
        scale(rng) * np.float32(40), byte(rng, (), a),
        some(rng, None, rng.integers(-900, 900, group * own).astype('int32'))],
                [1, 2, 3, 4, 5, 6, 7, 8], group=group, channels_last=last,
                **how)


def last_conv(op):
    def draw(rng):
        import onnx
        extents, how = window(rng, 2)
        group, each, own, n = dims(rng, 4, 3)
        x = floats(rng, n, *extents, group * each)
        w = floats(rng, group * own, each, *how['kernel_shape'])
        b = some(rng, None, floats(rng, group * own))

        def expected():
            node = onnx.helper.make_node(
                'Conv', ['x', 'w'] + ['b'] * (b is not None), ['y'],
                group=group, **how)
            weights = {'w': w} if b is None else {'w': w, 'b': b}
            front = {'x': np.ascontiguousarray(np.moveaxis(x, -1, 1))}
            y, why = runtime.run_other(runtime.model_of(
                [node], front, weights, ['y'], 17), front)
            return [np.moveaxis(y[0], 1, -1)] if not why else why
        return Case(op, [x, w, b], [1, 2], expected=expected, group=group,
                    **how)
    return draw


# ---- attention

def raw_mask(rng, *shape):
    """Ones and zeros, a one in every row."""
    mask = rng.integers(0, 2, shape).astype('int32')
    mask[..., 0] = 1
    return mask


def merged(rng):
    b, n, heads, size, d = dims(rng, 5)
    past = some(rng, None, int(rng.integers(1, 5)))
    keys = n + (past or 0)
    wide = heads * size
    mask = some(rng, None, None, raw_mask(rng, b, keys),
                raw_mask(rng, b, n, keys),
                rng.integers(1, keys + 1, b).astype('int32'))
    if past and mask is not None and mask.ndim == 1:
        mask = None
    bias = some(rng, None, floats(rng, some(rng, 1, b), some(
        rng, 1, heads), n, keys))
    return Case('Attention', [
        floats(rng, b, n, d), floats(rng, d, 3 * wide, spread=0.5),
        floats(rng, 3 * wide), mask,
        None if past is None else floats(rng, 2, b, heads, past, size),
        bias], [1, 2], 2 if past else 1, num_heads=heads,
                unidirectional=int(rng.integers(2)), **(
                    dict(scale=0.4) if rng.integers(2) else {}))


def multi_head(rng):
    b, n, heads, size, deep = dims(rng, 5)
    m = int(rng.integers(1, 6))
    form = some(rng, 'rows', 'rows', 'heads')
    past, turned = None, rng.integers(3) == 0
    if form == 'rows':
        past = some(rng, None, int(rng.integers(1, 5)))
        k, v = floats(rng, b, m, heads * size), floats(
            rng, b, m, heads * deep)
    else:
        k, v = floats(rng, b, heads, m, size), floats(rng, b, heads, m, deep)
    if turned:
        m = n
        if form == 'rows':
            k, v = floats(rng, b, m, heads * size), floats(
                rng, b, m, heads * deep)
        else:
            turned = False
            m = k.shape[2]
    keys = m + (past or 0)
    operands = [floats(rng, b, n, heads * size), k, v]
    operands.append(floats(rng, heads * (2 * size + deep))
                    if form == 'rows' and rng.integers(2) else None)
    operands.append(some(rng, None, raw_mask(rng, b, keys),
                         raw_mask(rng, b, n, keys)))
    operands.append(some(rng, None, floats(rng, some(rng, 1, b), some(
        rng, 1, heads), n, keys)))
    if past:
        operands += [floats(rng, b, heads, past, size),
                     floats(rng, b, heads, past, deep)]
    return Case('MultiHeadAttention', operands, [3], 3 if past else 1,
                num_heads=heads, unidirectional=int(turned),
                **(dict(scale=0.4) if rng.integers(2) else {}))


def group_query(rng):
    """Decoding fills the buffer of the longest sequence to its end: what
    stands behind the keys in use is not defined."""
    b, kv, each = dims(rng, 3, 3)
    size = int(some(rng, 16, 32))
    heads = kv * each
    prompt = rng.integers(2)
    n = int(rng.integers(2, 6)) if prompt else 1
    buffer = int(rng.integers(n + 1, 12))
    if prompt:
        lengths = np.full(b, n - 1, 'int32')
    else:
        lengths = np.full(b, buffer - 1, 'int32')
    total = np.int32(lengths.max() + 1)
    packed = rng.integers(2)
    turn = int(rng.integers(2))
    kind = some(rng, 'float32', 'float32', 'float16')
    operands = [floats(rng, b, n, size * (heads + 2 * kv if packed else heads),
                       dtype=kind)]
    operands += [None, None] if packed else [
        floats(rng, b, n, kv * size, dtype=kind) for _ in 'kv']
    if prompt:
        operands += [None, None]
    else:
        operands += [floats(rng, b, kv, buffer, size, dtype=kind)
                     for _ in 'kv']
    operands += [lengths, total]
    if turn:
        angle = rng.uniform(0, 6, (16, size // 2))
        operands += [np.cos(angle).astype(kind),
                     np.sin(angle).astype(kind)]
    more = {}
    if rng.integers(2):
        more['local_window_size'] = int(rng.integers(1, 6))
    if rng.integers(2):
        more['softcap'] = 5.0
    if rng.integers(2):
        more['scale'] = 0.3
    return Case('GroupQueryAttention', operands, [5, 6, 7, 8],
                3, num_heads=heads, kv_num_heads=kv,
                do_rotary=turn, rotary_interleaved=int(rng.integers(2)),
                **more)


def rotary(rng):
    b, n, heads = dims(rng, 3)
    size = int(some(rng, 4, 8, 16))
    kind = some(rng, 'float32', 'float32', 'float16')
    angle = rng.uniform(0, 6, (n + 5, size // 2))
    places = some(rng, rng.integers(0, n + 5, (b, n)), np.array([2]))
    shape = some(rng, (b, n, heads * size), (b, heads, n, size))
    return Case('RotaryEmbedding', [
        floats(rng, *shape, dtype=kind), places.astype('int64'),
        np.cos(angle).astype(kind), np.sin(angle).astype(kind)],
                [2, 3], interleaved=int(rng.integers(2)))


def q_or_dq(op):
    def draw(rng):
        kind = some(rng, 'uint8', 'int8', 'uint16', 'int16')
        shape = dims(rng, rng.integers(1, 4))
        axis = int(rng.integers(len(shape)))
        wide = rng.integers(2)
        own = (shape[axis],) if wide else ()
        x = byte(rng, shape, kind) if op == 'DequantizeLinear' else \
            floats(rng, *shape, spread=3)
        more = dict(axis=axis) if wide else {}
        return Case(op, [x, scale(rng, *own), byte(rng, own, kind)], [1, 2],
                    **more)
    return draw


# ---- compositions

def distances(rng):
    m, n, k = dims(rng, 3)
    kind = some(rng, 'float32', 'float64')
    return Case('CDist', [floats(rng, m, n, dtype=kind),
                          floats(rng, k, n, dtype=kind)], tolerance=1e-3,
                metric=some(rng, 'euclidean', 'sqeuclidean'))


def any_tensor(rng, shape):
    kind = some(rng, 'float32', 'float64', 'int64', 'int32', 'uint8')
    return (rng.standard_normal(shape) * 9).astype(kind)


def expand_dims(rng):
    shape = dims(rng, rng.integers(0, 4))
    rank = len(shape)
    axis = np.array(rng.integers(-rank - 1, rank + 1), 'int32')
    return Case('ExpandDims', [any_tensor(rng, shape), axis], [1])


def gated_add(rng):
    shape = dims(rng, rng.integers(1, 4))
    return Case('GatedAdd', [floats(rng, *shape), floats(rng, *shape),
                             floats(rng, *shape[:-1], 1)])


def gather_nd(rng):
    shape = dims(rng, 3)
    depth = int(rng.integers(1, 4))
    where = np.stack([rng.integers(0, x, (2, 3)) for x in shape[:depth]], -1)
    return Case('GatherND', [any_tensor(rng, shape),
                             where.astype(some(rng, 'int32', 'int64'))])


def wide_product(rng):
    m, k, n = dims(rng, 3)
    return Case('MatMulInteger16', [byte(rng, (m, k), 'int16') // 16,
                                    byte(rng, (k, n), 'int16') // 16])


def inverse(rng):
    n = int(rng.integers(1, 6))
    x = floats(rng, *dims(rng, rng.integers(0, 2), 3), n, n,
               dtype=some(rng, 'float32', 'float64', 'float16'))
    return Case('Inverse', [x + 4 * np.eye(n, dtype=x.dtype)],
                tolerance=4e-3 if x.dtype == 'float16' else 1e-4)


def pad(rng):
    shape = dims(rng, rng.integers(1, 4))
    pads = rng.integers(0, 3, 2 * len(shape)).astype('int64')
    mode = some(rng, 'constant', 'constant', 'edge')
    return Case('Pad', [floats(rng, *shape),
                        some(rng, pads, pads.reshape(1, -1)), some(
                            rng, None, floats(rng, 1))], [1, 2], mode=mode)


def quantized_attention(rng):
    b, n, heads, size, d = dims(rng, 5)
    a, w = 'uint8', some(rng, 'uint8', 'int8')
    wide = heads * size
    mask = some(rng, None, raw_mask(rng, b, n),
                rng.integers(1, n + 1, b).astype('int32'))
    return Case('QAttention', [
        byte(rng, (b, n, d), a), no_saturation(byte(rng, (d, 3 * wide), w)),
        floats(rng, 3 * wide), scale(rng) / 9, scale(rng) / 9, mask,
        some(rng, None, byte(rng, (), a)), some(rng, None, byte(
            rng, (), w) // 2)], [1, 2, 3, 4, 6, 7], num_heads=heads,
                unidirectional=int(rng.integers(2)), tolerance=1e-4)


def quantized_embed(rng):
    b, n, h, v = dims(rng, 4, 7)
    kind = 'uint8'
    ids = rng.integers(0, v, (b, n)).astype('int32')
    segments = some(rng, None, rng.integers(0, 2, (b, n)).astype('int32'))
    there = segments is not None
    own = [byte(rng, x, kind) for x in ((v, h), (n + 2, h), (2, h), h, h)]
    scales = [scale(rng) for _ in own]
    zeros = [byte(rng, (), kind) for _ in own]
    if not there:
        own[2] = scales[2] = zeros[2] = None
    return Case('QEmbedLayerNormalization', [ids, segments, *own, some(
        rng, None, rng.integers(0, 2, (b, n)).astype('int32')), *scales,
        *zeros], [x for x in range(2, 18) if x != 7], 2, epsilon=1e-4,
                tolerance=1e-4)


def quantized_where(rng):
    kind = some(rng, 'uint8', 'int8')
    shape = dims(rng, rng.integers(1, 4))
    other = shape[rng.integers(len(shape)):]
    parts = [rng.integers(0, 2, shape).astype(bool)]
    for own in (shape, other):
        parts += [byte(rng, own, kind), scale(rng), byte(rng, (), kind)]
    return Case('QLinearWhere', parts + [scale(rng), byte(rng, (), kind)],
                [2, 3, 5, 6, 7, 8])


def counting(rng):
    kind = some(rng, 'int32', 'int64', 'float32', 'int16')
    first, step = int(rng.integers(-5, 5)), int(rng.integers(1, 4))
    operands = [first, first + int(rng.integers(1, 20))]
    operands += [step] if rng.integers(2) else []
    return Case('Range', [np.array(x, kind) for x in operands],
                range(len(operands)))


def triangle(rng):
    shape = dims(rng, rng.integers(2, 4))
    more = dict(upper=int(rng.integers(2))) if rng.integers(2) else {}
    return Case('Trilu', [floats(rng, *shape), some(
        rng, None, np.array(rng.integers(-4, 5), 'int64'))], [1], **more)


def unique(rng):
    x = rng.integers(0, 5, int(rng.integers(1, 12))).astype('float32')
    return Case('Unique', [x], outputs=3)


def hash3(rng):
    shape = dims(rng, rng.integers(1, 4))
    kind = some(rng, 'int32', 'uint32', 'int64', 'uint64', 'float32',
                'float64')
    x = rng.integers(0, 1 << 31, shape).astype(kind)
    return Case('MurmurHash3', [x], seed=int(rng.integers(0, 99)),
                positive=int(rng.integers(2)))


def last_max(rng):
    extents, how = window(rng, 2)
    n, c = dims(rng, 2)
    return Case('NhwcMaxPool', [byte(rng, [n, *extents, c], some(
        rng, 'uint8', 'int8'))], **how)


def quantized_lstm(rng):
    """What is rounded to bytes may fall to either side there."""
    t, b, i, h = dims(rng, 4)
    way = some(rng, 'forward', 'reverse', 'bidirectional')
    d = 1 + (way == 'bidirectional')
    kind = some(rng, 'uint8', 'int8')
    operands = [floats(rng, t, b, i)]
    operands += [no_saturation(byte(rng, (d, x, 4 * h), kind)) for x in (i, h)]
    operands += [some(rng, None, x) for x in (
        floats(rng, d, 8 * h), rng.integers(1, t + 1, b).astype('int32'),
        floats(rng, d, b, h), floats(rng, d, b, h), floats(rng, d, 3 * h))]
    wide = rng.integers(2)
    own = (d, 4 * h) if wide else (d,)
    for _ in 'wr':
        zero = np.full(own, int(rng.integers(60)) if kind == 'uint8' else 0,
                       kind)
        operands += [scale(rng, *own) / 9, zero]
    return Case('DynamicQuantizeLSTM', operands, [1, 2, 3, 7, 8, 9, 10, 11], 3,
                hidden_size=h, direction=way, tolerance=2e-2)


# ---- ai.onnx.ml

def features(rng, *kinds):
    kind = some(rng, *kinds or ['float32', 'float64', 'int64', 'int32'])
    return (rng.standard_normal(dims(rng, 2)) * 3).astype(kind)


def extractor(rng):
    x = features(rng)
    where = rng.integers(0, x.shape[1], int(rng.integers(1, 6)))
    return Case('ArrayFeatureExtractor', [x, where.astype('int64')],
                domain=ML)


def binarizer(rng):
    return Case('Binarizer', [features(rng, 'float32')], domain=ML,
                threshold=0.5)


def scaler(rng):
    x = features(rng)
    own = int(some(rng, 1, x.shape[1]))
    return Case('Scaler', [x], domain=ML, offset=floats(rng, own).tolist(),
                scale=floats(rng, own).tolist())


def labels(rng):
    def column(kind):
        return {'strings': ['a', 'bé', '', 'dd'],
                'int64s': [3, -1, 1 << 60, 7],
                'floats': [0.5, -2.0, float('nan'), 1e9]}[kind]
    keys, values = some(rng, ('strings', 'int64s'), ('int64s', 'strings'),
                        ('floats', 'strings'), ('strings', 'floats'),
                        ('int64s', 'floats'), ('floats', 'int64s'))
    kind = {'strings': object, 'int64s': 'int64', 'floats': 'float32'}[keys]
    known = column(keys)
    other = {'strings': 'z', 'int64s': 4, 'floats': 8.0}[keys]
    x = np.array([some(rng, *known, other) for _ in range(9)], dtype=kind)
    more = {}
    if rng.integers(2):
        more['default_' + values[:-1]] = column(values)[1]
    return Case('LabelEncoder', [x], domain=ML, **{
        'keys_' + keys: known, 'values_' + values: column(values)}, **more)


def linear(op):
    def draw(rng):
        x = features(rng, 'float32') if op == 'LinearRegressor' else \
            features(rng)
        count = int(rng.integers(2, 5))
        more = dict(coefficients=floats(rng, count * x.shape[1]).tolist(),
                    intercepts=floats(rng, count).tolist())
        if op == 'LinearRegressor':
            return Case(op, [x], domain=ML, targets=count, **more)
        names = [5, 3, 9, 1][:count]
        more.update(some(rng, dict(classlabels_ints=names), dict(
            classlabels_strings=[str(n) for n in names])))
        return Case(op, [x], domain=ML, outputs=2, post_transform=some(
            rng, 'NONE', 'LOGISTIC', 'SOFTMAX'), **more)
    return draw


def trees(rng):
    """Trees whose nodes come before what hangs below them."""
    import onnx
    x = features(rng, 'float32', 'float64')
    nodes, leaves, roots, sets = [], [], [], []
    targets = int(rng.integers(1, 4))

    def grow(depth):
        at = len(nodes)
        nodes.append(None)
        ends = []
        mode = int(rng.integers(7))
        if mode == 6:
            sets.extend([*(float(v) for v in rng.choice(x.ravel(), 2)),
                         float('nan')])
        for _ in range(2):
            if depth and rng.integers(3):
                ends.append((grow(depth - 1), 0))
            else:
                leaves.append((int(rng.integers(targets)), rng.normal()))
                ends.append((len(leaves) - 1, 1))
        nodes[at] = (mode, int(rng.integers(x.shape[1])), float(
            rng.choice(x.ravel())), *ends)
        return at
    for _ in range(rng.integers(1, 4)):
        roots.append(grow(int(rng.integers(3))))

    def tensor(name, values, kind):
        return onnx.numpy_helper.from_array(np.array(values, kind), name)
    kind = x.dtype
    more = dict(membership_values=tensor('m', sets, kind)) if sets else {}
    return Case('TreeEnsemble', [x], domain=ML, n_targets=targets,
                aggregate_function=int(rng.integers(4)),
                tree_roots=roots,
                nodes_featureids=[n[1] for n in nodes],
                nodes_modes=tensor('k', [n[0] for n in nodes], 'uint8'),
                nodes_splits=tensor('s', [n[2] for n in nodes], kind),
                nodes_truenodeids=[n[3][0] for n in nodes],
                nodes_trueleafs=[n[3][1] for n in nodes],
                nodes_falsenodeids=[n[4][0] for n in nodes],
                nodes_falseleafs=[n[4][1] for n in nodes],
                leaf_targetids=[x[0] for x in leaves],
                leaf_weights=tensor('w', [x[1] for x in leaves], kind),
                tolerance=1e-5, **more)


def forest(op):
    """Trees whose nodes stand before or behind what hangs below them; weights
    are dyadic, so that sums are exact.  One target: ONNX Runtime knows no
    transform.  Two classes: it gives labels 0 and 1, whatever they are called,
    where both have weights, and by the second one's sign, so that all weights
    are of one of them.  Base values of targets without a weight are none
    there."""
    def draw(rng):
        x = features(rng, 'float32', 'float64')
        is_class = op == 'TreeEnsembleClassifier'
        targets = int(rng.integers(2 if is_class else 1, 5))
        single = is_class and targets == 2
        lone = int(rng.integers(2)) if single else None
        signed = int(rng.integers(2))
        bases = [] if lone == 1 else some(rng, [], [1 if single else targets])
        wide = not single and (is_class or bases or rng.integers(2))
        nodes, weights = [], []
        mode = some(rng, 'LEQ', 'LT', 'GTE', 'GT', 'EQ', 'NEQ')

        def grow(tree, depth, ids):
            at, own = ids.pop(), [None] * 2
            if depth and rng.integers(4):
                own = [grow(tree, depth - 1, ids) for _ in own]
                nodes.append((tree, at, 'BRANCH_' + mode, int(rng.integers(
                    x.shape[1])), float(rng.choice(x.ravel())), *own))
                return at
            nodes.append((tree, at, 'LEAF', 0, 0.0, 0, 0))
            for k in range(targets) if wide else [
                    lone if single else int(rng.integers(targets))]:
                weights.append((tree, at, k, float(rng.integers(
                    -64 * signed, 64)) / 128))
            return at
        for tree in range(rng.integers(1, 4)):
            first = len(nodes)
            grow(tree, int(rng.integers(4)), list(range(15, -1, -1)))
            nodes[first:] = nodes[:first - 1 - len(nodes):-1]
        what = 'class' if is_class else 'target'
        post = some(rng, 'NONE', *(['LOGISTIC'] if targets > 1 else []), *(
            ['SOFTMAX', 'SOFTMAX_ZERO'] if targets > 2 or lone == 1 else []))
        more = dict(classlabels_int64s=[5, 3, 9, 1][:targets]) if is_class \
            else dict(n_targets=targets, aggregate_function=some(
                rng, 'SUM', 'AVERAGE', 'MIN', 'MAX'))
        if is_class and rng.integers(2):
            more = dict(classlabels_strings=['a', 'b', 'c', 'd'][:targets])
        if bases:
            more['base_values'] = [
                float(v) / 8 for v in rng.integers(-8, 8, bases[0])]
        if rng.integers(2):
            more['nodes_missing_value_tracks_true'] = [
                int(v) for v in rng.integers(0, 2, len(nodes))]
            x[rng.integers(x.shape[0])] = np.nan
        names = ('treeids', 'nodeids', 'modes', 'featureids', 'values',
                 'truenodeids', 'falsenodeids')
        lists = [['nodes_' + n, [int(v) if n.endswith('ids') and v is not None
                                 else v for v in c]]
                 for n, c in zip(names, zip(*nodes))]
        lists += [[what + '_' + n, [int(v) if n != 'weights' else v
                                    for v in c]]
                  for n, c in zip(('treeids', 'nodeids', 'ids', 'weights'),
                                  zip(*weights))]
        return Case(op, [x], domain=ML, outputs=1 + is_class,
                    post_transform=post, **dict(lists), **more)
    return draw


def mapper(rng):
    names, numbers = ['a', 'bé', '', 'dd'], [3, -1, 1 << 60, 7]
    keys, other = some(rng, (names, 'z'), (numbers, 4))
    x = np.array([some(rng, *keys, other) for _ in range(9)],
                 dtype=object if keys is names else 'int64')
    more = some(rng, {}, dict(default_int64=9, default_string='none'))
    return Case('CategoryMapper', [x], domain=ML, cats_int64s=numbers,
                cats_strings=names, texts=keys is numbers, **more)


def vectorizer(rng):
    kind = some(rng, 'float32', 'float64', 'int64', 'int32')
    rows, *widths = dims(rng, int(rng.integers(2, 5)))
    return Case('FeatureVectorizer', [
        (rng.standard_normal((rows, w)) * 9).astype(kind) for w in widths],
                domain=ML, inputdimensions=widths)


def imputer(rng):
    x = features(rng, 'float32', 'int64')
    own = int(some(rng, 1, x.shape[1]))
    value = x.flat[rng.integers(x.size)]
    if x.dtype == 'int64':
        return Case('Imputer', [x], domain=ML, replaced_value_int64=int(value),
                    imputed_value_int64s=rng.integers(-9, 9, own).tolist())
    if rng.integers(2):
        x[x > 0] = value = np.float32('nan')
    return Case('Imputer', [x], domain=ML, replaced_value_float=float(value),
                imputed_value_floats=floats(rng, own).tolist())


def normalizer(rng):
    x = features(rng)
    x[0] *= int(rng.integers(2))
    return Case('Normalizer', [x], domain=ML, norm=some(
        rng, 'MAX', 'L1', 'L2'))


def one_hot(rng):
    if rng.integers(2):
        x = np.array([some(rng, 'a', 'b', '', 'zz') for _ in range(6)],
                     dtype=object).reshape(some(rng, (6,), (2, 3)))
        return Case('OneHotEncoder', [x], domain=ML,
                    cats_strings=['b', 'a', ''])
    if rng.integers(3) == 0:
        return Case('OneHotEncoder', [(1 << 53) + rng.integers(0, 4, 5)],
                    domain=ML, cats_int64s=[(1 << 53) + 1, 1 << 53, -1])
    return Case('OneHotEncoder', [features(
        rng, 'float32', 'float64', 'int64')], domain=ML,
                cats_int64s=[-1, 2, 0, 1])


def vectors(op):
    """Support vectors, or, without, planes, of three classes or more: of two,
    ONNX Runtime takes the second wherever a score is above 0."""
    def draw(rng):
        is_class = op == 'SVMClassifier'
        x = features(rng, *([] if is_class else ['float32']))
        classes = int(rng.integers(2, 5)) if is_class else 1
        more = dict(kernel_params=[0.5, 0.25, float(rng.integers(2, 4))],
                    kernel_type=some(rng, 'LINEAR', 'POLY', 'RBF', 'SIGMOID'))
        each = rng.integers(1, 4, classes).tolist()
        wide = x.shape[1]
        pairs = classes * (classes - 1) // 2 if is_class else 1
        if rng.integers(4) or classes == 2:
            more.update(support_vectors=floats(rng, sum(each) * wide).tolist(),
                        coefficients=floats(rng, max(
                            classes - 1, 1) * sum(each)).tolist(),
                        rho=floats(rng, pairs).tolist(),
                        **dict(vectors_per_class=each) if is_class else dict(
                            n_supports=sum(each)))
            if is_class and rng.integers(2):
                more.update(prob_a=floats(rng, pairs).tolist(),
                            prob_b=floats(rng, pairs).tolist())
        else:
            more.update(coefficients=floats(rng, classes * wide).tolist(),
                        rho=[0.5], kernel_type='LINEAR',
                        **{} if is_class else dict(n_supports=0))
        if is_class:
            more.update(some(rng, dict(classlabels_ints=[5, 3, 9, 1][
                :classes]), dict(classlabels_strings=list('abcd')[:classes])))
            more['post_transform'] = some(rng, 'NONE', 'LOGISTIC', 'SOFTMAX')
        elif rng.integers(2):
            more['one_class'] = 1
        return Case(op, [x], domain=ML, outputs=1 + is_class, tolerance=1e-4,
                    **more)
    return draw


CASES = {
    'ArrayFeatureExtractor': extractor, 'Binarizer': binarizer,
    'Scaler': scaler, 'LabelEncoder': labels,
    'LinearClassifier': linear('LinearClassifier'),
    'LinearRegressor': linear('LinearRegressor'), 'TreeEnsemble': trees,
    'TreeEnsembleClassifier': forest('TreeEnsembleClassifier'),
    'TreeEnsembleRegressor': forest('TreeEnsembleRegressor'),
    'CategoryMapper': mapper, 'FeatureVectorizer': vectorizer,
    'Imputer': imputer, 'Normalizer': normalizer, 'OneHotEncoder': one_hot,
    'SVMClassifier': vectors('SVMClassifier'),
    'SVMRegressor': vectors('SVMRegressor'),
    'DynamicQuantizeLSTM': quantized_lstm,
    'CDist': distances, 'ExpandDims': expand_dims, 'GatedAdd': gated_add,
    'GatherND': gather_nd, 'MatMulInteger16': wide_product,
    'Inverse': inverse, 'Pad': pad, 'QAttention': quantized_attention,
    'QEmbedLayerNormalization': quantized_embed,
    'QLinearWhere': quantized_where, 'Range': counting, 'Trilu': triangle,
    'Unique': unique, 'MurmurHash3': hash3, 'NhwcMaxPool': last_max,
    'Gelu': activation('Gelu', 0), 'BiasGelu': activation('BiasGelu', 2),
    'FastGelu': activation('FastGelu', 1),
    'QuickGelu': activation('QuickGelu', 0),
    'BiasAdd': bias_add, 'BiasSplitGelu': split_gelu,
    'QLinearAdd': binary('QLinearAdd'), 'QLinearMul': binary('QLinearMul'),
    'QLinearConcat': concat, 'QLinearSigmoid': table('QLinearSigmoid'),
    'QLinearLeakyRelu': table('QLinearLeakyRelu'),
    'QLinearSoftmax': softmax, 'QLinearGlobalAveragePool': global_mean,
    'QLinearAveragePool': mean,
    'SkipLayerNormalization': skip_norm('SkipLayerNormalization', True),
    'SkipSimplifiedLayerNormalization': skip_norm(
        'SkipSimplifiedLayerNormalization', False),
    'SimplifiedLayerNormalization': simple_norm,
    'EmbedLayerNormalization': embed, 'GroupNorm': group_norm(0),
    'SkipGroupNorm': group_norm(1),
    'MatMulNBits': nbits, 'MatMulBnb4': bnb4,
    'GatherBlockQuantized': gather_blocks, 'MatMulIntegerToFloat': to_float,
    'DynamicQuantizeMatMul': dynamic, 'QGemm': quantized_gemm,
    'FusedMatMul': fused_matmul('FusedMatMul'),
    'TransposeMatMul': fused_matmul('TransposeMatMul'),
    'Attention': merged, 'MultiHeadAttention': multi_head,
    'GroupQueryAttention': group_query, 'RotaryEmbedding': rotary,
    'QuantizeLinear': q_or_dq('QuantizeLinear'),
    'DequantizeLinear': q_or_dq('DequantizeLinear'),
    'FusedGemm': fused_gemm, 'FusedConv': fused_conv, 'QLinearConv': q_conv,
    'NhwcConv': last_conv('NhwcConv'),
    'NhwcFusedConv': last_conv('NhwcFusedConv'),
}

# Those that also compute in float16 and bfloat16, and round once: GatedAdd, of
# two layers, rounds the product too.
HALVES = [
    'Gelu', 'BiasGelu', 'FastGelu', 'QuickGelu', 'BiasAdd', 'BiasSplitGelu',
    'SkipLayerNormalization', 'SkipSimplifiedLayerNormalization',
    'SimplifiedLayerNormalization', 'EmbedLayerNormalization', 'GroupNorm',
    'SkipGroupNorm', 'MatMulNBits', 'MatMulBnb4', 'GatherBlockQuantized',
    'FusedMatMul', 'TransposeMatMul', 'FusedGemm', 'FusedConv', 'NhwcConv',
    'NhwcFusedConv', 'Attention', 'MultiHeadAttention', 'GroupQueryAttention',
    'RotaryEmbedding', 'Inverse',
]
