# BIND serves zones: files that its configuration names by path, relative to its directory, and from
# within each other.
# shellcheck shell=sh disable=SC2034,SC2154
packages='bind9 bind9-dnsutils'
config='{"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],"Entrypoint":["/usr/sbin/named"],"Cmd":["-u","bind","-g"],"ExposedPorts":{"5353/udp":{}}}'
configure() {
  put etc/bind/named.conf.options <<'CONF'
options { directory "/var/cache/bind"; listen-on port 5353 { 127.0.0.1; }; recursion no; };
CONF
  put etc/bind/named.conf.local <<'CONF'
zone "example.test" { type master; file "/etc/bind/db.example.test"; };
zone "other.test" { type primary; file "other.zone"; };
CONF
  put etc/bind/db.example.test <<'ZONE'
$TTL 1h
@ IN SOA ns.example.test. root.example.test. 1 1h 1h 1h 1h
@ IN NS ns
ns IN A 127.0.0.1
$INCLUDE /etc/bind/hosts.inc
ZONE
  echo 'www IN A 192.0.2.9' | put etc/bind/hosts.inc
  sed 's/\$INCLUDE.*/www IN A 192.0.2.7/' "$root/etc/bind/db.example.test" | put var/cache/bind/other.zone
  install -d -m 775 "$root/run/named" && chroot "$root" chown bind:bind /run/named
}
serves=yes
ask() { chroot "$root" dig +short -p 5353 @127.0.0.1 "$1"; } # port 127.0.0.1:5353
work() { [ "$(ask www.example.test)" = 192.0.2.9 ] && [ "$(ask www.other.test)" = 192.0.2.7 ]; }
