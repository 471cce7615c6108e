#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Wrong usage gives status 2, work that fails 1; either says so on one line of the standard error output, and writes nothing.
. "$(dirname "$0")/common.sh"
"$researcher" net.hpp >researcher.txt

# refused STATUS TEXT ARGUMENT...: this status, and one line that holds the text.
refused() {
    local expected=$1 text=$2 status=0
    shift 2
    mote "$@" >out.txt 2>errors.txt || status=$?
    [ "$status" = "$expected" ] || failed "mote $*: status $status, expected $expected: $(cat errors.txt)"
    [ "$(grep -c '' errors.txt)" = 1 ] || failed "mote $*: more or less than one line: $(cat errors.txt)"
    grep -qF -- "$text" errors.txt || failed "mote $*: '$text' is not in: $(cat errors.txt)"
    [ ! -s out.txt ] || failed "mote $*: wrote to the standard output"
}
digits=digits:examples/data/digits.csv

refused 2 "see mote --help"
refused 2 "'unknown' is no command" unknown
refused 2 "MODEL" inspect
refused 2 "--wrong" inspect digits.mote --wrong
refused 2 "--data" eval digits.mote
refused 2 "names no dataset" eval digits.mote --data imagenet:folder
refused 2 "--rounds" bench digits.mote --rounds 0
refused 2 "--threads" bench digits.mote --threads 0
refused 2 "share between 0 and 1" prune digits.mote --keep 1.5 -o out.mote
refused 2 "Exactly 1 option" prune digits.mote -o out.mote
refused 2 "Exactly 1 option" prune digits.mote --keep 0.5 --sparsity 0.5 -o out.mote
refused 2 "--observer" quantize digits.mote --data $digits --observer mean -o out.mote
refused 2 "--equalize" quantize digits.mote --data $digits --equalize 2 -o out.mote
refused 2 "--least-sqnr" quantize digits.mote --data $digits --least-sqnr -3 -o out.mote
refused 2 "--out" convert digits.mote
refused 2 "--to" convert digits.mote --to f8 -o out.mote

refused 1 "'missing.tflite'" inspect missing.tflite
refused 1 "'out.txt.zip'" convert digits.mote -o out.txt.zip
refused 1 "missing/out.mote" convert digits.mote -o missing/out.mote
refused 1 "bf16" convert digits.mote --to bf16 -o out.onnx
mote convert digits.mote --to bf16 -o half.mote
refused 1 "computes in f32 and int8" emit half.mote -o out.hpp
refused 1 "half.mote" quantize half.mote --data $digits -o out.mote
refused 1 "'missing.csv'" eval digits.mote --data digits:missing.csv
refused 1 "test_batch.bin" eval digits.mote --data cifar10:missing
refused 1 "'missing'" conformance missing
refused 1 "no node of the model" quantize digits.mote --data $digits --keep-f32 nowhere -o out.mote
refused 1 "namespace" emit digits.mote -o out.hpp --name class
printf 'not a model\n' >text.tflite
refused 1 "text.tflite" inspect text.tflite
cp text.tflite text.onnx
refused 1 "text.onnx" inspect text.onnx
head -c 3000 digits.mote >short.mote
refused 1 "short.mote" inspect short.mote
python3 - <<'TEXT'
data = bytearray(open("digits.mote", "rb").read())
data[len(data) // 2] ^= 1
open("damaged.mote", "wb").write(data)
TEXT
refused 1 "damaged" inspect damaged.mote
mkdir -p cifar
head -c 3000 digits.mote >cifar/test_batch.bin
refused 1 "CIFAR-10 records of 3073 bytes" eval digits.mote --data cifar10:cifar
head -c 3073 /dev/zero >cifar/test_batch.bin
refused 1 "a sample is [32x32x3]" eval digits.mote --data cifar10:cifar
refused 1 "version1.mote" prune "$root/tests/io/files/version1.mote" --keep 0.5 -o out.mote
[ ! -e out.mote ] && [ ! -e out.hpp ] || failed "a command that failed left a file"
finish
