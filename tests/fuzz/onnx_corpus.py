#!/usr/bin/env python3
"""onnx_corpus.py FOLDER: write the seed corpus of the ONNX reader.

Small models made with the onnx package, one a feature of the format. The
files are committed; this program is run by hand when a feature is added.
Output is deterministic.
"""
import os
import struct
import sys

import numpy as np
from onnx import AttributeProto, FunctionProto, ModelProto, StringStringEntryProto, TensorProto, helper, numpy_helper

FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64
node, info = helper.make_node, helper.make_tensor_value_info
rng = np.random.default_rng(1)


def model(nodes, inputs, outputs, weights=(), opset=17, ir=8, functions=(), opsets=(), sparse=(), infos=(), name='g'):
    graph = helper.make_graph(nodes, name, inputs, outputs, weights, value_info=infos, sparse_initializer=sparse)
    imports = [helper.make_opsetid('', opset)] + [helper.make_opsetid(d, v) for d, v in opsets]
    return helper.make_model(graph, opset_imports=imports, ir_version=ir, functions=functions, producer_name='corpus',
                             producer_version='1')


def weight(name, shape, dtype=np.float32):
    return numpy_helper.from_array((rng.random(shape) * 8).astype(dtype), name)


def metadata(n, **entries):
    for key, value in entries.items():
        n.metadata_props.append(StringStringEntryProto(key=key.replace('__', '.'), value=value))
    return n


def external(name, dtype, dims, **entries):
    t = TensorProto(name=name, data_type=dtype, dims=dims, data_location=TensorProto.EXTERNAL)
    for key, value in entries.items():
        t.external_data.add(key=key, value=str(value))
    return t


def conv():
    """Large raw weights (linked), a small one (inline), a symbolic dimension, declared inner types."""
    return model([node('Conv', ['x', 'w', 'b'], ['c'], name='/stem/conv/Conv', kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
                  node('Relu', ['c'], ['y'])],
                 [info('x', FLOAT, ['batch', 3, None, 8])], [info('y', FLOAT, None)],
                 [weight('w', (16, 3, 3, 3)), weight('b', (16,))], infos=[info('c', FLOAT, ['batch', 16, 8, 8])])


def typed():
    """Every dtype in its typed field, small; three large ones, linked as float, double and varints."""
    weights = []
    for number in range(1, 27):
        if number in (TensorProto.UNDEFINED, TensorProto.STRING):
            continue
        values = [1, 0, 1, 1, 0] if number == TensorProto.BOOL else [1, 2, 3, 1, 2]
        if number in (TensorProto.INT8, TensorProto.INT16, TensorProto.INT32, TensorProto.INT64):
            values = [-1, 2, -3, 100, -128]
        if number in (TensorProto.COMPLEX64, TensorProto.COMPLEX128):
            values = [1 + 2j, 3 - 4j]
        if number in (TensorProto.INT2, TensorProto.UINT2):
            values = [1, 0, 1, 1, 0]
        if number == TensorProto.FLOAT8E8M0:
            values = [1.0, 2.0, 4.0, 1.0, 2.0]
        weights.append(helper.make_tensor(TensorProto.DataType.Name(number).lower(), number, [len(values)], values))
    weights.append(helper.make_tensor('string', TensorProto.STRING, [2], [b'one', b'two']))
    weights.append(helper.make_tensor('long_float', FLOAT, [20, 15], range(300)))
    weights.append(helper.make_tensor('long_double', TensorProto.DOUBLE, [150], range(150)))
    weights.append(helper.make_tensor('long_int64', INT64, [400], [i * 1000 for i in range(400)]))
    weights.append(helper.make_tensor('long_half', TensorProto.FLOAT16, [600], [i / 8 for i in range(600)]))
    weights.append(helper.make_tensor('empty', FLOAT, [0, 4], []))
    weights.append(TensorProto(name='removed', data_type=FLOAT, dims=[1000, 1000]))
    return model([node('Relu', ['x'], ['y'])], [info('x', FLOAT, [1])], [info('y', FLOAT, [1])], weights, opset=25, ir=13)


def old():
    """IR version 3: every initializer is an input too; ai.onnx spelled out; no value names on nodes."""
    m = model([node('Reshape', ['x', 's'], ['r'], domain='ai.onnx'), node('Sum', ['r', 'w'], ['y'])],
              [info('x', FLOAT, [4, 2]), info('s', INT64, [1]), info('w', FLOAT, [8])], [info('y', FLOAT, [8])],
              [numpy_helper.from_array(np.array([8]), 's'), weight('w', (8,))], opset=7, ir=3)
    return m


def attributes():
    """Each kind of attribute, a large tensor among them."""
    n = node('Everything', ['x', '', 'x'], ['y', ''], domain='test', name='all', f=1.5, i=-7, s='text', fs=[1.0, -2.5],
             is_=[1, -2, 1 << 40], ss=['a', 'b\n'], t=weight('inner', (2, 2)))
    n.attribute.append(helper.make_attribute('big', weight('', (300,))))
    n.attribute.append(helper.make_attribute('empty', [], attr_type=AttributeProto.INTS))
    n.attribute.append(helper.make_attribute('tp', helper.make_tensor_type_proto(FLOAT, [1])))
    n.attribute.append(helper.make_attribute('ts', [weight('a', (1,)), weight('b', (400,))]))
    constant = node('Constant', [], ['k'], value=numpy_helper.from_array(np.array([1, 2, 3]), 'k'))
    return model([constant, n], [info('x', FLOAT, [2])], [info('y', FLOAT, None), info('k', INT64, [3])],
                 opsets=[('test', 1)])


def beside():
    """External data: on an initializer and on a Constant."""
    t = external('c', FLOAT, [600], location='weights.bin', offset=4096, length=2400)
    return model([node('Constant', [], ['c'], value=t), node('Mul', ['x', 'w'], ['m']), node('Add', ['m', 'c'], ['y'])],
                 [info('x', FLOAT, [600])], [info('y', FLOAT, [600])],
                 [external('w', FLOAT, [600], location='sub/weights.bin', offset=0, checksum='00')])


def branches():
    """If inside If, Loop, Scan: captures over two levels, bodies with weights of their own, unsorted nodes."""
    deep = helper.make_graph([node('Add', ['x', 'v'], ['deep_out'])], 'deep', [], [info('deep_out', FLOAT, [4])])
    flat = helper.make_graph([node('Neg', ['t'], ['flat_out'])], 'flat', [], [info('flat_out', FLOAT, [4])])
    then = helper.make_graph([node('If', ['c'], ['then_out'], then_branch=deep, else_branch=flat),
                              node('Abs', ['x'], ['t'])], 'then', [], [info('then_out', FLOAT, [4])])
    other = helper.make_graph([node('Mul', ['x', 'own'], ['else_out'])], 'else', [], [info('else_out', FLOAT, [4])],
                              [weight('own', (4,))])
    body = helper.make_graph([node('Identity', ['go'], ['more']), node('Add', ['carry', 'x'], ['next'])], 'body',
                             [info('i', INT64, []), info('go', TensorProto.BOOL, []), info('carry', FLOAT, [4])],
                             [info('more', TensorProto.BOOL, []), info('next', FLOAT, [4])])
    step = helper.make_graph([node('Add', ['state', 'item'], ['sum']), node('Identity', ['sum'], ['kept'])], 'step',
                             [info('state', FLOAT, []), info('item', FLOAT, [])], [info('sum', FLOAT, []), info('kept', FLOAT, [])])
    return model([node('If', ['c'], ['a'], name='choice', then_branch=then, else_branch=other),
                  node('Scan', ['zero', 'l'], ['end', 'sums'], body=step, num_scan_inputs=1),
                  node('Loop', ['trips', 'c', 'a'], ['l'], name='rounds', body=body),
                  node('Relu', ['x'], ['v'])],
                 [info('x', FLOAT, [4]), info('c', TensorProto.BOOL, [])], [info('sums', FLOAT, [4])],
                 [numpy_helper.from_array(np.array(5), 'trips'), numpy_helper.from_array(np.float32(0), 'zero')])


def functions():
    """Local functions: nested, with attributes by reference and default, absent operands, overloads, a graph inside,
    a graph from the caller, an output that is an input, and an opset of their own."""
    def ref(n, name, of, kind):
        n.attribute.append(AttributeProto(name=name, ref_attr_name=of, type=kind))
        return n
    scale = helper.make_function('local', 'Scale', ['a', 'b'], ['r', 'a'],
                                 [ref(node('LeakyRelu', ['a'], ['t'], name='leak'), 'alpha', 'slope', AttributeProto.FLOAT),
                                  ref(node('Clip', ['t', '', 'b'], ['r']), 'unused', 'missing', AttributeProto.INT)],
                                 [helper.make_opsetid('', 13)], ['missing'],
                                 [helper.make_attribute('slope', 0.25)])
    inner = helper.make_graph([node('Add', ['p', 'q'], ['s'])], 'inner', [], [info('s', FLOAT, None)])
    outer = helper.make_graph([ref(node('LeakyRelu', ['p'], ['s']), 'alpha', 'gain', AttributeProto.FLOAT)], 'outer', [],
                              [info('s', FLOAT, None)])
    twice = helper.make_function('local', 'Twice', ['p', 'c'], ['z'],
                                 [ref(node('Scale', ['p', 'p'], ['q', ''], name='one', domain='local'), 'slope', 'gain',
                                      AttributeProto.FLOAT),
                                  node('If', ['c'], ['w'], name='pick', then_branch=inner, else_branch=outer),
                                  node('Scale', ['w'], ['z'], domain='local')],
                                 [helper.make_opsetid('', 15), helper.make_opsetid('local', 1)], ['gain'])
    loud = helper.make_function('local', 'Twice', ['p'], ['z'], [node('Neg', ['p'], ['z'])], [helper.make_opsetid('', 15)])
    loud.overload = 'loud'
    given = helper.make_graph([node('Mul', ['x', 'u'], ['m'])], 'given', [], [info('m', FLOAT, None)])
    choose = helper.make_function('local', 'Choose', ['c'], ['z'],
                                  [ref(ref(node('If', ['c'], ['z']), 'then_branch', 'body', AttributeProto.GRAPH),
                                       'else_branch', 'body', AttributeProto.GRAPH)],
                                  [helper.make_opsetid('', 15)], ['body'])
    call = node('Twice', ['u'], ['o'], domain='local', name='third')
    call.overload = 'loud'
    return model([node('Twice', ['x', 'c'], ['u'], domain='local', name='/layers.0/first', gain=0.5),
                  node('Scale', ['u', 'x'], ['v', 'same'], domain='local', name='second', slope=2.0),
                  call, node('Relu', ['v'], ['second/t']),
                  node('Choose', ['c'], ['d'], domain='local', body=given)],
                 [info('x', FLOAT, [4]), info('c', TensorProto.BOOL, [])],
                 [info('o', FLOAT, [4]), info('same', FLOAT, [4]), info('second/t', FLOAT, [4]), info('d', FLOAT, [4])],
                 functions=[scale, twice, loud, choose], opsets=[('local', 1)], ir=10)


def modules():
    """Module paths from names and from both kinds of metadata."""
    scopes = "['', 'down.0', 'down.0.net', 'down.0.net.1', 'down.0.net.1.2', \"down.0.net.1.2.it's\", 'add_3']"
    space = ': my.Net/down.0: my.Block/down.0.net: torch.nn.Sequential/linear_7: aten.linear.default'
    return model([metadata(node('Relu', ['x'], ['a'], name='node_relu'), pkg__torch__onnx__name_scopes=scopes,
                           namespace='wrong', pkg__torch__onnx__stack_trace='File "x.py"\n' * 40),
                  metadata(node('Relu', ['a'], ['b'], name='node_other'), namespace=space, note='n'),
                  node('Relu', ['b'], ['c'], name='/layer1/layer1.0/relu/Relu'),
                  node('Relu', ['c'], ['tower/act/y:0'], doc_string='words ' * 300), node('Custom', ['c'], [], domain='test'),
                  node('Relu', ['c'], ['y'], name='plain')],
                 [info('x', FLOAT, [1])], [info('y', FLOAT, [1])], opsets=[('test', 1)])


def containers():
    """Sequences, optionals and maps as declared types; -1 as an unknown dimension."""
    sequence = helper.make_tensor_sequence_value_info('s', FLOAT, [2, 'n'])
    optional = helper.make_value_info('o', helper.make_optional_type_proto(helper.make_tensor_type_proto(INT64, [])))
    table = helper.make_value_info('m', helper.make_map_type_proto(INT64, helper.make_tensor_type_proto(FLOAT, [1])))
    return model([node('SequenceAt', ['s', 'i'], ['y'])],
                 [sequence, optional, table, info('i', INT64, []), info('free', FLOAT, [-1, 3])], [info('y', FLOAT, None)])


def sparse():
    """Sparse initializers: flat and by coordinates, small and large; a sparse Constant."""
    def make(name, dims, values, indices):
        return helper.make_sparse_tensor(numpy_helper.from_array(np.array(values, np.float32), name),
                                         numpy_helper.from_array(np.array(indices, np.int64), ''), dims)
    return model([node('Constant', [], ['k'], sparse_value=make('', [4], [7], [2])), node('Add', ['x', 'flat'], ['y'])],
                 [info('x', FLOAT, [3, 4])], [info('y', FLOAT, None)],
                 sparse=[make('flat', [3, 4], [1, 2], [0, 11]), make('pairs', [3, 4], [3, 4], [[0, 1], [2, 3]]),
                         make('large', [100, 100], [5], [42])])


def varint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])


def field(number, payload):
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def unpacked():
    """Forms that writers seldom choose: single elements of packed fields, packed ones of others, fields in reverse
    order, padded varints, unknown fields of every wire type."""
    small = b''.join(b'\x25' + struct.pack('<f', i) for i in range(3)) + b'\x08\x03\x10\x01' + field(8, b'small')
    large = b''.join(b'\x38' + varint(i) for i in range(1100)) + field(1, varint(1100)) + b'\x10\x07' + field(8, b'large')
    attribute = field(8, b'\x01\x02\x80\x00') + b'\xa0\x01\x07' + field(1, b'axes')
    op = field(4, b'Op') + field(5, attribute) + field(2, b'y') + field(1, b'x') + field(7, b'test')
    strange = b'\xf8\x3f\x01' + b'\xf9\x3f' + b'8bytes..' + b'\xfd\x3f' + b'4byt' + field(1000, b'anything')
    graph = strange + field(12, field(1, b'y')) + field(11, field(1, b'x')) + field(5, small) + field(5, large) + field(1, op)
    return field(8, field(1, b'test') + b'\x10\x01') + field(8, b'\x10\x91\x00') + field(7, graph) + b'\x08\x08'


MAKERS = [conv, typed, old, attributes, beside, branches, functions, modules, containers, sparse, unpacked]


def main():
    os.makedirs(sys.argv[1], exist_ok=True)
    for maker in MAKERS:
        made = maker()
        with open(os.path.join(sys.argv[1], maker.__name__ + '.onnx'), 'wb') as f:
            f.write(made.SerializeToString(deterministic=True) if isinstance(made, ModelProto) else made)


main()
