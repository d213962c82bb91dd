#!/usr/bin/env python3
"""Export the U-Net of Stable Diffusion 1.5 as a graph without weights.

The network is built from its public configuration with random weights, traced
by PyTorch's TorchScript exporter, and written with every initializer above
1 KiB as a reference to a data file that is not made.  lplan analyze needs no
more.  It takes two minutes, 14 GB of memory and 4 GB of disk.

    pip install torch==2.15.0 diffusers==0.42.1 onnx==1.23.2
    python3 export_unet.py sd15_unet.onnx

With --batch, --size and --tokens other shapes can be traced.
"""

import argparse
import math
import os
import tempfile

import onnx
import torch
from diffusers import UNet2DConditionModel
from onnx.external_data_helper import uses_external_data

# unet/config.json of Stable Diffusion 1.5.
CONFIG = {
    "sample_size": 64,
    "in_channels": 4,
    "out_channels": 4,
    "center_input_sample": False,
    "flip_sin_to_cos": True,
    "freq_shift": 0,
    "down_block_types": ["CrossAttnDownBlock2D"] * 3 + ["DownBlock2D"],
    "up_block_types": ["UpBlock2D"] + ["CrossAttnUpBlock2D"] * 3,
    "block_out_channels": [320, 640, 1280, 1280],
    "layers_per_block": 2,
    "downsample_padding": 1,
    "mid_block_scale_factor": 1,
    "act_fn": "silu",
    "norm_num_groups": 32,
    "norm_eps": 1e-5,
    "cross_attention_dim": 768,
    "attention_head_dim": 8,
}

LARGEST_INLINE = 1024  # bytes
ALIGNMENT = 4096  # of the references, as page-aligned data files have it


class Plain(UNet2DConditionModel):
    """The U-Net with a plain tensor as its result."""

    def forward(self, sample, timestep, encoder_hidden_states):
        return super().forward(
            sample, timestep, encoder_hidden_states, return_dict=False
        )[0]


class PlainAttention:
    """Attention written out: two products and a softmax."""

    def __call__(self, attn, hidden_states, encoder_hidden_states=None, **_):
        source = hidden_states
        if encoder_hidden_states is not None:
            source = encoder_hidden_states
        projected = attn.to_q(hidden_states), attn.to_k(source), attn.to_v(source)
        query, key, value = map(attn.head_to_batch_dim, projected)
        scores = query @ key.transpose(-1, -2) * attn.scale
        mixed = attn.batch_to_head_dim(scores.softmax(dim=-1) @ value)
        return attn.to_out[0](mixed) / attn.rescale_output_factor


def trace(path, batch, size, tokens):
    """Write the traced model, weights beside it, to "path"."""
    torch.manual_seed(0)
    unet = Plain(**CONFIG).eval()
    unet.set_attn_processor(PlainAttention())
    # The exporter would merge equal ones: no two may be.
    for parameter in unet.parameters():
        torch.nn.init.uniform_(parameter)
    inputs = (
        torch.zeros(batch, CONFIG["in_channels"], size, size),
        torch.zeros(1, dtype=torch.int64),
        torch.zeros(batch, tokens, CONFIG["cross_attention_dim"]),
    )
    with torch.no_grad():
        torch.onnx.export(
            unet,
            inputs,
            path,
            dynamo=False,
            opset_version=17,
            do_constant_folding=True,
            input_names=["sample", "timestep", "encoder_hidden_states"],
            output_names=["out_sample"],
        )


def tensors(graph):
    """Every stored tensor of "graph": initializers and Constant attributes."""
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            for body in [attribute.g] if attribute.HasField("g") else []:
                yield from tensors(body)


def stored_bytes(tensor):
    """Bytes of "tensor", wherever they lie."""
    dtype = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type)
    return math.prod(tensor.dims) * dtype.itemsize


def strip(model, location):
    """Turn large tensors of "model" into references to "location"."""
    offset = 0
    for tensor in tensors(model.graph):
        length = stored_bytes(tensor)
        if length <= LARGEST_INLINE:
            continue
        tensor.ClearField("raw_data")
        del tensor.external_data[:]
        tensor.data_location = onnx.TensorProto.EXTERNAL
        for key, value in (
            ("location", location),
            ("offset", offset),
            ("length", length),
        ):
            tensor.external_data.add(key=key, value=str(value))
        offset += -(-length // ALIGNMENT) * ALIGNMENT


def load_small(model, folder):
    """Bring the content of small tensors that lie outside into "model"."""
    for tensor in tensors(model.graph):
        if not uses_external_data(tensor):
            continue
        if stored_bytes(tensor) <= LARGEST_INLINE:
            onnx.external_data_helper.load_external_data_for_tensor(
                tensor, folder
            )
            del tensor.external_data[:]
            tensor.data_location = onnx.TensorProto.DEFAULT


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--size", type=int, default=64, help="of the latent")
    parser.add_argument("--tokens", type=int, default=77)
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "traced.onnx")
        trace(path, options.batch, options.size, options.tokens)
        model = onnx.load(path, load_external_data=False)
        load_small(model, folder)
    strip(model, os.path.basename(options.output) + ".data")
    for node in model.graph.node:
        node.ClearField("doc_string")
    onnx.save_model(model, options.output)


if __name__ == "__main__":
    main()
