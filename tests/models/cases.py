"""cases.py: write a model and its expected outputs as a test case.

A case is a folder in the form of onnx.backend.test: model.onnx, and
test_data_set_0 with input_N.pb and output_N.pb. Inputs are drawn from a fixed
seed; outputs are computed by ONNX Runtime without optimizations, or by the
reference implementation of the onnx package where it has no kernel.
"""
import os
import shutil

import numpy as np
import onnx
from onnx import numpy_helper

HERE = os.path.dirname(os.path.abspath(__file__))


def fresh(name):
    """An empty folder for the case "name"."""
    folder = os.path.join(HERE, name)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(os.path.join(folder, 'test_data_set_0'))
    return folder


def compute(path, feeds, reference):
    if reference:
        from onnx.reference import ReferenceEvaluator
        return ReferenceEvaluator(path).run(None, feeds)
    import onnxruntime as ort
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    return ort.InferenceSession(path, options, providers=['CPUExecutionProvider']).run(None, feeds)


def finish(name, feeds, reference=False):
    """Store "feeds" and the outputs of the model that lies in the folder."""
    folder = os.path.join(HERE, name)
    path = os.path.join(folder, 'model.onnx')
    graph = onnx.load(path, load_external_data=False).graph
    weights = {w.name for w in graph.initializer} | {w.values.name for w in graph.sparse_initializer}
    free = [i.name for i in graph.input if i.name not in weights]
    sets = (('input', free, [feeds[n] for n in free]),
            ('output', [o.name for o in graph.output], compute(path, feeds, reference)))
    for kind, names, values in sets:
        for i, (label, value) in enumerate(zip(names, values)):
            with open(os.path.join(folder, 'test_data_set_0', f'{kind}_{i}.pb'), 'wb') as out:
                out.write(numpy_helper.from_array(np.asarray(value), label).SerializeToString())
    size = os.path.getsize(path)
    print(f'{name}: {len(graph.node)} nodes, {size} bytes')


def case(name, model, feeds, reference=False):
    """A case of the message "model"."""
    folder = fresh(name)
    onnx.save(model, os.path.join(folder, 'model.onnx'))
    finish(name, feeds, reference)


def drawn(*shape, seed=1, dtype=np.float32, scale=1.0):
    return (np.random.default_rng(seed).standard_normal(shape) * scale).astype(dtype)
