# redis behind a shell script that completes the command, as official images have it, and with a
# working directory that the image lacks.
# shellcheck shell=sh disable=SC2034,SC2154
# shellcheck source=testdata/corpus/images/redis.sh
. "$here/images/redis.sh"
config='{"WorkingDir":"/data","Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],"Entrypoint":["docker-entrypoint.sh"],"Cmd":["redis-server","/etc/redis/docker.conf"]}'
configure() {
  put etc/redis/docker.conf <<'CONF'
bind 0.0.0.0
protected-mode no
port 6379
dir /data
save ""
CONF
  put usr/local/bin/docker-entrypoint.sh 755 <<'SH'
#!/bin/sh
set -e
if [ "${1#-}" != "$1" ] || [ "${1%.conf}" != "$1" ]; then
  set -- redis-server "$@"
fi
exec "$@"
SH
}
