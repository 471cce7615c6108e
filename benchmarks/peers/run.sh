#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Races mote against other engines: builds mote's side, installs the others into an environment in the user's cache, starts race.py.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."
. cmake/install_packages.sh
usage() {
    cat <<'TEXT'
usage: benchmarks/peers/run.sh [--quick] [--json FILE] [OPTION...]
  --quick              fewer runs, small networks first; what is not reached in two minutes is told
  --json FILE          write the cells: a list of {network, precision, threads, mote_ms, peers, ratio, ...}
  --svg FILE           draw the ratios as bars
  --markdown FILE      write the table, which is printed anyway
  --isa avx2           limit mote and the peers that can be limited (openvino) to AVX2; the others are told
  --networks NAME,...  only these
  --tflite DIR         also the networks of MLPerf Tiny that are TensorFlow Lite files in DIR/ic, kws, vww, ad: mote and litert
  --precisions f32,i8  only these
  --threads 1,2        these numbers of threads
  --peers NAME,...     only these: onnxruntime, litert, openvino, ncnn, mnn, executorch
  --cores N,...        a run on t threads gets the first t of these
  --runs N             at least so many runs of each side in each cell (50; quick: 15)
  --precedence         run before this machine's other programs, where they cannot be waited for (root)
  --offline            install nothing
The engines come from the Python package index, executorch with some gigabytes of PyTorch; an engine that cannot be installed is told
and left out. Environment and networks stay in ${XDG_CACHE_HOME:-~/.cache}/mote-peers; a network that an engine refused is not
offered to the same version again until its file networks/*/*.refused there is removed.
TEXT
}
peers="onnxruntime litert openvino ncnn mnn executorch" offline=no sets=
arguments=() session=()
while [ $# -gt 0 ]; do
    case $1 in
        --help | -h) usage; exit 0 ;;
        --quick) arguments+=("$1"); shift ;;
        --precedence) arguments+=("$1"); session=(setsid --wait); shift ;;
        --offline) offline=yes; shift ;;
        --json | --svg | --markdown | --isa | --networks | --tflite | --precisions | --threads | --peers | --cores | --runs)
            [ $# -ge 2 ] || { usage >&2; exit 2; }
            [ "$1" != --peers ] || peers=${2//,/ }
            [ "$1 $2" != "--isa avx2" ] || sets=avx2
            arguments+=("$1" "$2"); shift 2 ;;
        *) usage >&2; exit 2 ;;
    esac
done
[ $offline = yes ] || install_packages g++ cmake ninja-build libxsimd-dev libflatbuffers-dev libprotozero-dev python3 python3-venv
cache=${XDG_CACHE_HOME:-$HOME/.cache}/mote-peers
environment=$cache/environment
python=$environment/bin/python
mkdir -p "$cache"

echo "== building" >&2
build=build/peers${sets:+-$sets}
cmake --preset release -B $build -DMOTE_TESTS=OFF -DMOTE_EXAMPLES=OFF -DMOTE_RACE_SETS=$sets >/dev/null
cmake --build $build --target peers --parallel "$(nproc)" >"$cache/build.log" 2>&1 || { cat "$cache/build.log" >&2; exit 1; }

# has NAME: the package is in the environment. add OPTION... NAME: installs it; what pip says stays in NAME.log.
has() { "$python" -c 'import importlib.metadata, sys; importlib.metadata.version(sys.argv[1])' "$1" 2>/dev/null; }
add() {
    has "${!#}" && return
    [ $offline = no ] || return
    echo "== installing ${!#}" >&2
    "$python" -m pip install --quiet --disable-pip-version-check --retries 1 --cache-dir "$cache/pip" "$@" \
        >"$cache/${!#}.log" 2>&1 || { echo "not installed: ${!#}: $(grep -i error "$cache/${!#}.log" | tail -n 1)" >&2; return 1; }
}
"$python" -c '' 2>/dev/null || { rm -rf "$environment"; python3 -m venv "$environment"; }
{ add numpy && add onnx; } || { echo "run.sh: without numpy and onnx there is no race (are the package index and the network there?)" >&2; exit 77; }
for peer in $peers; do
    case $peer in
        onnxruntime | openvino | mnn) add $peer ;;
        litert) add ai-edge-litert ;;
        ncnn) add ncnn && add --no-deps pnnx ;;  # its program alone; PyTorch is for its other use
        executorch) add executorch && add onnx2torch ;;
        *) echo "run.sh: no engine is called '$peer'" >&2; exit 2 ;;
    esac || true
done
exec "${session[@]}" "$python" "$here/race.py" --programs $build/benchmarks/peers --cache "$cache" "${arguments[@]}"
