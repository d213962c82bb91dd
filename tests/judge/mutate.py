#!/usr/bin/env python3
"""mutate.py [--long] [--seed N] [--graphs N] [--first N] [--damages N]
          [--keep DIR]

Damages schedules and asks two judges, "lplan check" and checker.py.  A schedule
that lplan makes must be right for both.  A damaged one must be refused by both;
what both find right (some damages only change the plan) must run, with results
equal to the byte.  Anything else is a failure: a judge is wrong.

Models: examples, nets, and graphs drawn from a seed.  Prints TAP, a line a
model.  --long: thousands of graphs.  --first: graphs from the Nth on alone, so
that several processes can share them."""
import argparse
import copy
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import checker  # noqa: E402
import plan as plan_file  # noqa: E402

LPLAN = os.environ.get('LPLAN') or 'lplan'
EXAMPLES = os.path.join(os.path.dirname(os.path.dirname(HERE)), 'examples')
NETS = (
    'x:1x3x16x16; a = conv 8 k3 p1; relu; maxpool 2; conv 8 k3 p1; upsample 2; '
    'concat a; conv 4 k1',
    'x:1x8x8x8; conv 8 k3 p1; batchnorm; relu; conv 8 k3 p1; add x; relu',
    'x:1x16x32; layernorm; attention 4; add x; gelu; linear 8; softmax',
)
VARIANTS = ((), ('--no-in-place',), ('--rule', 'first'), ('--alignment', '16'),
            ('--as', 'int8'), ('--as', 'int4', '--no-in-place'))
GROUPED = (('--layer-rows', '2'), ('--attention-rows', '4'))


ASSUMED = ('int8', 'int4', 'int2', 'uint8', 'float16', 'bfloat16', 'int16',
           'float8e4m3fn', 'int64', 'float32', 'bool', 'complex64')
ROUNDED = ('int8', 'int8', 'uint8', 'int4', 'uint4', 'int2', 'int16', 'float16',
           'bfloat16', 'float8e4m3fn', 'int32')


# ---- graphs

def draw_graph(rng):
    """A graph as .lpm text: what plans differ on is in it often."""
    n = rng.choice((2, 4, 8))
    shapes = {'x': (1, 4, 2 * n), 'z': (1, 4, 2 * n)}
    lines = ['opset 17']
    for name, shape in shapes.items():
        lines.append('input %s: float32[%s]' % (
            name, ', '.join(map(str, shape))))
    lines.append('weight half: float32[] = {0.5}')
    readers, extra = set(), 0

    def pick(like=None):
        names = [x for x in shapes if like is None or shapes[x] == like]
        recent = names[-4:] if rng.random() < 0.8 else names
        name = rng.choice(recent)
        readers.add(name)
        return name

    for i in range(rng.randint(3, 18)):
        name, kind = 't%d' % i, rng.choice(
            ('unary', 'unary', 'binary', 'binary', 'scalar', 'reshape',
             'identity', 'transpose', 'concat', 'concat', 'split', 'split',
             'softmax', 'matmul', 'square', 'norm'))
        a = pick()
        shape = shapes[a]
        if kind == 'unary':
            lines.append('%s = %s(%s)' % (name, rng.choice(
                ('Relu', 'Tanh', 'Sigmoid', 'Neg', 'Abs')), a))
        elif kind == 'binary':
            lines.append('%s = %s(%s, %s)' % (name, rng.choice(
                ('Add', 'Sub', 'Mul', 'Max')), a, pick(shape)))
        elif kind == 'scalar':
            lines.append('%s = Mul(%s, half)' % (name, a))
        elif kind == 'square':
            lines.append('%s = Mul(%s, %s)' % (name, a, a))
        elif kind == 'identity':
            lines.append('%s = Identity(%s)' % (name, a))
        elif kind == 'softmax':
            lines.append('%s = Softmax(%s) {axis: %d}' % (
                name, a, rng.randrange(3)))
        elif kind == 'norm':
            extra += 1
            lines.append('weight g%d: float32[%d]' % (extra, shape[2]))
            lines.append('%s = LayerNormalization(%s, g%d)' % (name, a, extra))
        elif kind == 'reshape':
            extra += 1
            last = shape[1] * shape[2]
            new = rng.choice([(1, d, last // d) for d in (1, 2, 4)
                              if last % d == 0])
            lines.append('weight s%d: int64[3] = {%d, %d, %d}' %
                         ((extra,) + new))
            lines.append('%s = Reshape(%s, s%d)' % (name, a, extra))
            shape = new
        elif kind == 'transpose':
            lines.append('%s = Transpose(%s) {perm: [0, 2, 1]}' % (name, a))
            shape = (shape[0], shape[2], shape[1])
        elif kind == 'matmul':
            extra += 1
            width = rng.choice((2, 4, 8))
            lines.append('weight w%d: float32[%d, %d]' % (
                extra, shape[2], width))
            lines.append('%s = MatMul(%s, w%d)' % (name, a, extra))
            shape = (shape[0], shape[1], width)
        elif kind == 'concat':
            axis, parts = rng.choice((1, 1, 2)), [a]
            for _ in range(rng.randint(1, 2)):
                fits = [x for x in shapes if all(
                    shapes[x][k] == shape[k] for k in range(3) if k != axis)]
                parts.append(rng.choice(fits[-4:]))
                readers.add(parts[-1])
            lines.append('%s = Concat(%s) {axis: %d}' % (
                name, ', '.join(parts), axis))
            shape = list(shape)
            shape[axis] = sum(shapes[x][axis] for x in parts)
            shape = tuple(shape)
            if shape[1] * shape[2] > 4096:
                lines.pop()
                continue
        elif kind == 'split':
            axis = rng.choice((1, 1, 2))
            if shape[axis] < 2 or shape[axis] % 2:
                continue
            extra += 1
            half = shape[axis] // 2
            lines.append('weight p%d: int64[2] = {%d, %d}' % (
                extra, half, half))
            lines.append('%s, %s_b = Split(%s, p%d) {axis: %d}' % (
                name, name, a, extra, axis))
            shape = list(shape)
            shape[axis] = half
            shape = tuple(shape)
            shapes[name + '_b'] = shape
        shapes[name] = shape
    for name in shapes:
        if name in ('x', 'z'):
            continue
        if name not in readers or rng.random() < 0.05:
            lines.append('output %s' % name)
    if not any(x.startswith('output') for x in lines):
        lines += ['last = Relu(x)', 'output last']
    return '\n'.join(lines) + '\n'


# ---- schedules as text

def emit_value(value):
    if isinstance(value, list):
        return '[' + ', '.join(map(emit_value, value)) + ']'
    if isinstance(value, dict):
        return '{' + ', '.join('%s: %s' % (emit_key(k), emit_value(v))
                               for k, v in value.items()) + '}'
    if re.fullmatch(r'-?[0-9.]+(e-?[0-9]+)?|[a-z_]+', value):
        return value
    return '"%s"' % value.replace('\\', '\\\\').replace('"', '\\"')


def emit_key(key):
    return key if re.fullmatch(r'[\w-]+', key) else emit_value(key)


def emit(plan):
    lines = []
    for name, section in plan.items():
        if isinstance(section, list) and section:
            lines.append(name + ':')
            lines += ['  - ' + emit_value(x) for x in section]
        elif name == 'dims' and section:
            lines.append(name + ':')
            lines += ['  %s: %s' % (emit_key(k), emit_value(v))
                      for k, v in section.items()]
        elif section:
            lines.append('%s: %s' % (name, emit_value(section)))
    return '\n'.join(lines) + '\n'


# ---- damages: each changes a plan, or says False

def pick_two(rng, items):
    return rng.sample(range(len(items)), 2) if len(items) > 1 else None


def entry(rng, plan, section):
    return rng.choice(plan[section]) if plan.get(section) else None


def swap_runs(rng, plan, model):
    two = pick_two(rng, plan['runs'])
    if not two:
        return False
    a, b = two
    if rng.random() < 0.5:
        b = min(a + 1, len(plan['runs']) - 1)
    plan['runs'][a], plan['runs'][b] = plan['runs'][b], plan['runs'][a]
    return a != b


def move_run(rng, plan, model):
    run = plan['runs'].pop(rng.randrange(len(plan['runs'])))
    plan['runs'].insert(rng.randrange(len(plan['runs']) + 1), run)


def drop_run(rng, plan, model):
    plan['runs'].pop(rng.randrange(len(plan['runs'])))


def double_run(rng, plan, model):
    at = rng.randrange(len(plan['runs']))
    plan['runs'].insert(rng.randrange(at, len(plan['runs'])) + 1,
                        plan['runs'][at] + rng.choice(('#2', '#2', '#2', '')))


def unknown_run(rng, plan, model):
    plan['runs'][rng.randrange(len(plan['runs']))] += 'x'


def shift_offset(rng, plan, model):
    place = entry(rng, plan, 'place')
    if not place:
        return False
    by = rng.choice((1, 16, 64, 128, 512, 4096)) * rng.choice((1, -1))
    place['offset'] = str(int(place['offset']) + by)


def steal_offset(rng, plan, model):
    place, other = entry(rng, plan, 'place'), entry(rng, plan, 'place')
    if not place or place['offset'] == other['offset']:
        return False
    place['offset'] = other['offset']


def swap_offsets(rng, plan, model):
    place, other = entry(rng, plan, 'place'), entry(rng, plan, 'place')
    if not place or place['offset'] == other['offset']:
        return False
    place['offset'], other['offset'] = other['offset'], place['offset']


def change_interval(rng, plan, model):
    place = entry(rng, plan, 'place')
    if not place:
        return False
    key = rng.choice(('from', 'to'))
    place[key] = str(int(place[key]) + rng.choice((-2, -1, 1, 2)))


def drop_place(rng, plan, model):
    if not plan.get('place'):
        return False
    plan['place'].pop(rng.randrange(len(plan['place'])))


def double_place(rng, plan, model):
    place = entry(rng, plan, 'place')
    if not place:
        return False
    plan['place'].append(dict(place, offset=str(int(place['offset']) +
                                                 rng.choice((0, 65536)))))


def other_tensor(rng, plan, model):
    section = rng.choice(('place', 'alias'))
    found = entry(rng, plan, section)
    if not found or 'tensor' not in found:
        return False
    was, found['tensor'] = found['tensor'], rng.choice(sorted(model.types))
    return was != found['tensor']


def drop_alias(rng, plan, model):
    if not plan.get('alias'):
        return False
    plan['alias'].pop(rng.randrange(len(plan['alias'])))


def false_alias(rng, plan, model):
    name = rng.choice(sorted(model.types))
    layer = model.maker.get(name)
    others = [x for x in (layer['inputs'] if layer else []) if x] * 3 + \
        [x for y in model.layers if name in y['inputs']
         for x in y['made'] if x] * 3 + sorted(model.types)
    aliases = plan.setdefault('alias', [])
    if rng.random() < 0.7:
        aliases[:] = [x for x in aliases if x['tensor'] != name]
    aliases.append({'tensor': name, 'of': rng.choice(others), 'kind':
                    rng.choice(('view', 'in_place', 'in_place', 'part'))})


def parts(rng, plan, model):
    """Every result of a Split, every operand of a Concat a part."""
    found = False
    aliases = plan.setdefault('alias', [])
    for layer in model.layers:
        if layer['op'] not in ('Split', 'Concat') or rng.random() < 0.2:
            continue
        inner, whole = (layer['inputs'], layer['made'][0]) \
            if layer['op'] == 'Concat' else (layer['made'], layer['inputs'][0])
        for name in set(inner):
            if rng.random() < 0.8 and name:
                aliases[:] = [x for x in aliases if x['tensor'] != name]
                aliases.append({'tensor': name, 'of': whole, 'kind': 'part'})
                found = True
    return found


def change_alias(rng, plan, model):
    alias = entry(rng, plan, 'alias')
    if not alias:
        return False
    if rng.random() < 0.5:
        was = alias['kind']
        alias['kind'] = rng.choice(('view', 'in_place', 'part', 'copy'))
        return was != alias['kind']
    was, alias['of'] = alias['of'], rng.choice(sorted(model.types))
    return was != alias['of']


def wrong_home(rng, plan, model):
    plan['home'] = [{'tensor': rng.choice(sorted(model.types)),
                     'memory': 'attic'}]


def away(rng, plan, model):
    """Homes in a second memory; right for roots, if all else is left open."""
    plan['memories'].append({'name': 'dram', 'alignment': '16'})
    plan['home'] = [{'tensor': x, 'memory': 'dram'} for x in
                    rng.sample(sorted(model.types), min(2, len(model.types)))]


def forget(plan):
    """What a plan says of itself, which does not hold once it is another."""
    plan.pop('predictions', None)
    plan.pop('bounds', None)


def spill(rng, plan, model):
    """Moves into a second memory, perhaps back; sometimes right."""
    if all(x['name'] != 'dram' for x in plan['memories']):
        plan['memories'].append({'name': 'dram', 'alignment': '16'})
    if rng.random() < 0.9:
        plan.pop('place', None)
        forget(plan)
        plan['memories'][0].pop('capacity_bytes', None)
    moves = plan.setdefault('move', [])
    runs = len(plan['runs'])
    made = {x: at for at, run in enumerate(plan['runs'])
            for layer in model.layers if layer['name'] == run.split('#')[0]
            for x in layer['made'] if x}
    for _ in range(rng.choice((1, 1, 2, 3))):
        name = rng.choice(sorted(model.types))
        at = made.get(name, -1) + rng.choice((0, 0, 0, 1, 2, -1))
        ready = at + rng.choice((1, 1, 2, 3, 0))
        moves.append({'tensor': name, 'to': 'dram', 'after': str(at),
                      'before': str(ready)})
        if rng.random() < 0.5:
            back = ready + rng.choice((0, 0, 1, 2))
            moves.append({'tensor': name, 'to': plan['memories'][0]['name'],
                          'after': str(back), 'before': str(min(
                              back + rng.choice((1, 2)), runs))})
    if rng.random() < 0.3:
        plan['home'] = [{'tensor': moves[0]['tensor'], 'memory': 'dram'}]


def wrong_hash(rng, plan, model):
    digits = list(plan['model']['hash'])
    at = rng.randrange(len(digits))
    digits[at] = 'f' if digits[at] != 'f' else '0'
    plan['model']['hash'] = ''.join(digits)


def unknown_key(rng, plan, model):
    section = rng.choice([x for x in ('place', 'alias', 'memories', 'model')
                          if plan.get(x)] + ['top'])
    if section == 'top':
        plan['colour'] = 'red'
    elif section == 'model':
        plan['model']['colour'] = 'red'
    else:
        rng.choice(plan[section])['colour'] = 'red'


def lost_section(rng, plan, model):
    plan.pop(rng.choice(plan_file.NEEDED), None)


def wrong_dims(rng, plan, model):
    dims = next((x for x in (plan.get('dims') or {}).values() if x), None)
    if not dims:
        return False
    at = rng.randrange(len(dims))
    dims[at] = str(int(dims[at]) + 1)


def small_memory(rng, plan, model):
    if not plan.get('place'):
        return False
    plan['memories'][0]['capacity_bytes'] = str(rng.choice((64, 1024, 1 << 40)))


def other_alignment(rng, plan, model):
    plan['memories'][0]['alignment'] = rng.choice(
        ('1', '3', '32', '96', '128', '4096', '0'))


def wrong_prediction(rng, plan, model):
    if 'predictions' not in plan:
        return False
    key = rng.choice(('live_peak_bytes', 'arena_bytes', 'traffic_bytes',
                      'macs'))
    plan['predictions'][key] = str(max(
        0, int(plan['predictions'][key]) + rng.choice((1, -1, 64))))


def wrong_bound(rng, plan, model):
    """A bound that the plan's own prediction is below, or at."""
    if 'predictions' not in plan:
        return False
    key = rng.choice(('live_peak_bytes', 'arena_bytes', 'macs'))
    plan.setdefault('bounds', []).append(
        {'quantity': key, 'proof': 'none', 'given': ['groups'],
         'value': str(int(plan['predictions'][key]) + rng.choice((0, 1)))})


def keep_rows(rng, plan, model):
    """The other overlap; right where tiles cut one axis."""
    group = entry(rng, plan, 'groups')
    if not group:
        return False
    group['overlap'] = 'keep' if group.get('overlap') != 'keep' \
        else rng.choice(('recompute', 'both'))


def cut_sums(rng, plan, model):
    """A layer alone, its sums in parts; right for products."""
    layer = rng.choice(model.layers)
    name = layer['name']
    if name not in plan['runs'] or not layer['made'] or \
            any(x['name'] == 'sums' for x in plan.get('groups') or []):
        return False
    plan.setdefault('groups', []).append(
        {'name': 'sums', 'layers': [name], 'tiles': [
            {'axis': 'reduction', 'extent': str(rng.choice((1, 2, 3)))}]})
    if rng.random() < 0.3:
        plan['groups'][-1]['tiles'].append(
            {'axis': str(rng.choice((1, 2, 3))), 'extent': '2'})
    plan['runs'][plan['runs'].index(name)] = 'sums'
    plan['place'] = []
    forget(plan)


def widths(rng, plan, model):
    """Other dtypes for some tensors, assumed or with scales; often right."""
    if rng.random() < 0.9:
        plan.pop('place', None)
        forget(plan)
    names = sorted(model.types) + sorted(model.stored)
    entries = plan.setdefault('precision', [])
    for name in rng.sample(names, min(len(names), rng.choice((1, 2, 5, 50)))):
        if rng.random() < 0.95:
            entries[:] = [x for x in entries if x['tensor'] != name]
        entries.append({'tensor': name, **draw_width(rng, model, name)})


def draw_width(rng, model, name):
    if rng.random() < 0.6:
        return {'assume': rng.choice(ASSUMED)}
    dims = model.types[name]['shape'] if name in model.types \
        else model.weights[name][1]
    dtype = rng.choice(ROUNDED)
    width = {'dtype': dtype}
    count = 1
    if dims and rng.random() < 0.3:
        axis = rng.randrange(len(dims))
        width['axis'], count = str(axis), dims[axis]
    if 'int' in dtype or rng.random() < 0.5:
        width['scales'] = [rng.choice(('0.125', '0.01', '3.5e-2', '1'))
                           for _ in range(count)]
    if 'int' in dtype and rng.random() < 0.5:
        least = 0 if dtype[0] == 'u' else -2
        width['zero_points'] = [str(rng.randint(least, 1))
                                for _ in range(count)]
    if rng.random() < 0.05:
        width['scales'] = rng.choice(([], ['0'], ['1', '2', '3'], ['-1']))
    return width


def change_width(rng, plan, model):
    entry_ = entry(rng, plan, 'precision')
    if not entry_ or 'assume' not in entry_:
        return False
    was = entry_['assume']
    entry_['assume'] = rng.choice(ASSUMED)
    return was != entry_['assume']


def drop_width(rng, plan, model):
    if not plan.get('precision'):
        return False
    plan['precision'].pop(rng.randrange(len(plan['precision'])))


def false_pin(rng, plan, model):
    plan['pin'] = [{'weight': rng.choice(sorted(model.types)), 'from': '0',
                    'to': str(rng.randrange(len(plan['runs']) + 1))}]


def stream(rng, plan, model):
    """Weights in a second memory, some of them pinned for a while."""
    if all(x['name'] != 'dram' for x in plan['memories']):
        plan['memories'].append({'name': 'dram', 'alignment': '16'})
    if rng.random() < 0.8:
        forget(plan)
    plan['weights'] = rng.choice(
        ('dram', 'dram', 'dram', plan['memories'][0]['name'], 'attic'))
    if model.stored and rng.random() < 0.7:
        plan['pin'] = []
        for _ in range(rng.randint(1, 4)):
            begin = rng.randrange(len(plan['runs']))
            plan['pin'].append({
                'weight': rng.choice(sorted(model.stored)), 'from': str(begin),
                'to': str(rng.randrange(begin, len(plan['runs'])))})


DAMAGES = (swap_runs, swap_runs, move_run, drop_run, double_run, double_run,
           unknown_run, shift_offset, shift_offset, steal_offset, swap_offsets,
           change_interval, drop_place, double_place, other_tensor, drop_alias,
           false_alias, false_alias, false_alias, parts, parts, change_alias,
           wrong_home, away, spill, spill, wrong_hash, unknown_key, lost_section, wrong_dims,
           small_memory, other_alignment, wrong_prediction, wrong_bound, false_pin,
           stream, stream, widths, widths, change_width, drop_width,
           keep_rows, cut_sums)
# What says nothing without the bytes of tiles and bodies.
UNPLACED = (shift_offset, steal_offset, swap_offsets, small_memory,
            wrong_prediction)


# ---- judges

def lplan(*words):
    return subprocess.run([LPLAN, *words], stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.PIPE, errors='replace')


class Tester:
    def __init__(self, args, folder):
        self.args, self.folder = args, folder
        self.path = os.path.join(folder, 'plan.yaml')
        self.tests = self.failed = 0
        self.kept = 0
        self.tally = {'refused by both': 0, 'right and equal': 0,
                      'not judged': 0, 'disagreement': 0}

    def verdict(self, name, damage, model, report, text, model_hash):
        """What is wrong with the judges; None: they are right."""
        with open(self.path, 'w', encoding='utf-8') as file:
            file.write(text)
        first = lplan('check', model, self.path)
        if first.returncode not in (0, 1, 3):
            return 'check ends with %d: %s' % (first.returncode, first.stderr)
        try:
            second = checker.judge(report, text, model_hash)
        except checker.Unknown:
            self.tally['not judged'] += 1
            second = None if first.returncode == 0 else 'not judged'
        if bool(first.returncode) != bool(second):
            return 'check says: %schecker.py says: %s' % (
                first.stderr or 'right\n', second or 'right')
        if second:
            self.tally['refused by both'] += 1
            return None
        run = lplan('run', model, '--fill-weights', '1', '--check-memory',
                    '--format', 'json', '--schedule', self.path)
        try:
            answer = json.loads(run.stdout)
        except ValueError:
            return 'both find it right, run says: ' + run.stderr
        rounds = '\nprecision:' in text and 'dtype: ' in text
        if run.returncode or (answer['results'] != 'equal' and not (
                rounds and answer['results'] == 'different (quantized)')):
            return 'both find it right, and the run is %s: %s' % (
                answer['results'], run.stderr)
        if answer['measured']['arena_bytes'] != \
                answer['predicted']['arena_bytes']:
            return 'the arena is not as predicted'
        moved, said = (answer[x]['traffic_bytes']
                       for x in ('measured', 'predicted'))
        bodies = any(x['op'] in ('If', 'Loop', 'Scan')
                     for x in report['layers'])
        if moved > said or (moved < said and not bodies):
            return '%d bytes are moved, not %d' % (moved, said)
        self.tally['right and equal'] += 1
        return None

    def fail(self, name, damage, model, text, why):
        self.tally['disagreement'] += 1
        print('# %s, %s: %s' % (name, damage, why.replace('\n', '\n#   ')))
        if self.args.keep and self.kept < 50:
            self.kept += 1
            stem = os.path.join(self.args.keep, '%d-%s' % (self.kept, damage))
            with open(stem + '.yaml', 'w', encoding='utf-8') as file:
                file.write(text)
            shutil.copy(model, stem + os.path.splitext(model)[1])

    def plan(self, rng, name, model, report, options, damages):
        """Faults found with one baseline."""
        made = lplan('schedule', model, *options)
        if made.returncode:
            self.fail(name, 'baseline', model, '', made.stderr)
            return 1
        text = made.stdout
        plan = plan_file.read(text)
        model_hash = plan['model']['hash']
        parsed = checker.Model(report)
        faults = 0
        # Left alone, and said again by the writer here.
        for damage, words in (('none', text), ('none, said again',
                                               emit(plan))):
            why = self.verdict(name, damage, model, report, words, model_hash)
            if not why and checker.judge(report, words, model_hash):
                why = 'both refuse: ' + checker.judge(report, words, model_hash)
            if why:
                self.fail(name, damage, model, words, why)
                faults += 1
        known = not plan.get('groups') and not any(x.get('kind') in ('tile', 'workspace')
                        for x in plan.get('place') or [])
        for _ in range(damages):
            damaged, said = copy.deepcopy(plan), []
            if rng.random() < 0.5:  # lplan finds the places anew
                damaged.pop('place', None)
                forget(damaged)
            elif rng.random() < 0.3:
                forget(damaged)
            for _ in range(rng.choice((1, 1, 1, 2, 3))):
                damage = rng.choice(DAMAGES)
                if not known and damage in UNPLACED:
                    continue
                if len(damaged.get('runs', ())) < 2 or 'model' not in damaged \
                        or not damaged.get('memories'):
                    break
                if damage(rng, damaged, parsed) is not False:
                    said.append(damage.__name__)
            if not said:
                continue
            if not known and damaged.get('place'):
                damaged['place'] = []
                forget(damaged)
            words = emit(damaged)
            why = self.verdict(name, '+'.join(said), model, report, words,
                               model_hash)
            if why:
                self.fail(name, '+'.join(said), model, words, why)
                faults += 1
        return faults

    def model(self, name, model, variants, damages):
        self.tests += 1
        rng = random.Random('%s %d' % (name, self.args.seed))
        report = checker.analyze([model])
        faults = 0
        for options in variants:
            faults += self.plan(rng, name, model, report, options, damages)
        self.failed += bool(faults)
        print('%sok %d - %s' % ('not ' if faults else '', self.tests, name),
              flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--long', action='store_true')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--graphs', type=int)
    parser.add_argument('--first', type=int)
    parser.add_argument('--damages', type=int)
    parser.add_argument('--keep')
    args = parser.parse_args()
    os.environ['OMP_NUM_THREADS'] = '1'
    graphs = args.graphs if args.graphs is not None else \
        3000 if args.long else 24
    damages = args.damages or (40 if args.long else 12)
    if args.keep:
        os.makedirs(args.keep, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        tester = Tester(args, folder)
        for name in () if args.first else (
                'attention_block', 'bodies', 'residual_block', 'small_unet'):
            path = os.path.join(EXAMPLES, name + '.lpm')
            tester.model(name, path, VARIANTS[:1] if not args.long
                         else VARIANTS + GROUPED, damages)
        for at, net in enumerate(() if args.first else NETS):
            path = os.path.join(folder, 'net%d.lpm' % at)
            with open(path, 'w', encoding='utf-8') as file:
                file.write(lplan('dump', '--net', net).stdout)
            tester.model('net %d' % at, path, VARIANTS + GROUPED, damages)
        for at in range(args.first or 0, graphs):
            rng = random.Random('%d %d' % (args.seed, at))
            path = os.path.join(folder, 'graph.lpm')
            with open(path, 'w', encoding='utf-8') as file:
                file.write(draw_graph(rng))
            variants = VARIANTS + GROUPED[:1]
            tester.model('graph %d' % at, path,
                         (variants[at % len(variants)],), 2 * damages)
        print('# ' + ', '.join('%d %s' % (n, what)
                               for what, n in tester.tally.items()))
        print('1..%d' % tester.tests)
        sys.exit(1 if tester.failed else 0)


if __name__ == '__main__':
    main()
