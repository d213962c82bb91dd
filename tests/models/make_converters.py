#!/usr/bin/env python3
"""make_converters.py: cases written by converters: float16 of
onnxconverter-common, static (QDQ and QOperator) and dynamic quantization and
weights of 4 bits of ONNX Runtime."""
import os
import shutil

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxconverter_common import float16
from onnxruntime import quantization as q

from cases import HERE, case, drawn, finish, fresh

node, info = helper.make_node, helper.make_tensor_value_info


def base():
    """A small net, from which all are converted."""
    nodes = [node('Conv', ['x', 'w0', 'b0'], ['c0'], 'conv0', pads=[1, 1, 1, 1]),
             node('Relu', ['c0'], ['r0'], 'relu0'),
             node('Conv', ['r0', 'w1', 'b1'], ['c1'], 'conv1', pads=[1, 1, 1, 1], group=2),
             node('Add', ['c1', 'r0'], ['a'], 'add'),
             node('Sigmoid', ['a'], ['s'], 'sigmoid'),
             node('MaxPool', ['s'], ['p'], 'pool', kernel_shape=[2, 2], strides=[2, 2]),
             node('GlobalAveragePool', ['p'], ['g'], 'gap'),
             node('Flatten', ['g'], ['f'], 'flatten'),
             node('MatMul', ['f', 'w2'], ['m'], 'matmul'),
             node('Add', ['m', 'b2'], ['y'], 'bias')]
    shapes = {'w0': (8, 3, 3, 3), 'b0': (8,), 'w1': (8, 4, 3, 3), 'b1': (8,), 'w2': (8, 6), 'b2': (6,)}
    weights = [numpy_helper.from_array(drawn(*s, seed=i, scale=0.4), n) for i, (n, s) in enumerate(shapes.items())]
    graph = helper.make_graph(nodes, 'base', [info('x', TensorProto.FLOAT, [1, 3, 8, 8])],
                              [info('y', TensorProto.FLOAT, [1, 6])], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid('', 17)], ir_version=8)


class Reader(q.CalibrationDataReader):
    def __init__(self):
        self.left = [{'x': drawn(1, 3, 8, 8, seed=s)} for s in range(10, 14)]

    def get_next(self):
        return self.left.pop() if self.left else None


def matmul():
    """A product large enough for weights of 4 bits in blocks of 32."""
    weight = numpy_helper.from_array(drawn(64, 16, seed=8, scale=0.3), 'w')
    graph = helper.make_graph([node('MatMul', ['x', 'w'], ['y'], 'matmul')], 'product',
                              [info('x', TensorProto.FLOAT, [3, 64])], [info('y', TensorProto.FLOAT, [3, 16])], [weight])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid('', 21)], ir_version=10)


def quantize(source, feeds):
    for word, form in (('qdq', q.QuantFormat.QDQ), ('qoperator', q.QuantFormat.QOperator)):
        for channel in (False, True):
            name = f'ort_{word}_{"channel" if channel else "tensor"}'
            path = os.path.join(fresh(name), 'model.onnx')
            q.quantize_static(source, path, Reader(), quant_format=form, per_channel=channel,
                              weight_type=q.QuantType.QInt8)
            finish(name, feeds)
    path = os.path.join(fresh('ort_qdq_int16'), 'model.onnx')
    q.quantize_static(source, path, Reader(), quant_format=q.QuantFormat.QDQ, activation_type=q.QuantType.QUInt16,
                      weight_type=q.QuantType.QInt8, extra_options={'UseQDQContribOps': True})
    finish('ort_qdq_int16', feeds)
    path = os.path.join(fresh('ort_dynamic'), 'model.onnx')
    q.quantize_dynamic(source, path, weight_type=q.QuantType.QUInt8)
    finish('ort_dynamic', feeds)


def main():
    scratch = fresh('scratch')
    source = os.path.join(scratch, 'base.onnx')
    feeds = {'x': drawn(1, 3, 8, 8)}
    onnx.save(base(), source)
    half = float16.convert_float_to_float16(base())
    case('fp16', half, {'x': feeds['x'].astype(np.float16)})
    case('fp16_kept_types', float16.convert_float_to_float16(base(), keep_io_types=True, op_block_list=['Sigmoid']), feeds)
    quantize(source, feeds)
    from onnxruntime.quantization.matmul_nbits_quantizer import DefaultWeightOnlyQuantConfig, MatMulNBitsQuantizer
    for word, form in (('matmulnbits', q.QuantFormat.QOperator), ('qdq_int4', q.QuantFormat.QDQ)):
        config = DefaultWeightOnlyQuantConfig(block_size=32, is_symmetric=True, quant_format=form)
        quantizer = MatMulNBitsQuantizer(matmul(), algo_config=config)
        quantizer.process()
        case(f'ort_{word}', quantizer.model.model, {'x': drawn(3, 64)})
    shutil.rmtree(scratch)


main()
