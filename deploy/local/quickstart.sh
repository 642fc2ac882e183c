#!/usr/bin/env bash
# Trains Deep Delta Learning and its additive baseline on real text through the whole service on this
# machine, and prints the comparison.
#
#   deploy/local/quickstart.sh [SPEC] [k=v...]   default: configs/sweeps/quickstart.yaml
#   deploy/local/quickstart.sh stop              ends what it started, and nothing else
#
# Everything is under build/quickstart: state, data, logs, report.html and `env`, a file to source.
# The services go on after the comparison; a second run uses them again. Ctrl-C cancels what was
# submitted and ends what this call started.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
home=$root/build/quickstart
cache=${DDL_CACHE:-$HOME/.cache/deltaworks}
# With an NVIDIA GPU the programs are built for it, by the system's nvcc or the one of install.sh.
preset=release libtorch=libtorch slots=(--slots 2)
if nvidia-smi -L >/dev/null 2>&1; then
  preset=cuda libtorch=cuda slots=()  # Without a number the worker offers its GPUs.
  export PATH=$PATH:/usr/local/cuda/bin:$cache/cuda-13.0.88/nvidia/cu13/bin
fi
bin=$root/build/$preset/bin
install=$root/deploy/local/install.sh
begin=$SECONDS

phase() { printf '%s== %3d s  %s%s\n' "$bold" $((SECONDS - begin)) "$*" "$plain" >&2; }
die() { printf 'quickstart: %s\n' "$*" >&2; exit 1; }
bold= plain=
if [[ -t 2 && -z ${NO_COLOR:-} && ${TERM:-dumb} != dumb ]]; then bold=$'\e[1m' plain=$'\e[0m'; fi

# Processes. A pid file holds the pid and the start time in clock ticks since boot: together they
# name one process for as long as the machine is up.
start_time() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }

pid_of() {
  local pid time boot
  read -r pid time boot 2>/dev/null <"$home/pids/$1" || return 1
  [[ $boot == "$(cat /proc/sys/kernel/random/boot_id)" && $(start_time "$pid") == "$time" ]] || return 1
  echo "$pid"
}

start() {
  local name=$1 pid
  shift
  # A session of its own, so that a key pressed here reaches only this script.
  setsid "$@" </dev/null >>"$home/logs/$name.log" 2>&1 9>&- &
  pid=$!
  echo "$pid $(start_time $pid) $(cat /proc/sys/kernel/random/boot_id)" >"$home/pids/$name.new"
  mv "$home/pids/$name.new" "$home/pids/$name"
  started="$name $started"
}

# Ranks of our worker: their launch file lies in its state folder.
rank_pids() { pgrep -f "^[^ ]*/ddl-rank train --launch $home/worker/runs/" || true; }

# end SIGNAL NAME: and wait until it is gone, at most 20 s.
end() {
  local pid
  pid=$(pid_of "$2") || { rm -f "$home/pids/$2"; return 0; }
  kill "-$1" "$pid" 2>/dev/null || true
  wait_for 20 gone "$2" || kill -KILL "$pid" 2>/dev/null || true
  rm -f "$home/pids/$2"
}
gone() { ! pid_of "$1" >/dev/null; }

wait_for() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    [[ $SECONDS -lt $end ]] || return 1
    sleep 0.2
  done
}

stop_ranks() {
  local pids
  mapfile -t pids < <(rank_pids)
  [[ ${#pids[@]} -gt 0 ]] || return 0
  kill -TERM "${pids[@]}" 2>/dev/null || true
  wait_for 20 no_ranks || kill -KILL "${pids[@]}" 2>/dev/null || true
}
no_ranks() { [[ -z $(rank_pids) ]]; }

# The worker goes first: a worker that runs would start drained ranks again.
stop_all() {
  end TERM worker
  stop_ranks
  end TERM prometheus
  end TERM coordinator
}

interrupted() {
  trap - INT TERM
  phase "interrupted: ending what this call started"
  if [[ -n $runs ]]; then
    local said
    said=$("$bin/ddl" cancel $runs --yes --timeout 5s 2>&1 >/dev/null) ||
      printf 'quickstart: the runs were not cancelled: %s\n' "$said" >&2
  fi
  if [[ $started == *worker* ]]; then stop_all; fi
  exit 130
}

lock() {
  mkdir -p "$home"/{logs,pids,coordinator,worker,checkpoints,prometheus}
  exec 9>"$home/lock"
  flock -n 9 || die "another quickstart is at work in $home"
}

install_and_build() {
  phase "packages and LibTorch"
  "$install" build run corpus "$libtorch"
  phase "programs"
  export CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1 CCACHE_SLOPPINESS=pch_defines,time_macros
  # A developer's build is used as it is. A new one needs nothing of the tests.
  if [[ ! -e build/$preset/build.ninja ]]; then
    cmake --preset "$preset" -DBUILD_TESTING=OFF >"$home/logs/configure.log" 2>&1 ||
      { tail -n 30 "$home/logs/configure.log" >&2; die "cannot configure; see $home/logs/configure.log"; }
  fi
  ninja -C "build/$preset" ddl-coordinator ddl-worker ddl-rank ddl >"$home/logs/build.log" 2>&1 ||
    { tail -n 40 "$home/logs/build.log" >&2; die "cannot build; see $home/logs/build.log"; }
}

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# $1: file with lines key=HOST:PORT, written once the program serves; $2: key.
address() { sed -n "s/^$2=//p" "$1" 2>/dev/null; }
written() { [[ -s $1 ]] && pid_of "$2" >/dev/null; }
serves() { curl_quiet "http://$1"; }
curl_quiet() { python3 -c 'import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=2)' "$1" 2>/dev/null; }

start_services() {
  phase "coordinator, worker and Prometheus"
  if ! pid_of coordinator >/dev/null; then
    stop_all
    rm -f "$home/coordinator/address"
    start coordinator "$bin/ddl-coordinator" --listen 127.0.0.1:0 --http 127.0.0.1:0 \
      --state "$home/coordinator" --bootstrap
    wait_for 30 written "$home/coordinator/address" coordinator || failed coordinator
  fi
  DDL_ADDR=$(address "$home/coordinator/address" grpc)
  http=$(address "$home/coordinator/address" http)
  wait_for 20 serves "$http/readyz" || failed coordinator
  export DDL_ADDR
  if ! pid_of worker >/dev/null; then
    rm -f "$home/worker/address"
    start worker "$bin/ddl-worker" --coordinator "$DDL_ADDR" --name quickstart "${slots[@]}" \
      --http 127.0.0.1:0 --state "$home/worker" --data-root "$home/data" \
      --checkpoint-root "$home/checkpoints"
    wait_for 30 written "$home/worker/address" worker || failed worker
  fi
  start_prometheus
  printf 'export DDL_ADDR=%q\nexport DDL_PROMETHEUS_URL=%q\nexport DDL_REPORT=%q\nexport DDL=%q\n' \
    "$DDL_ADDR" "$prometheus" "$home/report.html" "$bin/ddl" >"$home/env.new"
  mv "$home/env.new" "$home/env"
}

start_prometheus() {
  if pid_of prometheus >/dev/null; then
    prometheus=$(cat "$home/prometheus/url")
    return
  fi
  local port
  port=$(free_port)
  prometheus=http://127.0.0.1:$port
  rm -rf "$home/prometheus/config"
  cp -r deploy/prometheus "$home/prometheus/config"
  sed -i -E "s/(127\.0\.0\.1|localhost):[0-9]+/$http/g" "$home/prometheus/config/prometheus.yml"
  start prometheus prometheus --config.file="$home/prometheus/config/prometheus.yml" \
    --storage.tsdb.path="$home/prometheus/tsdb" --web.listen-address="127.0.0.1:$port"
  wait_for 30 serves "127.0.0.1:$port/-/ready" || failed prometheus
  echo "$prometheus" >"$home/prometheus/url"
}

failed() {
  tail -n 20 "$home/logs/$1.log" >&2
  stop_all
  die "$1 did not start; see $home/logs/$1.log"
}

workers_ready() { [[ -n $("$bin/ddl" workers -o name 2>/dev/null) ]]; }

train() {
  local spec=$1
  shift
  wait_for 20 workers_ready || failed worker
  export DDL_DATA_ROOT=$home/data
  phase "submit $spec $*"
  runs=$("$bin/ddl" submit "$spec" "$@" -o name) || exit
  runs=$(tr '\n' ' ' <<<"$runs")
  "$bin/ddl" watch $runs >&2
  "$bin/ddl" wait $runs >&2 || { code=$?; echo "quickstart: a run failed; ddl logs RUN says why" >&2; exit $code; }
}

compare() {
  phase "comparison"
  "$bin/ddl" compare $runs
  "$bin/ddl" report $runs --out "$home/report.html" >/dev/null
  cat >&2 <<END

report      $home/report.html
results     source $home/env; $bin/ddl ls
Prometheus  $prometheus
logs        $home/logs
stop        deploy/local/quickstart.sh stop
END
}

runs= started= prometheus= http=
if [[ ${1:-} == stop ]]; then
  [[ -d $home/pids ]] || exit 0
  lock
  stop_all
  exit 0
fi
spec=configs/sweeps/quickstart.yaml
if [[ ${1:-} == *.yaml || ${1:-} == *.yml ]]; then spec=$1; shift; fi
[[ -f $spec ]] || die "no spec file $spec"
for word in "$@"; do [[ $word == *=* || $word == "~"* ]] || die "expected k=v, got $word"; done
lock
trap interrupted INT TERM
install_and_build
phase "text"
DDL=$bin/ddl "$root/deploy/local/corpus.sh" "$home/data"
start_services
train "$spec" "$@"
compare
phase "done"
