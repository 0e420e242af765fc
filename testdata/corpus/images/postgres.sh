# postgres with a database made in the image.
# shellcheck shell=sh disable=SC2034,SC2154
packages='postgresql-15'
config='{"User":"postgres","Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/postgresql/15/bin","PGDATA=/var/lib/postgresql/data","LANG=C.UTF-8"],"Entrypoint":["postgres"],"Cmd":["-c","unix_socket_directories=/tmp","-c","listen_addresses=*"],"StopSignal":"SIGINT","Volumes":{"/var/lib/postgresql/data":{}}}'
configure() {
  mount -t proc proc "$root/proc" && mount --bind /dev "$root/dev"
  made=yes
  chroot --userspec=postgres:postgres "$root" env LANG=C.UTF-8 /usr/lib/postgresql/15/bin/initdb \
    -D /var/lib/postgresql/data --auth=trust --no-sync >"$work/log" 2>&1 || made=
  umount "$root/dev" "$root/proc"
  [ -n "$made" ] || { cat "$work/log" >&2; return 1; }
  # A virtual machine's clients come from outside of it.
  echo 'host all all all trust' >>"$root/var/lib/postgresql/data/pg_hba.conf"
}
serves=yes
work() {
  [ "$(chroot --userspec=postgres:postgres "$root" psql -h 127.0.0.1 -U postgres -Atc \
    "create temp table t(a text); insert into t values ('x'); select to_tsvector('english', 'running') || count(*)::text::tsvector from t" | tail -n 1)" = "'1' 'run':1" ]
}
