#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""An ONNX file of mote's in int8 with activations in uint8: the form that engines have kernels for on x86.

usage: to_uint8.py MODEL.onnx OUT.onnx

Every byte of an activation, those of inputs and outputs too, is 128 more than before; weights stay int8.
"""
import sys

import numpy
import onnx


def convert(source, target):
    model = onnx.load(source)
    constants = {c.name: onnx.numpy_helper.to_array(c) for c in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type not in ("QuantizeLinear", "DequantizeLinear") or node.input[0] in constants:
            continue
        zero = constants[node.input[2]]
        if zero.dtype != numpy.int8:
            continue
        name = node.input[2] + "/uint8"
        if name not in constants:
            constants[name] = (zero.astype(numpy.int16) + 128).astype(numpy.uint8)
            model.graph.initializer.append(onnx.numpy_helper.from_array(constants[name], name))
        node.input[2] = name
    for value in [*model.graph.input, *model.graph.output]:
        if value.type.tensor_type.elem_type == onnx.TensorProto.INT8:
            value.type.tensor_type.elem_type = onnx.TensorProto.UINT8
    del model.graph.value_info[:]
    onnx.save(model, target)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    convert(*sys.argv[1:])
