#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""An f32 ONNX file as a program for ExecuTorch, its operators delegated to XNNPACK.

usage: to_executorch.py PRECISION MODEL.onnx INPUT.npy OUT.pte

In i8 the network is quantized by PyTorch's own means for XNNPACK (weights a scale an output channel), its ranges those of INPUT.
"""
import sys

import numpy
import onnx
import onnx2torch
import torch
from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
from executorch.exir import to_edge_transform_and_lower


def flattened(model):
    """A Reshape to two axes as a Flatten: torch.export does not look into the tensor that holds a shape."""
    shapes = {c.name: onnx.numpy_helper.to_array(c) for c in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Reshape" and len(shapes.get(node.input[1], [])) == 2:
            source = node.input[0]
            node.op_type = "Flatten"
            node.ClearField("attribute")
            del node.input[:]
            node.input.append(source)
    return model


def main(precision, source, array, target):
    sample = (torch.from_numpy(numpy.load(array)),)
    module = onnx2torch.convert(flattened(onnx.load(source))).eval()
    with torch.no_grad():
        if precision == "i8":
            from executorch.backends.xnnpack.quantizer.xnnpack_quantizer import XNNPACKQuantizer, get_symmetric_quantization_config
            from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e
            quantizer = XNNPACKQuantizer().set_global(get_symmetric_quantization_config(is_per_channel=True))
            prepared = prepare_pt2e(torch.export.export(module, sample).module(), quantizer)
            prepared(*sample)
            module = convert_pt2e(prepared)
        program = torch.export.export(module, sample)
    lowered = to_edge_transform_and_lower(program, partitioner=[XnnpackPartitioner()])
    with open(target, "wb") as file:
        file.write(lowered.to_executorch().buffer)


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    main(*sys.argv[1:])
