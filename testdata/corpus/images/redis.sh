# redis with a configuration of its own in place of the packaged one.
# shellcheck shell=sh disable=SC2034,SC2154
packages='redis-server redis-tools'
config='{"User":"redis","WorkingDir":"/var/lib/redis","Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],"Entrypoint":["redis-server"],"Cmd":["/etc/redis/docker.conf"],"ExposedPorts":{"6379/tcp":{}},"Volumes":{"/var/lib/redis":{}}}'
configure() {
  rm "$root/etc/redis/redis.conf"
  put etc/redis/docker.conf <<'CONF'
bind 0.0.0.0
port 6379
daemonize no
protected-mode no
dir /var/lib/redis
save ""
CONF
}
serves=yes
work() {
  printf 'PING\r\nSET a 42\r\nGET a\r\nINFO server\r\nQUIT\r\n' |
    curl -s --max-time 3 telnet://127.0.0.1:6379 | tr -d '\r' | grep -qx 42
}
