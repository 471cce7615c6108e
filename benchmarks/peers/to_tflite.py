#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""An ONNX file of mote's as a TensorFlow Lite file: what LiteRT reads, for the networks that have no .tflite of their own.

usage: to_tflite.py MODEL.onnx OUT.tflite

Images become channels last, weights [out, height, width, in]. A value between QuantizeLinear and DequantizeLinear becomes an int8
tensor of the same scale and zero point. An activation goes into the operator before it, where that has a place for one. Only the
operators of image classifiers are known; another one is an error that names it.
"""
import sys

import numpy
import onnx
from ai_edge_litert import schema_py_generated as schema

FUSED = schema.ActivationFunctionType
OPERATORS = schema.BuiltinOperator
LAST = (0, 2, 3, 1)  # the axes of an image, channels last


class Converter:
    def __init__(self, model):
        self.graph = model.graph
        self.constants = {c.name: onnx.numpy_helper.to_array(c) for c in self.graph.initializer}
        for node in self.graph.node:
            if node.op_type == "Constant":
                self.constants[node.output[0]] = onnx.numpy_helper.to_array(node.attribute[0].t)
        inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True).graph
        self.shapes = {v.name: tuple(d.dim_value for d in v.type.tensor_type.shape.dim)
                       for v in [*inferred.value_info, *inferred.input, *inferred.output]}
        self.consumers = {}
        for node in self.graph.node:
            for name in node.input:
                self.consumers.setdefault(name, []).append(node)
        self.buffers = [schema.BufferT()]
        self.tensors, self.operators, self.codes = [], [], []
        self.tensor_of = {}  # of an ONNX value
        self.never_negative = set()

    # Tensors

    def tensor(self, name, shape, dtype, data=None, quantization=None, axis=None):
        made = schema.TensorT()
        made.name, made.shape = name, [int(extent) for extent in shape]
        made.type = {"float32": schema.TensorType.FLOAT32, "int8": schema.TensorType.INT8,
                     "int32": schema.TensorType.INT32}[numpy.dtype(dtype).name]
        made.buffer = 0
        if data is not None:
            made.buffer = len(self.buffers)
            buffer = schema.BufferT()
            buffer.data = numpy.frombuffer(numpy.ascontiguousarray(data, dtype).tobytes(), numpy.uint8)
            self.buffers.append(buffer)
        if quantization is not None:
            scale, zero = (numpy.atleast_1d(part) for part in quantization)
            made.quantization = schema.QuantizationParametersT()
            made.quantization.scale = scale.astype(numpy.float32)
            made.quantization.zeroPoint = numpy.broadcast_to(zero, scale.shape).astype(numpy.int64)
            made.quantization.quantizedDimension = axis or 0
        self.tensors.append(made)
        return len(self.tensors) - 1

    def weights(self, name, order=None, axis=0):
        """A constant, or one that a DequantizeLinear makes of integers: its array and its quantization."""
        node = next((n for n in self.graph.node if name in n.output and n.op_type == "DequantizeLinear"), None)
        array = self.constants[node.input[0] if node else name]
        quantization = None
        if node is not None:
            scale = self.constants[node.input[1]]
            zero = self.constants[node.input[2]] if len(node.input) > 2 else numpy.zeros_like(scale)
            quantization = (scale, zero)
        return (array if order is None else array.transpose(order)), quantization

    def value(self, name):
        """The tensor of a value, a constant of the same number everywhere included."""
        if name not in self.tensor_of:
            array, quantization = self.weights(name)
            if array.ndim == 4:
                array = array.transpose(LAST)
            self.tensor_of[name] = self.tensor(name, array.shape, array.dtype, array, quantization)
        return self.tensor_of[name]

    def output(self, name, moved=None):
        """The tensor that an operator writes. What QuantizeLinear alone reads is the bytes that it makes; what an operator makes
        of bytes by moving them (`moved`) has their scale."""
        shape = self.shapes[name]
        shape = [shape[i] for i in LAST] if len(shape) == 4 else shape
        after = self.consumers.get(name, [])
        if len(after) == 1 and after[0].op_type == "QuantizeLinear":
            quantization = tuple(self.constants[c] for c in after[0].input[1:3])
            made = self.tensor(name, shape, numpy.int8, quantization=quantization)
            self.tensor_of[after[0].output[0]] = made
        elif moved is not None and self.is_bytes(moved):
            made = self.tensor(name, shape, numpy.int8)
            self.tensors[made].quantization = self.tensors[moved].quantization
        else:
            made = self.tensor(name, shape, numpy.float32)
        self.tensor_of[name] = made
        return made

    def is_bytes(self, tensor):
        return self.tensors[tensor].type == schema.TensorType.INT8

    def between(self, like, name, shape, quantization=None):
        """A tensor of the same element as `like`; of bytes, with its quantization unless another is given."""
        if not self.is_bytes(like):
            return self.tensor(name, shape, numpy.float32)
        made = self.tensor(name, shape, numpy.int8, quantization=quantization)
        if quantization is None:
            self.tensors[made].quantization = self.tensors[like].quantization
        return made

    def number(self, name, value, like):
        """A constant of one number that goes with a tensor."""
        if self.is_bytes(like):
            return self.tensor(name, [1], numpy.int8, [127], (numpy.float32(value / 127), 0))
        return self.tensor(name, [1], numpy.float32, [value])

    # Operators

    def add(self, name, inputs, output, options=None):
        code = getattr(OPERATORS, name)
        if code not in self.codes:
            self.codes.append(code)
        made = schema.OperatorT()
        made.opcodeIndex, made.inputs, made.outputs = self.codes.index(code), inputs, [output]
        if options is not None:
            made.builtinOptionsType = getattr(schema.BuiltinOptions, type(options).__name__[:-1])
            made.builtinOptions = options
        self.operators.append(made)

    def activation(self, node):
        """The activation behind a node that goes into it, and the value that the two of them make."""
        after = self.consumers.get(node.output[0], [])
        outputs = [value.name for value in self.graph.output]
        if len(after) == 1 and node.output[0] not in outputs and after[0].op_type in ("Relu", "Clip"):
            self.skip.add(after[0].output[0])
            kind = self.clamp(after[0])
            if self.tensor_is_quantized(after[0].output[0]) or kind == FUSED.RELU or kind == FUSED.RELU6:
                return kind, after[0].output[0]
        return FUSED.NONE, node.output[0]

    def tensor_is_quantized(self, name):
        after = self.consumers.get(name, [])
        return len(after) == 1 and after[0].op_type == "QuantizeLinear"

    def clamp(self, node):
        if node.op_type == "Relu":
            return FUSED.RELU
        bounds = tuple(float(self.weights(name)[0]) for name in node.input[1:3])
        if bounds != (0.0, 6.0):
            raise ValueError(f"Clip to {bounds}; only 0 to 6 has a form")
        return FUSED.RELU6

    def padded(self, source, node, attributes, kernel, strides):
        """(input, SAME or VALID): padding that SAME does not give is an operator of its own."""
        pads = attributes.get("pads", [0, 0, 0, 0])
        tensor = self.value(source)
        shape = self.tensors[tensor].shape
        if not any(pads):
            return tensor, schema.Padding.VALID
        same = []
        for extent, k, stride in zip(shape[1:3], kernel, strides):
            total = max((-(-extent // stride) - 1) * stride + k - extent, 0)
            same.append((total // 2, total - total // 2))
        if [(pads[0], pads[2]), (pads[1], pads[3])] == same:
            return tensor, schema.Padding.SAME
        never_negative = list(self.tensors[tensor].quantization.zeroPoint) == [-128] if self.is_bytes(tensor) else source in self.never_negative
        if node.op_type == "MaxPool" and not never_negative:
            raise ValueError("a MaxPool pads values that may be negative")
        amounts = [[0, 0], [pads[0], pads[2]], [pads[1], pads[3]], [0, 0]]
        made = self.between(tensor, node.name + "/pad", [e + sum(a) for e, a in zip(shape, amounts)])
        self.add("PAD", [tensor, self.tensor(node.name + "/amounts", [4, 2], numpy.int32, amounts)], made,
                 schema.PadOptionsT())
        return made, schema.Padding.VALID

    def convolution(self, node, attributes):
        kernel, strides = attributes["kernel_shape"], attributes.get("strides", [1, 1])
        weight, quantization = self.weights(node.input[1])
        depthwise = attributes.get("group", 1) > 1
        if depthwise and weight.shape[1] != 1:
            raise ValueError("a convolution in groups")
        source, padding = self.padded(node.input[0], node, attributes, kernel, strides)
        options = schema.DepthwiseConv2DOptionsT() if depthwise else schema.Conv2DOptionsT()
        options.padding, options.strideH, options.strideW = padding, *strides
        options.dilationHFactor = options.dilationWFactor = 1
        if depthwise:
            options.depthMultiplier = 1
        weight = weight.transpose((1, 2, 3, 0) if depthwise else (0, 2, 3, 1))
        self.contraction(node, "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D", source, weight, quantization,
                         3 if depthwise else 0, options)

    def contraction(self, node, name, source, weight, quantization, axis, options):
        made = self.tensor(node.input[1], weight.shape, weight.dtype, weight, quantization, axis)
        outputs = weight.shape[axis]
        if len(node.input) > 2 and node.input[2]:
            bias, of_bias = self.weights(node.input[2])
        else:
            bias, of_bias = numpy.zeros(outputs, numpy.float32 if quantization is None else numpy.int32), None
            if quantization is not None:
                of_bias = (quantization[0] * self.tensors[source].quantization.scale[0], 0)
        bias = self.tensor(node.name + "/bias", [outputs], bias.dtype, bias, of_bias)
        options.fusedActivationFunction, result = self.activation(node)
        self.add(name, [source, made, bias], self.output(result), options)
        if options.fusedActivationFunction != FUSED.NONE:
            self.never_negative.add(result)

    def dense(self, node, attributes):
        weight, quantization = self.weights(node.input[1])
        if not attributes.get("transB", 0):
            weight = weight.T
        options = schema.FullyConnectedOptionsT()
        self.contraction(node, "FULLY_CONNECTED", self.value(node.input[0]), weight, quantization, 0, options)

    def pooling(self, node, attributes):
        kernel, strides = attributes["kernel_shape"], attributes.get("strides", [1, 1])
        options = schema.Pool2DOptionsT()
        source, options.padding = self.padded(node.input[0], node, attributes, kernel, strides)
        options.filterHeight, options.filterWidth, options.strideH, options.strideW = *kernel, *strides
        self.add("MAX_POOL_2D", [source], self.output(node.output[0], source), options)

    def mean(self, node, attributes):
        options = schema.ReducerOptionsT()
        options.keepDims = True
        axes = self.tensor(node.name + "/axes", [2], numpy.int32, [1, 2])
        self.add("MEAN", [self.value(node.input[0]), axes], self.output(node.output[0]), options)

    def elementwise(self, node, attributes):
        options = getattr(schema, node.op_type + "OptionsT")()
        options.fusedActivationFunction, result = self.activation(node)
        self.add(node.op_type.upper(), [self.value(name) for name in node.input], self.output(result), options)
        if options.fusedActivationFunction != FUSED.NONE:
            self.never_negative.add(result)

    def concat(self, node, attributes):
        options = schema.ConcatenationOptionsT()
        rank = len(self.shapes[node.input[0]])
        options.axis = LAST.index(attributes["axis"]) if rank == 4 else attributes["axis"]
        inputs = [self.value(name) for name in node.input]
        self.add("CONCATENATION", inputs, self.output(node.output[0], inputs[0]), options)
        if all(name in self.never_negative for name in node.input):
            self.never_negative.add(node.output[0])

    def reshape(self, node, attributes):
        before, after = self.shapes[node.input[0]], self.shapes[node.output[0]]
        if max(len(before), len(after)) == 4 and before[2:] not in ((), (1, 1)) or len(after) > 3:
            raise ValueError(f"{node.op_type} of {before} to {after}")
        options = schema.ReshapeOptionsT()
        options.newShape = list(after)
        shape = self.tensor(node.name + "/shape", [len(after)], numpy.int32, after)
        source = self.value(node.input[0])
        self.add("RESHAPE", [source, shape], self.output(node.output[0], source), options)

    def softmax(self, node, attributes):
        options = schema.SoftmaxOptionsT()
        options.beta = 1.0
        self.add("SOFTMAX", [self.value(node.input[0])], self.output(node.output[0]), options)

    def unary(self, node, attributes):
        name = {"HardSwish": "HARD_SWISH", "Relu": "RELU", "Clip": "RELU6"}[node.op_type]
        if name == "RELU6":
            self.clamp(node)
        self.add(name, [self.value(node.input[0])], self.output(node.output[0]),
                 schema.HardSwishOptionsT() if name == "HARD_SWISH" else None)
        if name != "HARD_SWISH":
            self.never_negative.add(node.output[0])

    def hard_sigmoid(self, node, attributes):
        """relu6(x + 3) / 6, as TensorFlow's converter writes it."""
        if not numpy.allclose((attributes.get("alpha", 0.2), attributes.get("beta", 0.5)), (1 / 6, 0.5)):
            raise ValueError("a HardSigmoid other than relu6(x + 3) / 6")
        source = self.value(node.input[0])
        between = self.between(source, node.name + "/relu6", self.tensors[source].shape, (numpy.float32(6 / 255), -128))
        options = schema.AddOptionsT()
        options.fusedActivationFunction = FUSED.RELU6
        self.add("ADD", [source, self.number(node.name + "/three", 3.0, source)], between, options)
        self.add("MUL", [between, self.number(node.name + "/sixth", 1 / 6, source)], self.output(node.output[0]),
                 schema.MulOptionsT())

    def quantized(self, node, attributes):
        """A value is the same tensor before and behind."""
        if node.op_type == "DequantizeLinear" and node.input[0] in self.constants:
            return
        if node.input[0] not in self.tensor_of:
            raise ValueError(f"{node.op_type} of a value that is no operator's")
        source = self.tensor_of[node.input[0]]
        if node.op_type == "QuantizeLinear":
            scale, zero = (self.constants[name] for name in node.input[1:3])
            have = self.tensors[source].quantization
            if not self.is_bytes(source) or (have.scale[0], have.zeroPoint[0]) != (scale, zero):
                made = self.tensor(node.output[0], self.tensors[source].shape, numpy.int8, quantization=(scale, zero))
                self.add("QUANTIZE", [source], made, schema.QuantizeOptionsT())
                source = made
        self.tensor_of[node.output[0]] = source

    KNOWN = {"Conv": convolution, "Gemm": dense, "MatMul": dense, "MaxPool": pooling, "GlobalAveragePool": mean, "Add": elementwise,
             "Mul": elementwise, "Concat": concat, "Flatten": reshape, "Reshape": reshape, "Softmax": softmax,
             "HardSwish": unary, "Relu": unary, "Clip": unary, "HardSigmoid": hard_sigmoid,
             "QuantizeLinear": quantized, "DequantizeLinear": quantized, "Constant": lambda *_: None}

    def convert(self):
        self.skip = set()  # activations that stand in the operator before them
        inputs = []
        for value in self.graph.input:
            shape = self.shapes[value.name]
            shape = [shape[i] for i in LAST] if len(shape) == 4 else shape
            quantization = None
            if value.type.tensor_type.elem_type == onnx.TensorProto.INT8:
                node = self.consumers[value.name][0]
                quantization = tuple(self.constants[c] for c in node.input[1:3])
            dtype = numpy.float32 if quantization is None else numpy.int8
            self.tensor_of[value.name] = self.tensor(value.name, shape, dtype, quantization=quantization)
            inputs.append(self.tensor_of[value.name])
        for node in self.graph.node:
            if node.op_type not in self.KNOWN:
                raise ValueError(f"no form of {node.op_type} is known")
            if node.output[0] in self.skip:
                continue
            attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
            self.KNOWN[node.op_type](self, node, attributes)
        graph = schema.SubGraphT()
        graph.name, graph.tensors, graph.operators = self.graph.name, self.tensors, self.operators
        graph.inputs, graph.outputs = inputs, [self.tensor_of[value.name] for value in self.graph.output]
        model = schema.ModelT()
        model.version, model.description = 3, "mote"
        model.subgraphs, model.buffers = [graph], self.buffers
        model.operatorCodes = []
        for code in self.codes:
            made = schema.OperatorCodeT()
            made.builtinCode, made.deprecatedBuiltinCode, made.version = code, min(code, 127), 1
            model.operatorCodes.append(made)
        return model


def convert(source, target):
    import flatbuffers
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(Converter(onnx.load(source)).convert().Pack(builder), b"TFL3")
    with open(target, "wb") as file:
        file.write(builder.Output())


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    convert(*sys.argv[1:])
