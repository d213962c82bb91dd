"""What the judges that compare with another runtime share: models made of
nodes, run there, written as cases, and run by "lplan run --cases"."""
import multiprocessing
import os
import subprocess
import tempfile

import numpy
import onnx
from onnx import helper, numpy_helper

LPLAN = os.environ.get('LPLAN') or 'lplan'
FLOATS = {numpy.dtype('float32'): 1e-5, numpy.dtype('float64'): 1e-5,
          numpy.dtype('float16'): 4e-3}


def tensor_type(value):
    return helper.np_dtype_to_tensor_dtype(value.dtype)


def model_of(nodes, inputs, weights, outputs, opset, contrib=True, ir=10):
    """A model; "inputs" and "weights" are arrays by name."""
    infos = [helper.make_tensor_value_info(name, tensor_type(value), value.shape)
             for name, value in inputs.items()]
    graph = helper.make_graph(
        nodes, 'g', infos, [onnx.ValueInfoProto(name=x) for x in outputs],
        [numpy_helper.from_array(value, name)
         for name, value in weights.items()])
    opsets = [helper.make_opsetid('', opset)]
    if contrib:
        opsets.append(helper.make_opsetid('com.microsoft', 1))
    return helper.make_model(graph, opset_imports=opsets, ir_version=ir)


def compute(model, inputs):
    """The outputs that ONNX Runtime computes from the bytes of "model", or why
    not."""
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = \
        onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(
            model, options, providers=['CPUExecutionProvider'])
        return session.run(None, inputs), None
    except Exception as problem:  # its own classes are not public
        return None, str(problem).split('\n')[0]


def serve(pipe):
    """Compute what comes, in a process of its own."""
    while True:
        try:
            answer = compute(*pipe.recv())
        except EOFError:
            return
        pipe.send(answer)


class Other:
    """ONNX Runtime in another process: a model that ends it ends no judge."""

    def __init__(self):
        self.process, self.died = None, []

    def stop(self):
        if self.process:
            self.pipe.close()
            self.process.kill()
            self.process.join()
            self.process = None

    def run(self, model, inputs, seconds=120):
        if not self.process:
            context = multiprocessing.get_context('spawn')
            self.pipe, theirs = context.Pipe()
            self.process = context.Process(target=serve, args=(theirs,),
                                           daemon=True)
            self.process.start()
            theirs.close()
        try:
            self.pipe.send((model.SerializeToString(), inputs))
            if self.pipe.poll(seconds):
                return self.pipe.recv()
            why = 'takes longer than %d s' % seconds
        except (EOFError, OSError):
            self.process.join(10)
            why = 'ended with %s' % self.process.exitcode
        self.stop()
        why = 'ONNX Runtime ' + why
        self.died.append(why)
        return None, why


OTHER = Other()


def run_other(model, inputs):
    """The outputs that ONNX Runtime computes, or why not."""
    return OTHER.run(model, inputs)


def write(path, message):
    with open(path, 'wb') as out:
        out.write(message.SerializeToString())


class Batch:
    """Cases by the tolerance they need, and their verdicts."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(
            dir=os.environ.get('top_builddir'))
        self.roots = {}

    def add(self, name, model, inputs, expected, tolerance=None):
        if tolerance is None:
            tolerance = max([FLOATS.get(numpy.asarray(x).dtype, 0)
                             for x in expected] + [
                                 FLOATS.get(x.dtype, 0)
                                 for x in inputs.values()], default=0)
        root = os.path.join(self.folder.name, '%g' % tolerance)
        self.roots[root] = tolerance
        data = os.path.join(root, name, 'test_data_set_0')
        os.makedirs(data)
        path = os.path.join(root, name, 'model.onnx')
        write(path, model)
        for kind, values in (('input', inputs.values()), ('output', expected)):
            for at, value in enumerate(values):
                write(os.path.join(data, '%s_%d.pb' % (kind, at)),
                      numpy_helper.from_array(numpy.asarray(value)))
        return path

    def verdicts(self):
        """(word, reason) by name; a crash is found case by case."""
        found = {}
        for root, tolerance in self.roots.items():
            words = [LPLAN, 'run', '--rtol', '0', '--atol', '1e-7', '--ltol',
                     '%g' % tolerance]
            done = subprocess.run(words + ['--cases', root], text=True,
                                  capture_output=True, errors='replace')
            lines = done.stdout.splitlines()
            if done.returncode not in (0, 1):
                lines = []
                for name in sorted(os.listdir(root)):
                    one = subprocess.run(
                        words + ['--case', os.path.join(root, name)],
                        text=True, capture_output=True, errors='replace')
                    lines += one.stdout.splitlines()[:1] if one.returncode in \
                        (0, 1) else ['FAIL %s exit %d: %s' % (
                            name, one.returncode, one.stderr.strip())]
            for line in lines:
                word, _, rest = line.partition(' ')
                name, _, reason = rest.partition(' ')
                if word in ('PASS', 'FAIL', 'SKIP'):
                    found[name.rstrip(':')] = (word, reason)
        return found
