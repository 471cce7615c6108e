#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks the JSON of a race that run.sh wrote: its shape, and that its figures belong together.

usage: check.py FILE.json NETWORK
"""
import json
import math
import sys

PEERS = {"onnxruntime", "litert", "openvino", "ncnn", "mnn", "executorch"}


def faults(cells, network):
    if not isinstance(cells, list) or not cells:
        return ["it is no list of cells"]
    found = []
    for cell in cells:
        def expect(holds, what):
            if not holds:
                found.append(f"{what}: {cell}")

        def is_time(x):
            return isinstance(x, float) and math.isfinite(x) and x > 0

        expect(cell.get("network") == network, "another network")
        expect(cell.get("precision") in ("f32", "i8"), "no precision")
        expect(isinstance(cell.get("threads"), int) and cell["threads"] >= 1, "no number of threads")
        expect(is_time(cell.get("mote_ms")), "no time of mote's")
        expect(set(cell.get("peers", {})) <= PEERS and cell["peers"], "no peers, or unknown ones")
        expect(all(is_time(t) for t in cell["peers"].values()), "a peer's time")
        expect(is_time(cell.get("ratio")) and
               math.isclose(cell["ratio"], min(cell["peers"].values()) / cell["mote_ms"], rel_tol=1e-9), "ratio")
        expect(0 < cell.get("peak_share", 0) < 1.05, "share of the peak")
    kinds = [(cell.get("precision"), cell.get("threads")) for cell in cells]
    if len(set(kinds)) != len(kinds):
        found.append("a cell is there twice")
    return found


def main(path, network):
    with open(path, encoding="utf-8") as file:
        cells = json.load(file)
    found = faults(cells, network)
    print("\n".join(found) if found else f"{len(cells)} cells are whole")
    return 1 if found else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
