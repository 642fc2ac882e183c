#!/usr/bin/env bash
# Makes the text of the quickstart: DIR/kjv.txt and from it the data folder DIR/text.
#
#   deploy/local/corpus.sh DIR      with DDL=path/to/ddl; default build/release/bin/ddl
#
# The text is the King James Version of the Bible (1611, in the public domain) out of Debian's
# package bible-kjv-text, read with the program of bible-kjv: 31,102 verses of plain ASCII, 4.1 MB,
# in 1,189 chapters, which are the documents. `install.sh corpus` installs both packages. What is
# there and whole is left as it is.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
ddl=${DDL:-$root/build/release/bin/ddl}
verses=31102

die() { printf 'corpus: %s\n' "$*" >&2; exit 1; }

[[ $# == 1 && $1 != -* ]] || { sed -n '2,5p' "$0" >&2; exit 64; }
directory=$1
[[ -x $ddl ]] || die "no program $ddl; build it with: cmake --build --preset release --target ddl"
if [[ -e $directory/text/manifest.json ]] && "$ddl" data verify "$directory/text" >/dev/null 2>&1; then
  exit 0
fi
bible=$(PATH=$PATH:/usr/games command -v bible) ||
  die "the package bible-kjv is missing; install it with: deploy/local/install.sh corpus"

mkdir -p "$directory"
new=$directory/kjv.txt.tmp.$$
trap 'rm -f "$new"' EXIT
# A line is "Ge1:1 In the beginning ...": the verse goes without its place, and a line with "%"
# parts two chapters.
"$bible" -f Ge1:1-Rev22:21 </dev/null | LC_ALL=C awk -v verses=$verses '
  { split($1, place, ":")
    if (NR > 1 && place[1] != chapter) print "%"
    chapter = place[1]
    sub(/^[^ ]+ +/, "")
    print }
  END { if (NR != verses) { print "corpus: the package has " NR " verses, not " verses > "/dev/stderr"; exit 1 } }' >"$new"
mv "$new" "$directory/kjv.txt"
"$ddl" data prep "$directory/kjv.txt" --separator '^%$' --out "$directory/text" --force >&2
