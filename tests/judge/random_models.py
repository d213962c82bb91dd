#!/usr/bin/env python3
"""random_models.py [--long N] [--seed S] [--keep DIR]: small models at random.

Draws valid graphs of 1 to 12 nodes over the rows of ai.onnx (opset 7 to 23)
and com.microsoft, and compares "lplan run" with ONNX Runtime, or with the
reference evaluator of the onnx package where that refuses or dies: dtype, shape and
values; then what "lplan analyze" infers for every tensor with what was
computed.  40 models; with --long, N.  Prints TAP; skips without onnx."""
import argparse
import collections
import json
import os
import shutil
import subprocess
import sys
import warnings

warnings.filterwarnings('ignore')
try:
    import numpy as np
    import onnx
    import onnxruntime  # noqa: F401
    from onnx import helper, numpy_helper
    from onnx.reference import ReferenceEvaluator
except ImportError as missing:
    print('1..0 # SKIP no module %s' % missing.name)
    sys.exit(0)

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import random_nodes  # noqa: E402
import runtime  # noqa: E402

NAMES = {'float': 'float32', 'double': 'float64'}


def draw(seed):
    """(model, inputs, names of all tensors)"""
    rng = np.random.default_rng(seed)
    graph = random_nodes.Graph(rng, int(rng.choice(
        [7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23])))
    graph.grow(int(rng.integers(1, 13)))
    names = [x for node in graph.nodes for x in node.output if x]
    opset = graph.opset
    model = runtime.model_of(graph.nodes, graph.inputs, graph.weights, names,
                             opset, ir=8 if opset < 19 else 10)
    return model, graph.inputs, names


def compute(model, inputs):
    """(outputs, who computed them or why nobody did)"""
    outputs, why = runtime.run_other(model, inputs)
    if why is None:
        return outputs, 'ONNX Runtime'
    try:
        return ReferenceEvaluator(model).run(None, inputs), 'the reference'
    except Exception as problem:
        return None, '%s / %s' % (why, str(problem).split('\n')[0])


def inferred(path):
    done = subprocess.run(
        [runtime.LPLAN, 'analyze', path, '--format', 'json', '--all'],
        capture_output=True, text=True)
    if done.returncode:
        return None, done.stderr.strip() or 'exit %d' % done.returncode
    found = {}
    for layer in json.loads(done.stdout)['layers']:
        for x in layer['outputs']:
            if x:
                found[x['name']] = (x['dtype'], x['shape'], layer['status'])
    return found, None


def check_types(path, names, outputs):
    found, why = inferred(path)
    if why:
        return 'analyze: ' + why
    for name, value in zip(names, outputs):
        if name not in found:
            return "analyze does not know '%s'" % name
        value = np.asarray(value)
        kind = onnx.TensorProto.DataType.Name(
            runtime.tensor_type(value)).lower()
        kind = NAMES.get(kind, kind)
        dtype, shape, status = found[name]
        if dtype != kind:
            return "'%s' is %s, not %s" % (name, dtype, kind)
        if status in ('estimated', 'unknown'):
            fits = shape is None or len(shape) == value.ndim and all(
                not isinstance(a, int) or a >= b or a < 0
                for a, b in zip(shape, value.shape))
        else:
            fits = shape == list(value.shape)
        if not fits:
            return "'%s' is %s (%s), not %s" % (name, shape, status,
                                                list(value.shape))
    return None


def tell(bad, number, text, lines):
    print('%s %d - %s' % ('not ok' if bad else 'ok', number, text))
    for line in lines[:40]:
        print('# ' + line)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--long', type=int, default=40)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--first', type=int, default=0)
    parser.add_argument('--keep')
    args = parser.parse_args()
    batch, by_whom = runtime.Batch(), collections.Counter()
    refused, wrong, ops, paths = [], [], collections.Counter(), {}
    deaths = []
    for at in range(args.first, args.first + args.long):
        died = len(runtime.OTHER.died)
        model, inputs, names = draw([args.seed, at])
        outputs, who = compute(model, inputs)
        if len(runtime.OTHER.died) > died:
            deaths.append('model %d: %s' % (at, runtime.OTHER.died[-1]))
        if outputs is None:
            by_whom['nobody'] += 1
            refused.append('model %d: %s' % (at, who[:300]))
            continue
        by_whom[who] += 1
        ops.update(x.op_type for x in model.graph.node)
        name = 'm%d' % at
        paths[name] = batch.add(name, model, inputs, outputs,
                                random_nodes.TOLERANCE)
        why = check_types(paths[name], names, outputs)
        if why:
            wrong.append('model %d: %s' % (at, why))
    found = batch.verdicts()
    bad = ['%s %s: %s' % (word, name, why)
           for name, (word, why) in sorted(found.items()) if word != 'PASS']
    if len(found) < len(paths):
        bad.append('%d verdicts for %d models' % (len(found), len(paths)))
    if args.keep:
        for name in [x.split()[1].rstrip(':') for x in bad]:
            shutil.copytree(os.path.dirname(paths[name]),
                            os.path.join(args.keep, name), dirs_exist_ok=True)
    print('1..2')
    tell(bad, 1, '%d models of %d operators run alike (%s)' % (
        len(paths), len(ops), ', '.join(
            '%d by %s' % (n, x) for x, n in sorted(by_whom.items()))), bad)
    tell(wrong, 2, 'their shapes are those that are inferred', wrong)
    for line in deaths + (refused[:20] if args.long > 40 else []):
        print('# refused: ' + line)
    sys.exit(1 if bad or wrong else 0)


if __name__ == '__main__':
    main()
