# The sqlite shell on a database in the image.
# shellcheck shell=sh disable=SC2034,SC2154
packages='sqlite3'
config='{"WorkingDir":"/data","Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],"Entrypoint":["sqlite3"],"Cmd":["-readonly","/data/test.db","select sum(a) from t"]}'
configure() {
  mkdir -p "$root/data"
  chroot "$root" sqlite3 /data/test.db 'create table t(a); insert into t values (40), (2)'
}
work() { grep -qx 42 "$log"; }
