#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# networks.sh NAME PROGRAM: an example of examples/networks gives the answers that are known for the shared data.
set -euo pipefail
name=$1 program=$2
here=$(cd "$(dirname "$0")" && pwd)
shared=$here/../../../shared/data
[ -e "$shared/FILES.csv" ] || { echo "skipped: no real networks beside the tree"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed() { echo "networks.sh: $*" >&2; exit 1; }
photo() { python3 "$here/golden_png.py" "$shared/golden/$1.in.npy" "$2" "$work/$3.png"; }
# status 2 for wrong usage, 1 for what cannot be read, each on one line
status=0
"$program" 2>"$work/usage" || status=$?
[ $status = 2 ] && grep -q '^usage: ' "$work/usage" || failed "without arguments: status $status"
status=0
"$program" "$work/none.tflite" "$work/none.png" "$work/out.png" 2>"$work/error" || status=$?
[ $status = 1 ] && grep -q 'none.tflite' "$work/error" && [ "$(wc -l <"$work/error")" = 1 ] || failed "a missing file: status $status"

case $name in
    keyword)
        kws=$shared/mlperf_tiny/kws
        for network in kws_ref_model kws_ref_model_float32; do
            "$program" $kws/$network.tflite $kws/kws01.bin $kws/kws_classes.txt $kws/kws01_labels.csv | tee "$work/out"
            right=$(sed 's/ of 800 right.*//' "$work/out")
            [ "$right" -ge 717 ] && [ "$right" -le 721 ] || failed "$network: $right of 800, not 719 +- 2"
        done
        ;;
    detect_faces)
        network=$shared/mediapipe/face_detection_short_range.tflite
        faces=(1 - 0 0)  # astronaut, cat (not judged), coffee, rocket
        for i in 0 2 3; do
            photo face_detection_short_range $i photo
            "$program" "$network" "$work/photo.png" "$work/out.png" | tee "$work/out"
            grep -q "^${faces[i]} face" "$work/out" || failed "photo $i: $(cat "$work/out")"
            [ $i != 0 ] || awk '/^face: score/ { ok = $3 + 0 >= 0.85 } END { exit !ok }' "$work/out" || failed "score below 0.85"
            ! cmp -s "$work/photo.png" "$work/out.png" || failed "no picture written"
        done
        ;;
    detect_person)
        for network in vww_96_float vww_96_int8; do
            photo selfie_segmentation 0 astronaut
            photo selfie_segmentation 2 coffee
            photo selfie_segmentation 3 rocket
            for picture in coffee rocket; do
                "$program" $shared/mlperf_tiny/vww/$network.tflite "$work/$picture.png" | tee "$work/out"
                grep -q '^no person' "$work/out" || failed "$network sees a person in $picture"
            done
            "$program" $shared/mlperf_tiny/vww/$network.tflite "$work/astronaut.png"
        done
        ;;
    segment_selfie)
        photo selfie_segmentation 0 astronaut
        "$program" "$shared/mediapipe/selfie_segmentation.tflite" "$work/astronaut.png" "$work/out.png" | tee "$work/out"
        awk '/^person:/ { ok = $2 > 25 && $2 < 75 } END { exit !ok }' "$work/out" || failed "the mask covers $(cat "$work/out")"
        [ "$(head -c 4 "$work/out.png" | tail -c 3)" = PNG ] || failed "no picture written"
        ;;
    *) failed "no such example: $name" ;;
esac
