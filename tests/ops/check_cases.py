#!/usr/bin/env python3
"""check_cases.py [OPERATOR...]: shapes and dtypes of ONNX's own test cases.

Takes the node test cases that the onnx package generates (onnx.backend.test),
writes each model out, runs "lplan analyze --format json --all" ($LPLAN, or lplan
on the path) on it and compares the dtype and shape found for every output with
the stored results. Inputs that a shape can depend on (short ones of integers or
bool, scalars, scales) are fed as constants; where a shape depends on data, it is
compared with all inputs fed, too. A bound must not be below the stored result, and
only what depends on data (BOUNDED) may be one, or have a cost that is estimated:
every other layer is exact.

A case is left out when no row can give its answer: its operator is not known, or
a value is a sequence, an optional one, or text.

Prints TAP, one test an operator, and how many cases it had."""
import collections
import json
import os
import subprocess
import sys
import tempfile
import warnings

warnings.filterwarnings('ignore')
try:
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper
    from onnx.backend.test.case.node import collect_testcases
except ImportError:
    print('1..0 # SKIP the onnx package is not installed')
    sys.exit(0)

LPLAN = os.environ.get('LPLAN', 'lplan')
# Operators whose results, or whose costs, are known by a bound until they ran.
BOUNDED = {'Compress', 'If', 'Loop', 'NonMaxSuppression', 'NonZero', 'StringNormalizer',
           'StringSplit', 'TreeEnsemble', 'Unique'}
SMALL = 64  # elements of an input that may be a size, an axis or a limit
NO_ROW = 'the operator is not known'
NAMES = {'float': 'float32', 'double': 'float64'}


def dtype_name(number):
    name = TensorProto.DataType.Name(number).lower()
    return NAMES.get(name, name)


def is_tensor(value):
    return isinstance(value, (np.ndarray, np.generic, TensorProto, int, float, bool))


def tensor(value, name):
    """A TensorProto called "name" with the content of "value"."""
    if isinstance(value, TensorProto):
        copy = TensorProto()
        copy.CopyFrom(value)
        copy.name = name
        return copy
    return numpy_helper.from_array(np.asarray(value), name)


def decides_shapes(case, t):
    """Whether "t" may say how large a result is: Resize scales by floats."""
    count = int(np.prod(t.dims))
    floats = (TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.BFLOAT16)
    scales = any(n.op_type in ('Resize', 'Upsample') for n in case.model.graph.node)
    return count <= SMALL and (t.data_type not in floats or not t.dims or
                               (scales and len(t.dims) == 1))


def write_model(case, inputs, path, all_constant):
    """The model of "case" with the inputs that decide (or all of them) as
    initializers, and the declared shapes of the others as fed."""
    model = onnx.ModelProto()
    model.CopyFrom(case.model)
    declared = list(model.graph.input)
    del model.graph.input[:]
    for value, data in zip(declared, inputs):
        t = tensor(data, value.name)
        if all_constant or decides_shapes(case, t):
            model.graph.initializer.append(t)
        else:
            model.graph.input.append(
                helper.make_tensor_value_info(value.name, t.data_type, list(t.dims)))
    for value in list(model.graph.output) + list(model.graph.value_info):
        value.ClearField('type')  # nothing may be taken from what is declared
    with open(path, 'wb') as out:
        out.write(model.SerializeToString())


def analyze(path):
    """(outputs by name with the status of their layer and its operator,
    operators without a row, error)."""
    done = subprocess.run([LPLAN, 'analyze', path, '--format', 'json', '--all'],
                          capture_output=True, text=True)
    if done.returncode:
        return {}, set(), done.stderr.strip() or f'exit {done.returncode}'
    layers = json.loads(done.stdout)['layers']
    outputs = {o['name']: (o['shape'], o['dtype'], l['status'], l['op']) for l in layers for o in l['outputs']}
    return outputs, {l['op'] for l in layers if l.get('note') == NO_ROW}, None


def fits(shape, wanted, is_bound):
    """Whether "shape" is the one "wanted", or bounds it."""
    if shape is None or len(shape) != len(wanted) or None in shape:
        return False
    return all(a >= b for a, b in zip(shape, wanted)) if is_bound else shape == wanted


def compare(names, expected, outputs):
    """What differs, as lines, and whether something is not known exactly."""
    wrong, vague = [], False
    for name, value in zip(names, expected):
        if not name or name not in outputs:
            continue
        t = tensor(value, name)
        shape, dtype, status, _ = outputs[name]
        vague = vague or status in ('unknown', 'estimated')
        if dtype != dtype_name(t.data_type):
            wrong.append(f'{name} is {dtype}, must be {dtype_name(t.data_type)}')
        elif not fits(shape, list(t.dims), status == 'estimated'):
            wrong.append(f'{name} is {shape} ({status}), must be {list(t.dims)}')
    return wrong, vague


def depends(outputs):
    """Whether something in the case depends on data."""
    return bool(BOUNDED & {l[3] for l in outputs.values()})


def inexact(outputs):
    """The layers that are estimated and need not be, as lines: where an operator
    of BOUNDED is, others may follow from it."""
    return [] if depends(outputs) else [
        f'{name} is {l[2]} ({l[3]})' for name, l in outputs.items()
        if l[2] not in ('exact', 'static', 'folded')]


def check(case, folder):
    """'ok', 'left out', or the lines that tell what is wrong."""
    inputs, expected = case.data_sets[0]
    if not all(is_tensor(v) for v in list(inputs) + list(expected)):
        return 'left out'
    if any(np.asarray(v).dtype.kind in 'OUS' for v in list(inputs) + list(expected)
           if not isinstance(v, TensorProto)):
        return 'left out'
    path = os.path.join(folder, 'case.onnx')
    names = [o.name for o in case.model.graph.output]
    for all_constant in (False, True):
        write_model(case, inputs, path, all_constant)
        outputs, unknown, error = analyze(path)
        if error:
            return [error]
        wrong, vague = compare(names, expected, outputs)
        if not unknown:
            wrong += inexact(outputs)
        if not wrong and (not vague or all_constant):
            return 'ok'
        if not vague or (wrong and not unknown and not depends(outputs)):
            return wrong
    return 'left out' if unknown else wrong


def operator_of(case):
    """The operator that a case is made for; expanded ones hold others."""
    nodes = [n.op_type for n in case.model.graph.node]
    return nodes[0] if len(nodes) == 1 else 'expanded functions'


def main():
    wanted = set(sys.argv[1:])
    by_operator = collections.defaultdict(list)
    for case in collect_testcases(None):
        if case.data_sets:
            by_operator[operator_of(case)].append(case)
    operators = sorted(o for o in by_operator if not wanted or o in wanted)
    failures = 0
    print(f'1..{len(operators)}')
    with tempfile.TemporaryDirectory() as folder:
        for n, operator in enumerate(operators, 1):
            counts, lines = collections.Counter(), []
            for case in by_operator[operator]:
                result = check(case, folder)
                counts[result if isinstance(result, str) else 'wrong'] += 1
                if not isinstance(result, str):
                    lines += [f'# {case.name}: {line}' for line in result]
            failures += bool(lines)
            skip = ' # SKIP none can be compared' if not counts['ok'] and not lines else ''
            print(f"{'not ok' if lines else 'ok'} {n} - {operator}: {counts['ok']} of "
                  f"{len(by_operator[operator])} cases, {counts['left out']} left out{skip}")
            for line in lines[:8]:
                print(line)
    return failures > 0


if __name__ == '__main__':
    sys.exit(main())
