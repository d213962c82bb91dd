#!/usr/bin/env python3
"""ort.py [MODEL]...: lplan run beside ONNX Runtime.

Runs each MODEL (default: the examples that carry their weights, and the tiny
models of $LPLAN_MODELS) on inputs that are drawn here, with both, and compares
all outputs: shape, dtype, NaN, and values within 1e-4 of the largest (fp16:
3e-3).  Models with quantized layers run without its fusions, which round
elsewhere; on a CPU without VNNI its sums of uint8 and int8 saturate in 16 bits,
and 2 % are allowed (stored.py proves such a difference).  Prints TAP; skips
without onnx or onnxruntime."""
import os
import subprocess
import sys
import tempfile

try:
    import numpy
    import onnx
    import onnxruntime
except ImportError as missing:
    print('1..0 # SKIP no module %s' % missing.name)
    sys.exit(0)

HERE = os.path.dirname(os.path.abspath(__file__))
LPLAN = os.environ.get('LPLAN') or 'lplan'
EXAMPLES = os.path.join(os.path.dirname(os.path.dirname(HERE)), 'examples')
TINY = os.path.join(os.environ.get('LPLAN_MODELS') or '/nowhere', 'tiny')
DIMS = {
    'unet_dynamic_tiny': dict(batch=1, height=16, width=16, sequence=7),
    'llama_kv_tiny': dict(batch=1, past_sequence=16, total_sequence=17),
}
QUANTIZED = ('QuantizeLinear', 'QLinearConv', 'QLinearMatMul',
             'DynamicQuantizeLinear', 'MatMulInteger', 'ConvInteger')


def models():
    if len(sys.argv) > 1:
        return sys.argv[1:]
    found = [os.path.join(EXAMPLES, x) for x in sorted(os.listdir(EXAMPLES))
             if x.endswith('.onnx')]
    if os.path.isdir(TINY):
        found += [os.path.join(TINY, x, 'model.onnx')
                  for x in sorted(os.listdir(TINY))]
    return [x for x in found if os.path.exists(x)]


def has_weights(path):
    """Whether the files that hold the weights are there."""
    model = onnx.load(path, load_external_data=False)
    folder = os.path.dirname(path)
    for tensor in model.graph.initializer:
        for entry in tensor.external_data:
            if entry.key == 'location' and not os.path.exists(
                    os.path.join(folder, entry.value)):
                return False
    return True


def has_vnni():
    try:
        with open('/proc/cpuinfo', encoding='ascii', errors='replace') as file:
            return 'vnni' in file.read()
    except OSError:
        return False


def draw(rng, info, dims, path):
    shape = [x if isinstance(x, int) else dims.get(x, 1) for x in info.shape]
    kinds = {'float': 'float32', 'double': 'float64'}
    kind = info.type[len('tensor('):-1]
    kind = numpy.dtype(kinds.get(kind, kind))
    if kind == numpy.bool_:
        return numpy.ones(shape, kind)
    if kind.kind in 'iu':
        if 'mask' in info.name:
            return numpy.ones(shape, kind)
        return rng.integers(0, 2, shape).astype(kind)
    return rng.standard_normal(shape).astype(kind)


def lplan_outputs(path, inputs, dims, folder):
    words = [LPLAN, 'run', path, '--output', folder]
    for at, (name, value) in enumerate(inputs.items()):
        file = os.path.join(folder, 'input_%d.npy' % at)
        numpy.save(file, value)
        words += ['--input', '%s=%s' % (name, file)]
    for name, value in dims.items():
        words += ['--dim', '%s=%d' % (name, value)]
    done = subprocess.run(words, stdout=subprocess.DEVNULL, text=True,
                          stderr=subprocess.PIPE, errors='replace')
    if done.returncode:
        return None, done.stderr.strip()
    outputs = []
    while os.path.exists(os.path.join(folder, 'output_%d.npy' % len(outputs))):
        outputs.append(numpy.load(os.path.join(
            folder, 'output_%d.npy' % len(outputs))))
    return outputs, None


def differ(mine, theirs, tolerance):
    if len(mine) != len(theirs):
        return '%d outputs, not %d' % (len(mine), len(theirs))
    for at, (a, b) in enumerate(zip(mine, theirs)):
        if a.shape != b.shape or a.dtype != b.dtype:
            return 'output %d is %s %s, not %s %s' % (
                at, a.dtype, a.shape, b.dtype, b.shape)
        if a.dtype.kind in 'iub':
            if tolerance < 0.01 and (a != b).any():
                return 'output %d has other integers' % at
            continue
        x, y = a.astype('float64'), b.astype('float64')
        if (numpy.isnan(x) != numpy.isnan(y)).any():
            return 'output %d has NaN elsewhere' % at
        most = numpy.nanmax(numpy.abs(y), initial=0)
        worst = numpy.nanmax(numpy.abs(x - y), initial=0)
        if worst > tolerance * max(most, 1e-6):
            return 'output %d is off by %g of %g' % (at, worst, most)
    return None


def compare(path):
    """(verdict, remark)"""
    name = os.path.basename(os.path.dirname(path))
    if not has_weights(path):
        return 'ok', ' # SKIP its weights are not there'
    model = onnx.load(path)
    dims = DIMS.get(name, {})
    tolerance = 1e-4
    if any(x.data_type == onnx.TensorProto.FLOAT16
           for x in model.graph.initializer):
        tolerance = 3e-3
    options = onnxruntime.SessionOptions()
    if any(x.op_type in QUANTIZED for x in model.graph.node):
        options.graph_optimization_level = \
            onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        tolerance = tolerance if has_vnni() else 0.02
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(
            path, options, providers=['CPUExecutionProvider'])
        rng = numpy.random.default_rng(1)
        inputs = {x.name: draw(rng, x, dims, path)
                  for x in session.get_inputs()}
        theirs = session.run(None, inputs)
    except Exception as problem:  # its own classes are not public
        return 'ok', ' # SKIP ONNX Runtime: ' + \
            str(problem).split('\n')[0].replace('#', '')
    with tempfile.TemporaryDirectory() as folder:
        mine, why = lplan_outputs(path, inputs, dims, folder)
    why = why or differ(mine, theirs, tolerance)
    return ('not ok', '\n# ' + why) if why else ('ok', '')


def main():
    paths, failed = models(), 0
    for at, path in enumerate(paths, 1):
        verdict, remark = compare(path)
        failed += verdict != 'ok'
        print('%s %d - %s%s' % (verdict, at, '/'.join(path.split('/')[-2:]),
                                remark), flush=True)
    print('1..%d%s' % (len(paths), '' if paths else ' # SKIP no models'))
    sys.exit(1 if failed else 0)


if __name__ == '__main__':
    main()
