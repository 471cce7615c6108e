# SPDX-License-Identifier: MIT
"""Compiles units and prints processor seconds (user and system), the peak of memory, and a program's size. See
../compile_time.sh."""
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
# A program whose functions that nobody calls the linker leaves out; of its text, the instructions, so many KiB.
PROGRAM = ("load and run Model<f32>", ROOT / "benchmarks/compile_time/load_and_run.cpp", 25, 1500, 500)
PROGRAM_FLAGS = ["-O2", "-march=native", "-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections"]


def compile_unit(compiler, source, flags, scratch, link=False):
    """Seconds and megabytes of one compilation, which makes scratch / "unit"."""
    command = [compiler, "-std=c++20", "-I", str(ROOT / "include"), *flags, str(source), "-o", str(scratch / "unit")]
    if not link:
        command.insert(1, "-c")
    process = subprocess.Popen(command, env={**os.environ, "CCACHE_DISABLE": "1"})
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"could not compile: {' '.join(command)}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def size_of(program):
    """Bytes of a stripped program: its instructions, and all that is loaded and never written (size's "text")."""
    subprocess.run(["strip", str(program)], check=True)
    sections = subprocess.run(["size", "-A", str(program)], check=True, capture_output=True, text=True).stdout
    text = next(int(line.split()[1]) for line in sections.splitlines() if line.startswith(".text "))
    total = subprocess.run(["size", str(program)], check=True, capture_output=True, text=True).stdout
    return text, int(total.splitlines()[1].split()[0])


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
        what, source, most_seconds, most_memory, most_text = PROGRAM
        seconds, memory = compile_unit(compiler, source, PROGRAM_FLAGS, scratch, link=True)
        text, constant = size_of(scratch / "unit")
        print(
            f"{what:30} {seconds:6.2f} s {memory:6.0f} MB   limits {most_seconds} s, {most_memory} MB\n"
            f"{'':30} {text / 1024:6.0f} KiB of instructions   limit {most_text} KiB; "
            f"{constant / 1024:.0f} KiB with constants and tables ({' '.join(PROGRAM_FLAGS)}, stripped)"
        )
        if seconds > most_seconds or memory > most_memory or text > most_text * 1024:
            failures.append(f"{what}: {seconds:.1f} s, {memory:.0f} MB, {text / 1024:.0f} KiB")
    for failure in failures:
        print(f"above its limit: {failure}")
    return 1 if failures else 0


sys.exit(main(sys.argv[1], int(sys.argv[2])))
