#!/usr/bin/env python3
"""make_paddle.py: cases written by paddle2onnx from PaddlePaddle."""
import os
import tempfile

import numpy as np
import paddle
from paddle import nn

from cases import finish, fresh


class Net(nn.Layer):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2D(3, 8, 3, stride=2, padding=1)
        self.norm = nn.BatchNorm2D(8)
        self.fc = nn.Linear(8, 4)

    def forward(self, x):
        x = nn.functional.hardswish(self.norm(self.conv(x)))
        x = nn.functional.interpolate(x, size=[8, 10], mode='nearest')
        x = nn.functional.adaptive_avg_pool2d(x, 1).flatten(1)
        return nn.functional.softmax(self.fc(x))


class Text(nn.Layer):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(20, 8)
        self.norm = nn.LayerNorm(8)
        self.fc = nn.Linear(8, 8)

    def forward(self, ids):
        x = self.norm(self.embed(ids))
        scores = paddle.matmul(x, x, transpose_y=True) * 0.3
        x = paddle.matmul(nn.functional.softmax(scores), self.fc(x))
        return paddle.argmax(x, -1), paddle.split(x, 2, -1)[1]


def export(name, net, spec, feeds, opset):
    net.eval()
    with tempfile.TemporaryDirectory() as scratch:
        path = os.path.join(scratch, 'model')
        paddle.onnx.export(net, path, input_spec=[spec], opset_version=opset)
        folder = fresh(name)
        with open(path + '.onnx', 'rb') as made, open(os.path.join(folder, 'model.onnx'), 'wb') as out:
            out.write(made.read())
    finish(name, feeds)


def main():
    paddle.seed(3)
    rng = np.random.default_rng(1)
    for opset in (11, 16):
        export(f'paddle_net_{opset}', Net(), paddle.static.InputSpec([1, 3, 8, 10], 'float32', 'x'),
               {'x': rng.standard_normal((1, 3, 8, 10)).astype(np.float32)}, opset)
    export('paddle_text', Text(), paddle.static.InputSpec([1, 5], 'int64', 'ids'),
           {'ids': np.array([[1, 4, 19, 0, 2]])}, 13)


main()
