# A bash script with the commands of a base system, a sourced file, and a here document.
# shellcheck shell=sh disable=SC2034,SC2154
packages=
config='{"WorkingDir":"/app","Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],"Entrypoint":["/app/report.sh"],"Cmd":["3"]}'
configure() {
  put app/report.sh 755 <<'SH'
#!/usr/bin/env bash
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source ./lib/common.sh
count=${1:-1}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
seq 1 10 | sort -rn | head -n "$count" >"$scratch/numbers"
while read -r number; do
  total=$((${total:-0} + number))
done <"$scratch/numbers"
if [[ $(date -u -d @0 +%Y) == 1970 ]] && grep -q '^root:' /etc/passwd; then
  log "$(awk '{ s += $1 } END { print s }' "$scratch/numbers") $total $(cut -d: -f1 data/names | tr a-z A-Z | sed 's/^/<&/;s/$/>/' | paste -sd, -)"
fi
cat <<TEXT | md5sum | tee "$scratch/sum" | cut -c1-8
$total
TEXT
SH
  # shellcheck disable=SC2016
  echo 'log() { echo "$(basename "$0"): $*"; }' | put app/lib/common.sh
  printf 'ann:1\nbob:2\n' | put app/data/names
}
work() { grep -qE '^report.sh: 27 27 .*ANN.*,.*BOB' "$log"; }
