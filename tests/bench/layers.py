#!/usr/bin/env python3
"""Time of single layers, beside ONNX Runtime on the same layer.

A model has the layer some times over, each copy followed by a maximum, so that
its result dies and the next copy finds memory that was touched before; the best
copy of the best run counts.  ONNX Runtime runs a model of the layer alone, one
thread, the best of many runs by CPU time.  Prints, judges nothing.

usage: layers.py LPLAN [NAME...]     NAME: layers whose line begins so
"""

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time

MISSING = 77
COPIES, RUNS = 3, 3

# name, operator, attributes, operands as (dtype, dims[, value]), multiply-adds.
# A dtype with "!" is a weight.
F, B, I8, U8, H = "float32", "bool", "int8", "uint8", "float16"
MAP = [1, 64, 128, 128]
SCALE, ZERO = ("float32!", [], 0.02), ("uint8!", [], 128)
SIGNED = ("int8!", [], 0)


def conv(channels, out, side, kernel=3, groups=1, stride=1):
    pad = kernel // 2
    attributes = dict(group=groups, strides=[stride] * 2, pads=[pad] * 4)
    size = (side + stride - 1) // stride
    macs = size * size * out * channels // groups * kernel * kernel
    return attributes, ([1, channels, side, side],
                        [out, channels // groups, kernel, kernel]), macs


def float_conv(name, *sizes, dtype=F, **options):
    attributes, (x, w), macs = conv(*sizes, **options)
    return (name, "Conv", attributes, [(dtype, x), (dtype + "!", w)], macs)


def byte_conv(name, *sizes, **options):
    attributes, (x, w), macs = conv(*sizes, **options)
    return (name, "QLinearConv", attributes,
            [(U8, x), SCALE, ZERO, (I8 + "!", w), SCALE, SIGNED, SCALE, ZERO],
            macs)


def product(name, m, n, k, dtype=F, weight="!", **attributes):
    b = [n, k] if attributes.get("transB") else [k, n]
    return (name, "Gemm" if attributes else "MatMul", attributes,
            [(dtype, [m, k]), (dtype + weight, b)], m * n * k)


def few(m, n, k):
    """A product of few rows, both ways, its B an activation: it is in memory,
    and nobody packs it beforehand."""
    sizes = "%d x %d x %d, both given" % (m, k, n)
    return [product("MatMul " + sizes, m, n, k, weight=""),
            product("Gemm " + sizes + ", B turned", m, n, k, weight="",
                    transB=1)]


LAYERS = [
    ("Add", "Add", {}, [(F, MAP), (F, MAP)], 0),
    ("Add, a channel", "Add", {}, [(F, MAP), (F, [64, 1, 1])], 0),
    ("Add float16", "Add", {}, [(H, MAP), (H, MAP)], 0),
    ("Where", "Where", {}, [(B, MAP), (F, MAP), (F, MAP)], 0),
    ("Where, a scalar", "Where", {},
     [(B, MAP), (F, MAP), ("float32!", [], 1)], 0),
    ("Less", "Less", {}, [(F, MAP), (F, MAP)], 0),
    ("Clip", "Clip", {},
     [(F, MAP), ("float32!", [], 0), ("float32!", [], 6)], 0),
    ("LeakyRelu", "LeakyRelu", {}, [(F, MAP)], 0),
    ("HardSwish", "HardSwish", {}, [(F, MAP)], 0),
    ("HardSigmoid", "HardSigmoid", {}, [(F, MAP)], 0),
    ("Relu", "Relu", {}, [(F, MAP)], 0),
    ("Sigmoid", "Sigmoid", {}, [(F, MAP)], 0),
    ("Tanh", "Tanh", {}, [(F, MAP)], 0),
    ("Erf", "Erf", {}, [(F, MAP)], 0),
    ("Gelu", "Gelu", {}, [(F, MAP)], 0),
    ("Softplus", "Softplus", {}, [(F, MAP)], 0),
    ("Elu", "Elu", {}, [(F, MAP)], 0),
    ("Pow 2", "Pow", {}, [(F, MAP), ("float32!", [], 2)], 0),
    ("Pow 1.5", "Pow", {}, [(F, MAP), ("float32!", [], 1.5)], 0),
    ("Softmax 4096", "Softmax", {}, [(F, [256, 4096])], 0),
    ("LayerNormalization 1024", "LayerNormalization", {},
     [(F, [1024, 1024]), ("float32!", [1024]), ("float32!", [1024])], 0),
    ("InstanceNormalization", "InstanceNormalization", {},
     [(F, MAP), ("float32!", [64]), ("float32!", [64])], 0),
    ("BatchNormalization", "BatchNormalization", {},
     [(F, MAP)] + [("float32!", [64])] * 4, 0),
    ("ReduceMean, last", "ReduceMean", dict(axes=[3]), [(F, MAP)], 0),
    ("ReduceMean, channels", "ReduceMean", dict(axes=[1]), [(F, MAP)], 0),
    ("Transpose 0 2 1 3", "Transpose", dict(perm=[0, 2, 1, 3]),
     [(F, [1, 1024, 16, 64])], 0),
    ("Transpose 0 2 3 1", "Transpose", dict(perm=[0, 2, 3, 1]), [(F, MAP)], 0),
    ("Transpose 0 3 1 2", "Transpose", dict(perm=[0, 3, 1, 2]),
     [(F, [1, 128, 128, 64])], 0),
    ("Transpose bytes", "Transpose", dict(perm=[0, 2, 3, 1]), [(U8, MAP)], 0),
    ("Transpose float16", "Transpose", dict(perm=[0, 2, 3, 1]), [(H, MAP)], 0),
    ("Concat", "Concat", dict(axis=1), [(F, MAP), (F, MAP)], 0),
    ("MaxPool 3x3 / 2", "MaxPool",
     dict(kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4), [(F, MAP)], 0),
    ("AveragePool 3x3", "AveragePool",
     dict(kernel_shape=[3, 3], pads=[1] * 4), [(F, MAP)], 0),
    ("Resize nearest", "Resize", dict(mode="nearest"),
     [(F, MAP), None, ("float32!", [4], [1, 1, 2, 2])], 0),
    ("Resize linear", "Resize", dict(mode="linear"),
     [(F, MAP), None, ("float32!", [4], [1, 1, 2, 2])], 0),
    ("Resize cubic", "Resize", dict(mode="cubic"),
     [(F, MAP), None, ("float32!", [4], [1, 1, 2, 2])], 0),
    ("Cast to float16", "Cast", dict(to=10), [(F, MAP)], 0),
    ("QuantizeLinear", "QuantizeLinear", {}, [(F, MAP), SCALE, ZERO], 0),
    ("DequantizeLinear", "DequantizeLinear", {}, [(U8, MAP), SCALE, ZERO], 0),
    float_conv("Conv 3x3 320", 320, 320, 64),
    float_conv("Conv 3x3 512, 7x7", 512, 512, 7),
    float_conv("Conv 1x1 256 to 1024, 14x14", 256, 1024, 14, kernel=1),
    float_conv("Conv 1x1 2048 to 512, 7x7", 2048, 512, 7, kernel=1),
    float_conv("Conv 7x7 / 2, 3 to 64", 3, 64, 224, kernel=7, stride=2),
    float_conv("Conv depthwise 3x3", 240, 240, 28, groups=240),
    float_conv("Conv depthwise 3x3, 112x112", 64, 64, 112, groups=64),
    float_conv("Conv depthwise 3x3 / 2", 64, 64, 112, groups=64, stride=2),
    float_conv("Conv depthwise 5x5, 7x7", 960, 960, 7, kernel=5, groups=960),
    float_conv("Conv 32 groups", 256, 256, 28, groups=32),
    float_conv("Conv 3x3 320 float16", 320, 320, 32, dtype=H),
    byte_conv("QLinearConv 3x3 256", 256, 256, 28),
    byte_conv("QLinearConv 1x1 256", 256, 256, 28, kernel=1),
    byte_conv("QLinearConv 3x3 512, 7x7", 512, 512, 7),
    byte_conv("QLinearConv depthwise", 240, 240, 28, groups=240),
    product("MatMul 1024", 1024, 1024, 1024),
    product("MatMul 1 x 4096 x 4096", 1, 4096, 4096),
    product("Gemm 1 x 4096 x 4096, B turned", 1, 4096, 4096, transB=1),
    product("MatMul 256 x 1024 x 1024 float16", 256, 1024, 1024, dtype=H),
    ("MatMulInteger 1024", "MatMulInteger", {},
     [(U8, [256, 1024]), (I8 + "!", [1024, 1024])], 256 * 1024 * 1024),
    ("QLinearMatMul 1024", "QLinearMatMul", {},
     [(U8, [256, 1024]), SCALE, ZERO, (I8 + "!", [1024, 1024]), SCALE, SIGNED,
      SCALE, ZERO], 256 * 1024 * 1024),
]
for sizes in ((1, 4096, 4096), (1, 1024, 1024), (1, 2048, 64), (1, 64, 2048),
              (4, 1024, 1024), (8, 4096, 4096), (16, 1024, 1024)):
    LAYERS += few(*sizes)


def values(np, dtype, dims, given):
    if given is not None:
        return np.broadcast_to(np.array(given, dtype), dims).copy()
    draw = np.random.default_rng(0)
    if dtype in (U8, I8):
        low = 0 if dtype == U8 else -128
        return draw.integers(low, low + 256, dims).astype(dtype)
    if dtype == B:
        return draw.integers(0, 2, dims).astype(bool)
    return draw.standard_normal(dims).astype(dtype)


def make(np, onnx, row, copies, path):
    """Write the model; return the values of its inputs."""
    name, op, attributes, operands, _ = row
    h, types = onnx.helper, onnx.TensorProto
    feeds, weights, names, nodes, outputs = {}, [], [], [], []
    for i, operand in enumerate(operands):
        if operand is None:
            names.append("")
            continue
        dtype, given = operand[0].rstrip("!"), operand[2:]
        array = values(np, dtype, operand[1], given[0] if given else None)
        names.append("x%d" % i)
        if operand[0].endswith("!"):
            weights.append(onnx.numpy_helper.from_array(array, names[i]))
        else:
            feeds[names[i]] = array
    for k in range(copies or 1):
        nodes.append(h.make_node(op, names, ["y%d" % k], **attributes))
        if copies:
            nodes.append(h.make_node("Cast", ["y%d" % k], ["f%d" % k],
                                     to=types.FLOAT))
            nodes.append(h.make_node("ReduceMax", ["f%d" % k], ["m%d" % k],
                                     keepdims=0))
            outputs.append(h.make_tensor_value_info("m%d" % k, types.FLOAT, []))
    if not copies:
        outputs = [onnx.helper.make_empty_tensor_value_info("y0")]
    inputs = [h.make_tensor_value_info(
        n, h.np_dtype_to_tensor_dtype(a.dtype), list(a.shape))
        for n, a in feeds.items()]
    opset = 20 if op == "Gelu" else 17
    model = h.make_model(h.make_graph(nodes, "g", inputs, outputs, weights),
                         opset_imports=[h.make_opsetid("", opset)],
                         ir_version=8)
    onnx.save(onnx.shape_inference.infer_shapes(model), path)
    return feeds


def lplan_seconds(lplan, path, op):
    best = None
    for _ in range(RUNS):
        ran = subprocess.run([lplan, "run", "--threads", "1", "--profile",
                              "--format", "json", path], check=False,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if ran.returncode:
            return None, ran.stderr.decode().strip().split("\n")[-1]
        for layer in json.loads(ran.stdout)["layers"]:
            if layer["op"] == op and (best is None or layer["time_ns"] < best):
                best = layer["time_ns"]
    return best * 1e-9, None


def peer_seconds(ort, path, feeds):
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        session = ort.InferenceSession(path, options,
                                       providers=["CPUExecutionProvider"])
        session.run(None, feeds)
    except Exception:  # of types of its own
        return None
    best, end = float("inf"), time.monotonic() + 0.3
    while time.monotonic() < end:
        at = time.process_time()
        session.run(None, feeds)
        best = min(best, time.process_time() - at)
    return best


def main(argv):
    if len(argv) < 2:
        print(__doc__.strip().split("\n")[-1], file=sys.stderr)
        return 2
    if not all(map(importlib.util.find_spec, ("numpy", "onnx"))):
        print("layers.py: needs Python's numpy and onnx")
        return MISSING
    import numpy as np
    import onnx
    ort = None
    if importlib.util.find_spec("onnxruntime"):
        import onnxruntime as ort
    print("%-42s %9s %8s  %s" % ("layer", "ms", "GFLOP/s",
                                 "ONNX Runtime ms, ratio" if ort else ""))
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.onnx")
        for row in LAYERS:
            if argv[2:] and not any(row[0].startswith(a) for a in argv[2:]):
                continue
            make(np, onnx, row, COPIES, path)
            own, why = lplan_seconds(argv[1], path, row[1])
            if own is None:
                print("%-42s %s" % (row[0], why))
                continue
            rate = "%8.1f" % (2e-9 * row[4] / own) if row[4] else " " * 8
            line = "%-42s %9.3f %s" % (row[0], own * 1e3, rate)
            if ort:
                feeds = make(np, onnx, row, 0, path)
                peer = peer_seconds(ort, path, feeds)
                line += ("  %9.3f  %5.2f x" % (peer * 1e3, own / peer)
                         if peer else "          -")
            print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
