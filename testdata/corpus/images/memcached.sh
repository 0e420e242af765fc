# memcached under tini.
# shellcheck shell=sh disable=SC2034,SC2154
packages='memcached tini'
config='{"User":"memcache","Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],"Entrypoint":["/usr/bin/tini","--"],"Cmd":["memcached","-l","127.0.0.1","-p","11211","-m","64"]}'
serves=yes
work() {
  printf 'set a 0 0 2\r\n42\r\nget a\r\nquit\r\n' |
    curl -s --max-time 3 telnet://127.0.0.1:11211 | tr -d '\r' | grep -qx 42
}
