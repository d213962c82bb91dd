#!/usr/bin/env python3
"""make_styles.py: cases in forms that no exporter at hand writes any more, or
that are legal and rare: IR 3, opset 7 to 9, weights in Constants, sparse
initializers, external data in several files, narrow weights, local functions,
names that are empty or strange, nodes out of order."""
import os

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from cases import case, drawn, finish, fresh

FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64
node, info = helper.make_node, helper.make_tensor_value_info


def weight(name, *shape, seed=1, scale=0.5):
    return numpy_helper.from_array(drawn(*shape, seed=seed, scale=scale), name)


def ints(name, *values):
    return numpy_helper.from_array(np.array(values, np.int64), name)


def model(nodes, inputs, outputs, weights=(), opset=17, ir=8, functions=(), domains=(), sparse=(), infos=()):
    graph = helper.make_graph(nodes, 'g', inputs, outputs, list(weights), sparse_initializer=list(sparse),
                              value_info=list(infos))
    imports = [helper.make_opsetid('', opset)] + [helper.make_opsetid(d, 1) for d in domains]
    return helper.make_model(graph, opset_imports=imports, ir_version=ir, functions=list(functions))


def zoo():
    """A classifier as the first model zoos have it: IR 3, all weights inputs too, Caffe2's names."""
    x = {'gpu_0/data_0': drawn(1, 3, 12, 12)}
    shapes = {'gpu_0/conv1_w_0': (6, 3, 3, 3), 'gpu_0/conv1_b_0': (6,), 'bn_s': (6,), 'bn_b': (6,), 'bn_m': (6,),
              'gpu_0/pred_w_0': (5, 54), 'gpu_0/pred_b_0': (5,)}
    weights = [weight(n, *s, seed=i) for i, (n, s) in enumerate(shapes.items())]
    weights.append(numpy_helper.from_array(np.linspace(0.5, 1.5, 6, dtype=np.float32), 'bn_v'))
    weights.append(ints('OC2_DUMMY_1', 1, 54))
    inputs = [info('gpu_0/data_0', FLOAT, [1, 3, 12, 12])] + [
        info(w.name, w.data_type, list(w.dims)) for w in weights]
    for opset in (7, 8, 9):
        bn = {'spatial': 1} if opset < 9 else {}
        nodes = [node('Conv', ['gpu_0/data_0', 'gpu_0/conv1_w_0', 'gpu_0/conv1_b_0'], ['gpu_0/conv1_1'],
                      kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[2, 2]),
                 node('BatchNormalization', ['gpu_0/conv1_1', 'bn_s', 'bn_b', 'bn_m', 'bn_v'], ['bn_1'],
                      epsilon=1e-5, **bn),
                 node('LRN', ['bn_1'], ['lrn_1'], size=3, alpha=1e-2),
                 node('MaxPool', ['lrn_1'], ['pool_1'], kernel_shape=[3, 3], strides=[2, 2], pads=[0, 0, 1, 1]),
                 node('Dropout', ['pool_1'], ['drop_1', '_mask_1'], ratio=0.5),
                 node('Reshape', ['drop_1', 'OC2_DUMMY_1'], ['flat_1']),
                 node('Gemm', ['flat_1', 'gpu_0/pred_w_0', 'gpu_0/pred_b_0'], ['pred_1'], transB=1),
                 node('Softmax', ['pred_1'], ['gpu_0/softmax_1'])]
        if opset == 9:
            nodes[4].output.pop()
        case(f'zoo_{opset}', model(nodes, inputs, [info('gpu_0/softmax_1', FLOAT, [1, 5])], weights, opset, 3), x)
    nodes = [node('Upsample', ['x'], ['u'], scales=[1.0, 1.0, 2.0, 2.0]),
             node('Pad', ['u'], ['p'], pads=[0, 0, 1, 1, 0, 0, 1, 1], value=0.25),
             node('Slice', ['p'], ['s'], starts=[1, 0], ends=[9, 100], axes=[2, 3]),
             node('Clip', ['s'], ['c'], min=-1.0, max=1.0), node('Squeeze', ['c'], ['q'], axes=[0]),
             node('TopK', ['q'], ['v', 'i'], k=3, axis=2), node('ReduceSum', ['v'], ['r'], axes=[0], keepdims=0)]
    case('zoo_attributes', model(nodes, [info('x', FLOAT, [1, 2, 5, 5])],
                                 [info('r', FLOAT, None), info('i', INT64, None)], opset=8, ir=3), {'x': drawn(1, 2, 5, 5)})


def constants():
    """Weights in Constant nodes of every kind, behind Identity and casts."""
    nodes = [node('Constant', [], ['w'], value=weight('', 4, 3, seed=4)),
             node('Constant', [], ['f'], value_float=0.5), node('Constant', [], ['l'], value_floats=[1.0, 2.0, 3.0]),
             node('Constant', [], ['s'], value_ints=[3, 4]), node('Constant', [], ['one'], value_int=1),
             node('Identity', ['w'], ['w2']), node('Reshape', ['w2', 's'], ['w3']), node('MatMul', ['x', 'w3'], ['m']),
             node('Mul', ['m', 'f'], ['h']), node('ConstantOfShape', ['s'], ['z']),
             node('Cast', ['one'], ['o'], to=FLOAT), node('Add', ['z', 'o'], ['ones']), node('MatMul', ['l2', 'ones'], ['k']),
             node('Unsqueeze', ['l', 'zero'], ['l2']), node('Constant', [], ['zero'], value_ints=[0]),
             node('Add', ['h', 'k'], ['y'])]
    order = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 14, 13, 12, 15]
    case('constants', model([nodes[i] for i in order], [info('x', FLOAT, [2, 3])], [info('y', FLOAT, [2, 4])]),
         {'x': drawn(2, 3)})


def sparse():
    """Sparse initializers by flat index and by coordinates, and a sparse Constant."""
    def make(name, dims, values, indices):
        return helper.make_sparse_tensor(numpy_helper.from_array(np.array(values, np.float32), name),
                                         numpy_helper.from_array(np.array(indices, np.int64), ''), dims)
    nodes = [node('MatMul', ['x', 'a'], ['m']), node('Constant', [], ['k'], sparse_value=make('', [4], [7], [2])),
             node('Add', ['m', 'k'], ['n']), node('Mul', ['n', 'b'], ['y'])]
    case('sparse', model(nodes, [info('x', FLOAT, [2, 3])], [info('y', FLOAT, [2, 4])],
                         sparse=[make('a', [3, 4], [1, -2, 3], [0, 6, 11]), make('b', [2, 4], [3, 4], [[0, 1], [1, 3]])]),
         {'x': drawn(2, 3)})


def external():
    """External data in two files, one of two tensors at an offset, and one beside."""
    folder = fresh('external')
    values = {'w': drawn(8, 8, seed=2), 'v': drawn(8, 8, seed=3), 'b': drawn(8, seed=4)}
    places = {'w': ('first.bin', 0), 'v': ('first.bin', 4096), 'b': ('sub.dir/second.bin', 16)}
    os.mkdir(os.path.join(folder, 'sub.dir'))
    weights = []
    for name, value in values.items():
        place, offset = places[name]
        with open(os.path.join(folder, place), 'r+b' if name == 'v' else 'wb') as out:
            out.seek(offset)
            out.write(value.tobytes())
        t = TensorProto(name=name, data_type=FLOAT, dims=value.shape, data_location=TensorProto.EXTERNAL)
        for key, entry in (('location', place), ('offset', offset), ('length', value.nbytes)):
            t.external_data.add(key=key, value=str(entry))
        weights.append(t)
    made = model([node('MatMul', ['x', 'w'], ['a']), node('MatMul', ['a', 'v'], ['c']), node('Add', ['c', 'b'], ['y'])],
                 [info('x', FLOAT, [2, 8])], [info('y', FLOAT, [2, 8])], weights)
    with open(os.path.join(folder, 'model.onnx'), 'wb') as out:
        out.write(made.SerializeToString())
    finish('external', {'x': drawn(2, 8)})


def narrow():
    """Weights of other types, brought to float32 by Cast or DequantizeLinear."""
    kinds = {'FLOAT16': 10, 'BFLOAT16': 16, 'DOUBLE': 11, 'INT8': 3, 'UINT8': 2, 'FLOAT8E4M3FN': 17, 'FLOAT8E5M2': 19}
    nodes, weights, last = [], [], 'x'
    for word, number in kinds.items():
        values = [float(v) for v in (1, 2, 0.5, 3, 4, 1.5)] if 'FLOAT' in word or word == 'DOUBLE' else [1, 2, 0, 3, 4, 1]
        weights.append(helper.make_tensor(word, number, [2, 3], values))
        nodes += [node('Cast', [word], [f'{word}.f'], to=FLOAT), node('Add', [last, f'{word}.f'], [f'{word}.y'])]
        last = f'{word}.y'
    case('narrow', model(nodes, [info('x', FLOAT, [2, 3])], [info(last, FLOAT, [2, 3])], weights, 21, 10), {'x': drawn(2, 3)})
    scale = numpy_helper.from_array(np.float32(0.25), 'scale')
    nodes, weights, last = [], [scale], 'x'
    for word, number in (('INT4', 22), ('UINT4', 21)):
        weights.append(helper.make_tensor(word, number, [3, 3], [1, 7, 0, 3, 4, 1, 2, 5, 6]))
        nodes += [node('DequantizeLinear', [word, 'scale'], [f'{word}.f']), node('MatMul', [last, f'{word}.f'], [f'{word}.y'])]
        last = f'{word}.y'
    case('int4', model(nodes, [info('x', FLOAT, [2, 3])], [info(last, FLOAT, [2, 3])], weights, 21, 10), {'x': drawn(2, 3)})


def functions():
    """Local functions that call each other, attributes by reference, a default, an absent operand."""
    def ref(n, name, of, kind):
        n.attribute.append(onnx.AttributeProto(name=name, ref_attr_name=of, type=kind))
        return n
    opset = [helper.make_opsetid('', 17), helper.make_opsetid('local', 1)]
    leak = helper.make_function('local', 'Leak', ['a', 'low'], ['r'],
                                [ref(node('LeakyRelu', ['a'], ['t']), 'alpha', 'slope', onnx.AttributeProto.FLOAT),
                                 node('Clip', ['t', 'low'], ['r'])], opset, ['slope'])
    dense = helper.make_function('local', 'Dense', ['x', 'w', 'b'], ['y'],
                                 [node('Gemm', ['x', 'w', 'b'], ['t']),
                                  node('Leak', ['t', ''], ['y'], domain='local', slope=0.25)], opset)
    block = helper.make_function('local', 'Block', ['x', 'w', 'b'], ['y', 't'],
                                 [node('Dense', ['x', 'w', 'b'], ['t'], domain='local'),
                                  node('Dense', ['t', 'w', 'b'], ['u'], domain='local'), node('Add', ['u', 'x'], ['y'])], opset)
    nodes = [node('Block', ['x', 'w', 'b'], ['t', ''], 'first', domain='local'),
             node('Block', ['t', 'w', 'b'], ['y', 'inner'], 'second', domain='local'),
             node('Leak', ['y', 'low'], ['z'], domain='local', slope=0.5)]
    case('functions', model(nodes, [info('x', FLOAT, [2, 4])], [info('z', FLOAT, [2, 4]), info('inner', FLOAT, [2, 4])],
                            [weight('w', 4, 4), weight('b', 4), numpy_helper.from_array(np.float32(-0.5), 'low')],
                            functions=[block, dense, leak], domains=['local']), {'x': drawn(2, 4)})


def names():
    """Empty and strange names, optional operands that are absent, outputs that nobody reads."""
    nodes = [node('Split', ['x'], ['', 'é/ü:0', 'tab\there'], num_outputs=3, axis=1),
             node('Relu', ['é/ü:0'], ['^{"\\'], 'same'), node('Neg', ['tab\there'], ['0'], 'Same'),
             node('Clip', ['img', '', 'most'], ['big']), node('ReduceMean', ['big'], ['unused'], ''),
             node('Dropout', ['0'], ['d', 'mask']), node('Add', ['^{"\\', 'd'], ['out.put']), node('Identity', ['x'], ['copy'])]
    case('names', model(nodes, [info('x', FLOAT, [2, 6]), info('img', FLOAT, [1, 1, 2, 2])],
                        [info('out.put', FLOAT, [2, 2]), info('copy', FLOAT, [2, 6])],
                        [numpy_helper.from_array(np.float32(0.5), 'most')], opset=18),
         {'x': drawn(2, 6), 'img': drawn(1, 1, 2, 2)}, reference=True)


def unsorted():
    """Nodes in reverse order, which the checker refuses and files in the wild have."""
    nodes = [node('Relu', ['x'], ['a']), node('MatMul', ['a', 'w'], ['b']), node('Tanh', ['b'], ['c']),
             node('Add', ['c', 'a'], ['y'])]
    made = model(nodes[::-1], [info('x', FLOAT, [2, 4])], [info('y', FLOAT, [2, 4])], [weight('w', 4, 4)])
    case('unsorted', made, {'x': drawn(2, 4)})


def bodies():
    """If inside Loop, names of the outside used in both, a Scan after it; the trip count is known."""
    yes = helper.make_graph([node('Mul', ['v', 'w'], ['t'])], 'yes', [], [info('t', FLOAT, [3])])
    no = helper.make_graph([node('Sub', ['v', 'x0'], ['e'])], 'no', [], [info('e', FLOAT, [3])])
    body = helper.make_graph([node('Identity', ['c'], ['more']), node('Cast', ['i'], ['fi'], to=FLOAT),
                              node('Add', ['v', 'fi'], ['n']), node('Mod', ['i', 'two'], ['odd']),
                              node('Cast', ['odd'], ['is'], to=TensorProto.BOOL),
                              node('If', ['is'], ['r'], then_branch=yes, else_branch=no), node('Identity', ['r'], ['kept'])],
                             'body', [info('i', INT64, []), info('c', TensorProto.BOOL, []), info('v', FLOAT, [3])],
                             [info('more', TensorProto.BOOL, []), info('r', FLOAT, [3]), info('kept', FLOAT, [3])])
    step = helper.make_graph([node('Add', ['s', 'e'], ['s2']), node('Mul', ['s2', 'w'], ['o'])], 'step',
                             [info('s', FLOAT, [3]), info('e', FLOAT, [3])], [info('s2', FLOAT, [3]), info('o', FLOAT, [3])])
    nodes = [node('Relu', ['x'], ['x0']), node('Loop', ['trips', '', 'x'], ['last', 'all'], body=body),
             node('Scan', ['last', 'all'], ['sum', 'rows'], body=step, num_scan_inputs=1)]
    case('bodies', model(nodes, [info('x', FLOAT, [3])], [info('sum', FLOAT, [3]), info('rows', FLOAT, [5, 3])],
                         [ints('two', 2), numpy_helper.from_array(np.int64(5), 'trips'), weight('w', 3)]), {'x': drawn(3)})


def main():
    for make in (zoo, constants, sparse, external, narrow, functions, names, unsorted, bodies):
        make()


main()
