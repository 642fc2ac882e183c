#!/bin/bash
# Runs the given ddl-sim twice on one seed and once on another: equal output, then another trace.
set -euo pipefail
sim=$1
first=$("$sim" --seed 7 --schedules 4)
second=$("$sim" --seed 7 --schedules 4)
other=$("$sim" --seed 8 --schedules 4)
if [[ $first != "$second" ]]; then
  echo "seed 7 gave two outputs" >&2
  diff <(echo "$first") <(echo "$second") >&2 || true
  exit 1
fi
last=${first##*$'\n'}
[[ $last =~ ^trace\ [0-9a-f]{64}$ ]] || { echo "the last line is no trace: $last" >&2; exit 1; }
[[ $last != "${other##*$'\n'}" ]] || { echo "seeds 7 and 8 gave one trace" >&2; exit 1; }
