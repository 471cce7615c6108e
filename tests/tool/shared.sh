#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The tool on real networks and data beside the tree; skipped where they are absent.
. "$(dirname "$0")/common.sh"
data=$root/../shared/data
[ -f "$data/FILES.csv" ] || { echo "skipped: ../shared/data is absent"; exit 77; }
command -v xz >/dev/null || { echo "skipped: xz is not installed"; exit 77; }
"$data/unpack.sh" cifar

resnet=$data/mlperf_tiny/ic/pretrainedResnet.tflite
mote inspect "$resnet" --json inspect.json --svg resnet.svg >last.txt
json inspect.json 'j["parameters"] == 77706 and j["macs"] == 12501632'
mote eval "$resnet" --data cifar10:cifar:test --json float.json >last.txt 2>errors.txt
json float.json 'j["samples"] == 9000 and j["top1"] > 0.86'
mote quantize "$resnet" --data cifar10:cifar:train --samples 500 -o int8.mote >last.txt 2>errors.txt
mote eval int8.mote --data cifar10:cifar --json int8.json >last.txt 2>errors.txt
python3 -c 'import json, sys; a, b = (json.load(open(f))["top1"] for f in ("float.json", "int8.json")); sys.exit(abs(a - b) > 0.01)' ||
    failed "int8 loses more than a point: $(cat float.json int8.json)"
head -c $((3073 * 7)) cifar/test_batch.bin >cifar/seven && mkdir seven && mv cifar/seven seven/test_batch.bin
mote eval int8.mote --data cifar10:seven --json seven.json >last.txt 2>errors.txt
json seven.json 'j["samples"] == 7'

mote conformance "$data/onnx_simple" "$data/onnx_node/test_relu" --json conformance.json >last.txt 2>errors.txt
json conformance.json 'j["passed"] >= 6 and j["failed"] == 0 and j["passed"] + j["unsupported"] == 7'
mote convert "$data/onnx_light/light_squeezenet.onnx" --channels-last -o squeezenet.mote
mote inspect squeezenet.mote --json squeezenet.json >last.txt
json squeezenet.json 'j["parameters"] > 1200000 and j["inputs"][0]["shape"] == "1x224x224x3"'

# What a file has beyond the layers of mote is one line, with the file's name.
status=0
mote inspect "$data/tflite_micro/audio_preprocessor_int8.tflite" >last.txt 2>errors.txt || status=$?
[ "$status" = 1 ] && [ "$(grep -c '' errors.txt)" = 1 ] && grep -q "audio_preprocessor_int8.tflite" errors.txt ||
    failed "an unsupported network: status $status, $(cat errors.txt)"
finish
