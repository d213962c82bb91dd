#!/usr/bin/env python3
"""Whole models: CPU time of `lplan run` beside ONNX Runtime, one thread.

Both compute the same inputs in turns; the best turn of each counts.  Ours is a
process of its own every time, and the time of its layers, which read weights and
touch memory for the first time; theirs is the time of loading a session, of its
first run, and of one that is warm.  "once" is our process beside loading and the
first run, "again" our layers beside the warm run.  Weights that a model lacks are
made by `lplan fill` in a temporary folder.  Prints, judges nothing.

With --speedup the command runs alone, with one thread and with two in turns:
how much less wall time two take, and how much less CPU time the thread that
works longest has, which says the same where the machine is busy (threads that
wait sleep; what they worked is looked up every millisecond or so).

usage: models.py LPLAN MODEL...     models or folders of models
       --speedup     two threads beside one, without ONNX Runtime
       --turns N     turns (3)
       --threads N   threads of both (1)
       --most SIZE   models whose weights take more MiB are left out (500)
"""

import argparse
import importlib.util
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time

MISSING = 77
MIB = 1 << 20


def find(paths):
    for path in paths:
        if os.path.isfile(path):
            yield path
        for folder, _, names in sorted(os.walk(path)):
            for name in sorted(names):
                if name.endswith(".onnx"):
                    yield os.path.join(folder, name)


def name_of(path):
    stem = os.path.splitext(os.path.basename(path))[0]
    folder = os.path.basename(os.path.dirname(os.path.abspath(path)))
    return folder if stem == "model" else stem


def fill(onnx, lplan, path, most, folder):
    """The path of a model with weights, or why there is none."""
    model = onnx.load(path, load_external_data=False)
    outside, size = [], 0
    for tensor in model.graph.initializer:
        at = {e.key: e.value for e in tensor.external_data}
        if at:
            outside.append(at["location"])
            size = max(size, int(at.get("offset", 0)) + int(at["length"]))
    here = os.path.dirname(os.path.abspath(path))
    if all(os.path.exists(os.path.join(here, name)) for name in outside):
        return path, None
    if size > most * MIB:
        return None, "weights of %d MiB" % (size // MIB)
    ran = subprocess.run([lplan, "fill", path, "-o", folder, "--seed", "1"],
                         check=False, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE)
    if ran.returncode:
        return None, ran.stderr.decode().strip()
    return shutil.copy(path, os.path.join(folder, "model.onnx")), None


def own_turn(lplan, path, threads, feeds):
    """CPU seconds of the process, and wall seconds of the layers."""
    command = [lplan, "run", "--threads", str(threads), "--profile",
               "--format", "json", path]
    for name, file in feeds.items():
        command += ["--input", "%s=%s" % (name, file)]
    at = resource.getrusage(resource.RUSAGE_CHILDREN)
    ran = subprocess.run(command, check=False, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE)
    to = resource.getrusage(resource.RUSAGE_CHILDREN)
    if ran.returncode:
        raise RuntimeError(ran.stderr.decode().strip().split("\n")[-1])
    layers = json.loads(ran.stdout)["layers"]
    cpu = to.ru_utime + to.ru_stime - at.ru_utime - at.ru_stime
    return cpu, sum(layer["time_ns"] for layer in layers) * 1e-9


def longest_thread(pid, found):
    """Note the CPU seconds of the threads of a process in "found"."""
    folder = "/proc/%d/task" % pid
    try:
        for thread in os.listdir(folder):
            with open("%s/%s/schedstat" % (folder, thread),
                      encoding="ascii") as stat:
                found[thread] = int(stat.read().split()[0]) * 1e-9
    except (OSError, ValueError, IndexError):
        pass


def threads_turn(lplan, path, threads):
    """Wall seconds, and CPU seconds of the thread that works longest."""
    found, at = {}, time.monotonic()
    with subprocess.Popen([lplan, "run", "--threads", str(threads), path],
                          stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL,
                          env=dict(os.environ,
                                   OMP_WAIT_POLICY="passive")) as process:
        while process.poll() is None:
            longest_thread(process.pid, found)
            time.sleep(0.001)
        if process.returncode:
            raise RuntimeError("exit %d" % process.returncode)
    return time.monotonic() - at, max(found.values())


def speedup(lplan, path, turns):
    best = {1: [float("inf")] * 2, 2: [float("inf")] * 2}
    for _ in range(turns):
        for threads, of in best.items():
            best[threads] = list(map(min, of,
                                     threads_turn(lplan, path, threads)))
    return "%11.1f %11.1f %9.2f x %9.2f x" % (
        best[1][1] * 1e3, best[2][1] * 1e3, best[1][0] / best[2][0],
        best[1][1] / best[2][1])


def session_of(ort, path, threads):
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    return ort.InferenceSession(path, options,
                                providers=["CPUExecutionProvider"])


def draw(np, session):
    """Values of the inputs; integers are small, so that they index."""
    draw_from, feeds = np.random.default_rng(0), {}
    for i in session.get_inputs():
        dims = [d if isinstance(d, int) else 1 for d in i.shape]
        dtype = i.type[len("tensor("):-1]
        dtype = {"float": "float32", "double": "float64"}.get(dtype, dtype)
        if dtype.startswith("float"):
            feeds[i.name] = draw_from.standard_normal(dims).astype(dtype)
        else:
            feeds[i.name] = np.ones(dims, dtype)
    return feeds


def compare(np, ort, lplan, path, options, folder):
    """CPU seconds: our process, our layers (wall), their load, first, warm."""
    at = time.process_time()
    session = session_of(ort, path, options.threads)
    load = time.process_time() - at
    feeds, files = draw(np, session), {}
    for k, (name, array) in enumerate(feeds.items()):
        files[name] = os.path.join(folder, "input_%d.npy" % k)
        np.save(files[name], array)
    at = time.process_time()
    session.run(None, feeds)
    first = time.process_time() - at
    own, layers, warm = [], [], []
    for _ in range(options.turns):
        cpu, wall = own_turn(lplan, path, options.threads, files)
        own.append(cpu)
        layers.append(wall)
        at = time.process_time()
        session.run(None, feeds)
        warm.append(time.process_time() - at)
    return min(own), min(layers), load, first, min(warm)


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1])
    parser.add_argument("lplan")
    parser.add_argument("models", nargs="+")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--most", type=int, default=500)
    parser.add_argument("--speedup", action="store_true")
    options = parser.parse_args()
    modules = ["numpy", "onnx"] + ["onnxruntime"] * (not options.speedup)
    if not all(map(importlib.util.find_spec, modules)):
        print("models.py: needs Python's " + ", ".join(modules))
        return MISSING
    import numpy as np
    import onnx
    ort = None
    if options.speedup:
        print("%-26s %11s %11s %11s %11s" % (
            "model", "1, CPU ms", "2, CPU ms", "wall", "by CPU"))
    else:
        import onnxruntime as ort
        print("%-26s %10s %10s   %10s %10s %10s %8s %8s" % (
            "model", "process ms", "layers ms", "ORT: load", "first", "warm",
            "once", "again"))
    for path in find(options.models):
        line = None
        with tempfile.TemporaryDirectory() as folder:
            full, why = fill(onnx, options.lplan, path, options.most, folder)
            try:
                if full and options.speedup:
                    line = speedup(options.lplan, full, options.turns)
                elif full:
                    of = compare(np, ort, options.lplan, full, options, folder)
                    line = "%10.1f %10.1f   %10.1f %10.1f %10.1f" % tuple(
                        seconds * 1e3 for seconds in of)
                    line += " %6.2f x %6.2f x" % (
                        of[0] / (of[2] + of[3]), of[1] / of[4])
            except Exception as error:  # of types of its own
                why = str(error).split("\n", maxsplit=1)[0][:80]
        print("%-26s %s" % (name_of(path), line or why), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
