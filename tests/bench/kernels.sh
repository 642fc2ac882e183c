#!/usr/bin/env bash
# Builds the kernels where a GPU is (nvcc 13 and g++ with Catch2's header), then tests and times them.
#
#   tests/bench/kernels.sh OUT [test] [sanitize] [bench]
#
# OUT gets the logs and kernels.json. CATCH_DIR is the folder that holds catch2/catch.hpp, COMMIT what
# the JSON names, JOBS the compilations at a time, FLAGS more flags of nvcc, ONLY a part of the names
# of kernels to time. Objects are kept in BUILD (a new folder by default).
set -euo pipefail
cd "$(dirname "$0")/../.."
out=$(realpath "${1:?the folder for results}"); shift
build=${BUILD:-$(mktemp -d)}
mkdir -p "$build" "$out"
nvcc=$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)
catch=${CATCH_DIR:-/usr/include}
commit=${COMMIT:-$(git rev-parse --short HEAD 2>/dev/null || echo unknown)}
cuda_include=$(dirname "$(dirname "$(realpath "$nvcc")")")/include

objects=()
commands=()
compile() { # SOURCE COMMAND...
  local source=$1; shift
  local object=$build/${source//\//_}.o
  objects+=("$object")
  [[ $object -nt $source ]] || commands+=("$* -c $source -o $object")
}
cuda="$nvcc -O3 -std=c++17 -arch=${ARCH:-sm_90} --split-compile=0 -I. ${FLAGS:-}"
host="g++ -O2 -std=c++20 -I. -isystem $catch -isystem $cuda_include"
for source in kernels/*.cu; do compile "$source" "$cuda"; done
for source in kernels/*.cc kernels/reference/*.cc tests/kernels/boundary_reference.cc; do
  compile "$source" "$host"
done
library=("${objects[@]}")
for source in tests/gpu/*.cc; do compile "$source" "$host"; done
tests=("${objects[@]}")
objects=()
compile tests/bench/kernel_bench.cc "$host"
printf '%s\0' "${commands[@]}" | xargs -0 -r -P "${JOBS:-$(nproc)}" -I{} bash -c '{}'
"$nvcc" -arch="${ARCH:-sm_90}" -cudart static "${tests[@]}" -o "$build/kernels_gpu_test"
"$nvcc" -arch="${ARCH:-sm_90}" -cudart static "${objects[@]}" "${library[@]}" -o "$build/kernel_bench"
echo "built in $SECONDS s"

failed=0
for step in "$@"; do
  case $step in
    test) "$build/kernels_gpu_test" 2>&1 | tee "$out/test.log" || failed=1 ;;
    sanitize)
      for tool in memcheck racecheck initcheck synccheck; do
        echo "compute-sanitizer $tool"
        timeout "${SANITIZE_SECONDS:-60}" compute-sanitizer --tool "$tool" --error-exitcode 9 \
          "$build/kernels_gpu_test" '[short]' > "$out/$tool.log" 2>&1 || failed=1
        tail -4 "$out/$tool.log"
      done ;;
    bench) "$build/kernel_bench" "$commit" "$out/kernels.json" ${ONLY:+"$ONLY"} 2>&1 | tee "$out/bench.log" || failed=1 ;;
    *) echo "no such step: $step" >&2; exit 2 ;;
  esac
done
exit $failed
