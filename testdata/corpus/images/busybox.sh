# busybox and its links, hard and symbolic, on nothing: a shell that starts a web server.
# shellcheck shell=sh disable=SC2034,SC2154
from=scratch
config='{"Env":["PATH=/bin"],"Entrypoint":["/bin/sh","-c"],"Cmd":["mkdir -p /tmp/www; sed s/name/world/ /srv/page >/tmp/www/index.html; exec httpd -f -p 127.0.0.1:8092 -h /tmp/www"]}'
configure() {
  (cd "$work" && apt-get download -qq busybox-static 2>/dev/null && dpkg -x busybox-static_*.deb .) || return
  mkdir -p "$root/bin" "$root/etc" "$root/tmp" "$root/proc" "$root/dev"
  chmod 1777 "$root/tmp"
  cp "$work/bin/busybox" "$root/bin/busybox"
  for applet in $("$root/bin/busybox" --list); do
    case $applet in
      busybox) ;;
      s*) ln -s busybox "$root/bin/$applet" ;;
      *) ln "$root/bin/busybox" "$root/bin/$applet" ;;
    esac
  done
  echo 'root:x:0:0::/:/bin/sh' | put etc/passwd
  echo 'hello name' | put srv/page
}
serves=yes
work() { curl -sf http://127.0.0.1:8092/ | grep -q 'hello world'; }
