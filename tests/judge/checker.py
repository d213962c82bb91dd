#!/usr/bin/env python3
"""checker.py MODEL PLAN [--hash HEX] [--dim NAME=N]... [--shape INPUT=AxB]...

The second judge of schedules: shares nothing with lplan but the columns of
"lplan analyze --format json --all" ($LPLAN, or lplan on the path) and the
manual lplan-schedule(5).  Exit 0: right; 1: refused, and where and why; 2: not
judged, a model whose sizes are not known.

It walks the runs with the productions of every tensor, derives which of them
share bytes from the operators' meaning, and wants the intervals placed to be
those that follow.  What it cannot know (the content of bodies; boxes of layers
in groups that are not element-wise) it takes as given and checks from below."""
import collections
import json
import os
import re
import struct
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import plan as plan_file  # noqa: E402

BITS = dict(float64=64, float32=32, float16=16, bfloat16=16, float8e4m3fn=8,
            float8e4m3fnuz=8, float8e5m2=8, float8e5m2fnuz=8, float8e8m0=8,
            float4e2m1=4, int64=64, int32=32, int16=16, int8=8, int4=4, int2=2,
            uint64=64, uint32=32, uint16=16, uint8=8, uint4=4, uint2=2, bool=8,
            complex64=64, complex128=128)

# Operators whose first result is their first operand, byte by byte.
VIEWS = set('Identity Reshape Flatten Squeeze Unsqueeze BitCast Dropout'.split())

# Operators whose every result element depends on the operand's element at the
# same place, or on a row that is read before it is written.
CELLS = set('''Relu LeakyRelu PRelu ThresholdedRelu Elu Selu Celu Sigmoid Swish
    HardSigmoid HardSwish Softplus Softsign Mish Gelu Shrink Add Sub Mul Div Pow
    Mod Equal Less Greater LessOrEqual GreaterOrEqual And Or Xor BitwiseAnd
    BitwiseOr BitwiseXor BitShift Abs Neg Sign Ceil Floor Round Reciprocal Sqrt
    Exp Log Erf Tanh Sin Cos Tan Asin Acos Atan Sinh Cosh Asinh Acosh Atanh
    BitwiseNot Not IsNaN IsInf Where Clip'''.split())
ROWWISE = set('''Softmax LogSoftmax BatchNormalization InstanceNormalization
    LayerNormalization SimplifiedLayerNormalization GroupNormalization
    RMSNormalization'''.split())
# Operators whose sums are one chain that can be cut.
SUMS = set('Conv ConvInteger MatMul MatMulInteger Gemm FusedMatMul'.split())
BODIES = ('If', 'Loop', 'Scan', 'SequenceMap')
IMPURE = set('''RandomNormal RandomNormalLike RandomUniform RandomUniformLike
    Multinomial Bernoulli'''.split())


class Refused(Exception):
    def __init__(self, why, unit=None, layer=None, tensor=None, size=None):
        super().__init__(why)
        self.why, self.unit, self.layer = why, unit, layer
        self.tensor, self.size = tensor, size

    def __str__(self):
        parts = []
        if self.unit is not None:
            parts.append('run %d' % self.unit)
        if self.layer:
            parts.append("'%s'" % self.layer)
        if self.tensor:
            parts.append("tensor '%s'" % self.tensor)
        if self.size is not None:
            parts.append('%d bytes' % self.size)
        return ', '.join(parts) + (': ' if parts else '') + self.why


class Unknown(Exception):
    """Not to be judged here."""


def count(text, least=0):
    try:
        value = int(text)
    except (TypeError, ValueError):
        raise Refused('no whole number: %r' % (text,)) from None
    if value < least or not isinstance(text, str):
        raise Refused('out of range: %s' % text)
    return value


def single(number):
    try:
        return struct.unpack('f', struct.pack('f', number))[0]
    except OverflowError:
        return float('inf')


class Model:
    def __init__(self, report):
        self.types, self.maker = {}, {}
        self.layers = [x for x in report['layers']
                       if x.get('status') not in ('folded',)]
        self.stored = dict(report.get('stored', {}))  # bytes of weights
        self.weights = report.get('weights', {})  # dtype and elements
        self.widths = {}  # planned dtypes, by name
        self.scales = {}  # what values are rounded by, by name
        self.inputs = []
        for tensor in report['inputs']:
            self.types[tensor['name']] = tensor
            if tensor['name'] not in self.inputs:
                self.inputs.append(tensor['name'])
        for layer in self.layers:
            layer['made'] = [x['name'] if x else None
                             for x in layer['outputs']]
            for tensor in layer['outputs']:
                if tensor and tensor['name']:
                    self.types[tensor['name']] = tensor
                    self.maker[tensor['name']] = layer
        folded = [x for x in report['layers'] if x not in self.layers]
        self.folded = {y['name'] for x in folded for y in x['outputs'] if y}
        self.read_before = {y for x in folded for y in x['inputs'] if y}
        self.outputs = [x['name'] for x in report['outputs']
                        if x['name'] in self.types]
        self.input_shapes = {x['name']: x['shape'] for x in report['inputs']}
        names = collections.Counter(x['name'] for x in report['layers'])
        self.by_name = {}
        for layer in report['layers']:
            name = layer['name']
            first = next((x['name'] for x in layer['outputs'] if x), '')
            if names[name] > 1 or '#' in name:
                name = '^' + first
            self.by_name[name] = layer if layer in self.layers else None

    def is_value(self, name):
        return name is not None and name in self.types

    def bits(self, name):
        return BITS[self.widths.get(name) or self.types[name]['dtype']]

    def bytes(self, name):
        tensor = self.types[name]
        elements = 1
        if tensor['shape'] is None or tensor['dtype'] not in BITS:
            raise Unknown("'%s' has no known size" % name)
        for dim in tensor['shape']:
            if not isinstance(dim, int) or dim < 0:
                raise Unknown("'%s' has no known size" % name)
            elements *= dim
        return (elements * self.bits(name) + 7) // 8

    def like(self, a, b):
        return self.types[a]['shape'] == self.types[b]['shape'] and \
            self.types[a]['dtype'] == self.types[b]['dtype']

    def agree(self, later, earlier):
        """Whether what is made later may share the bytes of the earlier."""
        if self.bits(later) != self.bits(earlier):
            return False
        mine = self.scales.get(later)
        return mine is None or (mine == self.scales.get(earlier) and
                                mine[1] is None)


class Value:
    """One production: of tensor "name" by run "unit" (-1: an input)."""

    def __init__(self, name, unit, size):
        self.name, self.unit, self.size = name, unit, size
        self.last = max(unit, 0)
        self.is_output = False
        self.inner = False  # made in a group, and not its result
        self.parent = None
        self.kind = None
        self.at, self.blocks, self.block, self.stride = 0, 1, size, size

    def root(self):
        value = self
        while value.parent:
            value = value.parent
        return value

    def meets(self, other):
        """Whether both have a byte of their root, block by block."""
        i = j = 0
        while i < self.blocks and j < other.blocks:
            a = self.at + i * self.stride
            b = other.at + j * other.stride
            if a < b + other.block and b < a + self.block:
                return True
            if a < b:
                i += 1
            else:
                j += 1
        return False


Bytes = collections.namedtuple('Bytes', 'kind tensor layer memory first last '
                               'size exact live')


class Judge:
    def __init__(self, report, plan, model_hash=None):
        self.model = Model(report)
        self.plan = plan
        self.hash = model_hash
        self.read_by_runs = {x for y in self.model.layers
                             for x in y['inputs'] if x}
        self.needed = []  # Bytes
        self.exact = True  # all sizes are known
        self.traffic = 0

    # ---- the sections by themselves

    def names(self):
        plan, model = self.plan, self.model
        if self.hash and plan['model'].get('hash') != self.hash:
            raise Refused('the schedule of another model')
        for name, dims in (plan.get('dims') or {}).items():
            if name not in model.input_shapes:
                raise Refused("dims: no input '%s'" % name)
            if [count(x) for x in dims] != model.input_shapes[name]:
                raise Refused("dims: another shape", tensor=name)
        self.memories = plan['memories'] or []
        self.memory_at = {x.get('name'): i
                          for i, x in enumerate(self.memories)}
        if not self.memories or len(self.memory_at) != len(self.memories):
            raise Refused('memories: none, or a name twice')
        for memory in self.memories:
            alignment = count(memory.get('alignment', '1'), 1)
            if alignment & (alignment - 1):
                raise Refused('memories: alignment is no power of two')
            if 'capacity_bytes' in memory:
                count(memory['capacity_bytes'])
        if plan.get('weights') not in (None, *self.memory_at):
            raise Refused("weights: no memory '%s'" % plan['weights'])
        for entry in plan.get('precision') or []:
            self.width(entry)
        self.groups = {}
        for group in plan.get('groups') or []:
            if not isinstance(group.get('layers'), list) or \
                    not group['layers'] or group.get('name') in self.groups or \
                    group.get('name') in model.by_name:
                raise Refused('groups: no layers, or a name twice')
            self.group(group)
            self.groups[group['name']] = group
        for section, keys in (('home', ('tensor',)), ('move', ('tensor',)),
                              ('alias', ('tensor', 'of'))):
            for entry in plan.get(section) or []:
                for key in keys:
                    if not model.is_value(entry.get(key)):
                        raise Refused("%s: no activation '%s'" % (
                            section, entry.get(key)))
        for entry in plan.get('pin') or []:
            begin, end = count(entry.get('from')), count(entry.get('to'))
            if model.is_value(entry.get('weight')) or begin > end or \
                    end >= len(plan['runs'] or []):
                raise Refused('pin: no weight, or no such runs')

    def width(self, entry):
        """An entry of precision: a float alone has another dtype."""
        model, name = self.model, entry.get('tensor')
        is_assumed = 'assume' in entry
        dtype = entry.get('assume' if is_assumed else 'dtype')
        where = dict(tensor=name)
        if is_assumed == ('dtype' in entry) or dtype not in BITS or \
                dtype.startswith(('complex', 'bool')) or \
                (is_assumed and len(entry) > 2):
            raise Refused('precision: no dtype, or none that can be', **where)
        if name in model.widths:
            raise Refused('precision: twice', **where)
        if model.is_value(name):
            own = model.types[name]['dtype']
            dims = model.types[name]['shape']
        elif name in model.weights:
            own, dims = model.weights[name]
            if name not in self.read_by_runs:
                raise Refused('precision: no run reads it', **where)
        elif name in model.folded or \
                re.search(r'["\\]', json.dumps(name or '')[1:-1]):
            raise Unknown("precision: '%s'" % name)
        else:
            raise Refused("precision: no tensor '%s'" % name)
        if not own.startswith(('float', 'bfloat')):
            raise Refused('precision: no floats', **where)
        model.widths[name] = dtype
        if name in model.stored and model.stored[name]:
            elements = 1
            for dim in dims:
                elements *= dim
            model.stored[name] = (elements * BITS[dtype] + 7) // 8
        if is_assumed:
            return
        if name in model.read_before:
            raise Refused('precision: a weight that is read before any run',
                          **where)
        if any(x['op'] in BODIES for x in model.layers):
            raise Unknown('precision: bodies')
        if 'file' in entry:
            raise Unknown('precision: scales in a file')
        axis = entry.get('axis')
        axis = None if axis in (None, '-1') else count(axis)
        if axis is not None and axis >= len(dims):
            raise Refused('precision: no such axis', **where)
        scales, zeros = entry.get('scales', []), entry.get('zero_points', [])
        channels = dims[axis] if axis is not None else 1
        is_integer = 'int' in dtype
        if own != 'float32' or len(dims) > 8 or len(scales) not in (
                (channels,) if 'scales' in entry or is_integer else (0,)) or \
                len(zeros) not in (0, len(scales)) or \
                (zeros and not is_integer) or \
                (is_integer and BITS[dtype] > 16):
            raise Refused('precision: no such scales', **where)
        numbers = [single(float(x)) for x in scales]
        zeros = [int(x) for x in zeros]
        signed = not dtype.startswith('u')
        most = 2 ** (BITS[dtype] - signed) - 1
        least = -most - 1 if signed else 0
        if any(not 0 < x < float('inf') for x in numbers) or \
                any(not least <= x <= most for x in zeros):
            raise Refused('precision: no such scales', **where)
        model.scales[name] = (dtype, axis, numbers,
                              zeros or [0] * len(numbers))

    def group(self, group):
        """Overlap and tiles; axes that are cut into one tile count for none."""
        keeps = group.get('overlap', 'recompute') == 'keep'
        last = self.layer(group['layers'][-1], None)
        shape = self.model.types[last['made'][0]]['shape'] \
            if last['made'] and last['made'][0] in self.model.types else []
        several, sums, axes = 0, False, set()
        for tile in group.get('tiles') or []:
            axis, extent = tile.get('axis'), count(tile.get('extent'), 1)
            if axis in axes:
                raise Refused('groups: an axis twice')
            axes.add(axis)
            if axis == 'reduction':
                sums = True
            elif count(axis) >= len(shape):
                raise Refused('groups: no such axis')
            else:
                several += extent < shape[count(axis)]
        if group.get('overlap', 'keep') not in ('keep', 'recompute'):
            raise Refused('groups: no such overlap')
        if keeps and (several > 1 or sums):
            raise Refused('groups: rows are kept along one axis')
        if sums and last['made'][0] in self.model.widths and \
                self.model.widths[last['made'][0]] != \
                last['outputs'][0]['dtype']:
            raise Refused('groups: a result narrower than its sums')
        if sums and (len(group['layers']) > 1 or len(axes) > 2 or
                     last['op'] not in SUMS or last['outputs'][0]['dtype']
                     not in ('float32', 'int32')):
            raise Refused('groups: no sums that can be cut')

    def layer(self, name, unit):
        if name not in self.model.by_name:
            raise Refused("no layer or group '%s'" % name, unit)
        if self.model.by_name[name] is None:
            raise Refused('is computed before any run', unit, name)
        return self.model.by_name[name]

    def expand(self):
        """The layers of each run."""
        self.units, self.unit_names, seen = [], [], collections.Counter()
        for unit, run in enumerate(self.plan['runs'] or []):
            if not isinstance(run, str):
                raise Refused('no name', unit)
            name, mark, ordinal = run.rpartition('#')
            if not mark or not ordinal.isdigit():
                name, ordinal = run, None
            seen[name] += 1
            if int(ordinal or 1) != seen[name] or ordinal == '1':
                raise Refused('execution %s is number %d' % (run, seen[name]),
                              unit, name)
            group = self.groups.get(name)
            layers = [self.layer(x, unit)
                      for x in (group['layers'] if group else [name])]
            if group and len({id(x) for x in layers}) != len(layers):
                raise Refused('a layer twice in a group', unit, name)
            self.units.append((layers, group))
            self.unit_names.append(name)
        runs = collections.Counter(id(x) for layers, _ in self.units
                                   for x in layers)
        for layer in self.model.layers:
            if layer['op'] in IMPURE and runs[id(layer)] > 1:
                raise Refused('is random and runs twice', None, layer['name'])

    # ---- productions

    def walk(self):
        model, current = self.model, {}
        self.values, self.reads, self.makes = [], [], []

        def produce(name, unit):
            value = Value(name, unit, model.bytes(name))
            current[name] = value
            self.values.append(value)
            return value

        for name in model.inputs:
            produce(name, -1)
        for unit, (layers, group) in enumerate(self.units):
            inside, reads, makes = set(), [], []
            for layer in layers:
                for name in layer['inputs']:
                    if not model.is_value(name) or name in inside:
                        continue
                    if name not in current:
                        raise Refused('is read before it is made', unit,
                                      layer['name'], name, model.bytes(name))
                    current[name].last = unit
                    if current[name] not in reads:
                        reads.append(current[name])
                if group:
                    inside.update(x for x in layer['made'] if x)
            for layer in layers:
                for at, name in enumerate(layer['made']):
                    if not name:
                        continue
                    value = produce(name, unit)
                    value.inner = bool(group) and (layer is not layers[-1] or
                                                   at > 0)
                    makes.append(value)
            self.reads.append(reads)
            self.makes.append(makes)
        for name in model.outputs:
            if name not in current:
                raise Refused('an output of the graph is not made',
                              tensor=name, size=model.bytes(name))
            current[name].last = len(self.units)
            current[name].is_output = True
        gone = {id(x) for x in self.values if x.inner and x.last == x.unit}
        self.values = [x for x in self.values if id(x) not in gone]
        self.makes = [[x for x in makes if id(x) not in gone]
                      for makes in self.makes]

    # ---- shared bytes

    def part(self, whole, parts, name):
        """Where "name" of "parts" lies in "whole": at, blocks, block, stride."""
        shape = self.model.types[whole]['shape']
        own, bits = BITS[self.model.types[whole]['dtype']], \
            self.model.bits(whole)
        shapes = []
        for x in parts:
            if not self.model.is_value(x):
                raise Refused('parts have no shape', tensor=name)
            shapes.append(self.model.types[x]['shape'])
        axes = [a for a in range(len(shape))
                if sum(x[a] for x in shapes) == shape[a] and all(
                    x[:a] + x[a + 1:] == shape[:a] + shape[a + 1:]
                    for x in shapes)]
        if not axes or own % 8 or parts.count(name) != 1:
            raise Refused('is no part of %s' % whole, tensor=name)
        axis, row, blocks, before = axes[0], bits, 1, 0
        for dim in shape[axis + 1:]:
            row *= dim
        for dim in shape[:axis]:
            blocks *= dim
        for x, its in zip(parts, shapes):
            if x == name:
                edges = [x * row for x in (before, its[axis], shape[axis])]
                if any(x % 8 for x in edges):
                    raise Refused('a part that ends inside a byte', tensor=name)
                return edges[0] // 8, max(blocks, 1), edges[1] // 8, \
                    edges[2] // 8
            before += its[axis]
        raise AssertionError

    def proof(self, alias):
        """Whether the operators allow an alias: 'back' (of is an operand),
        'ahead' (of is the Concat that reads it)."""
        model, name, of = self.model, alias['tensor'], alias['of']
        kind, layer = alias.get('kind'), model.maker.get(name)
        reader = model.maker.get(of)
        if kind == 'view' and layer and layer['op'] in VIEWS and \
                layer['made'][0] == name and layer['inputs'][0] == of and \
                model.bytes(name) == model.bytes(of) and \
                model.agree(name, of):
            return 'back'
        if kind == 'in_place' and layer and \
                layer['op'] in CELLS | ROWWISE and \
                layer['made'][0] == name and layer['inputs'].count(of) == 1 \
                and model.like(name, of) and \
                model.bits(name) == model.bits(of):
            return 'back'
        if kind == 'part' and layer and layer['op'] == 'Split' and \
                layer['inputs'][0] == of and \
                layer['inputs'].count(of) == 1 and model.agree(name, of):
            self.part(of, layer['made'], name)
            return 'back'
        if kind == 'part' and reader and reader['op'] == 'Concat' and \
                reader['made'][0] == of and layer and model.agree(of, name):
            self.part(of, reader['inputs'], name)
            return 'ahead'
        raise Refused('cannot be %s of %s' % (kind, of), None,
                      layer and layer['name'], name, model.bytes(name))

    def share(self):
        aliases = {}
        for alias in self.plan.get('alias') or []:
            way = self.proof(alias)
            if alias['tensor'] in aliases:
                raise Refused('two aliases', tensor=alias['tensor'])
            aliases[alias['tensor']] = alias, way
        for unit, (layers, group) in enumerate(self.units):
            if group:
                continue
            read = {x.name: x for x in self.reads[unit]}
            for value in self.makes[unit]:
                alias, way = aliases.get(value.name, (None, None))
                if way != 'back' or alias['of'] not in read:
                    continue
                value.parent, value.kind = read[alias['of']], alias['kind']
                if value.kind == 'part':
                    value.at, value.blocks, value.block, value.stride = \
                        self.part(alias['of'], layers[0]['made'], value.name)
        for unit, (layers, group) in enumerate(self.units):
            if group or layers[0]['op'] != 'Concat':
                continue
            made = {x.name: x for x in self.makes[unit]}
            for value in self.reads[unit]:
                alias, way = aliases.get(value.name, (None, None))
                if way != 'ahead' or value.parent or alias['of'] not in made:
                    continue
                if value.unit < 0:
                    raise Refused('an input of the graph is no part', unit,
                                  None, value.name, value.size)
                value.parent, value.kind = made[alias['of']], 'part'
                value.at, value.blocks, value.block, value.stride = self.part(
                    alias['of'], layers[0]['inputs'], value.name)
        done = set()
        for value in self.values:
            chain = []
            while value.parent and id(value) not in done:
                chain.append(value)
                value = value.parent
            for value in reversed(chain):
                done.add(id(value))
                of = value.parent
                if of.blocks == 1:
                    value.at += of.at
                elif value.blocks == 1 and value.at == 0 and \
                        value.block == of.size:
                    value.at, value.blocks = of.at, of.blocks
                    value.block, value.stride = of.block, of.stride
                else:
                    raise Refused('a part of a strided part', value.unit, None,
                                  value.name, value.size)

        for value in self.values:
            if value.is_output and value.blocks > 1:
                raise Refused('an output of the graph is a strided part',
                              value.unit, None, value.name, value.size)

    def overwritten(self):
        """What is written into shared bytes destroys nothing that is read
        later.  Every write is looked at, not only those in place."""
        families = collections.defaultdict(list)
        for value in self.values:
            families[id(value.root())].append(value)
        for family in families.values():
            if len(family) == 1:
                continue
            for new in family:
                layers, group = self.units[new.unit] if new.unit >= 0 \
                    else (None, None)
                if layers is None:
                    continue
                op = None if group else layers[0]['op']
                for old in family:
                    if old is new or old.unit >= new.unit:
                        continue
                    if not old.meets(new):
                        continue
                    if new.kind == 'view' or \
                            (new.kind == 'part' and op == 'Split'):
                        continue  # nothing is written
                    if op == 'Concat' and self.joined(old, new):
                        continue  # what is written is there already
                    if new.kind == 'in_place' and new.root().unit < 0:
                        raise Refused('overwrites an input of the graph',
                                      new.unit, layers[0]['name'], new.name,
                                      new.size)
                    is_operand = old in self.reads[new.unit]
                    if old.last > new.unit or (
                            is_operand and not (new.kind == 'in_place' and
                                                self.is_under(old, new))):
                        raise Refused("overwrites '%s', which is %s" % (
                            old.name, 'needed later' if old.last > new.unit
                            else 'another operand'), new.unit,
                            layers[0]['name'], new.name, new.size)

    @staticmethod
    def is_under(old, new):
        return old is new.parent

    @staticmethod
    def joined(old, new):
        """Whether "old" came into "new", a Concat's result, as a part."""
        value = old
        while value.parent:
            if value.parent is new and value.kind == 'part':
                return True
            value = value.parent
        return False

    # ---- bytes over time

    def need(self, kind, tensor, layer, memory, first, last, size, exact=True,
             live=None):
        self.needed.append(Bytes(kind, tensor, layer, memory, first, last, size,
                                 exact, live))
        self.exact = self.exact and exact

    def lives(self):
        ends = {}
        final = max(len(self.units) - 1, 0)
        for value in self.values:
            root = value.root()
            first, last = ends.get(id(root), (final, 0, root))[:2]
            ends[id(root)] = (min(first, max(value.unit, 0)),
                              max(last, min(value.last, final)), root)
        homes, moves = {}, collections.defaultdict(list)
        for entry in self.plan.get('home') or []:
            if entry.get('memory') not in self.memory_at or \
                    entry['tensor'] in homes:
                raise Refused('home: no such memory, or two', None, None,
                              entry['tensor'])
            homes[entry['tensor']] = self.memory_at[entry['memory']]
        for entry in self.plan.get('move') or []:
            if entry.get('to') not in self.memory_at:
                raise Refused('move: no such memory', tensor=entry['tensor'])
            moves[entry['tensor']].append(
                (count(entry.get('after'), -1), count(entry.get('before')),
                 self.memory_at[entry['to']]))
        made = collections.Counter(x.name for x in self.values)
        for name in moves:
            if made[name] > 1:
                raise Unknown("'%s' is moved and made twice" % name)
            if not made[name]:
                raise Refused('is moved while it does not live', tensor=name)
        for value in self.values:
            home = homes.get(value.name, 0)
            first, last, root = ends[id(value.root())]
            wished = home or value.name in moves
            if wished and root is not value:
                raise Refused('has no home of its own', value.unit, None,
                              value.name, value.size)
            if root is not value:
                if (homes.get(root.name) or root.name in moves) and \
                        value.kind != 'view':
                    raise Refused('is written into what has a home elsewhere',
                                  value.unit, None, value.name, value.size)
                continue
            if not wished:
                self.need('value', value.name, None, 0, first, last, value.size)
                continue
            self.away(value, home, moves[value.name], first, last)

    def away(self, root, home, moves, first, last):
        """A root that lives elsewhere or moves: copies over time."""
        final = len(self.units) - 1
        moves = sorted(moves, key=lambda x: x[0])
        free = None
        for after, before, _ in moves:
            if before <= after or after < (first if root.unit >= 0 else -1) or \
                    before > (last + 1 if last == final else last) or \
                    (free is not None and after < free):
                raise Refused('cannot move after run %d and before run %d' % (
                    after, before), None, None, root.name, root.size)
            free = before
        copies = []  # [memory, first, last, ready]

        def there(unit, memory=None):
            """The lowest copy to be read at a run, or that in a memory."""
            found = [x for x in copies if x[1] <= unit <= x[2] and (
                x[3] <= unit if memory is None else x[0] == memory)]
            return min(found, key=lambda x: x[0]) if found else None

        def copy(after, before, memory):
            at = max(after, first)
            source, target = there(at), there(at, memory)
            if not source:
                raise Refused('is moved while it is on its way', after, None,
                              root.name, root.size)
            if target and memory <= source[0]:
                raise Refused('is moved to where it is', after, None, root.name,
                              root.size)
            if not target:
                copies.append([memory, after + 1, last, before])
                self.traffic += root.size
            if memory > source[0]:  # what is below ends
                for x in copies:
                    if x[0] < memory and x[1] <= at <= x[2]:
                        x[2] = min(x[2], at if target else before - 1)

        copies.append([home if root.unit < 0 else 0, first, last, first])
        touched = [unit for unit in range(len(self.units)) if any(
            x.root() is root for x in self.reads[unit] + self.makes[unit])]
        for at, unit in enumerate(touched + [final + 1]):
            while moves and moves[0][0] < unit:
                copy(*moves.pop(0))
            if unit <= final:
                inside = there(unit, 0)
                if not inside or inside[3] > unit:
                    if inside or not there(unit):
                        raise Refused('is needed while it is on its way', unit,
                                      None, root.name, root.size)
                    copies.append([0, unit, unit, unit])
                    self.traffic += root.size
            if at == 0 and home and root.unit >= 0 and first < last:
                copy(first, first + 1, home)
        if root.last > final >= 0 and not there(final, home):
            raise Refused('does not end in its home', None, None, root.name,
                          root.size)
        for at, (memory, begin, end, _) in enumerate(copies):
            if begin > end or any(
                    x[0] == memory and x[1] <= end and begin <= x[2]
                    for x in copies[:at]):
                raise Refused('is in a memory twice, or during no run', begin,
                              None, root.name, root.size)
            self.need('value', root.name, None, memory, begin, end, root.size)

    def buffers(self):
        for unit, (layers, group) in enumerate(self.units):
            for value in self.reads[unit] + self.makes[unit]:
                if value.blocks == 1 or (
                        not group and layers[0]['op'] == 'Concat' and
                        value.kind == 'part' and
                        value.parent in self.makes[unit]):
                    continue
                if group:
                    raise Refused('a group touches a strided part', unit, None,
                                  value.name, value.size)
                self.need('staging', value.name, None, 0, unit, unit,
                          value.size, live=0)
            for layer in layers:
                if layer['op'] in BODIES:
                    self.need('workspace', None, layer['name'], 0, unit, unit,
                              0, exact=False)

    def weights(self):
        """What is read from where weights live: by each run what no pin holds,
        and each pin once; and what weights take at a run."""
        self.streams = True  # all bytes are known
        away = bool(self.memory_at.get(self.plan.get('weights')))
        pins = [(x['weight'], int(x['from']), int(x['to']))
                for x in self.plan.get('pin') or []]
        held, read = [0] * (len(self.units) + 1), 0
        for name, begin, end in pins:
            size = self.stored_bytes(name)
            read += size
            held[begin] += size
            held[end + 1] -= size
        self.pinned = self.heaviest = total = 0
        self.whole = True  # no weights are read in slices
        for unit, (layers, group) in enumerate(self.units):
            total += held[unit]
            flight, sliced = 0, bool(group) and any(
                x.get('axis') == 'reduction' for x in group.get('tiles') or [])
            self.whole = self.whole and not sliced
            for name in {x for y in layers for x in y['inputs']
                         if x and not self.model.is_value(x)}:
                if not any(name == x and begin <= unit <= end
                           for x, begin, end in pins):
                    flight += self.stored_bytes(name)
            if any(x['op'] in BODIES for x in layers):
                self.streams = False
            read += flight
            self.pinned = max(self.pinned, total if away else 0)
            self.heaviest = max(self.heaviest,
                                total + (0 if sliced else flight))
        self.traffic += read if away else 0

    def stored_bytes(self, name):
        if name not in self.model.stored:
            self.streams = False
        return self.model.stored.get(name, 0)

    # ---- where it all lies

    def places(self):
        entries = self.plan.get('place') or []
        if not entries:
            self.loads()
            return
        wanted = collections.defaultdict(list)
        for item in self.needed:
            wanted[(item.kind, item.tensor, item.layer, item.memory, item.first,
                    item.last)].append(item)
        laid = collections.defaultdict(list)
        self.top = collections.Counter()
        for entry in entries:
            kind = entry.get('kind', 'value')
            memory = self.memory_at.get(
                entry.get('memory', self.memories[0]['name']))
            first, last = count(entry.get('from')), count(entry.get('to'))
            offset = count(entry.get('offset'))
            tensor, layer = entry.get('tensor'), entry.get('layer')
            where = dict(unit=first, tensor=tensor or layer)
            if memory is None or kind not in ('value', 'tile', 'workspace',
                                              'staging'):
                raise Refused('place: unknown kind or memory', **where)
            key = (kind, tensor, layer, memory, first, last)
            if kind == 'tile':
                size, exact = self.tile(first, last, memory, tensor, layer)
            elif wanted.get(key):
                item = wanted[key].pop()
                size, exact = item.size, item.exact
            else:
                raise Refused('nothing lives there over these runs', **where)
            self.exact = self.exact and exact
            alignment = count(self.memories[memory].get('alignment', '1'), 1)
            if offset % alignment:
                raise Refused('byte %d is not aligned' % offset, size=size,
                              **where)
            capacity = self.memories[memory].get('capacity_bytes')
            if capacity and count(capacity) and \
                    offset + size > count(capacity):
                raise Refused('ends beyond its memory', size=size, **where)
            if size or not exact:
                laid[memory].append((first, last, offset, offset + max(size, 1),
                                     tensor or layer))
                self.top[memory] = max(self.top[memory], offset + size)
        for items in wanted.values():
            for item in items:
                if item.size or not item.exact:
                    raise Refused('has no place', item.first, item.layer,
                                  item.tensor, item.size)
        for items in laid.values():
            self.collide(items)
        capacity = count(self.memories[0].get('capacity_bytes', '0'))
        if self.pinned and capacity and self.pinned + self.top[0] > capacity:
            raise Refused('pins and arena do not fit', size=self.pinned)

    def loads(self):
        """No memory holds more than it can, wherever that will lie."""
        for at, memory in enumerate(self.memories):
            capacity = count(memory.get('capacity_bytes', '0'))
            for unit in range(len(self.units) if capacity else 0):
                load = sum(x.size for x in self.needed
                           if x.memory == at and x.first <= unit <= x.last)
                if load > capacity:
                    raise Refused('memory %s is too small' % memory['name'],
                                  unit, size=load)

    def tile(self, first, last, memory, tensor, layer):
        """A buffer of a group: its size from below."""
        if first != last or first >= len(self.units) or memory or \
                not self.units[first][1]:
            raise Refused('a tile outside its group', first, layer, tensor)
        layers, group = self.units[first]
        names = {x for y in layers for x in y['made'] + y['inputs']}
        if tensor not in names or not self.model.is_value(tensor) or \
                (layer and layer not in group['layers']) or \
                (first, tensor, layer) in self.tiles:
            raise Refused('no such tile', first, layer, tensor)
        self.tiles.add((first, tensor, layer))
        return 0, False

    @staticmethod
    def collide(items):
        items.sort()
        active = []
        for item in items:
            active = [x for x in active if x[1] >= item[0]]
            for other in active:
                if other[2] < item[3] and item[2] < other[3]:
                    raise Refused("collides with '%s'" % other[4], item[0],
                                  None, item[4], item[3] - item[2])
            active.append(item)

    # ---- predictions

    def live_peak(self):
        """Storages with their views, nothing in place, nothing aligned."""
        final = len(self.units) - 1
        if final < 0:
            return 0
        live = [0] * (final + 2)
        heads, lasts = {}, {}
        for value in self.values:
            head = value
            if value.unit >= 0 and not self.units[value.unit][1]:
                layer = self.units[value.unit][0][0]
                if layer['op'] in VIEWS and layer['made'][0] == value.name:
                    for old in self.reads[value.unit]:
                        if old.name == layer['inputs'][0] and \
                                self.model.bits(old.name) == \
                                self.model.bits(value.name):
                            head = heads[id(old)]
            heads[id(value)] = head
            lasts[id(head)] = max(lasts.get(id(head), 0), value.last)
        for value in self.values:
            if heads[id(value)] is value:
                live[max(value.unit, 0)] += value.size
                live[min(lasts[id(value)], final) + 1] -= value.size
        peak = total = 0
        for change in live:
            total += change
            peak = max(peak, total)
        return peak

    def predictions(self):
        said = self.plan.get('predictions')
        if said is None:
            return
        if set(said) | {'latency_ns'} != \
                set(plan_file.SECTIONS['predictions']):
            raise Refused('predictions: one is missing')
        said = {key: count(value) for key, value in said.items()}
        macs = sum(x['macs'] or 0 for layers, _ in self.units for x in layers)
        groups = [group for _, group in self.units if group]
        keeps = [group.get('overlap') == 'keep' for group in groups]
        if groups and all(keeps) and said['macs'] > macs:
            raise Refused('predicts macs %d, the whole has %d' % (
                said['macs'], macs))
        found = {'live_peak_bytes': (self.live_peak(), self.exact),
                 'traffic_bytes': (self.traffic, self.streams or
                                   not self.plan.get('weights')),
                 'macs': (0 if any(keeps) else macs, not groups)}
        if self.plan.get('place'):
            found['arena_bytes'] = (self.top[0], self.exact)
            found['fast_peak_bytes'] = (said['arena_bytes'] + self.heaviest,
                                        self.streams and self.whole)
        for key, (value, exact) in found.items():
            if said[key] < value or (exact and said[key] != value):
                raise Refused('predicts %s %d, and takes %s%d' % (
                    key, said[key], '' if exact else 'at least ', value))
        for bound in self.plan.get('bounds') or []:
            least = said.get(bound['quantity'], count(bound['value']))
            if count(bound['value']) > least:
                raise Refused('a bound on %s is above the prediction' %
                              bound['quantity'])

    def judge(self):
        self.top, self.tiles = collections.Counter(), set()
        self.names()
        self.expand()
        self.walk()
        self.share()
        self.overwritten()
        self.lives()
        self.buffers()
        self.weights()
        self.places()
        self.predictions()


def weights_of(model):
    """Dtype and dims of the weights that the text form of a model declares."""
    text = subprocess.run(
        [os.environ.get('LPLAN', 'lplan'), 'dump', *model],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.decode()
    found = {}
    for name, dtype, dims in re.findall(
            r'^weight ("(?:[^"\\]|\\.)*"|\S+): (\w+)\[([0-9, ]*)\]', text, re.M):
        if dtype in BITS and '\\' not in name:
            found[name.strip('"')] = dtype, [
                int(x) for x in re.findall('[0-9]+', dims)]
    return found


def bytes_of(weights):
    stored = {}
    for name, (dtype, dims) in weights.items():
        elements = 1
        for dim in dims:
            elements *= dim
        stored[name] = (elements * BITS[dtype] + 7) // 8
    return stored


def analyze(model, options=()):
    result = subprocess.run(
        [os.environ.get('LPLAN', 'lplan'), 'analyze', '--format', 'json',
         '--all', *options, *model], stdout=subprocess.PIPE, check=True)
    weights = weights_of(model)
    return dict(json.loads(result.stdout), weights=weights,
                stored=bytes_of(weights))


def judge(report, text, model_hash=None):
    """None: right; else why not."""
    try:
        Judge(report, plan_file.read(text), model_hash).judge()
    except (Refused, plan_file.Unreadable) as refusal:
        return str(refusal)
    except (KeyError, TypeError, AttributeError) as problem:
        return 'malformed: %r' % problem
    return None


def main():
    words, options, model_hash = [], [], None
    given = sys.argv[1:]
    while given:
        word = given.pop(0)
        if word == '--hash' and given:
            model_hash = given.pop(0)
        elif word in ('--dim', '--shape', '--trips') and given:
            options += [word, given.pop(0)]
        else:
            words.append(word)
    if len(words) != 2:
        sys.exit(__doc__)
    with open(words[1], encoding='utf-8') as file:
        text = file.read()
    try:
        why = judge(analyze(words[:1], options), text, model_hash)
    except Unknown as reason:
        print('not judged: %s' % reason)
        sys.exit(2)
    print('refused: ' + why if why else 'right')
    sys.exit(1 if why else 0)


if __name__ == '__main__':
    main()
