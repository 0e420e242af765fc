# MariaDB with a database made in the image.
# shellcheck shell=sh disable=SC2034,SC2154
packages='mariadb-server'
config='{"User":"mysql","Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],"Entrypoint":["mariadbd"],"Cmd":["--port=3307","--bind-address=127.0.0.1","--socket=/tmp/db.sock","--pid-file=/tmp/db.pid"],"Volumes":{"/var/lib/mysql":{}}}'
configure() {
  rm -rf "$root/var/lib/mysql"
  install -d -o "$(awk -F: '$1 == "mysql" { print $3 }' "$root/etc/passwd")" -m 700 "$root/var/lib/mysql"
  chroot "$root" mariadb-install-db --user=mysql --force --skip-test-db --auth-root-authentication-method=normal >"$work/log" 2>&1 ||
    { cat "$work/log" >&2; return 1; }
}
serves=yes
work() {
  chroot "$root" mariadb --no-defaults -h 127.0.0.1 -P 3307 -u root -N -e \
    "create database if not exists d; create table if not exists d.t (a int, b varchar(9)) character set utf8mb4; insert into d.t values (6, 'ü'); select a * 7 from d.t limit 1" | grep -qx 42
}
