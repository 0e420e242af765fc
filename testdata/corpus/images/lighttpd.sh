# lighttpd with what its configuration includes through scripts and links.
# shellcheck shell=sh disable=SC2034,SC2154
packages='lighttpd'
config='{"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],"Entrypoint":["lighttpd"],"Cmd":["-D","-f","/etc/lighttpd/lighttpd.conf"]}'
configure() {
  sed -i 's/^server.port .*/server.port = 8091/;s/^server.errorlog .*//' "$root/etc/lighttpd/lighttpd.conf"
  echo '<h1>a page</h1>' | put var/www/html/index.html
}
serves=yes
work() { curl -sf http://127.0.0.1:8091/index.html | grep -q 'a page'; }
