#!/usr/bin/env python3
"""widths.py [--long] [--seed N] [--graphs N] [--keep DIR]

Schedules that round what they store, beside models that say so.  Graphs are
drawn from a seed, and so are dtypes, scales and zero points for some of their
tensors.  The graph runs as a schedule with these in its column precision says;
and a second graph, in which each of these tensors passes QuantizeLinear and
DequantizeLinear (floats: Cast there and back), runs as it stands.  Some scales
stand in files.  Their outputs are the same bytes, whatever is tiled, in place,
a part or moved, and what is measured is what is predicted.  Prints TAP.
--long: 1000 graphs."""
import argparse
import os
import random
import re
import shutil
import struct
import sys
import tempfile
import json

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import checker  # noqa: E402
import mutate  # noqa: E402
import plan as plan_file  # noqa: E402
from mutate import lplan  # noqa: E402

INTEGERS = ('int8', 'int8', 'uint8', 'int4', 'uint4', 'int2', 'uint2', 'int16',
            'uint16')
FLOATS = ('float16', 'bfloat16', 'float8e4m3fn', 'float8e5m2')
CODES = {'float16': 10, 'bfloat16': 16, 'float8e4m3fn': 17, 'float8e5m2': 19}
OPTIONS = ((), ('--no-in-place',), ('--layer-rows', '1'), ('--layer-rows', '2'),
           ('--attention-rows', '2'), ('--rule', 'first'))


def write_weights(rng, text):
    """The same graph, every float of a weight written down."""
    def fill(match):
        elements = 1
        for dim in re.findall('[0-9]+', match.group(2)):
            elements *= int(dim)
        return '%s = {%s}' % (match.group(0), ', '.join(
            '%.5f' % rng.uniform(-1, 1) for _ in range(elements)))
    return re.sub(r'^weight (\w+): float32(\[[0-9, ]*\])$', fill,
                  text.replace('opset 17', 'opset 25'), flags=re.M)


def draw_entry(rng, dims):
    dtype = rng.choice(INTEGERS + FLOATS)
    width, count = {'dtype': dtype}, 1
    if dims and rng.random() < 0.4:
        axis = rng.randrange(len(dims))
        width['axis'], count = str(axis), dims[axis]
    if dtype in INTEGERS or rng.random() < 0.4:
        bits = int(re.sub('[^0-9]', '', dtype)) if dtype in INTEGERS else 6
        width['scales'] = ['%.6g' % (rng.choice((0.7, 1, 2.3)) * 2.0 **
                                     (1 - bits) * rng.uniform(0.4, 1))
                           for _ in range(count)]
    if dtype in INTEGERS and rng.random() < 0.6:
        low, high = (0, 2 ** bits - 1) if dtype[0] == 'u' else \
            (-2 ** (bits - 1), 2 ** (bits - 1) - 1)
        middle = (low + high + 1) // 2
        width['zero_points'] = [str(max(low, min(high, middle +
                                                 rng.randint(-2, 2))))
                                for _ in range(count)]
    return width


def pass_through(name, dims, width):
    """Lines that make "name__d" of "name", rounded."""
    dtype, scales = width['dtype'], width.get('scales')
    axis = int(width.get('axis', -1))
    lines, of, count = [], name, len(scales or [])
    if dtype in CODES:
        shape = '[%s]' % ', '.join(
            str(d) if a == axis else '1' for a, d in enumerate(dims)) \
            if axis >= 0 else '[]'
        if scales:
            lines.append('weight %s__s: float32%s = {%s}' % (
                name, shape, ', '.join(scales)))
            lines.append('%s__v = Div(%s, %s__s)' % (name, of, name))
            of = name + '__v'
        lines.append('%s__q = Cast(%s) {to: %d}' % (name, of, CODES[dtype]))
        lines.append('%s__%s = Cast(%s__q) {to: 1}' % (
            name, 'w' if scales else 'd', name))
        if scales:
            lines.append('%s__d = Mul(%s__w, %s__s)' % (name, name, name))
        return lines
    shape = '[%d]' % count if axis >= 0 else '[]'
    extra = ' {axis: %d}' % axis if axis >= 0 else ''
    lines.append('weight %s__s: float32%s = {%s}' % (name, shape,
                                                     ', '.join(scales)))
    lines.append('weight %s__z: %s%s = {%s}' % (
        name, dtype, shape, ', '.join(width.get('zero_points') or
                                      ['0'] * count)))
    for made, op, made_of in (('q', 'Quantize', of),
                              ('d', 'Dequantize', name + '__q')):
        lines.append('%s__%s = %sLinear(%s, %s__s, %s__z)%s' % (
            name, made, op, made_of, name, name, extra))
    return lines


def rounded_model(text, entries, dims):
    """The graph in which each tensor of "entries" is rounded before it is
    read."""
    widths = {x['tensor']: x for x in entries}
    lines = []
    for line in text.split('\n'):
        made, equals, rest = line.partition(' = ')
        if line.startswith('output '):
            name = line.split()[1]
            lines.append('output %s__d' % name if name in widths else line)
            continue
        if equals and not line.startswith('weight '):
            head, bracket, args = rest.partition('(')
            args, close, tail = args.partition(')')
            rest = head + bracket + ', '.join(
                x + '__d' if x in widths else x
                for x in args.split(', ')) + close + tail
            line = made + equals + rest
        lines.append(line)
        names = made.split(', ') if equals and not line.startswith('weight ') \
            else re.findall(r'^(?:weight|input) (\w+):', line)
        for name in names:
            if name in widths:
                lines += pass_through(name, dims[name], widths[name])
    return '\n'.join(lines)


def npy(numbers):
    """An NPY file of float32 numbers."""
    head = "{'descr': '<f4', 'fortran_order': False, 'shape': (%d,), }" % len(
        numbers)
    head += ' ' * (63 - (len(head) + 10) % 64) + '\n'
    return b'\x93NUMPY\1\0' + struct.pack('<H', len(head)) + head.encode() + \
        struct.pack('<%df' % len(numbers), *numbers)


class Tester:
    def __init__(self, args, folder):
        self.args, self.folder = args, folder
        self.tally = {}

    def path(self, name):
        return os.path.join(self.folder, name)

    def count(self, what, number=1):
        self.tally[what] = self.tally.get(what, 0) + number

    def write(self, name, text):
        with open(self.path(name), 'w', encoding='utf-8') as file:
            file.write(text)
        return self.path(name)

    def schedule(self, rng, model, plan, report, parsed):
        """Write "plan" without the aliases that widths forbid."""
        plan = dict(plan)
        for section in ('place', 'predictions', 'bounds'):
            plan.pop(section, None)
        if rng.random() < 0.4:
            mutate.parts(rng, plan, parsed)
        for _ in range(200):
            text = mutate.emit(plan)
            path = self.write('plan.yaml', text)
            check = lplan('check', model, path)
            second = checker.judge(report, text)
            if bool(check.returncode) != bool(second):
                return 'check: %s\nchecker.py: %s' % (check.stderr or 'right',
                                                      second or 'right')
            if not check.returncode:
                return self.put_aside(rng, plan)
            if not plan.get('alias'):
                return 'refused: ' + check.stderr
            named = re.findall("'([^']*)'", check.stderr)
            left = [x for x in plan['alias'] if x['tensor'] not in named]
            plan['alias'] = left if len(left) < len(plan['alias']) else []
            self.count('aliases that widths forbid')
        return 'aliases without end'

    def put_aside(self, rng, plan):
        """Write some of the scales of "plan" into files of their own."""
        entries = []
        for at, entry in enumerate(plan['precision']):
            if 'scales' in entry and rng.random() < 0.3:
                entry = dict(entry)
                with open(self.path('scales%d.npy' % at), 'wb') as file:
                    file.write(npy([float(x) for x in entry.pop('scales')]))
                entry['file'] = 'scales%d.npy' % at
                self.count('scales in files')
            entries.append(entry)
        self.write('plan.yaml', mutate.emit({**plan, 'precision': entries}))

    def one(self, at):
        rng = random.Random('%d %d' % (self.args.seed, at))
        text = write_weights(rng, mutate.draw_graph(rng))
        model = self.write('graph.lpm', text)
        report = checker.analyze([model])
        parsed = checker.Model(report)
        dims = {k: v['shape'] for k, v in parsed.types.items()}
        dims.update({k: v[1] for k, v in parsed.weights.items()
                     if v[0] == 'float32'})
        read = {x for y in parsed.layers for x in y['inputs']}
        names = [x for x in sorted(dims) if x in parsed.types or x in read]
        entries = [{'tensor': x, **draw_entry(rng, dims[x])} for x in
                   rng.sample(names, rng.randint(1, min(len(names), 8)))]
        twin = self.write('twin.lpm', rounded_model(text, entries, dims))
        made = lplan('schedule', model, *rng.choice(OPTIONS))
        plan = plan_file.read(made.stdout)
        assumed = [{'tensor': x, 'assume': rng.choice(('int8', 'int4'))}
                   for x in sorted(parsed.types) if rng.random() < 0.3 and
                   all(x != y['tensor'] for y in entries)]
        plan['precision'] = entries + assumed
        why = self.schedule(rng, model, plan, report, parsed)
        if why:
            return why
        run = lplan('run', model, '--schedule', self.path('plan.yaml'),
                    '--format', 'json', '--output', self.path('here'))
        beside = lplan('run', twin, '--output', self.path('there'))
        if run.returncode or beside.returncode:
            return 'run: %s%s' % (run.stderr, beside.stderr)
        answer = json.loads(run.stdout)
        if 'quantized' not in answer['results'] and \
                answer['results'] != 'equal':
            return 'results: ' + answer['results']
        self.count(answer['results'])
        for name in sorted(os.listdir(self.path('there'))):
            both = []
            for side in ('here', 'there'):
                with open(self.path(os.path.join(side, name)), 'rb') as file:
                    both.append(file.read())
            if both[0] != both[1]:
                return '%s differs' % name
            self.count('outputs equal to the byte')
        self.count('tensors rounded', len(entries))
        return None

    def test(self, at):
        for side in ('here', 'there'):
            shutil.rmtree(self.path(side), ignore_errors=True)
        why = self.one(at)
        print('%sok %d - graph %d' % ('not ' if why else '', at + 1, at),
              flush=True)
        if not why:
            return 0
        print('# ' + why.strip().replace('\n', '\n# '))
        if self.args.keep:
            shutil.copytree(self.folder, os.path.join(self.args.keep, str(at)),
                            dirs_exist_ok=True)
        return 1


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--long', action='store_true')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--graphs', type=int)
    parser.add_argument('--keep')
    args = parser.parse_args()
    os.environ['OMP_NUM_THREADS'] = '1'
    graphs = args.graphs if args.graphs is not None else \
        1000 if args.long else 40
    with tempfile.TemporaryDirectory() as folder:
        tester = Tester(args, folder)
        failed = sum(tester.test(at) for at in range(graphs))
        print('# ' + ', '.join('%d %s' % (n, what)
                               for what, n in sorted(tester.tally.items())))
        print('1..%d' % graphs)
    sys.exit(1 if failed else 0)


if __name__ == '__main__':
    main()
