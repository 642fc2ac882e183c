#!/usr/bin/env bash
# Installs what is missing, builds, runs every test and closes with their number.
#
#   tests/run.sh [-R REGEX] [--full] [--mutants] [--no-install]
#
#   -R REGEX      only the tests whose CTest name matches; none found is an error
#   --full        also the suites labelled `full`, LibTorch code under ASan, the rest under TSan and
#                 clang-tidy over LibTorch code
#   --mutants     breaks one rule at a time (tests/mutants/*.patch) and fails when no test notices
#   --no-install  takes the packages as they are
#
# Where nvcc is, the CUDA code is compiled and linked too; its tests need a GPU.
#
# Exit 0 when all passed, 1 when a test failed or none was selected, 2 for a wrong option.
set -uo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root" || exit 1

regex= full= mutants= install=1
while [[ $# -gt 0 ]]; do
  case $1 in
    -R) regex=${2:?-R needs a regular expression}; shift ;;
    --full) full=1 ;;
    --mutants) mutants=1 ;;
    --no-install) install= ;;
    *) echo "run.sh: unknown option $1; see the head of tests/run.sh" >&2; exit 2 ;;
  esac
  shift
done

export CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1 CCACHE_SLOPPINESS=pch_defines,time_macros
export DDL_TEST_FULL=$full
cache=${DDL_CACHE:-$HOME/.cache/deltaworks}
results=$root/build/results
begin=$SECONDS

phase() { printf '== %s %s (%d s)\n' "$(date -u +%H:%M:%S)" "$*" $((SECONDS - begin)); }
die() { echo "run.sh: $*" >&2; exit 1; }

have_cuda() { command -v nvcc >/dev/null || [[ -x /usr/local/cuda/bin/nvcc ]]; }

# Builds one preset, or the named targets of it. Tests of what includes no LibTorch are built in `dev` and `tsan` only, where they
# run with sanitizers.
build() {
  phase "build $1"
  local plain=OFF targets=()
  [[ $1 != dev && $1 != tsan ]] || plain=ON
  [[ $1 != cuda ]] || targets=(--target ddl-rank kernels_gpu_test kernel_bench)
  cmake --preset "$1" -DBUILD_TESTING=ON -DDDL_PLAIN_TESTS=$plain \
    >"$results/configure-$1.log" 2>&1 ||
    { tail -n 40 "$results/configure-$1.log"; die "cannot configure preset $1"; }
  NINJA_STATUS='[%f/%t %es] ' cmake --build --preset "$1" "${targets[@]}" -- -k 20 \
    >"$results/build-$1.log" 2>&1 ||
    { grep -v '^\[' "$results/build-$1.log" | tail -n 80; die "cannot build preset $1"; }
  tail -n 1 "$results/build-$1.log"
}

run_tests() {
  local options=(--output-junit "$results/$1.xml" --no-tests=ignore -j 2)
  [[ -n $full ]] || options+=(-LE '^full$')
  [[ -z $regex ]] || options+=(-R "$regex")
  [[ $1 != cuda ]] || options+=(-L '^gpu$')
  phase "tests of $1"
  ctest --preset "$1" "${options[@]}" 2>&1 | grep -v -E '^ +Start +[0-9]+: '
  [[ -s $results/$1.xml ]] || die "ctest of preset $1 left no result"
}

mkdir -p "$results"
rm -f "$results"/*.xml
if [[ -n $install ]]; then
  phase install
  groups=(test corpus kubernetes jsonschema libtorch)
  if have_cuda; then groups+=(cuda); fi
  deploy/local/install.sh "${groups[@]}" || die "installation failed"
fi

presets=(release dev)
[[ -z $full ]] || presets+=(dev-torch tsan)
export PATH=$PATH:/usr/local/cuda/bin
for preset in "${presets[@]}"; do build "$preset"; done
if have_cuda && [[ -e $cache/libtorch-2.11.0-cuda ]]; then
  build cuda
  presets+=(cuda)
fi
for preset in "${presets[@]}"; do run_tests "$preset"; done

status=0
if [[ -n $mutants ]]; then
  phase mutants
  python3 tests/mutants/run.py ${regex:+-R "$regex"} || status=1
fi
phase done
python3 tests/summary.py "$results"/*.xml || status=1
exit $status
