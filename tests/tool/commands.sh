#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The commands of the README one after the other, then what they left; every command's help has an example.
. "$(dirname "$0")/common.sh"
"$researcher" net.hpp >researcher.txt

grep '^    mote ' "$root/README.md" >readme.txt || failed "the README has no commands of the tool"
while read -r -a words; do
    "${words[@]}" >last.txt 2>errors.txt || failed "README: ${words[*]}: $(cat errors.txt)"
done <readme.txt

for command in inspect eval compare quantize prune fine-tune distill convert emit bench conformance operators; do
    grep -q "^    mote $command " readme.txt || failed "the README does not show mote $command"
    mote "$command" --help | grep -q "^example: mote $command " || failed "mote $command --help has no example"
done
mote --help | grep -q "^example: mote" || failed "mote --help has no example"
[[ $(cat "$root/README.md") == *"$(mote operators --markdown)"* ]] ||
    failed "the README's list of operators is not what mote operators --markdown prints"

digits=digits:examples/data/digits.csv
mote inspect digits.mote --json inspect.json --svg digits.svg >inspect.txt
json inspect.json 'j["parameters"] == 6234 and j["macs"] == 22400 and j["weight_bytes"] == 24936 and j["arena_bytes"] > 0'
json inspect.json 'sum(l["macs"] for l in j["layers"]) == j["macs"] and j["inputs"][0]["shape"] == "1x8x8x1"'
python3 -c 'import sys, xml.dom.minidom as m; n = len(m.parse("digits.svg").getElementsByTagName("g")); sys.exit(n != 10)' ||
    failed "inspect --svg: a box for each of 8 nodes, the input and the output is expected"
mote eval digits.mote --data $digits --json eval.json >last.txt 2>errors.txt
json eval.json 'j["samples"] == 1797 and j["top1"] > 0.98 and j["milliseconds_median"] > 0'
mote eval light.mote --data $digits --json - 2>errors.txt >light.json
json light.json 'j["samples"] == 1797 and j["top1"] > 0.96'
mote eval light.mote --data $digits --samples 100 --json - 2>errors.txt >hundred.json
json hundred.json 'j["samples"] == 100'
mote inspect light.mote --json light.json >inspect.txt
json light.json 'all(v["element"] == "i8" for v in j["inputs"] + j["outputs"]) and j["weight_bytes"] < 3000 and j["macs"] < 11200'
mote compare tuned.mote light.mote --data $digits --json compare.json --html compare.html >compare.txt 2>errors.txt
json compare.json '[v["own"] for v in j["values"] if v["own"] is not None] == sorted(v["own"] for v in j["values"] if v["own"] is not None)'
json compare.json 'all(v["cosine"] > 0.9 for v in j["values"])'
grep -q "<table>" compare.html || failed "compare --html wrote no table"
mote quantize tuned.mote --data $digits --observer percentile --percentile 99.9 --f32-outputs -o percentile.mote >last.txt 2>errors.txt
mote inspect percentile.mote --json percentile.json >last.txt
json percentile.json 'j["outputs"][0]["element"] == "f32" and j["inputs"][0]["element"] == "i8"'
mote quantize tuned.mote --data $digits --observer min-max --equalize 0.5 --no-bias-correction -o corrected.mote >last.txt 2>errors.txt
mote eval corrected.mote --data $digits --json corrected.json >last.txt 2>errors.txt
json corrected.json 'j["top1"] > 0.96'
mote quantize tuned.mote --data $digits --samples 100 --least-sqnr 60 --f32-outputs -o mixed.mote >last.txt 2>errors.txt
mote inspect mixed.mote --json mixed.json >last.txt
json mixed.json 'j["weight_bytes"] > 3000'
mote prune digits.mote --sparsity 0.8 -o sparse.mote --json sparse.json >last.txt
json sparse.json 'abs(j["weights_zeroed"] / j["weights"] - 0.8) < 0.01'
mote prune digits.mote --keep 0.5 --taylor --data $digits -o taylor.mote --json taylor.json >last.txt 2>errors.txt
json taylor.json 'j["macs"] < 11200 and j["channels_removed"] > 0'
# Kernels by name: the plan is of their set, and a name that is none is told with those that are.
MOTE_INSTRUCTION_SET=scalar mote inspect light.mote --json scalar.json >last.txt
json scalar.json 'j["instruction_set"] == "scalar"'
! MOTE_INSTRUCTION_SET=none mote inspect light.mote >last.txt 2>errors.txt || failed "inspect took kernels that are none"
grep -q "not in this program, which holds .*scalar" errors.txt || failed "inspect does not tell which kernels it holds"

# bench --measure tells choices, which another run takes.
mote bench digits.mote --rounds 2 --measure --json measured.json >bench.txt 2>errors.txt
choices=$(figure measured.json choices)
grep -q -- "--choices $choices" bench.txt || failed "bench --measure does not tell its choices"
mote bench digits.mote --rounds 2 --choices "$choices" --json chosen.json >bench.txt 2>errors.txt
json chosen.json "j['choices'] == '$choices'"
! mote bench digits.mote --rounds 2 --choices 99999 >bench.txt 2>errors.txt || failed "bench took choices that are none"

# bench: every step has a time, and on the page a point and a row; the sums are those of the model.
for threads in 1 2; do
    mote bench light.mote --rounds 3 --threads $threads --json bench.json --html bench.html >bench.txt 2>errors.txt
    json bench.json 'j["milliseconds_median"] > 0 and j["gops"] > 0 and len(j["layers"]) > 0'
    json bench.json "j['threads'] == $threads and j['macs'] == $(figure light.json macs)"
    json bench.json 'all(l["milliseconds_median"] > 0 and l["bytes"] > 0 and l["kernel"] for l in j["layers"])'
    json bench.json 'all(sum(l[key] for l in j["layers"]) == j[key] for key in ("macs", "bytes"))'
    json bench.json 'all(l["gops"] > 0 and l["intensity"] > 0 and l["precision"] == "i8" for l in j["layers"] if l["macs"])'
    python3 - <<'TEXT' || failed "bench --threads $threads: the page or the table lacks a step"
import html.parser, json, sys
layers = json.load(open("bench.json", encoding="utf-8"))["layers"]
class Page(html.parser.HTMLParser):
    open_tags, points, rows, cell = [], [], [], None
    def handle_starttag(self, tag, attributes):
        step = dict(attributes).get("class") == "step"
        if tag == "circle" and step:
            self.points.append([float(dict(attributes)[key]) for key in ("cx", "cy", "r")])
        if tag == "tr":
            self.rows.append([])
        if tag not in ("meta", "rect", "path", "circle"):
            self.open_tags.append(tag)
    def handle_endtag(self, tag):
        if tag not in ("rect", "path", "circle") and self.open_tags.pop() != tag:
            sys.exit(f"</{tag}> closes another element")
    def handle_data(self, data):
        if "td" in self.open_tags and data.strip():
            self.rows[-1].append(data)
page = Page()
page.feed(open("bench.html", encoding="utf-8").read())
rows = page.rows[1:]
if len(page.points) != len(layers) or len(rows) != len(layers) + 2 or page.open_tags:
    sys.exit(f"{len(layers)} layers, {len(page.points)} points, {len(rows)} rows, open: {page.open_tags}")
text = open("bench.txt", encoding="utf-8").read().splitlines()
for layer, row, line in zip(layers, rows, text[1:]):
    microseconds = f"{1e3 * layer['milliseconds_median']:.3f}"
    if row[0] != layer["nodes"] or microseconds not in row or microseconds not in line.split():
        sys.exit(f"{layer['nodes']}: {microseconds} us are not in {row} and {line}")
TEXT
done
mote convert digits.mote -o same.mote
cmp digits.mote same.mote || failed "convert changed a .mote file"
mote convert digits.mote -o digits.onnx
mote convert digits.onnx -o back.mote
for model in digits.onnx back.mote; do
    mote eval $model --data $digits --json back.json >last.txt 2>errors.txt
    [ "$(figure back.json top1)" = "$(figure eval.json top1)" ] || failed "$model answers otherwise than digits.mote"
done

# Floats of 16 bits between f32 inputs and outputs.
for precision in bf16 f16; do
    mote convert digits.mote --to $precision -o half.mote
    mote inspect half.mote --json half.json >last.txt
    json half.json 'j["weight_bytes"] < 0.55 * 24936 and all(v["element"] == "f32" for v in j["inputs"] + j["outputs"])'
    json half.json "any(l['element'] == '$precision' for l in j['layers'])"
    mote eval half.mote --data $digits --json half.json >last.txt 2>errors.txt
    json half.json 'j["top1"] > 0.975'
    mote bench half.mote --rounds 3 --json bench.json >last.txt 2>errors.txt
    json bench.json "all(l['precision'] == '$precision' and l['gops'] > 0 for l in j['layers'] if l['macs'])"
done

# npy and npz: the figures are those of the same samples from another kind of file.
python3 - <<'TEXT'
import struct, zipfile
archive = zipfile.ZipFile("arrays.npz", "w", zipfile.ZIP_DEFLATED)
rows = [[float(x) for x in line.split(",")] for line in open("examples/data/digits.csv") if line.strip()]
def npy(name, code, shape, data):
    header = f"{{'descr': '{code}', 'fortran_order': False, 'shape': {shape}, }}"
    header += " " * (63 - (len(header) + 10) % 64) + "\n"
    content = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data
    open(name, "wb").write(content)
    archive.writestr(name, content)
n = len(rows)
npy("inputs.npy", "<f4", (n, 8, 8, 1), b"".join(struct.pack("<64f", *[x / 16 for x in row[:64]]) for row in rows))
npy("bytes.npy", "|u1", (n, 8, 8, 1), b"".join(bytes(int(x) for x in row[:64]) for row in rows))
npy("labels.npy", "<i8", (n,), b"".join(struct.pack("<q", int(row[64])) for row in rows))
archive.close()
TEXT
for data in "npy:inputs.npy,labels.npy" npz:arrays.npz,inputs,labels "npy:bytes.npy,labels.npy --scale 0.0625" "npy:bytes.npy,labels.npy --mean 0 --std 16"; do
    # shellcheck disable=SC2086
    mote eval digits.mote --data $data --json npy.json >last.txt 2>errors.txt
    [ "$(figure npy.json top1)" = "$(figure eval.json top1)" ] || failed "eval --data $data differs from the digits"
done
finish
