#!/bin/sh
# An image whose layers do all that layers may do (testdata/nasty) is the same tree to cloister as
# to `umoci unpack`: paths, types, modes, owners, sizes, contents, link targets, attributes.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need umoci skopeo jq tar base64
[ "$(id -u)" = 0 ] || skip "owners are unpacked by root alone"

sh "$CLOISTER_SOURCE_DIR/testdata/nasty/make-image.sh" "$work/nasty" || fail "the image cannot be made"
umoci unpack --image "$work/nasty:nasty" "$work/bundle" >"$work/umoci.log" 2>&1 ||
  fail "umoci refuses the image: $(cat "$work/umoci.log")"

# One line per file: PATH(base64) TYPE MODE UID:GID [SIZE SHA256 | TARGET(base64)], links without mode.
theirs() {
  find "$1" -exec sh -c '
    root=$1
    shift
    for path; do
      name=${path#"$root"}
      printf "%s" "${name:-/}" | base64 -w 0
      owner=$(stat -c %u:%g "$path")
      if [ -L "$path" ]; then
        printf " symlink %s %s\n" "$owner" "$(printf "%s" "$(readlink -n "$path"; echo x)" | sed "\$s/x\$//" | base64 -w 0)"
      elif [ -f "$path" ]; then
        printf " file %s %s %s %s\n" "$(stat -c %a "$path")" "$owner" "$(stat -c %s "$path")" "$(sha256sum <"$path" | cut -d " " -f 1)"
      elif [ -d "$path" ]; then
        printf " dir %s %s\n" "$(stat -c %a "$path")" "$owner"
      else
        printf " fifo %s %s\n" "$(stat -c %a "$path")" "$owner"
      fi
    done' sh "$1" {} + | LC_ALL=C sort
}
ours() {
  jq -r '.files[] | (.pathBase64 // (.path | @base64)) as $p | (.uid | tostring) as $u | (.gid | tostring) as $g |
    (.mode | ltrimstr("0") | if . == "" then "0" else . end) as $m |
    if .type == "symlink" then "\($p) symlink \($u):\($g) \(.linkTargetBase64 // (.linkTarget | @base64))"
    elif .type == "file" then "\($p) file \($m) \($u):\($g) \(.size) \(.sha256)"
    else "\($p) \(.type) \($m) \($u):\($g)" end' "$1" | LC_ALL=C sort
}

must files --merged --format json "oci:$work/nasty:nasty"
cp "$out" "$work/merged.json"
ours "$work/merged.json" >"$work/ours"
theirs "$work/bundle/rootfs" >"$work/theirs"
same "as many files as umoci unpacks" "$(wc -l <"$work/ours")" "$(wc -l <"$work/theirs")"
same "and each of them the same" "$(diff "$work/theirs" "$work/ours")" ""
same "attributes are kept" \
  "$(jq -r '.files[] | select(.path == "/attributes") | .xattrs["user.cloister"]' "$work/merged.json" | tr -d '\n')" \
  "$(printf value | base64)"

# The same image by every way that it can go.
claim "skopeo reads it" skopeo --insecure-policy copy -q "oci:$work/nasty:nasty" "docker-archive:$work/nasty.tar:nasty:1"
for way in "docker-archive:$work/nasty.tar" "docker-archive:$work/ours.tar:nasty:1" "oci-archive:$work/ours-oci.tar:x"; do
  case $way in *ours*) must push "oci:$work/nasty:nasty" "$way" ;; esac
  must files --merged --format json "$way"
  jq '[.files[] | del(.layer)]' "$out" >"$work/other.json"
  jq '[.files[] | del(.layer)]' "$work/merged.json" >"$work/first.json"
  claim "the same files by ${way%%:*}" cmp "$work/first.json" "$work/other.json"
done
finish
