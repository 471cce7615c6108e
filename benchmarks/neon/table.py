#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Instructions that NEON kernels take for a multiplication and addition of a layer, counted in qemu-aarch64.

usage: table.py INSNCOUNT_C [--compiler CXX] [--sets neon,neon_dot] [--directory DIR]
  INSNCOUNT_C  the source of a QEMU plugin that prints "exit: total=N", the executed instructions of a program
Fails where a figure is above its limit. A figure is that of the layer's own run: N runs are taken from 2 N.
"""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
SETS = {"neon": "armv8-a", "neon_dot": "armv8.2-a+dotprod", "neon_i8mm": "armv8.2-a+dotprod+i8mm"}
SAME = 1.15  # of a 1x1 layer's limit, what a 3x3 layer may take
RUNS = 2
# set: {layer: (limit, what its multiplications alone take)}; f32 is the same in all sets.
FIGURES = {
    "neon": {"conv_1x1_f32": (0.32, 1 / 4), "conv_3x3_f32": (SAME * 0.32, 1 / 4), "depthwise_3x3_f32": (0.45, 1 / 4),
             "conv_1x1_i8": (0.21, 3 / 16), "conv_3x3_i8": (SAME * 0.21, 3 / 16), "depthwise_3x3_i8": (0.30, 3 / 16)},
    "neon_dot": {"conv_1x1_i8": (0.075, 1 / 16), "conv_3x3_i8": (SAME * 0.075, 1 / 16), "depthwise_3x3_i8": (0.30, 1 / 12)},
    "neon_i8mm": {"conv_1x1_i8": (0.042, 1 / 32), "conv_3x3_i8": (SAME * 0.042, 1 / 32)},
}


def instructions(program, plugin, layer, runs, isa):
    """(instructions of the whole program, multiplications of one run)"""
    run = subprocess.run(["qemu-aarch64", "-cpu", "max", "-plugin", plugin, program, layer, str(runs)], capture_output=True,
                         text=True, check=True)
    used, macs = run.stdout.split()
    if used != isa:
        sys.exit(f"table.py: {program} has kernels of {used} instead of {isa}")
    return int(re.search(r"exit: total=(\d+)", run.stderr).group(1)), int(macs)


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1])
    parser.add_argument("insncount")
    parser.add_argument("--compiler", default="aarch64-linux-gnu-g++")
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--directory", type=pathlib.Path)
    arguments = parser.parse_args()
    failed = False
    with tempfile.TemporaryDirectory() as scratch:
        directory = arguments.directory or pathlib.Path(scratch)
        directory.mkdir(parents=True, exist_ok=True)
        plugin = directory / "insncount.so"
        subprocess.run(["gcc", "-O2", "-shared", "-fPIC", "-o", plugin, arguments.insncount], check=True)
        print(f"{'set':<10} {'layer':<18} {'multiplying':>11} {'instructions per MAC':>21} {'limit':>7}")
        for isa in arguments.sets.split(","):
            program = directory / f"layer_{isa}"
            subprocess.run([arguments.compiler, "-std=c++20", "-O2", f"-march={SETS[isa]}", "-static", "-I", ROOT / "include",
                            "-idirafter", "/usr/include", ROOT / "benchmarks/neon/layer.cpp", "-o", program], check=True)
            for layer, (limit, multiplying) in FIGURES[isa].items():
                once, macs = instructions(program, plugin, layer, RUNS, isa)
                twice, _ = instructions(program, plugin, layer, 2 * RUNS, isa)
                figure = (twice - once) / RUNS / macs
                held = figure <= limit
                failed = failed or not held
                print(f"{isa:<10} {layer:<18} {multiplying:>11.5f} {figure:>21.5f} {limit:>7.4f} {'held' if held else 'NOT HELD'}",
                      flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
