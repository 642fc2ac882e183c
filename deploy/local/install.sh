#!/usr/bin/env bash
# Installs what Deltaworks needs on Debian 12, and only what is missing. The one place that knows the
# packages.
#
#   deploy/local/install.sh [GROUP...]   build run libtorch test cuda corpus kubernetes jsonschema
#
# Without a group: build, run and libtorch, what the quickstart needs. Debian packages need root or
# sudo; without either, the script names the missing ones and exits 1. LibTorch goes to
# ${DDL_CACHE:-$HOME/.cache/deltaworks} and needs neither. Proxy and index settings of the
# environment, of apt and of pip are respected.
set -euo pipefail

build_packages=(g++ cmake ninja-build ccache mold git ca-certificates
  protobuf-compiler protobuf-compiler-grpc libprotobuf-dev libgrpc++-dev libabsl-dev
  prometheus-cpp-dev libcivetweb-dev libyaml-cpp-dev libsqlite3-dev libssl-dev zlib1g-dev
  nlohmann-json3-dev libgloo-dev)
run_packages=(prometheus python3)
pip_packages=(python3 python3-pip)
test_packages=(catch2 clang-14 clang-tidy-14 clang-format-14 python3 python3-pip python3-venv iproute2
  procps openssl)
corpus_packages=(bible-kjv bible-kjv-text)
kubectl_packages=(kubernetes-client)
validate_pin=kubernetes-validate==1.37.0
jsonschema_pin=check-jsonschema==0.39.0

torch_version=2.11.0
cuda_version=13.0.88
cuda_pins=("nvidia-cuda-nvcc==$cuda_version" "nvidia-cuda-crt==$cuda_version"
  "nvidia-nvvm==$cuda_version" 'nvidia-cuda-cccl==13.0.*' 'nvidia-cuda-runtime==13.0.*')
torch_pins=("torch==$torch_version" 'nvidia-cuda-runtime==13.0.*' 'nvidia-cuda-cupti==13.0.*')
cache=${DDL_CACHE:-$HOME/.cache/deltaworks}
temporary=

say() { printf 'install: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }
cleanup() { [[ -z $temporary ]] || rm -rf "$temporary"; }
trap cleanup EXIT

missing_of() {
  local name
  for name in "$@"; do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null) == installed ]] || echo "$name"
  done
}

# Runs a command as root, with the proxy settings that sudo would drop.
as_root() {
  if [[ $(id -u) == 0 ]]; then
    env DEBIAN_FRONTEND=noninteractive "$@"
  else
    sudo --preserve-env=http_proxy,https_proxy,no_proxy,HTTP_PROXY,HTTPS_PROXY,NO_PROXY,ftp_proxy \
      env DEBIAN_FRONTEND=noninteractive "$@"
  fi
}

have_root() { [[ $(id -u) == 0 ]] || { command -v sudo >/dev/null && sudo -v 2>/dev/null; }; }

apt_packages() {
  local missing install
  command -v dpkg-query >/dev/null || die "needs Debian 12; this system has no dpkg"
  mapfile -t missing < <(missing_of "$@" | sort -u)
  [[ ${#missing[@]} -gt 0 ]] || return 0
  install=(apt-get install -y --no-install-recommends "${missing[@]}")
  have_root || die "missing Debian packages: ${missing[*]} (needs root or sudo: ${install[*]})"
  say "installing ${missing[*]}"
  # The first try uses the package lists that are there; absent or stale lists are fetched once.
  if ! as_root "${install[@]}" -q >"$log" 2>&1; then
    as_root apt-get update -q >"$log" 2>&1 || fail_apt "${missing[*]}" "apt-get update"
    as_root "${install[@]}" -q >"$log" 2>&1 || fail_apt "$(missing_of "${missing[@]}" | tr '\n' ' ')" "${install[*]}"
  fi
}

fail_apt() {
  tail -n 20 "$log" >&2
  die "cannot install: $1; the command was: $2"
}

# $1: folder to make; the rest: arguments of pip. Made whole or not at all.
pip_folder() {
  local folder=$1 parent
  shift
  apt_packages "${pip_packages[@]}"
  parent=$(dirname "$folder")
  mkdir -p "$parent"
  temporary=$(mktemp -d "$parent/.install.XXXXXX")
  say "downloading ${*: -1} and others to $folder"
  # A --target folder is no system folder, so Debian's "externally managed" rule does not apply.
  if ! /usr/bin/python3 -m pip install --no-input --disable-pip-version-check --no-cache-dir -q \
      --no-compile --target "$temporary" "$@" >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    die "cannot install: $*; the command was: python3 -m pip install --target $temporary $*"
  fi
  chmod 755 "$temporary"
  if ! mv -T "$temporary" "$folder" 2>/dev/null; then
    [[ -d $folder ]] || die "cannot rename $temporary to $folder"
  fi
  temporary=
}

libtorch() {
  local folder=$cache/libtorch-$torch_version-cpu
  [[ -e $folder/torch/lib/libtorch_cpu.so ]] || pip_folder "$folder" --no-deps "${torch_pins[@]}"
}

# LibTorch for GPUs, which brings CUDA's libraries, and nvcc 13 where no toolkit is installed.
cuda() {
  local folder=$cache/libtorch-$torch_version-cuda toolkit=$cache/cuda-$cuda_version
  [[ -e $folder/torch/lib/libtorch_cuda.so ]] ||
    pip_folder "$folder" "torch==$torch_version"
  if command -v nvcc >/dev/null || [[ -x /usr/local/cuda/bin/nvcc ]]; then return; fi
  [[ -x $toolkit/nvidia/cu13/bin/nvcc ]] || pip_folder "$toolkit" --no-deps "${cuda_pins[@]}"
  # The wheel names its library for the loader only; CMake looks for the linker's name.
  ln -sf libcudart.so.13 "$toolkit/nvidia/cu13/lib/libcudart.so"
}

# What renders and checks deploy/kubernetes: kubectl and the schemas of kubernetes-validate.
kubernetes() {
  command -v kubectl >/dev/null || apt_packages "${kubectl_packages[@]}"
  local folder=$cache/$validate_pin
  [[ -e $folder/kubernetes_validate ]] || pip_folder "$folder" "$validate_pin"
}

# What checks the files of configs/ by their schemas, as an editor would.
jsonschema() {
  local folder=$cache/$jsonschema_pin
  [[ -e $folder/check_jsonschema ]] || pip_folder "$folder" "$jsonschema_pin"
}

install_group() {
  case $1 in
    build) apt_packages "${build_packages[@]}" ;;
    run) apt_packages "${run_packages[@]}" ;;
    test) apt_packages "${build_packages[@]}" "${run_packages[@]}" "${test_packages[@]}" ;;
    corpus) apt_packages "${corpus_packages[@]}" ;;
    kubernetes) kubernetes ;;
    jsonschema) jsonschema ;;
    libtorch) libtorch ;;
    cuda) cuda ;;
    *) die "group must be one of build run libtorch test cuda corpus kubernetes jsonschema, got $1" ;;
  esac
}

log=$(mktemp)
trap 'cleanup; rm -f "$log"' EXIT
[[ $# -gt 0 ]] || set -- build run libtorch
for group in "$@"; do install_group "$group"; done
