#!/usr/bin/env python3
"""node_cases.py [FOLDER]: run ONNX's own node test cases.

Takes the node test cases that the onnx package generates (onnx.backend.test),
writes them into FOLDER, or into one that is removed afterwards, and runs
"lplan run --cases" on it. Cases that are not expected to pass stand with the
reason in node_cases.list; any other that does not pass, one that is listed and
passes, and fewer passes than FLOOR fail the test.

The list is of one version of the package; with another the counts are told
and nothing is judged. Prints TAP."""
import collections
import os
import re
import subprocess
import sys
import tempfile
import warnings

warnings.filterwarnings('ignore')
try:
    import numpy as np
    import onnx
    from onnx import TensorProto, numpy_helper
    from onnx.backend.test.case.node import collect_testcases
except ImportError:
    print('1..0 # SKIP the onnx package is not installed')
    sys.exit(0)

LPLAN = os.environ.get('LPLAN', 'lplan')
LIST = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'node_cases.list')
VERSION = '1.23.2'
FLOOR = 1856


def proto_of(value, info):
    """The message that stores "value" of the type of "info"."""
    kind, name = (info.type.WhichOneof('value'), info.name) if info else ('', '')
    if isinstance(value, TensorProto):
        return value
    if kind == 'map_type':
        return numpy_helper.from_dict(value, name)
    if kind == 'optional_type':
        return numpy_helper.from_optional(value, name)
    if kind == 'sequence_type':
        return numpy_helper.from_list(value, name)
    return numpy_helper.from_array(np.asarray(value), name)


def write(path, message):
    with open(path, 'wb') as out:
        out.write(message.SerializeToString())


def write_case(case, folder):
    """A folder for "case": its model, and one of arrays for each data set."""
    os.makedirs(folder)
    write(os.path.join(folder, 'model.onnx'), case.model)
    for number, sets in enumerate(case.data_sets):
        data = os.path.join(folder, f'test_data_set_{number}')
        os.mkdir(data)
        graph = case.model.graph
        for kind, values, infos in zip(('input', 'output'), sets, (graph.input, graph.output)):
            for i, value in enumerate(values):
                write(os.path.join(data, f'{kind}_{i}.pb'),
                      proto_of(value, infos[i] if i < len(infos) else None))


def write_cases(root):
    with np.errstate(all='ignore'):
        for case in collect_testcases(None):
            write_case(case, os.path.join(root, case.name))


def run_cases(root):
    """The verdict and the reason of every case, by name."""
    done = subprocess.run([LPLAN, 'run', '--cases', root], capture_output=True, text=True)
    verdicts = {}
    for line in done.stdout.splitlines():
        word, _, rest = line.partition(' ')
        name, _, reason = rest.partition(' ')
        if word in ('PASS', 'FAIL', 'SKIP'):
            verdicts[name] = (word, reason)
    if done.returncode not in (0, 1):
        print(f'Bail out! exit {done.returncode}: {done.stderr.strip()[:300]}')
        sys.exit(1)
    return verdicts


def read_list():
    """The cases that are not expected to pass, with their reasons."""
    listed, reason = {}, ''
    with open(LIST, encoding='utf-8') as lines:
        for line in lines:
            if line.startswith('#'):
                reason = line[1:].strip()
            elif line.strip():
                listed[line.strip()] = reason
    return listed


def tell(number, good, text, lines=()):
    print(f"{'ok' if good else 'not ok'} {number} - {text}")
    for line in list(lines)[:20]:
        print(f'# {line}')
    return not good


def judge(verdicts):
    listed = read_list()
    passed = {name for name, (word, _) in verdicts.items() if word == 'PASS'}
    counts = collections.Counter(word for word, _ in verdicts.values())
    text = f"{counts['PASS']} passed, {counts['FAIL']} failed, {counts['SKIP']} skipped"
    if onnx.__version__ != VERSION:
        print(f'1..1\nok 1 - {text} # SKIP onnx is {onnx.__version__}, not {VERSION}')
        return False
    print('1..3')
    bad = tell(1, len(passed) >= FLOOR, f'{text}; {FLOOR} must pass')
    lost = sorted(set(verdicts) - passed - set(listed))
    bad |= tell(2, not lost, 'all cases pass that are not listed',
                (f'{name}: {" ".join(verdicts[name])}' for name in lost))
    found = sorted(set(listed) & (passed | (set(listed) - set(verdicts))))
    bad |= tell(3, not found, 'no case that is listed passes, or is gone', found)
    for reason, count in collections.Counter(listed.values()).items():
        print(f'# {count} left: {reason}')
    skipped = collections.Counter(
        re.sub(r"^.*?: |'[^']*'|\d+", '', reason)[:70]
        for word, reason in verdicts.values() if word == 'SKIP')
    for reason, count in skipped.most_common():
        print(f'# {count} skipped: {reason.strip()}')
    return bad


def main():
    if len(sys.argv) > 1:
        write_cases(sys.argv[1])
        return judge(run_cases(sys.argv[1]))
    with tempfile.TemporaryDirectory(dir=os.environ.get('top_builddir')) as root:
        write_cases(root)
        return judge(run_cases(root))


if __name__ == '__main__':
    sys.exit(main())
