#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs ONNX files through onnx's checker and onnxruntime, and compares the outputs with mote's.

usage: compare.py DIR    NAME.onnx, NAME.in0.npy ..., NAME.out0.npy ... as make_files writes them

Real numbers agree within 1e-4 of the output's range; of bytes, 99.5 % are the same. Exit status 1 where one does not.
"""
import glob
import pathlib
import sys

import numpy
import onnx
import onnxruntime

TOLERANCE = 1e-4
SAME_BYTES = 0.995


def arrays(path, kind):
    names = glob.glob(f"{glob.escape(str(path.with_suffix('')))}.{kind}*.npy")
    return [numpy.load(name) for name in sorted(names, key=lambda name: (len(name), name))]


def compare(path):
    """(what is wrong or None, a figure)"""
    onnx.checker.check_model(str(path), full_check=True)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.add_session_config_entry("session.qdqisint8allowed", "1")  # operators on int8 where there are some, on x86 too
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    inputs = arrays(path, "in")
    names = [value.name for value in session.get_inputs()]
    wanted = arrays(path, "out")
    if len(inputs) != len(names) or len(wanted) != len(session.get_outputs()):
        return "another number of inputs or outputs", ""
    samples = inputs[0].shape[0]
    batch = session.get_inputs()[0].shape[0]
    parts = [session.run(None, {name: x[at:at + batch] for name, x in zip(names, inputs)})
             for at in range(0, samples, batch)]
    got = [numpy.concatenate(part) if len(parts) > 1 else part[0] for part in zip(*parts)]
    worst, same, count = 0.0, 0, 0
    for x, y in zip(got, wanted):
        if x.shape != y.shape or x.dtype != y.dtype:
            return f"{x.dtype}{x.shape} instead of {y.dtype}{y.shape}", ""
        if x.dtype == numpy.int8:
            same, count = same + int((x == y).sum()), count + x.size
        else:
            scale = max(float(numpy.abs(y).max()), 1e-30)
            difference = float(numpy.abs(x.astype(numpy.float64) - y).max()) / scale
            worst = worst if difference <= worst else difference  # NaN stays
    wrong = not worst <= TOLERANCE or same < SAME_BYTES * count
    figure = f"difference {worst:.1e}" + (f", {same} of {count} bytes the same ({100 * same / count:.3f} %)" if count else "")
    return ("they differ" if wrong else None), figure


def main():
    files = sorted(pathlib.Path(sys.argv[1]).glob("*.onnx"))
    if not files:
        sys.exit(f"compare.py: no ONNX files in {sys.argv[1]}")
    failed = 0
    for path in files:
        try:
            wrong, figure = compare(path)
        except Exception as error:  # of any kind: the file is refused
            wrong, figure = f"{type(error).__name__}: {error}", ""
        failed += wrong is not None
        print(f"{path.stem:22} {figure}{'' if wrong is None else '  FAILED: ' + wrong}")
    print(f"onnxruntime {onnxruntime.__version__}, onnx {onnx.__version__}: {len(files) - failed} of {len(files)} networks agree")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
