"""Graphs at random: each kind of node is a function that takes the graph,
finds or makes operands that suit it, and gives its outputs.  What a node
computes is not known here: shapes are learnt by running it."""
import numpy as np
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

import runtime

TOLERANCE = 1e-4
KINDS = []


def node(since=7, until=99, weight=1):
    def register(make):
        KINDS.extend([(since, until, make)] * weight)
        return make
    return register


class Graph:
    def __init__(self, rng, opset):
        self.rng, self.opset = rng, opset
        self.nodes, self.inputs, self.weights = [], {}, {}
        self.values = {}  # arrays by name: what each tensor holds

    # ---- operands

    def name(self, letter):
        return '%s%d' % (letter, len(self.values) + len(self.nodes))

    def dims(self, least=0, most=4, extent=5):
        return [int(x) for x in self.rng.integers(
            1, extent + 1, self.rng.integers(least, most + 1))]

    def coin(self, n=2):
        return self.rng.integers(n) == 0

    def pick(self, *choices):
        return choices[self.rng.integers(len(choices))]

    def content(self, shape, kind):
        rng = self.rng
        if kind == 'bool':
            return rng.integers(0, 2, shape).astype(bool)
        if np.dtype(kind).kind in 'iu':
            low = 0 if np.dtype(kind).kind == 'u' else -9
            return rng.integers(low, 10, shape).astype(kind)
        return np.asarray(rng.standard_normal(shape) * 2).astype(kind)

    def put(self, array, constant=False):
        """A new input or weight."""
        name = self.name('w' if constant else 'x')
        array = np.asarray(array)
        (self.weights if constant else self.inputs)[name] = array
        self.values[name] = array
        return name

    def fresh(self, shape, kind='float32', constant=None):
        constant = self.coin() if constant is None else constant
        return self.put(self.content(shape, kind), constant)

    def any(self, kinds=('float32',), least=0, most=5):
        """A tensor that is there, or a new one."""
        known = [x for x, v in self.values.items()
                 if v.dtype.name in kinds and least <= v.ndim <= most
                 and v.size <= 5000 and x not in self.weights]
        if known and self.rng.integers(5):
            recent = known[-4:]
            return recent[self.rng.integers(len(recent))]
        return self.fresh(self.dims(least, min(most, 4)), self.pick(*kinds),
                          constant=False)

    def like(self, name):
        """Something that broadcasts with "name"."""
        value = self.values[name]
        same = [x for x, v in self.values.items() if v.shape == value.shape
                and v.dtype == value.dtype]
        if self.coin():
            return self.pick(*same)
        shape = [1 if self.coin(3) else int(x) for x in value.shape]
        return self.fresh(shape[self.rng.integers(len(shape) + 1):],
                          value.dtype.name)

    def shape(self, name):
        return [int(x) for x in self.values[name].shape]

    def clear(self, name):
        """"name", or a new input where rounding would decide an order."""
        value = self.values[name]
        if value.dtype.kind == 'f':
            gaps = np.diff(np.sort(value, None))
            if not np.all(gaps > 1e-3 * np.max(np.abs(value), initial=0)):
                return self.given(name)
        return name

    def given(self, name):
        """"name", or a new input where what rounding left would be
        enlarged."""
        value = self.values[name]
        if name in self.inputs or value.dtype.kind != 'f':
            return name
        return self.fresh(value.shape, value.dtype.name, constant=False)

    def axis(self, name, negative=True):
        rank = self.values[name].ndim
        return int(self.rng.integers(-rank if negative else 0, rank))

    def ints(self, *values):
        return self.put(np.array(values, 'int64').reshape(len(values)), True)

    # ---- growing

    def add(self, op, inputs, outputs=1, domain='', **attributes):
        names = [self.name('t') + 'abcdefgh'[x] for x in range(outputs)]
        attributes = {k: v for k, v in attributes.items() if v != []}
        self.nodes.append(helper.make_node(
            op, inputs, names, domain=domain, **attributes))
        return names

    def settle(self):
        """Learn what the last node makes; without, it is taken back."""
        last = self.nodes[-1]
        feeds = {x: self.values[x] for x in last.input if x}
        outputs = [x for x in last.output if x]
        model = runtime.model_of([last], feeds, {}, outputs, self.opset,
                                 ir=8 if self.opset < 19 else 10)
        results, why = runtime.run_other(model, feeds)
        if why:
            try:
                results = ReferenceEvaluator(model).run(None, feeds)
            except Exception:
                results = None
        if results is None or any(
                not isinstance(x, (np.ndarray, np.generic)) or
                np.asarray(x).size > 20000 or not np.all(np.isfinite(
                    np.asarray(x, 'float64'))) or np.max(
                        np.abs(np.asarray(x, 'float64')), initial=0) > 1e4
                for x in results):
            self.nodes.pop()
            return False
        for name, value in zip(outputs, results):
            self.values[name] = np.asarray(value)
        return True

    def grow(self, count):
        kinds = [m for since, until, m in KINDS if since <= self.opset <= until]
        for _ in range(6 * count):
            if len(self.nodes) == count:
                break
            before = len(self.nodes)
            try:
                kinds[self.rng.integers(len(kinds))](self)
            except ValueError:  # nothing to choose from in what is empty
                del self.nodes[before:]
            if len(self.nodes) > before:
                self.settle()
        if not self.nodes:
            self.add('Relu', [self.any()])
            self.settle()
        used = {x for n in self.nodes for x in n.input}
        for held in (self.inputs, self.weights):
            for name in [x for x in held if x not in used]:
                del held[name]


REALS = ('float32', 'float32', 'float64')
NUMBERS = ('float32', 'float32', 'int32', 'int64', 'float64')


@node(weight=4)
def unary(g):
    g.add(g.pick('Abs', 'Neg', 'Exp', 'Sigmoid', 'Tanh', 'Relu', 'Softplus',
                 'Softsign', 'Elu', 'Selu', 'LeakyRelu',
                 'HardSigmoid', 'Sin', 'Cos', 'Atan',
                 'Identity'), [g.any()])


@node(9, weight=2)
def unary_9(g):
    op = g.pick('ThresholdedRelu' if g.opset > 9 else 'Sign', 'Erf', 'Sign', 'Sinh', 'Cosh', 'Asinh', 'Shrink', 'Not',
                'IsNaN', 'Reciprocal', 'Sqrt')
    if op in ('Reciprocal', 'Sqrt'):
        g.add('Exp', [g.any()])
        if g.settle():
            g.add(op, [g.nodes[-1].output[0]])
    else:
        g.add(op, [g.any(('bool',) if op == 'Not' else ('float32',))])


@node(11)
def steps(g):
    """Where they step, operands that were computed differ."""
    g.add(g.pick('Round', 'Floor', 'Ceil'), [
        g.fresh(g.dims(), constant=False)])


@node(14)
def late_unary(g):
    g.add(g.pick('HardSwish', 'Relu'), [g.any()])


@node(18)
def mish(g):
    g.add('Mish', [g.any()])


def cancels(g, x):
    """Whether Gelu of "x" is near 0 everywhere: ONNX Runtime's 1 + tanh, or
    erf, then loses more than the tolerance."""
    return g.values[x].max(initial=0) < 1


@node(20)
def gelu(g):
    x, how = g.any(), g.pick('none', 'tanh')
    if not cancels(g, x):
        g.add('Gelu', [x], approximate=how)


@node(weight=4)
def binary(g):
    a = g.any(NUMBERS)
    ops = ['Add', 'Sub', 'Mul']
    if g.values[a].dtype.kind == 'f':
        ops += ['PRelu'] if g.values[a].dtype == 'float32' else []
    op = g.pick(*ops)
    if op == 'PRelu':
        shape = [1 if g.coin(3) else x for x in g.shape(a)]
        g.add(op, [a, g.fresh(shape[g.rng.integers(len(shape) + 1):])])
        return
    pair = [a, g.like(a)]
    if g.coin():
        pair.reverse()
    g.add(op, pair)


@node(12)
def extremes(g):
    a = g.any(NUMBERS)
    g.add(g.pick('Min', 'Max'), [a] + [
        g.like(a) for _ in range(g.rng.integers(3))])


@node(8)
def many(g):
    a = g.any()
    g.add(g.pick('Sum', 'Mean', 'Max', 'Min'), [a] + [
        g.like(a) for _ in range(g.rng.integers(3))])


@node(13)
def divide(g):
    a = g.any(NUMBERS)
    kind = g.values[a].dtype.name
    low = np.array(g.rng.integers(1, 7, [1] if g.coin() else []), kind)
    if np.dtype(kind).kind == 'i' and g.coin():
        low = -low
    op = g.pick('Div', 'Mod', 'Pow')
    if op == 'Mod':
        if np.dtype(kind).kind == 'f':
            g.add(op, [a, g.put(low, True)], fmod=1)
        else:
            g.add(op, [a, g.put(low, True)], fmod=int(g.rng.integers(2)))
    elif op == 'Pow':
        g.add(op, [a, g.put(np.array(g.rng.integers(0, 4), kind), True)])
    else:
        g.add(op, [a, g.put(low, True)])


@node(9, weight=2)
def compare(g):
    a = g.any(('float32', 'int32', 'int64'))
    g.add(g.pick('Less', 'Greater'), [a, g.like(a)])


@node(12)
def compare_12(g):
    a = g.any(('float32', 'int64'))
    g.add(g.pick('LessOrEqual', 'GreaterOrEqual'), [a, g.like(a)])


@node(11)
def equal(g):
    a = g.any(('int32', 'int64', 'bool'))
    g.add('Equal', [a, g.like(a)])


@node()
def logic(g):
    a = g.any(('bool',))
    g.add(g.pick('And', 'Or', 'Xor'), [a, g.like(a)])


@node(18)
def bits(g):
    a = g.any(('int32', 'int64'))
    op = g.pick('BitwiseAnd', 'BitwiseOr', 'BitwiseXor', 'BitwiseNot')
    g.add(op, [a] if op == 'BitwiseNot' else [a, g.like(a)])


@node(9, weight=2)
def where(g):
    a = g.any(NUMBERS)
    shape = [1 if g.coin(3) else x for x in g.shape(a)]
    g.add('Where', [g.fresh(shape, 'bool'), a, g.like(a)])


@node(9, weight=2)
def cast(g):
    to = g.pick(*'float32 float64 int32 int64 bool float32'.split())
    a = g.any(NUMBERS + ('bool',))
    g.add('Cast', [a if to.startswith('float') else g.given(a)],
          to=int(helper.np_dtype_to_tensor_dtype(np.dtype(to))))


@node(11, 11)
def clip_11(g):
    g.add('Clip', [g.any(), g.put(np.float32(-1), True), g.put(
        np.float32(1.5), True)][:int(g.rng.integers(1, 4))])


@node(7, 10)
def clip_7(g):
    g.add('Clip', [g.any()], min=-1.0, max=1.5)


@node(12)
def clip_12(g):
    a = g.any(NUMBERS)
    kind = g.values[a].dtype
    low = '' if g.coin(3) else g.put(np.array(-1, kind), True)
    g.add('Clip', [a, low, g.put(np.array(2, kind), True)])


# ---- shapes

@node(weight=3)
def transpose(g):
    a = g.any(NUMBERS + ('bool',))
    if g.coin(4):
        g.add('Transpose', [a])
    else:
        g.add('Transpose', [a], perm=[
            int(x) for x in g.rng.permutation(g.values[a].ndim)])


@node(weight=3)
def reshape(g):
    a = g.any(NUMBERS)
    size, dims = int(g.values[a].size), []
    while len(dims) < 4:
        fits = [x for x in range(1, size + 1) if size % x == 0] if size else []
        if not fits or g.coin(3):
            break
        dims.append(int(g.pick(*fits)))
        size //= dims[-1]
    dims.append(size)
    if g.coin() and 0 not in dims:
        dims[g.rng.integers(len(dims))] = -1
    g.add('Reshape', [a, g.ints(*dims)])


@node(weight=2)
def flatten(g):
    a = g.any(least=1)
    g.add('Flatten', [a], axis=int(g.rng.integers(
        -g.values[a].ndim if g.opset >= 11 else 0, g.values[a].ndim + 1)))


@node(weight=2)
def squeeze(g):
    shape = g.dims(0, 3)
    at = int(g.rng.integers(len(shape) + 1))
    shape.insert(at, 1)
    a = g.fresh(shape, constant=False)
    axis = at - (len(shape) if g.coin() and g.opset >= 11 else 0)
    if g.opset < 13:
        g.add('Squeeze', [a], axes=[axis])
    else:
        g.add('Squeeze', [a, g.ints(axis)])


@node(weight=2)
def unsqueeze(g):
    a = g.any(NUMBERS, most=3)
    rank = g.values[a].ndim
    axes = [int(x) for x in g.rng.permutation(rank + 2)[:2]]
    if g.opset >= 11 and g.coin():
        axes[0] -= rank + 2
    if g.opset < 13:
        g.add('Unsqueeze', [a], axes=axes)
    else:
        g.add('Unsqueeze', [a, g.ints(*axes)])


@node(weight=3)
def concat(g):
    a = g.any(NUMBERS, least=1)
    axis, parts = g.axis(a, g.opset >= 11), [a]
    for _ in range(g.rng.integers(3)):
        shape = g.shape(a)
        shape[axis] = int(g.rng.integers(1, 4))
        parts.append(g.fresh(shape, g.values[a].dtype.name))
    g.add('Concat', parts, axis=axis)


@node(weight=2)
def split(g):
    a = g.any(NUMBERS, least=1)
    axis = g.axis(a, g.opset >= 11)
    size = g.shape(a)[axis]
    if size < 2 or g.opset == 12:
        return
    first = int(g.rng.integers(1, size))
    if g.opset < 13:
        g.add('Split', [a], 2, axis=axis, split=[first, size - first])
    elif g.opset >= 18 and g.coin():
        g.add('Split', [a], 2, axis=axis, num_outputs=2)
    else:
        g.add('Split', [a, g.ints(first, size - first)], 2, axis=axis)


@node(10, weight=3)
def slice_(g):
    a = g.any(NUMBERS, least=1)
    rank = g.values[a].ndim
    axes = [int(x) for x in g.rng.permutation(rank)[
        :int(g.rng.integers(1, rank + 1))]]
    begins, ends, steps = [], [], []
    for axis in axes:
        size = g.shape(a)[axis]
        step = int(g.pick(1, 1, 2, -1, -2))
        pair = sorted(int(x) for x in g.rng.integers(-size - 2, size + 3, 2))
        begins.append(pair[0] if step > 0 else pair[1])
        ends.append(pair[1] if step > 0 else pair[0])
        steps.append(step)
    if g.coin(3):
        ends[0] = 2 ** 40 if steps[0] > 0 else -2 ** 40
    g.add('Slice', [a, g.ints(*begins), g.ints(*ends), g.ints(*axes),
                    g.ints(*steps)])


@node(7, 9)
def slice_1(g):
    a = g.any(least=1)
    size = g.shape(a)[0]
    g.add('Slice', [a], axes=[0], starts=[int(g.rng.integers(-size, size))],
          ends=[int(g.rng.integers(1, size + 3))])


@node(8)
def expand(g):
    a = g.any(NUMBERS)
    shape = [int(g.pick(1, x, 2 if x == 1 else x)) for x in g.shape(a)]
    g.add('Expand', [a, g.ints(*(g.dims(0, 1) + shape))])


@node()
def tile(g):
    a = g.any(NUMBERS, least=1, most=4)
    g.add('Tile', [a, g.ints(*g.rng.integers(1, 3, g.values[a].ndim))])


@node(11, weight=2)
def pad(g):
    a = g.any(('float32', 'int64'), least=1)
    rank = g.values[a].ndim
    mode = g.pick('constant', 'constant', 'reflect', 'edge')
    if mode == 'reflect':
        pads = [int(g.rng.integers(0, x)) for x in g.shape(a) * 2]
    else:
        pads = [int(x) for x in g.rng.integers(
            -1 if mode == 'constant' else 0, 3, 2 * rank)]
    operands = [a, g.ints(*pads)]
    if mode == 'constant' and g.coin():
        operands.append(g.put(np.array(2, g.values[a].dtype), True))
    g.add('Pad', operands, mode=mode)


@node(weight=2)
def gather(g):
    a = g.any(NUMBERS, least=1)
    axis = g.axis(a, g.opset >= 11)
    size = g.shape(a)[axis]
    if size:
        low = -size if g.opset >= 11 else 0
        g.add('Gather', [a, g.put(g.rng.integers(
            low, size, g.dims(0, 2)).astype(g.pick('int32', 'int64')),
                                  g.coin())], axis=axis)


@node(11)
def gather_elements(g):
    a = g.any(least=1)
    axis = g.axis(a)
    shape = [int(g.rng.integers(1, max(x, 1) + 1)) for x in g.shape(a)]
    if min(g.shape(a)) > 0:
        size = g.shape(a)[axis]
        g.add('GatherElements', [a, g.put(g.rng.integers(
            -size, size, shape))], axis=axis)


@node(12)
def gather_nd(g):
    a = g.any(least=1)
    depth = int(g.rng.integers(1, g.values[a].ndim + 1))
    if min(g.shape(a)) > 0:
        at = np.stack([g.rng.integers(-x, x, (2, 3))
                       for x in g.shape(a)[:depth]], -1)
        g.add('GatherND', [a, g.put(at)])


@node(11)
def scatter_elements(g):
    a = g.any(least=1)
    axis, shape = g.axis(a), g.shape(a)
    if min(shape) < 1:
        return
    own = list(shape)
    own[axis] = int(g.rng.integers(1, shape[axis] + 1))
    order = np.argsort(g.rng.random(shape), axis)
    at = np.take(order, range(own[axis]), axis)
    g.add('ScatterElements', [a, g.put(at.astype('int64')), g.fresh(own)],
          axis=axis)


@node(11)
def scatter_nd(g):
    a = g.any(least=1)
    if min(g.shape(a)) < 1:
        return
    size = g.shape(a)[0]
    rows = g.rng.permutation(size)[:int(g.rng.integers(1, size + 1))]
    g.add('ScatterND', [a, g.put(rows.reshape(-1, 1).astype('int64')),
                        g.fresh([len(rows)] + g.shape(a)[1:])])


@node()
def shape_of(g):
    a = g.any(NUMBERS)
    g.add(g.pick('Shape', 'Size'), [a])


@node(9)
def constant_of_shape(g):
    g.add('ConstantOfShape', [g.ints(*g.dims(0, 3))],
          value=helper.make_tensor('v', TensorProto.FLOAT, [1], [1.5]))


@node(11)
def range_(g):
    kind = g.pick('int64', 'int32', 'float32')
    g.add('Range', [g.put(np.array(x, kind), True)
                    for x in (1, int(g.rng.integers(-3, 9)), g.pick(1, 2))])


@node(14)
def trilu(g):
    a = g.any(least=2)
    operands = [a]
    if g.coin():
        operands.append(g.put(np.int64(g.rng.integers(-3, 4)), True))
    g.add('Trilu', operands, upper=int(g.rng.integers(2)))


@node(11)
def cumsum(g):
    a = g.any(('float32', 'int64', 'int32'), least=1)
    g.add('CumSum', [a, g.put(np.int64(g.axis(a)), True)],
          exclusive=int(g.rng.integers(2)), reverse=int(g.rng.integers(2)))


@node(11)
def one_hot(g):
    a = g.any(('int64',), least=1, most=3)
    g.add('OneHot', [a, g.put(np.int64(5), True), g.put(
        np.array([-1, 2], 'float32'), True)], axis=-1)


@node(11)
def depth_space(g):
    n, c, h, w = g.dims(4, 4, 3)
    if g.coin():
        g.add('DepthToSpace', [g.fresh([n, 4 * c, h, w], constant=False)],
              blocksize=2, mode=g.pick('DCR', 'CRD'))
    else:
        g.add('SpaceToDepth', [g.fresh([n, c, 2 * h, 2 * w],
                                       constant=False)], blocksize=2)


@node(10)
def reverse(g):
    a = g.fresh([4] + g.dims(1, 2), constant=False)
    g.add('ReverseSequence', [a, g.put(g.rng.integers(1, 5, g.shape(a)[1]))],
          batch_axis=1, time_axis=0)


@node(11)
def top_k(g):
    a = g.clear(g.any(least=1))
    axis = g.axis(a)
    if g.shape(a)[axis]:
        g.add('TopK', [a, g.ints(int(g.rng.integers(
            1, g.shape(a)[axis] + 1)))], 2, axis=axis,
              largest=int(g.rng.integers(2)))


@node(9)
def non_zero(g):
    g.add('NonZero', [g.any(('int64', 'bool'), least=1)])


@node(11)
def unique(g):
    a = g.clear(g.any(('int64', 'float32'), least=1))
    more = dict(axis=g.axis(a)) if g.coin() else {}
    g.add('Unique', [a], 4, sorted=int(g.rng.integers(2)), **more)


@node(9)
def compress(g):
    a = g.any(least=1)
    axis = g.axis(a, g.opset >= 11)
    g.add('Compress', [a, g.put(g.content([g.shape(a)[axis]], 'bool'))],
          axis=axis)


# ---- reductions

@node(weight=4)
def reduce(g):
    op = g.pick('Sum', 'Mean', 'Max', 'Min', 'Prod', 'L1', 'L2', 'SumSquare',
                'LogSumExp')
    a = g.any(('float32', 'int32') if op in ('Sum', 'Max', 'Min', 'Prod')
              else ('float32',), least=1)
    a = g.given(a) if op == 'Prod' else a
    if 0 in g.shape(a):
        return
    rank = g.values[a].ndim
    axes = [int(x) for x in g.rng.permutation(rank)[
        :int(g.rng.integers(1, rank + 1))]]
    if g.opset >= 11:
        axes = [x - rank if g.coin() else x for x in axes]
    keep = int(g.rng.integers(2))
    if g.coin(4):
        g.add('Reduce' + op, [a], keepdims=keep)
    elif g.opset >= (13 if op == 'Sum' else 18):
        g.add('Reduce' + op, [a, g.ints(*axes)], keepdims=keep)
    else:
        g.add('Reduce' + op, [a], axes=axes, keepdims=keep)


@node()
def arg(g):
    a = g.clear(g.any(('float32', 'int32'), least=1))
    if 0 in g.shape(a):
        return
    more = dict(select_last_index=int(g.rng.integers(2))) \
        if g.opset >= 12 else {}
    g.add(g.pick('ArgMax', 'ArgMin'), [a], axis=g.axis(a, g.opset >= 11),
          keepdims=int(g.rng.integers(2)), **more)


@node(weight=2)
def softmax(g):
    a = g.any(REALS, least=1)
    op = g.pick('Softmax', 'LogSoftmax', 'Hardmax') if g.values[a].dtype == \
        'float32' else 'Softmax'
    g.add(op, [g.clear(a) if op == 'Hardmax' else a],
          axis=g.axis(a, g.opset >= 11))


# ---- products, convolutions, normalizations

@node(9, weight=3)
def matmul(g):
    a = g.any(REALS + ('int32',), least=1)
    shape = [g.shape(a)[-1], int(g.rng.integers(1, 7))]
    if g.coin() and g.values[a].ndim > 2:
        shape = [1 if g.coin() else x for x in g.shape(a)[:-2]] + shape
    g.add('MatMul', [a, g.fresh(shape, g.values[a].dtype.name)])


@node(9, weight=2)
def gemm(g):
    kind = g.pick(*REALS)
    m, k, n = g.dims(3, 3, 7)
    ta, tb = int(g.rng.integers(2)), int(g.rng.integers(2))
    operands = [g.fresh([k, m] if ta else [m, k], kind, constant=False),
                g.fresh([n, k] if tb else [k, n], kind)]
    if g.coin() or g.opset < 11:
        operands.append(g.fresh(g.pick([n], [1, n], [m, 1], [m, n], []), kind))
    g.add('Gemm', operands, transA=ta, transB=tb, alpha=g.pick(1.0, 0.5),
          beta=g.pick(1.0, 0.25))


@node(12)
def einsum(g):
    i, j, k = g.dims(3, 3, 5)
    pair = [g.fresh([2, i, j], constant=False), g.fresh([2, j, k])]
    g.add('Einsum', pair, equation=g.pick(
        'bij,bjk->bik', 'bij,bjk->ki', 'bij,bjk->b', '...ij,...jk->...ik',
        'bij,bjk'))


def sliding(g, rank, ceil=False):
    kernel = [int(x) for x in g.rng.integers(1, 4, rank)]
    how = dict(kernel_shape=kernel)
    dilations = [int(x) for x in g.rng.integers(1, 3, rank)] \
        if g.coin(3) else [1] * rank
    extents = [int(g.rng.integers((k - 1) * d + 1, 10))
               for k, d in zip(kernel, dilations)]
    if g.coin():
        how['strides'] = [int(x) for x in g.rng.integers(1, 4, rank)]
    if g.coin(4):
        how['auto_pad'] = g.pick('VALID', 'SAME_UPPER', 'SAME_LOWER')
    elif g.coin():
        how['pads'] = [int(g.rng.integers(k)) for k in kernel + kernel]
    if ceil and g.coin(3) and g.opset >= 10:
        how['ceil_mode'] = 1
    return extents, how, dilations


@node(weight=4)
def conv(g):
    extents, how, dilations = sliding(g, int(g.rng.integers(1, 4)))
    if max(dilations) > 1 and 'SAME' not in how.get('auto_pad', ''):
        how['dilations'] = dilations
    group, each, own, n = g.dims(4, 4, 3)
    operands = [g.fresh([n, group * each] + extents, constant=False),
                g.fresh([group * own, each] + how['kernel_shape'])]
    if g.coin():
        operands.append(g.fresh([group * own]))
    g.add('Conv', operands, group=group, **how)


@node(11, weight=2)
def deconv(g):
    rank = int(g.rng.integers(1, 4))
    extents, how, dilations = sliding(g, rank)
    group, each, own, n = g.dims(4, 4, 3)
    how.pop('auto_pad', None)
    if g.coin(3):
        how['strides'] = [2] * rank
        how['output_padding'] = [int(x) for x in g.rng.integers(0, 2, rank)]
    if g.coin(3):
        how['dilations'] = dilations
    operands = [g.fresh([n, group * each] + extents, constant=False),
                g.fresh([group * each, own] + how['kernel_shape'])]
    if g.coin():
        operands.append(g.fresh([group * own]))
    g.add('ConvTranspose', operands, group=group, **how)


@node(weight=3)
def pool(g):
    extents, how, dilations = sliding(g, int(g.rng.integers(1, 4)), True)
    op = g.pick('MaxPool', 'AveragePool', 'LpPool')
    if 'SAME' in how.get('auto_pad', ''):  # smaller windows than strides pad
        how.pop('strides', 0)  # below zero there
    a = g.fresh(g.dims(2, 2, 3) + extents, constant=False)
    if op == 'MaxPool' and g.opset >= 10 and max(dilations) > 1 and \
            'auto_pad' not in how:
        how['dilations'] = dilations
    if op == 'AveragePool':
        how['count_include_pad'] = int(g.rng.integers(2))
    if op == 'LpPool':
        how.pop('ceil_mode', 0)
        how['p'] = int(g.rng.integers(1, 3))
    g.add(op, [a], 1 + int(op == 'MaxPool' and g.opset >= 8 and g.coin()),
          **how)


@node(weight=2)
def global_pool(g):
    g.add(g.pick('GlobalAveragePool', 'GlobalMaxPool'), [
        g.fresh(g.dims(3, 5), constant=False)])


@node(9, 13)
def batch_norm(g):
    a = g.fresh(g.dims(2, 5), constant=False)
    c = [g.shape(a)[1]]
    g.add('BatchNormalization', [a, g.fresh(c), g.fresh(c), g.fresh(c), g.put(
        np.abs(g.content(c, 'float32')) + np.float32(0.1), True)],
          epsilon=1e-3)


@node(14)
def batch_norm_14(g):
    batch_norm(g)


@node()
def instance_norm(g):
    a = g.fresh(g.dims(3, 5), constant=False)
    c = [g.shape(a)[1]]
    g.add('InstanceNormalization', [a, g.fresh(c), g.fresh(c)], epsilon=1e-2)


@node(17)
def layer_norm(g):
    a = g.any(least=1)
    axis = g.axis(a)
    shape = g.shape(a)[axis:]
    operands = [a, g.fresh(shape)] + ([g.fresh(shape)] if g.coin() else [])
    g.add('LayerNormalization', operands, g.pick(1, 3), axis=axis,
          epsilon=1e-2)


@node(21)
def group_norm(g):
    n, c, h = g.dims(3, 3)
    a = g.fresh([n, 2 * c, h], constant=False)
    g.add('GroupNormalization', [a, g.fresh([2 * c]), g.fresh([2 * c])],
          num_groups=g.pick(c, 2, 1), epsilon=1e-2)


@node(23)
def rms_norm(g):
    a = g.any(least=1)
    axis = g.axis(a)
    g.add('RMSNormalization', [a, g.fresh(g.shape(a)[axis:])], axis=axis,
          epsilon=1e-2)


@node()
def local_norm(g):
    g.add('LRN', [g.fresh(g.dims(3, 4), constant=False)],
          size=g.pick(1, 3, 5), alpha=0.1, beta=0.5)


@node()
def lp_norm(g):
    a = g.any(least=1)
    g.add('LpNormalization', [a], axis=g.axis(a, g.opset >= 11),
          p=g.pick(1, 2))


@node(13, weight=2)
def resize(g):
    a = g.fresh(g.dims(2, 2, 2) + g.dims(1, 2, 6), constant=False)
    extra = g.values[a].ndim - 2
    mode = g.pick('nearest', 'linear', 'linear', 'cubic')
    how = dict(mode=mode, coordinate_transformation_mode=g.pick(
        'half_pixel', 'asymmetric', 'pytorch_half_pixel'))
    if mode == 'nearest':
        how['nearest_mode'] = g.pick('round_prefer_floor', 'floor', 'ceil',
                                     'round_prefer_ceil')
    if mode == 'cubic' and extra != 2:
        return
    if g.coin():
        scales = [1, 1] + [g.pick(0.5, 2.0, 1.5, 0.75) for _ in range(extra)]
        g.add('Resize', [a, '', g.put(np.array(scales, 'float32'), True)],
              **how)
    else:
        sizes = g.shape(a)[:2] + g.dims(extra, extra, 9)
        g.add('Resize', [a, '', '', g.ints(*sizes)], **how)


@node(16)
def grid_sample(g):
    n, c, h, w = g.dims(4, 4)
    grid = g.rng.uniform(-1.3, 1.3, (n, 3, 4, 2)).astype('float32')
    bilinear = 'bilinear' if g.opset < 20 else 'linear'
    g.add('GridSample', [g.fresh([n, c, h, w], constant=False), g.put(grid)],
          mode=g.pick(bilinear, 'nearest'), padding_mode=g.pick(
              'zeros', 'border', 'reflection'),
          align_corners=int(g.rng.integers(2)))


@node(weight=2)
def recurrent(g):
    op, gates = g.pick(('LSTM', 4), ('GRU', 3), ('RNN', 1))
    n, b, i, h = g.dims(4, 4, 4)
    both = int(g.coin()) + 1
    operands = [g.fresh([n, b, i], constant=False),
                g.fresh([both, gates * h, i], constant=True),
                g.fresh([both, gates * h, h], constant=True)]
    more = {}
    if g.coin():
        operands.append(g.fresh([both, 2 * gates * h], constant=True))
    if op == 'GRU':
        more['linear_before_reset'] = int(g.rng.integers(2))
    g.add(op, operands, g.pick(1, 2), hidden_size=h,
          direction='bidirectional' if both == 2 else g.pick(
              'forward', 'reverse'), **more)


# ---- quantization

@node(10, weight=2)
def quantize(g):
    a = g.any()
    kind = g.pick('uint8', 'int8')
    zero = g.put(np.array(3, kind), True)
    factor = g.put(np.float32(0.07), True)
    g.add('QuantizeLinear', [a, factor, zero])
    if g.settle():
        g.add('DequantizeLinear', [g.nodes[-1].output[0], factor, zero])


@node(13)
def quantize_axis(g):
    a = g.any(least=2)
    axis = g.axis(a)
    c = g.shape(a)[axis]
    g.add('QuantizeLinear', [a, g.put(np.exp(g.rng.uniform(
        -4, 0, c)).astype('float32'), True), g.put(
            g.rng.integers(0, 200, c).astype('uint8'), True)], axis=axis)


@node(11)
def dynamic_quantize(g):
    g.add('DynamicQuantizeLinear', [g.any()], 3)


@node(10)
def integer_product(g):
    m, k, n = g.dims(3, 3, 9)
    a = g.put(g.rng.integers(0, 255, (m, k)).astype('uint8'))
    b = g.put(g.rng.integers(-60, 60, (k, n)).astype('int8'))
    g.add('MatMulInteger', [a, b, g.put(np.uint8(7), True)])


# ---- com.microsoft

@node(weight=2)
def contrib(g):
    import contrib_cases
    names = sorted(x for x in contrib_cases.CASES
                   if 'Norm' not in x or x.startswith('SkipL'))
    case = contrib_cases.CASES[g.pick(*names)](g.rng)
    if case.expected is not None or case.domain != 'com.microsoft' or \
            g.opset < 17 or \
            case.tolerance or any(x is not None and x.dtype == np.float16
                                  for x in case.operands):
        return
    operands = []
    for at, value in enumerate(case.operands):
        operands.append('' if value is None else
                        g.put(value, at in case.weights))
    while operands and not operands[-1]:
        operands.pop()
    outputs = case.outputs if isinstance(case.outputs, int) else 1
    g.add(case.op, operands, outputs, 'com.microsoft', **case.attributes)


@node(weight=2)
def contrib_unary(g):
    a = g.any(least=1)
    op = g.pick('Gelu', 'FastGelu', 'QuickGelu', 'BiasGelu')
    op = 'QuickGelu' if cancels(g, a) else op
    operands = [a]
    if op == 'BiasGelu':
        operands.append(g.fresh(g.shape(a)[-1:]))
    g.add(op, operands, domain='com.microsoft')
