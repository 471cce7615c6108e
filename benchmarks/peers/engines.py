# SPDX-License-Identifier: MIT
"""The engines of the race: how each is installed, given a network and started."""
import importlib.metadata
import json
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import tempfile

import numpy

HERE = pathlib.Path(__file__).resolve().parent
SITE = pathlib.Path(numpy.__file__).resolve().parent.parent


def packaged(pattern):
    """A file of an installed package."""
    found = sorted(SITE.glob(pattern))
    if not found:
        raise FileNotFoundError(f"no {pattern} in the package")
    return str(found[-1])


def tool(name, *arguments, folder):
    """Runs a program of the environment. Raises with the end of what it printed where it fails."""
    try:
        done = subprocess.run([os.path.join(os.path.dirname(sys.executable), name), *arguments], cwd=folder, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace", timeout=600)
    except subprocess.TimeoutExpired as error:
        raise RuntimeError(f"{name} did not convert it in {error.timeout:.0f} s") from error
    if done.returncode != 0:
        raise RuntimeError(f"{name}: status {done.returncode}: {' '.join(done.stdout.split())[-200:]}")
    return done.stdout


class Network:
    """The files of a network in one precision; make_networks writes the first of them."""

    def __init__(self, folder, name, precision):
        self.folder, self.name, self.precision = pathlib.Path(folder), name, precision

    def file(self, ending):
        return str(self.folder / f"{self.name}.{self.precision}.{ending}")

    def source(self):
        """What engines other than mote convert: mote's ONNX file, or where the network came as one, a TensorFlow Lite file."""
        return self.file("onnx" if os.path.exists(self.file("onnx")) else "tflite")

    def onnx(self):
        if self.source() != self.file("onnx"):
            raise ValueError("is offered ONNX files alone")
        return self.source()

    def output_scales(self):
        """(scale, zero point) of each output of an int8 network."""
        if self.source().endswith(".tflite"):
            from ai_edge_litert.interpreter import Interpreter
            return [detail["quantization"] for detail in Interpreter(self.source()).get_output_details()]
        import onnx
        graph = onnx.load(self.source()).graph
        constants = {c.name: onnx.numpy_helper.to_array(c) for c in graph.initializer}
        producers = {node.output[0]: node for node in graph.node}
        found = []
        for value in graph.output:
            node = producers[value.name]
            while node.op_type != "QuantizeLinear":
                node = producers[node.input[0]]
            found.append(tuple(float(constants[name]) for name in node.input[1:3]))
        return found

    def input_last(self):
        return self.file("npy")

    def input_first(self, uint8=False):
        """The input with its channels first; of bytes, 128 more where uint8 is asked for."""
        path = self.file("uint8.npy" if uint8 else "first.npy")
        if not os.path.exists(path):
            array = numpy.load(self.input_last())
            if uint8:
                array = (array.astype(numpy.int16) + 128).astype(numpy.uint8)
            numpy.save(path, numpy.ascontiguousarray(array.transpose(0, 3, 1, 2)) if array.ndim == 4 else array)
        return path


class Engine:
    """An engine whose side is a program (`program`), or a class of side.py."""
    name = ""
    packages = ()
    program = None
    limit = None  # the environment that limits it to AVX2
    slow_start = False

    def version(self):
        return importlib.metadata.version(self.packages[0])

    def forms(self, network):
        """The forms of the network to try; the fastest counts."""
        return [""]

    def model(self, network, form):
        """The file that it reads, made where it is missing. Raises where it cannot be."""
        raise NotImplementedError

    def input(self, network, form):
        return network.input_first()

    def command(self, network, form, answers, threads, programs):
        model, given = self.model(network, form), self.input(network, form)
        if self.program is None:
            return [sys.executable, str(HERE / "side.py"), self.name, model, given, answers, str(threads)]
        return [str(programs / self.program), model, given, answers, str(threads), *self.library()]

    def library(self):
        return []


class Mote(Engine):
    name, program = "mote", "peers_mote"
    limit = {"MOTE_INSTRUCTION_SET": "avx2"}

    def model(self, network, form):
        return network.file("mote") if os.path.exists(network.file("mote")) else network.source()

    def input(self, network, form):
        return network.input_last()


class OnnxEngine(Engine):
    """Reads ONNX files, int8 ones with activations in int8 or in uint8."""

    def model(self, network, form):
        if form != "uint8":
            return network.onnx()
        path = network.file("uint8.onnx")
        if not os.path.exists(path):
            import to_uint8
            to_uint8.convert(network.onnx(), path)
        return path

    def input(self, network, form):
        return network.input_first(form == "uint8")


class OnnxRuntime(OnnxEngine):
    """On x86 its kernels take uint8 activations: int8 ones were 5 times slower."""
    name, packages, program = "onnxruntime", ("onnxruntime",), "peers_onnxruntime"

    def forms(self, network):
        return ["uint8" if network.precision == "i8" and platform.machine() == "x86_64" else ""]

    def library(self):
        return [packaged("onnxruntime/capi/libonnxruntime.so*")]


class OpenVino(OnnxEngine):
    """Which of the forms is faster differs from network to network."""
    name, packages, program = "openvino", ("openvino",), "peers_openvino"
    limit = {"ONEDNN_MAX_CPU_ISA": "AVX2"}

    def forms(self, network):
        return ["", "uint8"] if network.precision == "i8" else [""]

    def library(self):
        return [packaged("openvino/libs/libopenvino_c.so*")]


class Litert(Engine):
    name, packages = "litert", ("ai-edge-litert",)

    def model(self, network, form):
        path = network.file("tflite")
        if not os.path.exists(path):
            import to_tflite
            to_tflite.convert(network.onnx(), path)
        return path

    def input(self, network, form):
        return network.input_last()


class Ncnn(Engine):
    name, packages = "ncnn", ("ncnn", "pnnx")

    def model(self, network, form):
        path = network.file("ncnn.param")
        if network.precision != "f32":
            raise ValueError("its packages hold no quantizer (ncnn2table, ncnn2int8)")
        if not os.path.exists(path):
            shape = ",".join(str(extent) for extent in numpy.load(network.input_first(), mmap_mode="r").shape)
            with tempfile.TemporaryDirectory() as folder:  # pnnx leaves files beside its input
                shutil.copy(network.onnx(), folder + "/network.onnx")
                tool("pnnx", "network.onnx", f"inputshape=[{shape}]", "fp16=0", folder=folder)
                shutil.copy(folder + "/network.ncnn.bin", network.file("ncnn.bin"))
                shutil.copy(folder + "/network.ncnn.param", path)
        return path


class Mnn(Engine):
    """Its programs mnnconvert and mnnquant install and call a logging service, so what they call is called here instead. In i8 it
    quantizes the network itself, its ranges those of the race's input; its inputs and outputs are f32 then."""
    name, packages = "mnn", ("mnn",)

    def model(self, network, form):
        path = network.file("mnn")
        if not os.path.exists(path):
            with tempfile.TemporaryDirectory() as folder:
                f32 = Network(network.folder, network.name, "f32")
                self.call("mnnconvert", "-f", "ONNX", "--modelFile", f32.onnx(), "--MNNModel", "f32.mnn", "--bizCode",
                          "race", folder=folder)
                if network.precision == "i8":
                    self.quantize(f32, pathlib.Path(folder))
                shutil.copy(f"{folder}/{network.precision}.mnn", path)
        return path

    def call(self, name, *arguments, folder):
        tool("python", "-c", f"import sys, _tools; _tools.{name}(['{name}', *sys.argv[1:]])", *arguments, folder=folder)

    def quantize(self, network, folder):
        import onnx
        graph = onnx.load(network.onnx(), load_external_data=False).graph
        array = numpy.load(network.input_first())
        sample = folder / "samples" / "0"
        sample.mkdir(parents=True)
        numpy.savetxt(sample / f"{graph.input[0].name}.txt", array.ravel(), fmt="%.7g")
        (sample / "input.json").write_text(json.dumps({
            "inputs": [{"name": graph.input[0].name, "shape": array.shape}], "outputs": [graph.output[0].name]}))
        (folder / "quantize.json").write_text(json.dumps({
            "path": "samples/", "input_type": "sequence", "used_sample_num": 1, "feature_quantize_method": "KL",
            "weight_quantize_method": "MAX_ABS", "format": "RGB", "mean": [0, 0, 0], "normal": [1, 1, 1], "width": 1, "height": 1}))
        self.call("mnnquant", "f32.mnn", "i8.mnn", "quantize.json", folder=folder)

    def input(self, network, form):
        return Network(network.folder, network.name, "f32").input_first()


class Executorch(Engine):
    name, packages = "executorch", ("executorch", "onnx2torch")
    slow_start = True  # PyTorch

    def model(self, network, form):
        path = network.file("pte")
        if not os.path.exists(path):
            tool("python", str(HERE / "to_executorch.py"), network.precision, Network(network.folder, network.name, "f32").onnx(),
                 self.input(network, form), path, folder=network.folder)
        return path

    def input(self, network, form):
        return Network(network.folder, network.name, "f32").input_first()  # it quantizes its input itself


PEERS = [OnnxRuntime(), Litert(), OpenVino(), Ncnn(), Mnn(), Executorch()]

# The networks of MLPerf Tiny as TensorFlow Lite files: {name: (MACs, f32, int8)}, in the folder that --tflite names.
TFLITE = {
    "resnet8-tflite": (12501632, "ic/pretrainedResnet.tflite", "ic/pretrainedResnet_quant.tflite"),
    "ds_cnn-tflite": (2656768, "kws/kws_ref_model_float32.tflite", "kws/kws_ref_model.tflite"),
    "visual_wake_words-tflite": (7489664, "vww/vww_96_float.tflite", "vww/vww_96_int8.tflite"),
    "autoencoder-tflite": (264192, "ad/ad01_fp32.tflite", "ad/ad01_int8.tflite"),
}


def copy_tflite(source, folder, name):
    """A network that is there as TensorFlow Lite files, with an input: the int8 one drawn, the f32 one what that means."""
    from ai_edge_litert.interpreter import Interpreter
    folder.mkdir(exist_ok=True)
    for precision, path in zip(("f32", "i8"), TFLITE[name][1:]):
        shutil.copyfile(source / path, Network(folder, name, precision).file("tflite"))
    detail = Interpreter(Network(folder, name, "i8").source()).get_input_details()[0]
    drawn = numpy.random.default_rng(7).integers(-128, 128, detail["shape"], numpy.int8)
    scale, zero = detail["quantization"]
    numpy.save(Network(folder, name, "i8").file("npy"), drawn)
    numpy.save(Network(folder, name, "f32").file("npy"), ((drawn.astype(numpy.float32) - zero) * scale).astype(numpy.float32))
