#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The sides of the race whose engines come as Python packages alone; side.hpp states what a side is asked and answers.

usage: side.py ENGINE MODEL INPUT.npy ANSWERS THREADS    ENGINE: litert, ncnn, mnn, executorch

What is timed holds a call from Python. race.py times a network of one Relu on one number through the same class and subtracts it:
the call's cost and the engine's own for a run, which favours the engine.
"""
import gc
import resource
import sys
import time

import numpy


class Litert:
    """XNNPACK is what the interpreter delegates to by itself."""

    def __init__(self, model, array, threads):
        from ai_edge_litert.interpreter import Interpreter
        self.interpreter = Interpreter(model_path=model, num_threads=threads)
        self.interpreter.allocate_tensors()
        self.interpreter.set_tensor(self.interpreter.get_input_details()[0]["index"], array)
        self.run = self.interpreter.invoke

    def answers(self):
        return [self.interpreter.get_tensor(detail["index"]) for detail in self.interpreter.get_output_details()]


class Ncnn:
    """Winograd, packed layouts and sgemm are on unless told otherwise. An extractor serves one run."""

    def __init__(self, model, array, threads):
        import ncnn
        self.net = ncnn.Net()
        self.net.opt.num_threads = threads
        self.net.opt.use_vulkan_compute = False
        self.net.opt.use_fp16_storage = self.net.opt.use_fp16_packed = False  # else it rounds a dense layer's weights
        if self.net.load_param(model) != 0 or self.net.load_model(model.replace(".param", ".bin")) != 0:
            raise RuntimeError(f"ncnn does not load {model}")
        self.input = ncnn.Mat(numpy.ascontiguousarray(array[0])).clone()
        self.names = [name for name in self.net.output_names()]

    def run(self):
        extractor = self.net.create_extractor()
        extractor.input("in0", self.input)
        self.outputs = [extractor.extract(name)[1] for name in self.names]

    def answers(self):
        return [numpy.array(output)[None] for output in self.outputs]


class Mnn:
    """precision high: f32 stays f32."""

    def __init__(self, model, array, threads):
        import MNN
        self.interpreter = MNN.Interpreter(model)
        self.session = self.interpreter.createSession({"backend": "CPU", "numThread": threads, "precision": "high"})
        kind = MNN.Halide_Type_Int8 if array.dtype == numpy.int8 else MNN.Halide_Type_Float
        given = MNN.Tensor(array.shape, kind, numpy.ascontiguousarray(array), MNN.Tensor_DimensionType_Caffe)
        self.interpreter.getSessionInput(self.session).copyFrom(given)

    def run(self):
        self.interpreter.runSession(self.session)

    def answers(self):
        import MNN
        found = self.interpreter.getSessionOutputAll(self.session)
        result = []
        for name in sorted(found):
            shape = found[name].getShape()
            host = MNN.Tensor(shape, MNN.Halide_Type_Float, numpy.zeros(shape, numpy.float32),
                              MNN.Tensor_DimensionType_Caffe)
            found[name].copyToHostTensor(host)
            result.append(numpy.array(host.getNumpyData(), numpy.float32).reshape(shape))
        return result


class Executorch:
    """XNNPACK was delegated to when the program was exported. Its threads are the process's."""

    def __init__(self, model, array, threads):
        import torch
        from executorch.extension.pybindings import portable_lib
        from executorch.runtime import Runtime
        portable_lib._unsafe_reset_threadpool(threads)
        self.method = Runtime.get().load_program(model).load_method("forward")
        self.input = [torch.from_numpy(array)]

    def run(self):
        self.outputs = self.method.execute(self.input)

    def answers(self):
        return [output.numpy() for output in self.outputs]


ENGINES = {"litert": Litert, "ncnn": Ncnn, "mnn": Mnn, "executorch": Executorch}


def main(engine, model, array, answers, threads):
    side = ENGINES[engine](model, numpy.load(array), int(threads))
    side.run()
    for index, answer in enumerate(side.answers()):
        numpy.save(f"{answers}.out{index}.npy", answer)
    print("ready", flush=True)
    gc.collect()
    gc.disable()
    now, run = time.perf_counter_ns, side.run
    for line in sys.stdin:
        count = int(line.split()[1])
        before = resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw
        times = [0] * count
        for i in range(count):
            start = now()
            run()
            times[i] = now() - start
        lost = resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw - before
        print(*times, lost, flush=True)


if __name__ == "__main__":
    if len(sys.argv) != 6 or sys.argv[1] not in ENGINES:
        sys.exit(__doc__)
    try:
        main(*sys.argv[1:])
    except Exception as error:  # of any kind: the engine does not take the network
        print(f"error: {type(error).__name__}: {' '.join(str(error).split())}")
        sys.exit(1)
