#!/usr/bin/env python3
"""Time and peak memory of `lplan analyze`, printed and never judged.

    tests/bench/analyze.py [LPLAN]         (build/lplan unless named)

The U-Net of examples/, beside onnx.shape_inference and onnx-tool where this
Python has them (onnx-tool reads the weights: it gets a sparse file of zeros);
generated models of 1,000 to 100,000 layers; a model with 1.7 GB of weights
inside, as a sparse file.  Peak memory is that of the process, but never
below that of this script, which starts it.
"""

import importlib.util
import os
import resource
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
UNET = os.path.join(TOP, "examples", "sd15_unet.onnx")
FLOAT = 1  # TensorProto.DataType


# ---- a model as bytes (onnx.proto; field numbers in the calls) -------------


def varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def integer(field, number):
    return varint(field << 3) + varint(number)


def head(field, length):
    return varint(field << 3 | 2) + varint(length)


def block(field, content):
    if isinstance(content, str):
        content = content.encode()
    return head(field, len(content)) + content


def value_info(field, name, dims):
    shape = b"".join(block(1, integer(1, d)) for d in dims)
    tensor_type = integer(1, FLOAT) + block(2, shape)
    return block(field, block(1, name) + block(2, block(1, tensor_type)))


def node(op, inputs, output):
    content = b"".join(block(1, name) for name in inputs) + block(2, output)
    return block(1, content + block(3, "/" + output) + block(4, op))


def write_model(path, nodes, dims, weights, data_bytes):
    """Write nodes and float weights {name: dims} of data_bytes each; the
    content of weights is a hole in the file."""
    graph = [b"".join(nodes) + block(2, "bench")]
    heads = []
    for name, weight_dims in weights:
        start = b"".join(integer(1, d) for d in weight_dims)
        start += integer(2, FLOAT) + block(8, name)
        start += head(9, data_bytes) if data_bytes else b""
        heads.append(head(5, len(start) + data_bytes) + start)
    tail = value_info(11, "x", dims) + value_info(12, "y", dims)
    length = len(graph[0]) + len(tail)
    length += sum(len(h) + data_bytes for h in heads)
    with open(path, "wb") as file:
        file.write(integer(1, 8) + block(8, block(1, "") + integer(2, 17)))
        file.write(head(7, length) + graph[0])
        for start in heads:
            file.write(start)
            file.seek(data_bytes, os.SEEK_CUR)
        file.write(tail)


def chain(path, layers):
    """A chain of residual blocks: MatMul, Relu, Add."""
    nodes, last = [], "x"
    for i in range(layers // 3):
        names = ["b%d/%s" % (i, part) for part in ("matmul", "relu", "add")]
        nodes.append(node("MatMul", [last, "w%d" % (i % 64)], names[0]))
        nodes.append(node("Relu", [names[0]], names[1]))
        nodes.append(node("Add", [names[1], last], names[2]))
        last = names[2]
    nodes.append(node("Identity", [last], "y"))
    weights = [("w%d" % i, (64, 64)) for i in range(64)]
    write_model(path, nodes, (1, 64), weights, 0)


def heavy(path):
    """26 weights of 4096 x 4096 floats inside: 1.74 GB."""
    count, side = 26, 4096
    nodes = [
        node(
            "MatMul",
            ["a%d" % i if i else "x", "w%d" % i],
            "a%d" % (i + 1) if i < count - 1 else "y",
        )
        for i in range(count)
    ]
    weights = [("w%d" % i, (side, side)) for i in range(count)]
    write_model(path, nodes, (1, side), weights, side * side * 4)


# ---- measuring ------------------------------------------------------------


def run(command):
    """Seconds and peak bytes of one run; None when it fails."""
    null = os.open(os.devnull, os.O_RDWR)
    actions = [(os.POSIX_SPAWN_DUP2, null, 1), (os.POSIX_SPAWN_DUP2, null, 2)]
    start = time.perf_counter()
    pid = os.posix_spawnp(command[0], command, os.environ, file_actions=actions)
    _, status, usage = os.wait4(pid, 0)
    elapsed = time.perf_counter() - start
    os.close(null)
    return None if status else (elapsed, usage.ru_maxrss * 1024)


def best(command, times):
    results = [run(command) for _ in range(times)]
    if None in results:
        return None
    return min(r[0] for r in results), min(r[1] for r in results)


def line(name, result, base=None):
    if result is None:
        print("%-44s failed" % name)
        return
    seconds, peak = result
    ratio = ""
    if base:
        ratio = "%8.1f x time %7.1f x memory" % (
            seconds / base[0],
            peak / base[1],
        )
    print("%-44s %9.1f ms %8.1f MB%s" % (name, seconds * 1e3, peak / 1e6, ratio))


def installed(module):
    return importlib.util.find_spec(module) is not None


INFER = "import onnx, sys; m = onnx.load(sys.argv[1], load_external_data=False); onnx.shape_inference.infer_shapes(m)"
TOOL = "import onnx_tool, sys; onnx_tool.model_profile(sys.argv[1])"


def give_weights(path):
    """Make "path" the U-Net, with a sparse file of zeros for its weights."""
    import onnx

    model = onnx.load(UNET, load_external_data=False)
    end, location = 0, None
    for tensor in model.graph.initializer:
        entries = {e.key: e.value for e in tensor.external_data}
        if entries:
            location = entries["location"]
            end = max(end, int(entries["offset"]) + int(entries["length"]))
    onnx.save_model(model, path)
    with open(os.path.join(os.path.dirname(path), location), "wb") as file:
        file.truncate(end)


def apart(function, path):
    """Call function(path) in a process of its own, so that its memory does
    not count as this script's."""
    child = os.fork()
    if child == 0:
        function(path)
        os._exit(0)
    os.waitpid(child, 0)


def compare(lplan, folder):
    print("-- %s" % os.path.relpath(UNET, TOP))
    base = best([lplan, "analyze", UNET], 10)
    line("lplan analyze", base)
    for format_name in ("tsv", "json"):
        command = [lplan, "analyze", UNET, "--format", format_name]
        line("lplan analyze --format %s" % format_name, best(command, 10), base)
    if not installed("onnx"):
        print("onnx is not installed for %s" % sys.executable)
        return
    line(
        "python: onnx.load, infer_shapes",
        best([sys.executable, "-c", INFER, UNET], 3),
        base,
    )
    if not installed("onnx_tool"):
        print("onnx-tool is not installed for %s" % sys.executable)
        return
    path = os.path.join(folder, "unet.onnx")
    apart(give_weights, path)
    line("lplan analyze, weights there", best([lplan, "analyze", path], 10), base)
    line(
        "python: onnx_tool.model_profile",
        best([sys.executable, "-c", TOOL, path], 1),
        base,
    )


def scale(lplan, folder):
    print("-- layers in a chain (.onnx, and its text form)")
    base = None
    for layers in (1000, 10000, 100000):
        path = os.path.join(folder, "chain%d.onnx" % layers)
        apart(lambda name: chain(name, layers), path)
        result = best([lplan, "analyze", path], 3)
        line("%7d layers" % layers, result, base)
        base = base or result
        text = path[: -len("onnx")] + "lpm"
        with open(text, "wb") as file:
            subprocess.run([lplan, "dump", path], stdout=file, check=False)
        line("%7d layers, .lpm" % layers, best([lplan, "analyze", text], 3))


def large(lplan, folder):
    path = os.path.join(folder, "heavy.onnx")
    heavy(path)
    print("-- weights inside, %.2f GB" % (os.path.getsize(path) / 1e9))
    line("lplan analyze", best([lplan, "analyze", path], 5))


def main():
    default = os.path.join(TOP, "build", "lplan")
    lplan = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else default
    with tempfile.TemporaryDirectory() as folder:
        compare(lplan, folder)
        scale(lplan, folder)
        large(lplan, folder)
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print("(the least memory that can be shown: %.1f MB)" % (own / 1e6))


if __name__ == "__main__":
    main()
