#!/usr/bin/env python3
"""make_torch.py: cases written by PyTorch's exporters, TorchScript and dynamo."""
import os
import warnings

import torch
from torch import nn

from cases import finish, fresh

warnings.filterwarnings('ignore')


class Net(nn.Module):
    """Convolutions, batch normalization, upsampling by a computed size, a skip."""

    def __init__(self):
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.SiLU())
        self.deep = nn.Sequential(nn.Conv2d(8, 8, 3, 1, 1, groups=4), nn.GroupNorm(2, 8), nn.GELU())
        self.up = nn.ConvTranspose2d(8, 4, 2, 2)
        self.head = nn.Conv2d(7, 2, 1)

    def forward(self, image):
        x = self.deep(self.down(image))
        x = nn.functional.interpolate(self.up(x), size=image.shape[2:], mode='bilinear', align_corners=False)
        return self.head(torch.cat([x, image], 1))


class Text(nn.Module):
    """Embedding, attention with a mask, layer normalization, a slice, gather."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(32, 16)
        self.norm = nn.LayerNorm(16)
        self.qkv = nn.Linear(16, 48)
        self.out = nn.Linear(16, 16, bias=False)

    def forward(self, tokens):
        x = self.embed(tokens)
        b, t, c = x.shape
        q, k, v = self.qkv(self.norm(x)).view(b, t, 3, 2, c // 2).permute(2, 0, 3, 1, 4).unbind(0)
        y = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(y.transpose(1, 2).reshape(b, t, c))
        return x[:, -1], x.mean(1)


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(6, 5, bidirectional=True, batch_first=True)
        self.lstm = nn.LSTM(10, 4)

    def forward(self, x, state):
        y, last = self.gru(x, state)
        z, (h, c) = self.lstm(y)
        return z, last, c


class Control(torch.nn.Module):
    """A loop and a branch that scripting keeps."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.linspace(-1, 1, 16).view(4, 4))

    def forward(self, x, n: int):
        for _ in range(n):
            x = torch.tanh(x @ self.weight)
        if bool(x.sum() > 0):
            x = x + 1
        else:
            x = x - 1
        return x


def export(name, net, args, **options):
    torch.manual_seed(3)
    folder = fresh(name)
    dynamo = options.setdefault('dynamo', False)
    options.setdefault('opset_version', 18 if dynamo else 17)
    if dynamo:
        options['external_data'] = False
    net.eval()
    torch.onnx.export(net, args, os.path.join(folder, 'model.onnx'), verbose=False, **options)
    tensors = [torch.tensor(a) if isinstance(a, int) else a for a in args]
    finish(name, dict(zip(options['input_names'], [a.numpy() for a in tensors])))


def main():
    torch.manual_seed(2)
    image, tokens = torch.randn(1, 3, 12, 16), torch.randint(0, 32, (2, 5))
    for dynamo, word in ((False, 'torchscript'), (True, 'dynamo')):
        export(f'{word}_net', Net(), (image,), input_names=['image'], output_names=['mask'], dynamo=dynamo)
        export(f'{word}_text', Text(), (tokens,), input_names=['tokens'], dynamo=dynamo)
        export(f'{word}_rnn', Recurrent(), (torch.randn(2, 7, 6), torch.randn(2, 2, 5)),
               input_names=['x', 'state'], dynamo=dynamo)
    export('torchscript_opset9', Net(), (image,), input_names=['image'], opset_version=9)
    export('torchscript_constants', Net(), (image,), input_names=['image'], opset_version=11,
           export_params=True, do_constant_folding=False, keep_initializers_as_inputs=True)
    export('torchscript_dynamic', Text(), (tokens,), input_names=['tokens'],
           dynamic_axes={'tokens': {0: 'batch', 1: 'time'}})
    export('torchscript_control', torch.jit.script(Control()), (torch.randn(3, 4), 3), input_names=['x', 'n'])


main()
