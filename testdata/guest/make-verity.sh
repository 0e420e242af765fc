#!/bin/sh
# Writes verity.tsv: hash trees as veritysetup (Debian's cryptsetup-bin) makes them. Columns: blocks of
# 4096 bytes, salt in hex ("-": none), root hash, SHA-256 of the tree. The data is the numbers from 1 on,
# one a line, cut off at the last block's end.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
zeros=$(printf '%064d' 0)
long=$(seq 0 255 | while read -r i; do printf '%02x' "$i"; done)

{
  printf 'blocks\tsalt\troot\ttree\n'
  for blocks in 1 2 127 128 129 255 16384 16385; do
    for salt in - "$zeros" 1234 "$long"; do
      seq 1 20000000 2>/dev/null | head -c $((blocks * 4096)) >"$work/data"
      rm -f "$work/tree"
      : >"$work/tree"
      root=$(veritysetup format --no-superblock --salt "$salt" "$work/data" "$work/tree" |
        sed -n 's/^Root hash:[[:space:]]*//p')
      printf '%s\t%s\t%s\t%s\n' "$blocks" "$salt" "$root" "$(sha256sum <"$work/tree" | cut -d ' ' -f 1)"
    done
  done
} >verity.tsv
