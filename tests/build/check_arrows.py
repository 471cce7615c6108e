#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks who includes whom: folders, third parties, and what mote.hpp may reach. No cycle between headers.

usage: check_arrows.py ROOT          ROOT is the folder that holds include/
       check_arrows.py --self-test   each rule is broken once in a made-up tree, and must be reported
"""
import pathlib
import re
import sys
import tempfile

# A folder may include itself, what stands here, and what those may.
ARROWS = {
    "core": [],
    "simd": ["core"],
    "kernels": ["simd"],
    "signal": ["core"],
    "firmware": ["kernels", "signal"],
    "tensor": ["core"],
    "layers": ["tensor"],
    "model": ["layers"],
    "passes": ["model", "kernels"],
    "engine": ["passes"],
    "emit": ["engine"],
    "zoo": ["model"],
    "io": ["passes"],
    "data": ["io"],
    "quantization": ["engine", "data"],
    "train": ["quantization"],
    "transform": ["train"],
    "report": ["transform", "emit", "zoo"],
    "": ["engine"],  # mote.hpp
}
# Third party: which folders may include a header that begins so.
THIRD_PARTY = {
    "xsimd": ["simd"],
    "Eigen": ["transform"],
    "protozero": ["io"],
    "flatbuffers": ["io"],
    "zlib": ["io"],
    "stb": ["io"],
}
# The machine's own headers: instruction sets, and the system calls of file access, processor features and threads.
SYSTEM = {
    "immintrin.h": ["simd", "kernels"],
    "emmintrin.h": ["simd", "kernels"],
    "arm_neon.h": ["simd", "kernels"],
    "arm_acle.h": ["simd", "kernels"],
    "arm_mve.h": ["simd", "kernels"],
    "cpuid.h": ["simd", "kernels"],
    "sys/auxv.h": ["simd", "kernels"],
    "unistd.h": ["tensor", "io", "report", "emit"],
    "fcntl.h": ["tensor", "io"],
    "sys/mman.h": ["tensor", "io"],
    "sys/stat.h": ["tensor", "io"],
    "pthread.h": ["engine"],
    "sched.h": ["engine"],
}
# What makes the runtime slow to include; nothing that mote.hpp reaches includes it.
HEAVY = set("iostream sstream ostream istream fstream iomanip filesystem functional thread regex ranges random map "
            "unordered_map future condition_variable".split())
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)


def closure(folder):
    allowed, waiting = {folder}, list(ARROWS[folder])
    while waiting:
        name = waiting.pop()
        if name not in allowed:
            allowed.add(name)
            waiting += ARROWS[name]
    return allowed


def folder_of(header):
    return header.split("/")[0] if "/" in header else ""


def check(root):
    """All offences, as lines of text."""
    include = pathlib.Path(root) / "include" / "mote"
    own, other, faults = {}, {}, []
    for path in sorted(include.rglob("*.hpp")):
        name = path.relative_to(include).as_posix()
        own[name], other[name] = [], []
        for quote, target in INCLUDE.findall(path.read_text(encoding="utf-8")):
            if quote == '"':
                faults.append(f'{name}: includes "{target}"; headers include <mote/...>')
            elif target.startswith("mote/"):
                own[name].append(target[len("mote/"):])
            else:
                other[name].append(target)

    for name in own:
        folder = folder_of(name)
        if folder not in ARROWS:
            faults.append(f"{name}: the folder {folder}/ is not in the list of this check")
            continue
        allowed = closure(folder)
        for target in own[name]:
            if target not in own:
                faults.append(f"{name}: includes mote/{target}, which does not exist")
            elif folder_of(target) not in allowed:
                faults.append(f"{name}: {folder or 'mote.hpp'} may not include {folder_of(target) or 'mote.hpp'} ({target})")
        for target in other[name]:
            if target in SYSTEM:
                if folder not in SYSTEM[target]:
                    faults.append(f"{name}: <{target}> belongs to {', '.join(SYSTEM[target])}")
                continue
            if "/" not in target and "." not in target:
                continue  # the standard library
            party = re.split(r"[/._]", target)[0]
            if party not in THIRD_PARTY:
                faults.append(f"{name}: <{target}> is of no known dependency")
            elif folder not in THIRD_PARTY[party]:
                faults.append(f"{name}: <{target}> belongs to {', '.join(THIRD_PARTY[party])}")

    # Depth first from each header: a header that is still open when met again closes a cycle.
    state = {}

    def visit(name, way):
        state[name] = "open"
        for target in own[name]:
            if state.get(target) == "open":
                faults.append("cycle: " + " -> ".join(way[way.index(target):] + [target]))
            elif target in own and target not in state:
                visit(target, way + [target])
        state[name] = "done"

    for name in own:
        if name not in state:
            visit(name, [name])

    reached, waiting = set(), ["mote.hpp"] if "mote.hpp" in own else []
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += [target for target in own[name] if target in own]
    for name in sorted(reached):
        for target in other[name]:
            if target in HEAVY:
                faults.append(f"{name}: <{target}> is too much for what mote.hpp reaches")
    return faults, len(own)


def self_test():
    broken = {
        "upwards": {"core/a.hpp": "<mote/tensor/b.hpp>", "tensor/b.hpp": "<cstddef>"},
        "sideways": {"zoo/a.hpp": "<mote/engine/b.hpp>", "engine/b.hpp": "<cstddef>"},
        "cycle": {"core/a.hpp": "<mote/core/b.hpp>", "core/b.hpp": "<mote/core/a.hpp>"},
        "unknown folder": {"misc/a.hpp": "<cstddef>"},
        "missing": {"core/a.hpp": "<mote/core/gone.hpp>"},
        "third party": {"kernels/a.hpp": "<xsimd/xsimd.hpp>"},
        "unknown party": {"core/a.hpp": "<boost/any.hpp>"},
        "system": {"core/a.hpp": "<immintrin.h>"},
        "heavy": {"mote.hpp": "<mote/engine/a.hpp>", "engine/a.hpp": "<functional>"},
        "quoted": {"core/a.hpp": '"b.hpp"', "core/b.hpp": "<cstddef>"},
    }
    fine = {"core/a.hpp": "<cstddef>", "simd/b.hpp": "<xsimd/xsimd.hpp>", "train/c.hpp": "<functional>",
            "engine/d.hpp": "<mote/core/a.hpp>", "mote.hpp": "<mote/engine/d.hpp>", "report/e.hpp": "<mote/train/c.hpp>"}
    wrong = 0
    for name, files, expected in [(n, f, 1) for n, f in broken.items()] + [("fine", fine, 0)]:
        with tempfile.TemporaryDirectory() as root:
            for file, target in files.items():
                path = pathlib.Path(root) / "include" / "mote" / file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(f"#include {target}\n", encoding="utf-8")
            faults, _ = check(root)
        if len(faults) != expected:
            wrong += 1
            print(f"{name}: expected {expected} faults, found {faults}")
    print(f"{len(broken) + 1} made-up trees, {wrong} judged wrongly")
    return wrong


def main(arguments):
    if arguments == ["--self-test"]:
        return 1 if self_test() else 0
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print(__doc__, file=sys.stderr)
        return 2
    faults, count = check(arguments[0])
    for fault in faults:
        print(fault)
    print(f"{count} headers, {len(faults)} faults")
    return 1 if faults or count == 0 else 0


sys.exit(main(sys.argv[1:]))
