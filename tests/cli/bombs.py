#!/usr/bin/env python3
"""bombs.py: small files that ask for much get one clear error, or an answer.

Models are written here, in the text form or byte by byte. Each is analyzed, run
and planned with a cap of memory on the process; each command must end in time
with a known exit code, at most one line on standard error, and no signal.
Graphs of many layers, wide layers, deep bodies and data of 200 GB that is
described only are analyzed too, with the number of layers or bytes checked and
the time of ten times as many layers bounded. With BOMBS=all there are a million
layers. Prints TAP."""
import os
import resource
import subprocess
import sys
import tempfile
import time

LPLAN = os.environ.get('LPLAN', 'lplan')
MOST_BYTES = 3 << 30
MOST_SECONDS = 60
BIG = 1 << 40

BOMBS = {
    'tile': f'input x: float32[4, 4]; weight r: int64[2] = {{{1 << 20}, {1 << 20}}}; y = Tile(x, r); z = Relu(y); output z',
    'expand': f'input x: float32[1]; weight s: int64[1] = {{{BIG}}}; y = Expand(x, s); z = Relu(y); output z',
    'pad': f'input x: float32[4]; weight p: int64[2] = {{{BIG}, {BIG}}}; y = Pad(x, p); z = Relu(y); output z',
    'fill': f'input x: float32[1]; weight s: int64[2] = {{{1 << 25}, {1 << 25}}}; y = ConstantOfShape(s); z = Add(y, x); output z',
    'range': f'weight a: int64[] = {{0}}; weight b: int64[] = {{{1 << 60}}}; weight d: int64[] = {{1}}; '
             'y = Range(a, b, d); output y',
    'resize': f'input x: float32[1, 1, 4, 4]; weight s: float32[4] = {{1, 1, 1000000, 1000000}}; y = Resize(x, _, s); '
              'z = Relu(y); output z',
    'onehot': f'input x: int64[1000]; weight d: int64[] = {{{BIG}}}; weight v: float32[2] = {{0, 1}}; '
              'y = OneHot(x, d, v); output y',
    'overflow': f'input x: float32[1]; weight s: int64[3] = {{{BIG}, {BIG}, {BIG}}}; y = Expand(x, s); output y',
    'loop': f'input x: float32[4]; weight n: int64[] = {{{1 << 62}}}; '
            'l = Loop(n, _, x) {body: graph { input i: int64[]; input c: bool[]; input v: float32[4]; '
            'm = Identity(c); w = Relu(v); output m; output w }}; output l',
    'loop_stack': f'input x: float32[4]; weight n: int64[] = {{{1 << 40}}}; '
                  'l, s = Loop(n, _, x) {body: graph { input i: int64[]; input c: bool[]; input v: float32[4]; '
                  'm = Identity(c); w = Relu(v); k = Identity(w); output m; output w; output k }}; output l; output s',
    'concat': 'input x: float32[1000]; ' + ''.join(
        f'a{i} = Concat({", ".join([f"a{i - 1}" if i else "x"] * 10)}) {{axis: 0}}; ' for i in range(12)) + 'output a11',
    'product': 'input x: float32[100000, 1]; input w: float32[1, 100000]; y = MatMul(x, w); z = MatMul(y, y); output z',
    'einsum': 'input x: float32[2000, 2000]; y = Einsum(x, x, x) {equation: "ab,cd,ef->abcdef"}; output y',
    'conv': f'input x: float32[1, 1, 8, 8]; weight w: float32[1, 1, 1, 1]; '
            'y = Conv(x, w, _) {pads: [1000000, 1000000, 1000000, 1000000]}; output y',
    'window': f'weight n: int64[] = {{{BIG}}}; y = HannWindow(n); output y',
    'eye': 'input x: float32[1000000, 1000000]; y = EyeLike(x); output y',
    'input': f'input x: float32[{1 << 20}, {1 << 20}]; y = Relu(x); output y',
    'weight': f'input x: float32[1, {1 << 20}]; weight w: float32[{1 << 20}, {1 << 20}] @ "absent" 0 {1 << 42}; '
              'y = MatMul(x, w); output y',
}


def varint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def text(number, payload):
    payload = payload.encode() if isinstance(payload, str) else payload
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def number(field, value):
    return varint(field << 3) + varint(value)


def node(op, inputs, outputs, *attributes, domain='', name=''):
    fields = [text(1, i) for i in inputs] + [text(2, o) for o in outputs] + [text(3, name), text(4, op)]
    return b''.join(fields + [text(5, a) for a in attributes]) + text(7, domain)


def value(name, *dims, dtype=1):
    shape = b''.join(text(1, number(1, d)) for d in dims)
    return text(1, name) + text(2, text(1, number(1, dtype) + text(2, shape)))


def integer(name, wanted):
    return text(1, name) + number(3, wanted) + number(20, 2)


def body(name, graph):
    return text(1, name) + text(6, graph) + number(20, 5)


def graph(nodes, inputs, outputs, weights=()):
    parts = [(1, nodes), (5, weights), (11, inputs), (12, outputs)]
    return text(2, 'g') + b''.join(text(field, item) for field, items in parts for item in items)


def model(made, functions=(), opset=18):
    return (number(1, 8) + text(7, made) + text(8, number(2, opset)) + text(8, text(1, 'f') + number(2, 1)) +
            b''.join(text(25, f) for f in functions))


def chain(count):
    """As many layers, each with a name."""
    nodes = [node('Relu', [f't{i}'], [f't{i + 1}'], name=f'layer.{i}') for i in range(count)]
    return model(graph(nodes, [value('t0', 4)], [value(f't{count}', 4)]))


def wide(count):
    """A Split with as many outputs, and a Concat that takes them."""
    names = [f't{i}' for i in range(count)]
    nodes = [node('Split', ['x'], names, integer('axis', 0), integer('num_outputs', count)),
             node('Concat', names, ['y'], integer('axis', 0))]
    return model(graph(nodes, [value('x', count)], [value('y', count)]))


def described(count):
    """As many products with weights of 8 MB each, in files that are absent."""
    def weight(i):
        entries = (('location', f'w{i % 20}.bin'), ('offset', str(i // 20 << 23)), ('length', str(1 << 23)))
        dims = (2048, 1024) if i % 2 == 0 else (1024, 2048)
        return (b''.join(number(1, d) for d in dims) + number(2, 1) + text(8, f'w{i}') +
                b''.join(text(13, text(1, k) + text(2, v)) for k, v in entries) + number(14, 1))
    nodes = [node('MatMul', [f't{i}', f'w{i}'], [f't{i + 1}'], name=f'/layers.{i}/mlp/up/MatMul') for i in range(count)]
    return model(graph(nodes, [value('t0', 1, 2048)], [value(f't{count}', 1, 2048)], [weight(i) for i in range(count)]))


def bodies(depth):
    """If inside If."""
    made = graph([node('Relu', ['x'], ['y'])], [], [value('y', 4)])
    for _ in range(depth):
        made = graph([node('If', ['c'], ['y'], body('then_branch', made), body('else_branch', graph(
            [node('Neg', ['x'], ['z'])], [], [value('z', 4)])))], [], [value('y', 4)])
    return model(made + text(11, value('c', dtype=9)) + text(11, value('x', 4)))


def function(name, nodes):
    return (text(1, name) + text(4, 'x') + text(5, 'y') + b''.join(text(7, n) for n in nodes) + text(9, number(2, 18)) +
            text(9, text(1, 'f') + number(2, 1)) + text(10, 'f'))


def calls(depth, twice):
    """Functions that call the next one, once or twice."""
    made = [function(f'F{depth}', [node('Relu', ['x'], ['y'])])]
    for i in range(depth):
        nodes = [node(f'F{i + 1}', ['x'], ['t'], domain='f'), node(f'F{i + 1}' if twice else 'Relu', ['t'], ['y'],
                                                                   domain='f' if twice else '')]
        made.append(function(f'F{i}', nodes))
    return model(graph([node('F0', ['x'], ['y'], domain='f')], [value('x', 4)], [value('y', 4)]), made)


def itself():
    return model(graph([node('F', ['x'], ['y'], domain='f')], [value('x', 4)], [value('y', 4)]),
                 [function('F', [node('F', ['x'], ['y'], domain='f')])])


def named(size):
    """Two layers, and the tensor between them, with names of as many bytes."""
    nodes = [node('Relu', ['x'], ['t' * size], name='n' * size), node('Relu', ['t' * size], ['y'], name='m' * size)]
    return model(graph(nodes, [value('x', 4)], [value('y', 4)]))


# A file, and the exit code of analyze; None: one of 0, 3 and 4.
FILES = {
    'wide_10000': (lambda: wide(10000), 0),
    'described_200GB': (lambda: described(25000), 0),
    'bodies_10': (lambda: bodies(10), 0),
    'bodies_1000': (lambda: bodies(1000), 3),
    'calls_30': (lambda: calls(30, False), 0),
    'calls_1000': (lambda: calls(1000, False), 3),
    'calls_doubled': (lambda: calls(40, True), 3),
    'calls_itself': (itself, 3),
    'name_1MB': (lambda: named(1000000), 0),
    'name_17MB': (lambda: named(17000000), 3),
}

told = failures = 0


def tell(good, name, why=''):
    global told, failures
    told += 1
    failures += not good
    print(f"{'ok' if good else 'not ok'} {told} - {name}")
    if not good:
        print(f'# {why[:400]}')


def limit():
    if not os.environ.get('ASAN_BUILD'):
        resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))


def command(*words):
    """Exit code, seconds of the processor, output and errors of lplan."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    try:
        done = subprocess.run([LPLAN, *words], capture_output=True, text=True, errors='replace', check=False,
                              timeout=MOST_SECONDS, preexec_fn=limit)
    except subprocess.TimeoutExpired:
        return -99, MOST_SECONDS, '', 'does not end'
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    errors = ''.join(line for line in done.stderr.splitlines(True) if 'AddressSanitizer failed to allocate' not in line)
    return done.returncode, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout, errors


def judge(name, codes, words):
    code, _, _, errors = command(*words)
    good = code in codes and errors.count('\n') <= 1 and (code < 2 or errors.startswith('lplan: '))
    tell(good, name, f'exit {code}: {errors}')


def main():
    if subprocess.run(['sh', '-c', 'nm "$0" 2>/dev/null | grep -q __asan_init', LPLAN], check=False).returncode == 0:
        os.environ['ASAN_BUILD'] = '1'
    with tempfile.TemporaryDirectory(dir=os.environ.get('top_builddir')) as folder:
        path = os.path.join(folder, 'model.lpm')
        for name, made in BOMBS.items():
            with open(path, 'w', encoding='ascii') as out:
                out.write(f'opset 18; {made}\n')
            judge(f'{name}: analyze', (0, 3, 4), ['analyze', path, '--max-memory', '256MiB'])
            if name == 'weight' and os.environ.get('ASAN_BUILD'):
                continue  # its room is limited by the address space alone
            judge(f'{name}: run', (3, 4), ['run', path, '--fill-weights', '1', '--max-memory', '256MiB'])
            judge(f'{name}: plan', (0, 1, 3, 4), ['plan', path, '--budget', '1MiB', '-o', os.path.join(folder, 'plan.yaml')])
        path = os.path.join(folder, 'model.onnx')
        for name, (make, code) in FILES.items():
            with open(path, 'wb') as out:
                out.write(make())
            judge(f'{name}: analyze', (code,), ['analyze', path])
        seconds = []
        for count in (10000, 100000) + ((1000000,) if os.environ.get('BOMBS') == 'all' else ()):
            with open(path, 'wb') as out:
                out.write(chain(count))
            code, spent, output, errors = command('analyze', path)
            seconds.append(spent)
            tell(code == 0 and f'coverage      {count:,} of {count:,} layers' in output, f'{count} layers',
                 f'exit {code}: {errors}')
            print(f'# {count} layers: {spent:.2f} s')
        tell(all(b < 20 * max(a, 0.05) for a, b in zip(seconds, seconds[1:])), 'time grows with the layers', f'{seconds}')
    print(f'1..{told}')
    return failures > 0


sys.exit(main())
