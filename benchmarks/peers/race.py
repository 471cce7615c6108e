#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Races mote against other engines on the same networks, cores and threads; run.sh installs and builds what this needs.

Each engine is a process of its own that holds one network. They are asked in turn, round by round, to run it some milliseconds
long; all but the one asked are stopped meanwhile, so that no pool that spins takes another's core. The first runs of a turn are
not counted. Where the process lost its core to another program in more than a quarter
of a turn's runs, the turn is asked for again.
"""
import argparse
import hashlib
import itertools
import json
import os
import pathlib
import select
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import numpy

import engines

TURN_MS = 20.0  # of one side in one round
AGREE = 1e-3  # of answers in f32, of their largest number
ALIKE = 0.1  # of answers in int8 with mote's, root mean square


def say(text):
    print(text, file=sys.stderr, flush=True)


class Side:
    """A process of the race."""

    def __init__(self, name, command, cores, environment):
        self.name, self.times, self.lost, self.guess = name, [], 0, None
        self.received = b""
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                        bufsize=0, env={**os.environ, **environment},
                                        preexec_fn=lambda: os.sched_setaffinity(0, cores))

    def line(self, seconds):
        while b"\n" not in self.received:
            if not select.select([self.process.stdout], [], [], seconds)[0]:
                raise TimeoutError(f"no answer in {seconds} s")
            part = os.read(self.process.stdout.fileno(), 1 << 16)
            if not part:
                raise RuntimeError(f"the process ended (status {self.process.wait()})")
            self.received += part
        text, self.received = self.received.split(b"\n", 1)
        text = text.decode(errors="replace").strip()
        if text.startswith("error:"):
            raise RuntimeError(text[len("error:"):].strip())
        return text

    def wait_ready(self):
        while self.line(60) != "ready":  # some engines greet on the standard output
            pass

    def ask(self, count):
        """(times of count runs in ns, how often the process lost its core)"""
        self.process.send_signal(signal.SIGCONT)
        self.process.stdin.write(f"run {count}\n".encode())
        *times, lost = (int(word) for word in self.line(120).split())
        self.process.send_signal(signal.SIGSTOP)
        return times, lost

    def warm_up(self):
        self.ask(1)
        self.guess = max(1e-3, min(self.ask(3)[0]) * 1e-6)  # ms

    def turn(self, again):
        """Runs some milliseconds long. True where a turn that another program disturbed was asked for again."""
        count = int(min(2000, max(4, TURN_MS / self.guess)))
        skipped = 1 + count // 10

        def disturbed(lost):
            return 4 * lost > skipped + count

        times, lost = self.ask(skipped + count)
        repeated = again and disturbed(lost)
        if repeated:
            times, lost = self.ask(skipped + count)
        self.lost += disturbed(lost)
        self.times.append([t * 1e-6 for t in times[skipped:]])
        return repeated

    def runs(self):
        return sum(len(turn) for turn in self.times)

    def median(self):
        """Of all runs."""
        return statistics.median(t for turn in self.times for t in turn)

    def least(self):
        return min(t for turn in self.times for t in turn)

    def close(self):
        self.process.send_signal(signal.SIGCONT)
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


def take_precedence():
    """Before the other programs of a machine that is not quiet. Linux groups processes by session: the group's value counts too,
    where this process began one (run.sh sees to it)."""
    os.nice(-19)
    group = pathlib.Path("/proc/self/autogroup")
    if os.getsid(0) == os.getpid() and group.exists():
        group.write_text("-19")


def answer_files(prefix):
    return sorted(pathlib.Path(prefix).parent.glob(pathlib.Path(prefix).name + ".out*.npy"))


def answers(prefix):
    return [numpy.load(path) for path in answer_files(prefix)]


def real(array, values):
    """An answer in real numbers; bytes by the scale of the model's output."""
    if array.dtype not in (numpy.int8, numpy.uint8):
        return array.astype(numpy.float64)
    scale, zero = values
    return (array.astype(numpy.float64) - (128 if array.dtype == numpy.uint8 else 0) - zero) * scale


def difference(network, wanted, given):
    """How far answers are from others (mote's in f32, or in the same precision), of all outputs the worst; an engine may have them in
    another order. Of f32 the largest difference over the largest number; of i8 the root mean square of the differences over that of
    the numbers."""
    if [a.size for a in wanted] != [b.size for b in given]:
        raise RuntimeError(f"its answers have {[b.size for b in given]} numbers instead of {[a.size for a in wanted]}")
    scales = network.output_scales() if network.precision == "i8" else [None] * len(wanted)

    def of_one(scale, a, b):
        a, b = real(a, scale).ravel(), real(b, scale).ravel()
        if network.precision == "f32":
            return float(numpy.abs(a - b).max() / numpy.abs(a).max())
        return float(numpy.sqrt(((a - b) ** 2).mean() / (a ** 2).mean()))

    return min(max(map(of_one, scales, wanted, order)) for order in itertools.permutations(given))


class Race:
    def __init__(self, options):
        self.options = options
        self.programs = pathlib.Path(options.programs)
        self.cache = pathlib.Path(options.cache)
        self.peers = []
        self.notes = {}  # what could not be raced, and of which cells
        self.overhead = {}
        for peer in engines.PEERS:
            if peer.name not in (options.peers or [peer.name]):
                continue
            if options.quick and not options.peers and peer.slow_start:
                self.note(f"{peer.name}: takes seconds to start; only where --peers names it")
                continue
            try:
                peer.version()
                self.peers.append(peer)
            except Exception:
                self.note(f"{peer.name}: not installed ({', '.join(peer.packages)})")
        if options.isa == "avx2":
            for peer in self.peers:
                if peer.limit is None:
                    self.note(f"{peer.name}: has no switch for its instruction set; it uses this processor's")

    def note(self, text, where=""):
        if text not in self.notes:
            say(f"note: {text}" + (f" ({where})" if where else ""))
        self.notes.setdefault(text, []).append(where)

    def environment(self, engine, threads):
        limit = engine.limit if self.options.isa == "avx2" and engine.limit else {}
        return {"OMP_NUM_THREADS": str(threads), **limit}

    # Networks

    def networks(self):
        """Makes the networks where this program has not made them yet; [(folder, name, MACs)] in mote's order. A folder is named
        by what mote wrote into it, so that another build that writes the same keeps the files that were made of it."""
        program = self.programs / "peers_make_networks"
        known_file = self.cache / "networks" / (hashlib.sha256(program.read_bytes()).hexdigest()[:16] + ".json")
        known = json.loads(known_file.read_text()) if known_file.exists() else {}
        listed = subprocess.run([program], check=True, capture_output=True, text=True).stdout.split()
        unknown = set(self.options.networks or []) - set(listed)
        if unknown:
            sys.exit(f"race.py: no network is called {', '.join(sorted(unknown))}; there are {', '.join(listed)}")
        result = []
        for name in self.options.networks or listed:
            if name not in known:
                known[name] = self.make(program, name)
                known_file.parent.mkdir(parents=True, exist_ok=True)
                known_file.write_text(json.dumps(known))
            folder, macs = known[name]
            result.append((pathlib.Path(folder), name, macs))
        return result + self.tflite_networks()

    def tflite_networks(self):
        """Those that came as TensorFlow Lite files, where the options name their folder."""
        result = []
        for name, (macs, *_) in engines.TFLITE.items() if self.options.tflite else ():
            try:
                folder = self.cache / "networks" / name
                engines.copy_tflite(pathlib.Path(self.options.tflite), folder, name)
                result.append((folder, name, macs))
            except Exception as error:
                self.note(f"{name}: {error}")
        return result

    def make(self, program, name):
        """(folder, MACs)"""
        (self.cache / "networks").mkdir(parents=True, exist_ok=True)
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.cache / "networks"))
        try:
            made = subprocess.run([program, folder, name], capture_output=True, text=True)
            if made.returncode != 0:
                sys.exit(f"race.py: {made.stderr.strip()}")
            macs = made.stdout.split()[1]
            files = hashlib.sha256()
            for path in sorted(folder.iterdir()):
                files.update(path.read_bytes())
            kept = self.cache / "networks" / f"{name}.{files.hexdigest()[:16]}"
            if not kept.exists():
                folder.rename(kept)
            return str(kept), int(macs)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def refusal(self, engine, network, threads):
        """The file that says why this version of an engine does not take a network: it is not asked again."""
        return network.folder / f"{network.name}.{network.precision}.{engine.name}.{engine.version()}.{threads}.refused"

    def refuse(self, engine, network, error, threads="all"):
        text = f"{engine.name} {network.precision}: {' '.join(str(error).split())[:240]}"
        if engine.packages:
            self.refusal(engine, network, threads).write_text(text)
        self.note(text, network.name if threads == "all" else f"{network.name}, {threads} threads")

    def command(self, engine, network, form, threads):
        """The side's command, or None where it cannot take the network."""
        for which in ("all", threads) if engine.packages else ():
            if self.refusal(engine, network, which).exists():
                self.note(self.refusal(engine, network, which).read_text(),
                          network.name if which == "all" else f"{network.name}, {threads} threads")
                return None
        try:
            return engine.command(network, form, self.prefix(network, engine.name + (form and "-" + form), threads), threads, self.programs)
        except Exception as error:
            self.refuse(engine, network, error)
            return None

    def prefix(self, network, side, threads):
        """Of the files that hold a side's answers."""
        return str(network.folder / f"{network.name}.{network.precision}.{side}.{threads}")

    # One cell

    def cores(self, threads):
        return set(self.options.cores[:threads])

    def start(self, network, threads):
        """The sides that hold the network: mote, the peers, each in its forms, and the peak."""
        peak = "peers_peak_avx2" if self.options.isa == "avx2" else "peers_peak"
        of_name = {}
        sides = {"peak": Side("peak", [str(self.programs / peak), network.precision, "-",
                                       self.prefix(network, "peak", 1), "1"], self.cores(1), {})}
        for engine in [engines.Mote(), *self.peers]:
            for form in engine.forms(network):
                command = self.command(engine, network, form, threads)
                if command is None:
                    continue
                name = engine.name + (form and "-" + form)
                of_name[name] = engine
                for old in answer_files(self.prefix(network, name, threads)):
                    old.unlink()
                sides[name] = Side(engine.name, command, self.cores(threads), self.environment(engine, threads))
        for name, side in list(sides.items()):
            try:
                side.wait_ready()
                side.process.send_signal(signal.SIGSTOP)
            except Exception as error:
                self.refuse(of_name[name], network, error, threads)
                sides.pop(name).close()
        return sides

    def reference(self, network):
        """mote's answers in f32 on one thread."""
        f32 = engines.Network(network.folder, network.name, "f32")
        prefix = self.prefix(f32, "reference", 1)
        if not answer_files(prefix):
            side = Side("mote", engines.Mote().command(f32, "", prefix, 1, self.programs), self.cores(1), {})
            side.wait_ready()
            side.close()
        return answers(prefix)

    def check(self, network, threads, sides, cell):
        """Takes out the peers whose answers are not mote's. In int8 engines round in other places, some quantize by themselves, and
        single steps grow through the layers: answers that are not mote's are to be about as near to f32 as mote's are."""
        wanted = self.reference(network)
        mine = answers(self.prefix(network, "mote", threads)) or answers(self.prefix(network, "mote", 1))
        limit = AGREE
        if network.precision == "i8" and mine:
            cell["differences"]["mote"] = difference(network, wanted, mine)
            limit = min(2 * cell["differences"]["mote"] + 0.05, 0.8)  # answers of zeros differ by 1
        for name in [name for name in sides if name not in ("mote", "peak")]:
            try:
                given = answers(self.prefix(network, name, threads))
                found = cell["differences"][name] = difference(network, wanted, given)
                same = network.precision == "i8" and mine and difference(network, mine, given) <= ALIKE
                if not same and not found <= limit:
                    raise RuntimeError("its answers are others")
            except Exception as error:
                by = f", by {cell['differences'][name]:.2g} (limit {limit:.2g})" if name in cell["differences"] else ""
                self.note(f"{name} {network.precision}: {error}", f"{network.name}, {threads} threads{by}")
                sides.pop(name).close()

    def measure(self, sides):
        for side in sides.values():
            side.warm_up()
        order = list(sides.values())
        rounds = 0
        again = self.options.rounds * len(order)  # turns; where all are disturbed, repeating them is of no use
        while rounds < self.options.rounds or min(side.runs() for side in order) < self.options.runs:
            for side in order[rounds % len(order):] + order[:rounds % len(order)]:
                again -= side.turn(again > 0)
            rounds += 1

    def cell(self, folder, name, macs, precision, threads):
        network = engines.Network(folder, name, precision)
        cell = {"network": name, "precision": precision, "threads": threads, "mote_ms": None, "peers": {}, "ratio": None,
                "macs": macs, "minimum_ms": {}, "differences": {}, "runs": {}, "disturbed_turns": {}}
        sides = self.start(network, threads)
        try:
            self.check(network, threads, sides, cell)
            self.measure(sides)
            for form, side in sides.items():
                cell["runs"][form], cell["disturbed_turns"][form] = side.runs(), side.lost
                overhead = self.overhead.get(side.name, 0.0)
                if overhead > side.median() / 4:
                    self.note(f"{side.name}: a run of nothing from Python takes more than a quarter of its time",
                              f"{name} {precision}, {threads} threads")
                    continue
                median, least = side.median() - overhead, max(side.least() - overhead, 0.0)
                if form == "peak":
                    operations = float(answers(self.prefix(network, "peak", 1))[0][0])
                    cell["peak_gops"] = operations / least * 1e-6
                    continue
                cell["minimum_ms"][form] = least
                if form == "mote":
                    cell["mote_ms"] = median
                else:
                    cell["peers"][side.name] = min(median, cell["peers"].get(side.name, median))
        finally:
            for side in sides.values():
                side.close()
        if cell["mote_ms"] and cell["peers"]:
            cell["ratio"] = min(cell["peers"].values()) / cell["mote_ms"]
        if cell["mote_ms"]:
            cell["peak_share"] = 2e-6 * macs / cell["mote_ms"] / cell["peak_gops"] / threads
        return cell

    def measure_overhead(self):
        """What a call from Python and a run of nothing take, for the sides that are called so."""
        import onnx
        folder = self.cache / "networks" / "identity"
        folder.mkdir(parents=True, exist_ok=True)
        network = engines.Network(folder, "identity", "f32")
        value = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, 1, 1, 1]) for name in "xy"]
        graph = onnx.helper.make_graph([onnx.helper.make_node("Relu", ["x"], ["y"])], "identity", value[:1], value[1:])
        onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8),
                  network.file("onnx"))
        numpy.save(network.input_last(), numpy.ones((1, 1, 1, 1), numpy.float32))
        for peer in self.peers:
            if peer.program is not None:
                continue
            try:
                side = Side(peer.name, peer.command(network, "", str(folder / peer.name), 1, self.programs), self.cores(1),
                            self.environment(peer, 1))
            except Exception as error:
                self.note(f"{peer.name}: the overhead of its call is not known: {str(error)[:200]}")
                continue
            try:
                side.wait_ready()
                side.warm_up()
                for _ in range(5):
                    side.turn(True)
                self.overhead[peer.name] = side.least()
            except Exception as error:
                self.note(f"{peer.name}: the overhead of its call is not known: {str(error)[:200]}")
            finally:
                side.close()

    def run(self):
        started = time.monotonic()
        networks = self.networks()
        if self.options.quick:
            networks.sort(key=lambda network: network[2])
        self.measure_overhead()
        cells = []
        wanted = list(itertools.product(networks, self.options.precisions, self.options.threads))
        if self.options.quick:
            wanted.sort(key=lambda cell: cell[2])  # one thread first, the smallest network first
        for (folder, name, macs), precision, threads in wanted:
            if self.options.budget and time.monotonic() - started > self.options.budget:
                self.note(f"not reached in {self.options.budget:.0f} s", f"{name} {precision}, {threads} threads")
                continue
            cells.append(self.cell(folder, name, macs, precision, threads))
            say(row(cells[-1], [peer.name for peer in self.peers]))
        order = {name: i for i, name in enumerate(dict.fromkeys(name for _, name, _ in networks))}
        cells.sort(key=lambda cell: (-cell["macs"], order[cell["network"]], cell["precision"] != "f32", cell["threads"]))
        return cells


# Output

def number(value):
    return "-" if value is None else f"{value:.4f}" if value < 1 else f"{value:.2f}"


def row(cell, peers):
    fastest = min(cell["peers"], key=cell["peers"].get, default=None)

    def shown(name):
        text = number(cell["peers"].get(name))
        return f"**{text}**" if name == fastest else text

    share = cell.get("peak_share")
    return "| " + " | ".join(
        [cell["network"], cell["precision"], str(cell["threads"]), number(cell["mote_ms"]), *[shown(name) for name in peers],
         "-" if cell["ratio"] is None else f"{cell['ratio']:.2f}", "-" if share is None else f"{100 * share:.0f} %"]) + " |"


def mean(values):
    return numpy.exp(numpy.log(values).mean())


def markdown(race, cells):
    peers = [peer.name for peer in race.peers]
    head = ["network", "precision", "threads", "mote ms", *peers, "ratio", "of peak"]
    lines = ["| " + " | ".join(head) + " |", "|---|---|" + "---:|" * (len(head) - 2)]
    lines += [row(cell, peers) for cell in cells]
    lines.append("")
    for precision in race.options.precisions:
        ratios = [cell["ratio"] for cell in cells if cell["precision"] == precision and cell["ratio"]]
        if ratios:
            peak = max(cell["peak_gops"] for cell in cells if cell["precision"] == precision)
            lines.append(f"{precision}: geometric mean of the ratios {mean(ratios):.2f}, mote the fastest in "
                         f"{sum(r > 1 for r in ratios)} of {len(ratios)} cells; peak of a core {peak:.1f} GOP/s.")
    lines.append("ms are medians of at least " + str(race.options.runs) + " runs; ratio: the fastest peer's time over mote's. " +
                 ", ".join(f"{peer.name} {peer.version()}" for peer in race.peers) + ".")
    if race.overhead:
        lines.append("Called from Python, a run of nothing subtracted (a cell of which it is more than a quarter is left out): " +
                     ", ".join(f"{name} {1000 * ms:.1f} us" for name, ms in race.overhead.items()) + ".")
    disturbed = sum(sum(cell["disturbed_turns"].values()) for cell in cells)
    if disturbed:
        lines.append(f"Turns in which another program took the core: {disturbed}.")
    for note, places in race.notes.items():
        places = list(dict.fromkeys(place for place in places if place))
        lines.append(f"- {note}" + (f" ({'; '.join(places)})" if places else ""))
    return "\n".join(lines) + "\n"


def chart(race, cells, path):
    """A bar a cell that has a ratio, by the program that draws."""
    text = ""
    for cell in cells:
        if cell["ratio"]:
            text += f"{cell['network']}\t{cell['precision']}, {cell['threads']} thread{'s' * (cell['threads'] > 1)}\t{cell['ratio']:.4f}\n"
    drawn = subprocess.run([race.programs / "peers_chart"], input=text, check=True, capture_output=True, text=True).stdout
    pathlib.Path(path).write_text(drawn)


def main():
    parser = argparse.ArgumentParser(prog="benchmarks/peers/run.sh", description="mote against other engines, on this machine")
    parser.add_argument("--quick", action="store_true", help="fewer runs, small networks first, two minutes")
    parser.add_argument("--json", metavar="FILE", help="the cells: a list of {network, precision, threads, mote_ms, peers, ratio ...}")
    parser.add_argument("--svg", metavar="FILE", help="the ratios as a bar chart")
    parser.add_argument("--markdown", metavar="FILE", help="the table; it is printed anyway")
    parser.add_argument("--isa", choices=["best", "avx2"], default="best",
                        help="avx2: limit mote and the peers that can be limited to it (openvino)")
    parser.add_argument("--networks", type=lambda text: text.split(","), metavar="NAME,...")
    parser.add_argument("--tflite", metavar="DIR", help="also the TensorFlow Lite files of MLPerf Tiny in its folders ic, kws, vww, ad")
    parser.add_argument("--precisions", type=lambda text: text.split(","), default=["f32", "i8"], metavar="f32,i8")
    parser.add_argument("--threads", type=lambda text: [int(n) for n in text.split(",")], default=[1, 2], metavar="1,2")
    parser.add_argument("--peers", type=lambda text: text.split(","), metavar="NAME,...",
                        help="only these: " + ", ".join(peer.name for peer in engines.PEERS))
    parser.add_argument("--cores", type=lambda text: [int(n) for n in text.split(",")], metavar="N,...",
                        default=sorted(os.sched_getaffinity(0), reverse=True), help="a run on t threads gets the first t of these")
    parser.add_argument("--runs", type=int, help="at least so many of each side (50; quick: 15)")
    parser.add_argument("--precedence", action="store_true", help="run before this machine's other programs (root)")
    parser.add_argument("--programs", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--cache", required=True, help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.runs = options.runs or (15 if options.quick else 50)
    options.rounds = 3 if options.quick else 12
    options.budget = 115.0 if options.quick else None
    if max(options.threads) > len(options.cores):
        sys.exit(f"race.py: {max(options.threads)} threads, but {len(options.cores)} cores may be used")
    if options.precedence:
        take_precedence()
    race = Race(options)
    cells = race.run()
    if not race.peers:
        say("race.py: no other engine is installed")
        sys.exit(77)
    if not cells:
        sys.exit("race.py: nothing could be raced")
    text = markdown(race, cells)
    print(text, end="")
    if options.markdown:
        pathlib.Path(options.markdown).write_text(text)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(cells, indent=1) + "\n")
    if options.svg:
        chart(race, cells, options.svg)


if __name__ == "__main__":
    main()
