# A resolver: its configuration includes a list, and names a zone relative to a directory.
# shellcheck shell=sh disable=SC2034,SC2154
packages='unbound bind9-dnsutils dns-root-data'
config='{"User":"unbound","Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],"Entrypoint":["/usr/sbin/unbound"],"Cmd":["-d","-c","/etc/unbound/unbound.conf"]}'
configure() {
  rm "$root"/etc/unbound/unbound.conf.d/root-auto* "$root"/etc/unbound/unbound.conf.d/remote*
  put etc/unbound/unbound.conf.d/local.conf <<'CONF'
server:
  interface: 127.0.0.1@5354
  username: ""
  chroot: ""
  pidfile: ""
  use-syslog: no
  directory: "/srv/zones"
  root-hints: "/usr/share/dns/root.hints"
  local-zone: "x.test." static
  include: "/etc/unbound/list"
auth-zone:
  name: "z.example"
  zonefile: "z.zone"
CONF
  echo '  local-data: "b.x.test. A 192.0.2.4"' | put etc/unbound/list
  printf '$TTL 60\nz.example. IN SOA a.z.example. r.z.example. 1 60 60 60 60\nz.example. IN NS a.z.example.\na.z.example. IN A 192.0.2.5\n' | put srv/zones/z.zone
}
serves=yes
# At 127.0.0.1:5354.
ask() { chroot "$root" dig +short -p 5354 @127.0.0.1 "$1"; }
work() { [ "$(ask b.x.test)" = 192.0.2.4 ] && [ "$(ask a.z.example)" = 192.0.2.5 ]; }
