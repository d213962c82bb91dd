#!/usr/bin/env python3
"""regex.py [--long N] [--seed S]: RegexFullMatch beside Python's re.

Draws expressions of what both syntaxes have, and short texts, and compares
what matches.  150 expressions; with --long, N.  Prints TAP; skips without
onnx."""
import argparse
import os
import random
import re
import sys

try:
    import numpy as np
    from onnx import TensorProto, helper
except ImportError as missing:
    print('1..0 # SKIP no module %s' % missing.name)
    sys.exit(0)

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import runtime  # noqa: E402

LETTERS = 'ab_1 .-Z\u00e9\n'
ANCHORS = ['^', '$', r'\b', r'\A']
ESCAPES = ['.', r'\w', r'\W', r'\d', r'\D', r'\s', r'\S', r'\.', r'\-']
MEMBERS = ['a', 'b', 'a-z', '0-9', r'\w', r'\s', '_', '.', '\u00e9', r'\-']
TIMES = ['', '', '', '*', '+', '?', '{2}', '{1,2}', '{0,3}', '{2,}', '*?', '+?']


def atom(rng, depth):
    kind = rng.randrange(10 if depth else 7)
    if kind == 0:
        return rng.choice(LETTERS[:5] + LETTERS[6:9])
    if kind == 1:
        return rng.choice(ESCAPES)
    if kind == 2:
        return '[%s%s]' % (rng.choice(['', '^']), ''.join(
            rng.choice(MEMBERS) for _ in range(rng.randrange(1, 4))))
    if kind == 3:
        return rng.choice(ANCHORS)
    if kind < 7:
        return rng.choice('ab')
    return '(%s%s)' % (('?:', '', '?i:')[kind - 7], choice(rng, depth - 1))


def sequence(rng, depth):
    parts = [atom(rng, depth) for _ in range(rng.randrange(depth < 2, 4))]
    return ''.join(x if x in ANCHORS else x + rng.choice(TIMES)
                   for x in parts)


def choice(rng, depth):
    return '|'.join(sequence(rng, depth)
                    for _ in range(rng.choice([1, 1, 2, 3])))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--long', type=int, default=150)
    parser.add_argument('--seed', type=int, default=1)
    args = parser.parse_args()
    rng, batch, patterns = random.Random(args.seed), runtime.Batch(), {}
    for at in range(args.long):
        pattern = choice(rng, 2)
        texts = [''.join(rng.choice(LETTERS) for _ in range(
            rng.randrange(7))) for _ in range(12)] + ['ab', 'aab', '', 'a']
        try:  # its "$" is before a last line's end, too
            expression = re.compile(pattern.replace('$', r'\Z'), re.ASCII)
        except re.error:
            continue
        wanted = np.array([bool(expression.fullmatch(x)) for x in texts])
        node = helper.make_node('RegexFullMatch', ['x'], ['y'],
                                pattern=pattern)
        graph = helper.make_graph(
            [node], 'g', [helper.make_tensor_value_info(
                'x', TensorProto.STRING, [len(texts)])],
            [helper.make_tensor_value_info('y', TensorProto.BOOL,
                                           [len(texts)])])
        model = helper.make_model(graph, ir_version=9, opset_imports=[
            helper.make_opsetid('', 20)])
        patterns['r%d' % at] = pattern
        batch.add('r%d' % at, model, {'x': np.array(texts, dtype=object)},
                  [wanted], 0)
    found = batch.verdicts()
    bad = [x for x in patterns if found.get(x, ('',))[0] != 'PASS']
    print('1..1\n%s 1 - %d expressions match alike' % (
        'not ok' if bad else 'ok', len(patterns)))
    for name in bad[:20]:
        print('# %r: %s' % (patterns[name], found.get(name)))
    sys.exit(len(bad) > 0)


if __name__ == '__main__':
    main()
