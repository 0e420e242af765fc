# Reads generated manifests: their text has one line per value and per element of a list.
# shellcheck shell=sh

# manifest_tables FILE KEY FIELD: the strings of FIELD in the tables of the list KEY.
manifest_tables() {
  sed -n "/^$2 = \[\$/,/^\]/s/^ .*$3 = \(\"\([^\"\\\\]\|\\\\.\)*\"\).*/\1/p" "$1" | jq -r .
}
manifest_trusted() { manifest_tables "$1" sgx.trusted_files uri | sed 's/^file://'; }
manifest_allowed() { sed -n 's/^sgx\.allowed_files = //p' "$1" | jq -r '.[]' | sed 's/^file://'; }
# manifest_mounts FILE: the places of tmpfs and other mounts.
manifest_mounts() { manifest_tables "$1" fs.mounts path; }
