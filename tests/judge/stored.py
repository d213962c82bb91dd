#!/usr/bin/env python3
"""stored.py [MODEL]...: lplan run beside the outputs that models carry.

Runs each MODEL (default: the tiny models of $LPLAN_MODELS) on the inputs in
test_data_set_0 beside it, and compares shape, dtype, NaN and values: within
1e-4 of the largest (fp16: 3e-3; an output that DequantizeLinear makes: one step
of its scale).  Prints TAP; skips without onnx.

ONNX Runtime adds products of uint8 and int8 pairwise in 16 bits where the CPU
has no VNNI, and sums that pass 32767 saturate; lplan's are exact, as the
operators say.  So an output of a model with MatMulInteger that is further off
is right only if both hold:
  with all sums saturated so, the rest of the model gives the stored output;
  with all sums exact, it gives what lplan gives, bit by bit.
The sums are made here: the model is cut at each MatMulInteger."""
import glob
import os
import subprocess
import sys
import tempfile

try:
    import numpy
    import onnx
    from onnx import TensorProto, helper, numpy_helper
except ImportError as missing:
    print('1..0 # SKIP no module %s' % missing.name)
    sys.exit(0)

LPLAN = os.environ.get('LPLAN') or 'lplan'
TINY = os.path.join(os.environ.get('LPLAN_MODELS') or '/nowhere', 'tiny')


def stored(folder, kind):
    """The tensors of "folder", by number."""
    found = []
    while True:
        path = os.path.join(folder, '%s_%d.pb' % (kind, len(found)))
        if not os.path.exists(path):
            return found
        tensor = TensorProto()
        with open(path, 'rb') as file:
            tensor.ParseFromString(file.read())
        found.append(numpy_helper.to_array(tensor))


def run(path, inputs, folder):
    words = [LPLAN, 'run', path, '--output', folder]
    for at, (name, value) in enumerate(inputs.items()):
        file = os.path.join(folder, 'input_%d.npy' % at)
        numpy.save(file, value)
        words += ['--input', '%s=%s' % (name, file)]
    for old in glob.glob(os.path.join(folder, 'output_*.npy')):
        os.remove(old)
    done = subprocess.run(words, stdout=subprocess.DEVNULL, text=True,
                          stderr=subprocess.PIPE, errors='replace')
    if done.returncode:
        raise RuntimeError(done.stderr.strip())
    found = []
    while os.path.exists(os.path.join(folder, 'output_%d.npy' % len(found))):
        found.append(numpy.load(os.path.join(
            folder, 'output_%d.npy' % len(found))))
    return found


def constants(model):
    found = {x.name: x for x in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == 'Constant' and node.attribute[0].name == 'value':
            found[node.output[0]] = node.attribute[0].t
    return {k: numpy_helper.to_array(v) for k, v in found.items()}


def tolerances(model, known):
    """For each output: (part of the largest value, absolute)."""
    found = []
    maker = {x: node for node in model.graph.node for x in node.output}
    halves = any(x.data_type == TensorProto.FLOAT16
                 for x in model.graph.initializer)
    for output in model.graph.output:
        node = maker.get(output.name)
        step = 0
        if node is not None and node.op_type == 'DequantizeLinear' and \
                node.input[1] in known:
            step = 1.0001 * float(numpy.max(known[node.input[1]]))
        found.append((3e-3 if halves else 1e-4, step))
    return found


def differ(mine, theirs, allowed):
    """What is wrong with "mine"; None: nothing."""
    if len(mine) != len(theirs):
        return '%d outputs, not %d' % (len(mine), len(theirs))
    for at, (a, b) in enumerate(zip(mine, theirs)):
        if a.shape != b.shape or a.dtype != b.dtype:
            return 'output %d is %s %s, not %s %s' % (
                at, a.dtype, a.shape, b.dtype, b.shape)
        x, y = a.astype('float64'), b.astype('float64')
        if (numpy.isnan(x) != numpy.isnan(y)).any():
            return 'output %d has NaN elsewhere' % at
        most = numpy.nanmax(numpy.abs(y), initial=0)
        worst = numpy.nanmax(numpy.abs(x - y), initial=0)
        part, step = allowed[at] if allowed else (0, 0)
        if worst > max(part * most, step):
            return 'output %d is off by %.3g of %.3g' % (at, worst, most)
    return None


def cut(model):
    """The model with the sums of each MatMulInteger as an input, and what goes
    in as an output; and the nodes."""
    cut_model, nodes, rest = onnx.ModelProto(), [], []
    cut_model.CopyFrom(model)
    graph = cut_model.graph
    for node in graph.node:
        if node.op_type != 'MatMulInteger':
            rest.append(node)
            continue
        nodes.append(node)
        graph.input.append(helper.make_tensor_value_info(
            node.output[0], TensorProto.INT32, None))
    wanted = {x for node in nodes for x in (node.input[0], node.input[2])}
    for name in sorted(wanted):
        graph.output.append(helper.make_tensor_value_info(
            name, TensorProto.UINT8, None))
    del graph.node[:]
    graph.node.extend(rest)
    return cut_model, nodes


def product(a, b, zero, saturates):
    """a - zero times b; a's products with b added pairwise in 16 bits."""
    a, b = a.astype('int64'), b.astype('int64')
    sums = a @ b
    if saturates:
        for k in range(0, b.shape[0] - 1, 2):
            pair = a[..., k:k + 1] * b[k] + a[..., k + 1:k + 2] * b[k + 1]
            sums += numpy.clip(pair, -32768, 32767) - pair
    return (sums - int(zero) * b.sum(axis=0)).astype('int32')


def with_sums(model, inputs, folder, saturates):
    """The outputs with the sums made here, one MatMulInteger after another;
    and how many sums saturated."""
    rest, nodes = cut(model)
    known = constants(model)
    names = [x.name for x in rest.graph.output]
    path, changed = os.path.join(folder, 'cut.onnx'), 0
    given = dict(inputs)
    shapes = onnx.shape_inference.infer_shapes(model)
    dims = {x.name: [y.dim_value for y in x.type.tensor_type.shape.dim]
            for x in shapes.graph.value_info}
    for node in nodes:
        given[node.output[0]] = numpy.zeros(dims[node.output[0]], 'int32')
    for value in rest.graph.input:
        if value.name in given and value.name not in inputs:
            value.CopyFrom(helper.make_tensor_value_info(
                value.name, TensorProto.INT32, dims[value.name]))
    onnx.save(rest, path)
    for node in nodes:
        found = dict(zip(names, run(path, given, folder)))
        a, zero = found[node.input[0]], found[node.input[2]]
        b = known[node.input[1]]
        if len(node.input) > 3 and numpy.any(known[node.input[3]]):
            raise RuntimeError('a zero point of weights')
        sums = product(a, b, zero, saturates)
        changed += int((sums != product(a, b, zero, False)).sum())
        given[node.output[0]] = sums
    return run(path, given, folder)[:len(model.graph.output)], changed


def compare(path):
    """(verdict, remark)"""
    model = onnx.load(path)
    data = os.path.join(os.path.dirname(path), 'test_data_set_0')
    inputs = {x.name: value for x, value in zip(model.graph.input,
                                                stored(data, 'input'))}
    theirs, known = stored(data, 'output'), constants(model)
    allowed = tolerances(model, known)
    with tempfile.TemporaryDirectory() as folder:
        mine = run(path, inputs, folder)
        why = differ(mine, theirs, allowed)
        if not why or not any(x.op_type == 'MatMulInteger'
                              for x in model.graph.node):
            return why, ''
        exact, _ = with_sums(model, inputs, folder, False)
        saturated, sums = with_sums(model, inputs, folder, True)
    other = differ(mine, exact, None)
    if other:
        return '%s; with exact sums %s' % (why, other), ''
    other = differ(saturated, theirs, allowed)
    if other:
        return '%s; with saturated sums %s' % (why, other), ''
    return None, ' # %s: stored with %d sums saturated in 16 bits' % (why, sums)


def main():
    paths = sys.argv[1:] or sorted(glob.glob(os.path.join(TINY, '*',
                                                          'model.onnx')))
    failed = 0
    for at, path in enumerate(paths, 1):
        try:
            why, remark = compare(path)
        except RuntimeError as problem:
            why, remark = str(problem), ''
        failed += bool(why)
        print('%sok %d - %s%s%s' % (
            'not ' if why else '', at, path.split('/')[-2], remark,
            '\n# ' + why if why else ''), flush=True)
    print('1..%d%s' % (len(paths), '' if paths else ' # SKIP no models'))
    sys.exit(1 if failed else 0)


if __name__ == '__main__':
    main()
