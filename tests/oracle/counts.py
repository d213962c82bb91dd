#!/usr/bin/env python3
"""counts.py [MODELS]: the counts of real models against independent ones.

Runs "lplan analyze --format json" ($LPLAN, or lplan on the path) on every model
of the folder MODELS (default: shared/models beside the source tree) and compares

- totals with published figures (FIGURES);
- every total with the sum (the live peak: the largest) of its column, and every
  module with the sum of the layers inside it;
- the U of Stable Diffusion 1's U-Net, level by level, with its published table;
- with the onnx package: MACs and bytes in memory with counts made here from the
  nodes, shapes with onnx.shape_inference;
- with tools/count.py in the folder MODELS/..: MACs a layer, parameters, shapes
  and dtypes with that program's.

Prints TAP; what cannot be compared is skipped, and says why."""
import json
import math
import os
import subprocess
import sys

try:
    import onnx
    from onnx import TensorProto, helper, shape_inference
except ImportError:
    onnx = None

HERE = os.path.dirname(os.path.abspath(__file__))
LPLAN = os.environ.get('LPLAN', 'lplan')

# name: (parameters, MACs conv, linear, attention); None: not published. The
# quantized models have the parameters of the float models they were made from:
# weight elements, without scales and zero points.
FIGURES = {
    'sd15_unet': (859520964, 221973053440, 116637532160, 63026135040),
    'sd15_unet_dynamic': (859520964, 221973053440, 116637532160, 63026135040),
    'sd15_unet_sdpa': (859521128, 221973053440, 116637532160, 63026135040),
    'sd_vae_decoder': (49490199, 1235784630272, 4294967296, 17179869184),
    'bert_large': (335141888, 0, 38655754240, 805306368),
    'vit_b16': (86567656, 115605504, 16732895232, 715327488),
    'llama_decode_kv': (1100048384, 0, 1034420224, 11624448),
    'whisper_tiny_decoder': (49468416, 0, 2220251136, 74514432),
    'resnet50': (25610152, 4087136256, 2048000, 0),
    'mobilenet_v3_large': (5470832, 214080960, 2508800, 0),
    'unet': (31049474, 48171581440, 0, 0),
    'ssdlite320': (3423588, 583171904, 0, 0),
    'unet_tiny': (210860, 6088704, 3395840, 6173568),
    'unet_fp16_tiny': (210860, 6088704, 3395840, 6173568),
    'unet_dynamic_tiny': (210860, None, None, None),
    'unet_classic_tiny': (121890, 9183232, 0, 0),
    'vae_decoder_tiny': (160199, 87303168, 262144, 262144),
    'vit_tiny': (114698, 393216, 3343616, 221952),
    'bert_tiny': (86208, 0, 1581056, 73728),
    'bert_dynamic_int8_tiny': (86208, 0, 1581056, 73728),
    'attention_tiny': (70528, 0, 1392640, 51200),
    'llama_kv_tiny': (148928, 0, 135680, 6528),
    'lstm_tiny': (23317, 0, 304416, 0),
    'mobilenet_tiny': (43938, 1241344, 12928, 0),
    'mobilenet_qdq_tiny': (43938, 1241344, 12928, 0),
    'cond_dynamo_tiny': (580, None, None, None),
}

DIMS = {
    'sd15_unet_dynamic': dict(batch=1, height=64, width=64, sequence=77),
    'unet_dynamic_tiny': dict(batch=1, height=16, width=16, sequence=7),
    'llama_kv_tiny': dict(batch=1, past_sequence=16, total_sequence=17),
}

# Level of Stable Diffusion 1's U-Net: modules; then parameters in millions and
# MACs in G, conv, linear, attention, total, as published to two digits.
LEVELS = {
    'time embed': (('time_embedding',), 2.05, 0.00, 0.00, 0.00, 0.00),
    'down 64': (('conv_in', 'down_blocks.0'), 10.54, 17.77, 15.18, 21.88, 54.82),
    'down 32': (('down_blocks.1',), 36.82, 16.04, 15.25, 2.89, 34.18),
    'down 16': (('down_blocks.2',), 139.99, 16.04, 15.41, 0.44, 31.89),
    'down 8': (('down_blocks.3',), 62.28, 3.77, 0.00, 0.00, 3.78),
    'mid 8': (('mid_block',), 97.04, 3.98, 2.04, 0.02, 6.05),
    'up 8': (('up_blocks.0',), 162.24, 12.90, 0.00, 0.00, 12.90),
    'up 16': (('up_blocks.1',), 258.33, 52.01, 23.11, 0.65, 75.77),
    'up 32': (('up_blocks.2',), 71.41, 56.20, 22.88, 4.33, 83.41),
    'up 64': (('up_blocks.3', 'conv_norm_out', 'conv_out'),
              18.82, 43.25, 22.76, 32.82, 98.83),
}

VIEWS = {'Reshape', 'Flatten', 'Squeeze', 'Unsqueeze', 'Identity'}
SUMS = ('params', 'quant_params', 'weight_bytes', 'macs', 'macs_conv', 'macs_linear',
        'macs_attention', 'flops', 'read_bytes', 'write_bytes')

tests = failures = 0


def report(what, wrong):
    """One line of TAP; "wrong" lists what differs, empty when all is well."""
    global tests, failures
    tests += 1
    failures += bool(wrong)
    print(f"{'not ok' if wrong else 'ok'} {tests} - {what}")
    for line in wrong[:8]:
        print(f'#   {line}')
    if len(wrong) > 8:
        print(f'#   and {len(wrong) - 8} more')


def skip(what, why):
    global tests
    tests += 1
    print(f'ok {tests} - {what} # SKIP {why}')


def differ(pairs):
    """Of (name, got, expected): those that are not equal."""
    return [f'{n}: {a}, expected {b}' for n, a, b in pairs if b is not None and a != b]


def analyze(path, dims):
    command = [LPLAN, 'analyze', path, '--format', 'json', '--all', '--depth', '64']
    for name, value in dims.items():
        command += ['--dim', f'{name}={value}']
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr.strip() or f'exit {done.returncode}')
    return json.loads(done.stdout)


# ---- the report alone ---------------------------------------------------------

def check_figures(name, got):
    keys = ('params', 'macs_conv', 'macs_linear', 'macs_attention')
    report(f'{name}: published figures',
           differ([(k, got['totals'][k], f) for k, f in zip(keys, FIGURES[name])]))


def listed(got):
    return [l for l in got['layers'] if l['status'] != 'folded']


def check_sums(name, got):
    total, layers = got['totals'], listed(got)
    pairs = [(k, total[k], sum(l[k] for l in layers)) for k in SUMS if k in layers[0]]
    live = [l['live_bytes'] for l in layers]
    pairs += [('live_peak_bytes', total['live_peak_bytes'], max(live)),
              ('peak_layer', total['peak_layer'], layers[live.index(max(live))]['name']),
              ('macs', total['macs'], sum(total[f'macs_{c}'] for c in ('conv', 'linear', 'attention'))),
              ('index', [l['index'] for l in layers], list(range(len(layers)))),
              ('peak', sum(h['bytes'] for h in got['peak']), max(live))]
    for m in got['modules']:
        path = m.get('path', m.get('module'))
        inside = [l for l in layers if (l['module'] + '/').startswith(path + '/')]
        pairs += [(f'{path} {k}', m[k], sum(l[k] for l in inside))
                  for k in ('params', 'macs', 'flops') if path.startswith('/') and k in m]
    report(f'{name}: totals and modules are sums of layers', differ(pairs))


def check_levels(name, got):
    wrong = []
    for level, (modules, *expected) in LEVELS.items():
        layers = [l for l in listed(got)
                  if l['module'].lstrip('/').split('/')[0] in modules]
        sums = [sum(l[k] for l in layers) / s for k, s in (
            ('params', 1e6), ('macs_conv', 1e9), ('macs_linear', 1e9),
            ('macs_attention', 1e9), ('macs', 1e9))]
        wrong += [f'{level}: {a:.4f}, expected {b}' for a, b in zip(sums, expected)
                  if abs(a - b) > 0.005 + 1e-9]
    report(f'{name}: parameters and MACs of each level', wrong)


# ---- against the nodes, with the onnx package -----------------------------------

def bodies(node):
    return [a.g for a in node.attribute if a.HasField('g')]


def captured(graph):
    """Names that "graph" takes from the graphs around it."""
    own = {v.name for v in graph.input} | {t.name for t in graph.initializer}
    own |= {o for n in graph.node for o in n.output}
    used = {o.name for o in graph.output}
    for n in graph.node:
        used |= set(n.input)
        for b in bodies(n):
            used |= captured(b)
    return used - own


class Nodes:
    """The nodes of a model, with shapes and dtypes as lplan reports them."""

    def __init__(self, path, dims, got):
        self.model = onnx.load(path, load_external_data=False)
        self.graph = self.model.graph
        self.types = {o['name']: (o['shape'], o['dtype'])
                      for l in got['layers'] for o in l['outputs']}
        self.weights = {t.name for t in self.graph.initializer}
        for t in self.graph.initializer:
            self.types[t.name] = (list(t.dims), self.dtype(t.data_type))
        self.inputs = [v.name for v in self.graph.input if v.name not in self.weights]
        for v in self.graph.input:
            if v.name in self.weights:
                continue
            t = v.type.tensor_type
            self.types[v.name] = ([d.dim_value if d.HasField('dim_value') else dims.get(d.dim_param, 1)
                                   for d in t.shape.dim], self.dtype(t.elem_type))
        self.node_of = {o: n for n in self.graph.node for o in n.output if o}
        self.folded = {o['name'] for l in got['layers'] if l['status'] == 'folded' for o in l['outputs']}
        for n in self.graph.node:
            if n.op_type == 'Constant' or n.input and all(i in self.weights for i in n.input if i):
                self.weights |= set(n.output)

    @staticmethod
    def dtype(number):
        return {'float': 'float32', 'double': 'float64'}.get(
            TensorProto.DataType.Name(number).lower(), TensorProto.DataType.Name(number).lower())

    def shape(self, name):
        return self.types[name][0]

    def known(self, name):
        shape = self.types.get(name, (None,))[0]
        return shape is not None and None not in shape

    def bytes(self, name):
        if not self.known(name):
            return 0
        shape, dtype = self.types[name]
        bits = {'bool': 8}.get(dtype) or int(''.join(c for c in dtype.split('e')[0] if c.isdigit()) or 0)
        return -(-math.prod(shape) * bits // 8)

    def macs(self, node):
        """(class, MACs) of a node, or None when it has none that are known here."""
        op, x, y = node.op_type, list(node.input), node.output[0]
        if not all(self.known(n) for n in x + [y] if n):
            return None
        a = {i.name: helper.get_attribute_value(i) for i in node.attribute}
        w = {'QLinearConv': 3, 'QLinearMatMul': 3}.get(op, 1)
        if op in ('Conv', 'ConvInteger', 'QLinearConv'):
            return 'conv', math.prod(self.shape(y)) * math.prod(self.shape(x[w])[1:])
        if op == 'ConvTranspose':
            return 'conv', math.prod(self.shape(x[0])) * math.prod(self.shape(x[1])[1:])
        if op in ('Gemm', 'MatMul', 'MatMulInteger', 'QLinearMatMul'):
            k = self.shape(x[0])[-2 if a.get('transA') else -1]
            kind = 'linear' if x[0] in self.weights or x[w] in self.weights else 'attention'
            return kind, math.prod(self.shape(y)) * k
        return None

    def live(self, layers):
        """Bytes resident at each step, by definition; None at layers with bodies."""
        root, first, last = {}, {}, {}
        for i in self.inputs:
            root[i], first[i], last[i] = i, 0, 0
        nodes = [self.node_of[l['outputs'][0]['name']] for l in layers]
        for step, n in enumerate(nodes):
            for i in list(n.input) + [c for b in bodies(n) for c in captured(b)]:
                if i in root:
                    last[root[i]] = step
            for k, o in enumerate(n.output):
                if not o or o in self.folded:
                    continue
                if k == 0 and n.op_type in VIEWS and n.input[0] in root:
                    root[o] = root[n.input[0]]
                else:
                    root[o], first[o], last[o] = o, step, step
        for o in self.graph.output:
            if o.name in root:
                last[root[o.name]] = len(nodes) - 1
        sums = [0] * (len(nodes) + 1)
        for name, step in first.items():
            sums[step] += self.bytes(name)
            sums[last[name] + 1] -= self.bytes(name)
        for step in range(1, len(sums)):
            sums[step] += sums[step - 1]
        return [None if bodies(n) else s for n, s in zip(nodes, sums)]


def check_nodes(name, nodes, got):
    layers, pairs = listed(got), []
    for l in layers:
        expected = nodes.macs(nodes.node_of[l['outputs'][0]['name']])
        if expected:
            pairs += [(f"{l['name']} {c}", l[f'macs_{c}'], expected[1] if c == expected[0] else 0)
                      for c in ('conv', 'linear', 'attention')]
    report(f'{name}: MACs of {len(pairs) // 3} layers from their nodes', differ(pairs))
    live = nodes.live(layers)
    report(f'{name}: live bytes of {len(live)} steps by definition',
           differ([(l['name'], l['live_bytes'], s) for l, s in zip(layers, live)]))


def check_inference(name, nodes, got):
    """Shapes that onnx's own inference gives as numbers."""
    model = nodes.model
    for v in list(model.graph.input) + list(model.graph.value_info) + list(model.graph.output):
        for d in v.type.tensor_type.shape.dim:
            if d.dim_param in DIMS.get(name, {}):
                d.dim_value = DIMS[name][d.dim_param]
    inferred = shape_inference.infer_shapes(model, data_prop=True).graph
    pairs = []
    for v in list(inferred.value_info) + list(inferred.output):
        t = v.type.tensor_type
        if v.name in nodes.node_of and v.type.HasField('tensor_type') and t.HasField('shape') and \
                all(d.HasField('dim_value') for d in t.shape.dim):
            pairs.append((v.name, nodes.types.get(v.name, (None,))[0], [d.dim_value for d in t.shape.dim]))
    report(f'{name}: {len(pairs)} shapes of onnx.shape_inference', differ(pairs))


# ---- against another program ------------------------------------------------------

def check_program(name, nodes, got, program, path):
    dims = ','.join(f'{k}={v}' for k, v in DIMS.get(name, {}).items())
    done = subprocess.run([sys.executable, program, path, dims], capture_output=True, text=True)
    if done.returncode:
        skip(f'{name}: another program', f'it failed: {done.stderr.strip().splitlines()[-1:]}')
        return
    other, total = json.loads(done.stdout), got['totals']
    by_output = {l['outputs'][0]['name']: l for l in listed(got) if l['outputs']}
    pairs = []
    for l in other['layers']:
        mine = by_output.get(l['output'])
        if mine:
            pairs += [(f"{mine['name']} {l['class']}", mine[f"macs_{l['class']}"], l['macs'])]
    if other['complete']:
        pairs += [(f'macs_{c}', total[f'macs_{c}'], other[f'macs_{c}']) for c in ('conv', 'linear', 'attention')]
    if not total['quant_params']:
        pairs += [('params', total['params'], other['params']['float'])]
    report(f'{name}: MACs of {len(other["layers"])} layers, as another program', differ(pairs))
    known = [(k, v) for k, v in other['shapes'].items() if k in nodes.types]
    report(f'{name}: {len(known)} shapes and dtypes, as another program',
           differ([(k, nodes.shape(k), v) for k, v in known] +
                  [(k, nodes.types[k][1], Nodes.dtype(v)) for k, v in other['dtypes'].items() if k in nodes.types]))


def check(name, path, program):
    try:
        got = analyze(path, DIMS.get(name, {}))
    except RuntimeError as failure:
        report(f'{name}: analyzed', [str(failure)])
        return
    check_figures(name, got)
    check_sums(name, got)
    if name.startswith('sd15_unet'):
        check_levels(name, got)
    if not onnx:
        skip(f'{name}: nodes and shapes', 'the onnx package is not installed')
        return
    nodes = Nodes(path, DIMS.get(name, {}), got)
    check_nodes(name, nodes, got)
    check_inference(name, nodes, got)
    if os.path.exists(program):
        check_program(name, nodes, got, program, path)
    else:
        skip(f'{name}: another program', 'there is none')


def main():
    top = os.environ.get('top_srcdir', os.path.join(HERE, '..', '..'))
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(top, '..', 'shared', 'models')
    paths = {n: next((p for p in (os.path.join(folder, 'graph', f'{n}.onnx'),
                                  os.path.join(folder, 'tiny', n, 'model.onnx'))
                      if os.path.exists(p)), None) for n in FIGURES}
    if not any(paths.values()):
        print(f'1..0 # SKIP there are no models in {folder}')
        return 0
    for name, path in paths.items():
        if path:
            check(name, path, os.path.join(folder, '..', 'tools', 'count.py'))
        else:
            skip(name, 'the model is not there')
    print(f'1..{tests}')
    return failures > 0


if __name__ == '__main__':
    sys.exit(main())
