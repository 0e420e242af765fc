# An entrypoint script in the style of official images: sourced directories, case, a here-document,
# find -exec, set --, and a program in Python that runs commands.
# shellcheck shell=sh disable=SC2016,SC2034,SC2154
interpreter=yes
packages='python3 gosu jq'
config='{"User":"svc","WorkingDir":"/data","Env":["PYTHONDONTWRITEBYTECODE=1","PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin","APP_USER=svc"],"Entrypoint":["docker-entrypoint.sh"],"Cmd":["serve"]}'
configure() {
  chroot "$root" useradd -r svc
  put usr/local/bin/docker-entrypoint.sh 755 <<'SH'
#!/usr/bin/env bash
set -Eeuo pipefail
shopt -s nullglob
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
for f in /etc/svc/env.d/*.sh; do
	# shellcheck disable=SC1090
	source "$f"
done
log() { printf '%s %s\n' "$(date -u +%FT%TZ)" "$*"; }
case "${1:-}" in
	serve|'')
		set -- python3 /opt/svc/main.py --config /tmp/svc.json
		;;
	-*)
		set -- python3 /opt/svc/main.py "$@"
		;;
esac
if [ "$(id -u)" = '0' ]; then
	find . \! -user "$APP_USER" -exec chown "$APP_USER" '{}' +
	exec gosu "$APP_USER" "$BASH_SOURCE" "$@"
fi
cat >/tmp/svc.json <<-EOF
	{"name": "$NAME", "n": $(jq -r .n /etc/svc/defaults.json)}
EOF
log starting
exec "$@"
SH
  echo 'NAME=${NAME:-fred}; export NAME' | put etc/svc/env.d/10-name.sh
  echo '{"n": 4}' | put etc/svc/defaults.json
  put opt/svc/main.py <<'PY'
import argparse, json, subprocess, os
import helper
p = argparse.ArgumentParser(); p.add_argument("--config"); a = p.parse_args()
c = json.load(open(a.config))
o = subprocess.run(["uname", "-s"], capture_output=True, text=True).stdout.strip()
t = open(os.path.join(os.path.dirname(__file__), "data", "t.txt")).read().strip()
print("OK", c["name"], c["n"], o, t, helper.X, os.popen("hostname | tr a-z A-Z").read() != "")
PY
  echo 'import statistics; X = statistics.mean([1, 3])' | put opt/svc/helper.py
  echo text | put opt/svc/data/t.txt
}
work() { grep -q '^OK fred 4 Linux text 2 True' "$log"; }
