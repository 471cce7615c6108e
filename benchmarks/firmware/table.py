#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The README's table of real networks on emulated Cortex-M boards, beside the figures of peers.csv.

usage: table.py MOTE DATA INSNCOUNT_C [--readme README.md] [--directory DIR] [--networks kws,ic] [--boards m4,m55]
  MOTE         the tool, build/release/examples/mote
  DATA         the folder of networks.csv's models and of golden/
  INSNCOUNT_C  the source of a QEMU plugin that counts instructions between calls of perf_mark
  --readme     also puts the table between this file's lines <!-- firmware table --> and <!-- end of firmware table -->
"""

import argparse
import csv
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BEGIN, END = "<!-- firmware table -->\n", "<!-- end of firmware table -->\n"
BYTES = {"float": 4, "std::int8_t": 1, "std::int64_t": 8}


def rows_of(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def interface_bytes(header):
    """Bytes of a header's inputs and outputs, which the arena does not hold."""
    text = header.read_text()
    elements = {name: int(n) for name, n in re.findall(r"(\w+put_\d+)_elements = (\d+);", text)}
    parameters = re.search(r"inline void run\((.*?)std::byte\* arena", text, re.S).group(1)
    return sum(BYTES[kind] * elements[name] for kind, name in re.findall(r"([\w:]+)\* (\w+put_\d+)", parameters))


def measure(arguments, network, directory):
    """{board: {flash, weights, code, ram, instructions}} of one network; throws where bytes differ from the desk's."""
    net = directory / network["network"]
    net.mkdir(parents=True, exist_ok=True)
    inputs = arguments.data / "golden" / (network["inputs"] + ".in.npy")
    subprocess.run([arguments.mote, "emit", arguments.data / (network["model"] + ".tflite"), "-o", net / "net.hpp",
                    "--data", f"npy:{inputs}", "--samples", "8"], check=True)
    run = subprocess.run([ROOT / "examples/firmware/run.sh", net, net, *arguments.boards.split(",")], capture_output=True,
                         text=True, env={**os.environ, "MOTE_INSNCOUNT": arguments.insncount})
    sys.stderr.write(run.stderr)
    if run.returncode != 0:
        sys.exit(f"table.py: {network['network']}: {run.stdout}")
    result = {}
    for line in run.stdout.splitlines()[1:]:
        board, _, flash, constants, code, ram, instructions, _ = line.split()
        result[board] = {"flash": int(flash), "constants": int(constants), "code": int(code), "arena": int(ram),
                         "instructions": int(instructions), "interface": interface_bytes(net / "net.hpp")}
    return result


def millions(text):
    return f"{int(text) / 1e6:.3f} M" if text else "-"


def peer_cell(peer, kind):
    if not peer or not peer[kind + "_instructions"]:
        return "-"
    flash, ram = peer[kind + "_flash"], peer[kind + "_ram"]
    sizes = f"{int(flash):,} / {int(ram):,}" if flash else "- / -"
    return f"{sizes} / {millions(peer[kind + '_instructions'])}"


def table(networks, measured):
    peers = {(row["network"], row["core"]): row for row in rows_of(HERE / "peers.csv")}
    lines = ["| network | core | code | constants | flash / RAM / instructions | generated CMSIS-NN | TFLM | instructions, ratio |",
             "|---|---|---|---|---|---|---|---|"]
    for network in networks:
        for board, m in measured[network["network"]].items():
            peer = peers.get((network["network"], board))
            ratio = f"{int(peer['generated_instructions']) / m['instructions']:.2f}" if peer else "-"
            lines.append(f"| {network['network']} | {board.upper()} | {m['code']:,} | {m['constants']:,} | {m['flash']:,} / "
                         f"{m['arena']:,} + {m['interface']:,} / {millions(m['instructions'])} | {peer_cell(peer, 'generated')} | "
                         f"{peer_cell(peer, 'tflm')} | {ratio} |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1])
    parser.add_argument("mote", type=pathlib.Path)
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("insncount")
    parser.add_argument("--readme", type=pathlib.Path)
    parser.add_argument("--directory", type=pathlib.Path)
    parser.add_argument("--networks")
    parser.add_argument("--boards", default="m4,m55,m3")
    arguments = parser.parse_args()
    networks = [row for row in rows_of(HERE / "networks.csv")
                if not arguments.networks or row["network"] in arguments.networks.split(",")]
    with tempfile.TemporaryDirectory() as scratch:
        directory = arguments.directory or pathlib.Path(scratch)
        measured = {network["network"]: measure(arguments, network, directory) for network in networks}
    text = table(networks, measured)
    print(text, end="")
    if arguments.readme:
        readme = arguments.readme.read_text()
        if BEGIN not in readme or END not in readme:
            sys.exit(f"table.py: {arguments.readme} lacks the lines that the table stands between")
        before, rest = readme.split(BEGIN, 1)
        arguments.readme.write_text(before + BEGIN + text + END + rest.split(END, 1)[1])


if __name__ == "__main__":
    main()
