# SPDX-License-Identifier: MIT
"""Compiles units and prints processor seconds (user and system) and the peak of memory. See ../compile_time.sh."""
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
RATIO_LIMIT = 2.0  # mote.hpp to xsimd.hpp
# What, file, seconds, megabytes.
UNITS = [
    ("an Engine of three layers", ROOT / "benchmarks/compile_time/three_layers.cpp", 10, 500),
    ("examples/quickstart.cpp", ROOT / "examples/quickstart.cpp", 60, 1500),
]


def compile_unit(compiler, source, flags, scratch):
    """Seconds and megabytes of one compilation."""
    command = [compiler, "-std=c++20", "-I", str(ROOT / "include"), *flags, "-c", str(source), "-o", str(scratch / "unit.o")]
    process = subprocess.Popen(command, env={**os.environ, "CCACHE_DISABLE": "1"})
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"could not compile: {' '.join(command)}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main(compiler, rounds):
    version = subprocess.run([compiler, "--version"], check=True, capture_output=True, text=True).stdout.splitlines()[0]
    print(f"{version}; medians of {rounds} alternating rounds, processor seconds and peak MB\n")
    failures = []
    with tempfile.TemporaryDirectory() as directory:
        scratch = pathlib.Path(directory)
        headers = ["xsimd/xsimd.hpp", "mote/mote.hpp", "mote/train/train.hpp", "mote/transform/transform.hpp"]
        for header in headers:
            (scratch / header.replace("/", "_")).with_suffix(".cpp").write_text(f"#include <{header}>\n", encoding="utf-8")
        for flags in (["-O2"], ["-O2", "-march=native"]):
            costs = {header: [] for header in headers}
            for _ in range(rounds):
                for header in headers:
                    source = (scratch / header.replace("/", "_")).with_suffix(".cpp")
                    costs[header].append(compile_unit(compiler, source, flags, scratch))
            base = statistics.median(seconds for seconds, _ in costs[headers[0]])
            for header in headers:
                seconds = statistics.median(seconds for seconds, _ in costs[header])
                memory = max(memory for _, memory in costs[header])
                print(f"{' '.join(flags):20} {header:30} {seconds:6.2f} s {memory:6.0f} MB   {seconds / base:.2f} x xsimd")
                if header == "mote/mote.hpp" and seconds / base > RATIO_LIMIT:
                    failures.append(f"{header} at {' '.join(flags)}: {seconds / base:.2f} x xsimd, above {RATIO_LIMIT}")
            print()
        for what, source, most_seconds, most_memory in UNITS:
            flags = ["-O2", f'-DMOTE_DIGITS_CSV="{ROOT}/examples/data/digits.csv"']
            seconds, memory = compile_unit(compiler, source, flags, scratch)
            print(f"{what:30} {seconds:6.2f} s {memory:6.0f} MB   limits {most_seconds} s, {most_memory} MB")
            if seconds > most_seconds or memory > most_memory:
                failures.append(f"{what}: {seconds:.1f} s and {memory:.0f} MB")
    for failure in failures:
        print(f"above its limit: {failure}")
    return 1 if failures else 0


sys.exit(main(sys.argv[1], int(sys.argv[2])))
