#!/bin/sh
# Writes tests/bench/precision.md from the figures that tests/truth/recall.sh left: how much generated
# manifests trust, against what the programs really opened and what GSC would trust.
#
#   precision.sh [FIGURES]       default: build/corpus/figures.tsv
set -eu
export LC_ALL=C
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
figures=${1:-$here/../../build/corpus/figures.tsv}
[ -s "$figures" ] || { echo "precision.sh: no $figures; run ./dev truth" >&2; exit 2; }
{
  cat <<'TEXT'
# Precision

What generated manifests trust, without any options, against what the programs really opened while they did one piece of work, and against GSC's rule. Written by `precision.sh` after `./dev truth`; the images are those of `testdata/corpus`, made from Debian 12's packages.

- Opened: regular files of the image, byte code replaced by its source, without the C library's files (the runtime replaces them) and files that are also written.
- Trusted: files of the image that entries of `sgx.trusted_files` lead to; paths are those entries. One file may need several: Gramine compares paths as they are spelled.
- GSC's rule: every file of the image except for its exclusion list (`/var`, `/boot`, some of `/etc`, …), each counted once; GSC itself lists many of them twice or more, under each link to their directory.

| image | opened | | trusted | | | trusted/opened | | GSC's rule | | GSC/trusted |
|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|
| | files | MB | files | paths | MB | files | bytes | files | MB | files |
TEXT
  awk -F '\t' '{
    printf "| %s | %d | %.1f | %d | %d | %.1f | %.1f | %.2f | %d | %.1f | %.0f |%s\n", $1, $3, $4 / 1e6, $6, $5, $7 / 1e6,
      $3 ? $6 / $3 : 0, $4 ? $7 / $4 : 0, $8, $9 / 1e6, $6 ? $8 / $6 : 0, $2 ? " missed: " $2 : "" }' "$figures"
} >"$here/precision.md"
