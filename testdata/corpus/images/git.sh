# git clones over HTTPS: a program that starts parts of its own, one of them a TLS client (GnuTLS).
# shellcheck shell=sh disable=SC2034,SC2154
packages='git ca-certificates'
config='{"User":"65534:65534","Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin","HOME=/tmp"],"Entrypoint":["git"],"Cmd":["clone","https://localhost:8444/r.git","/tmp/out"]}'
configure() {
  lacking openssl && return 125
  lacking python3 && return 125
  openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj /CN=localhost -addext subjectAltName=DNS:localhost \
    -keyout "$work/key.pem" -out "$work/certificate.pem" 2>/dev/null
  put usr/local/share/ca-certificates/test.crt <"$work/certificate.pem"
  cat "$work/key.pem" "$work/certificate.pem" | put srv/test-server.pem
  echo '127.0.0.1 localhost' | put etc/hosts
  chroot "$root" update-ca-certificates >/dev/null 2>&1
  chroot "$root" sh -c 'mkdir -p /srv/www && cd /srv && git init -q r && cd r && echo text >file && git add file &&
    git -c user.name=a -c user.email=a@b.test commit -qm x && git clone -q --bare . ../www/r.git &&
    cd ../www/r.git && git update-server-info && rm -rf /srv/r' 2>"$work/log" || { cat "$work/log" >&2; return 1; }
}
before() {
  (cd "$root/srv/www" && setsid python3 -c '
import http.server, ssl
server = http.server.ThreadingHTTPServer(("127.0.0.1", 8444), http.server.SimpleHTTPRequestHandler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("../test-server.pem")
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()' >/dev/null 2>&1 </dev/null &)
  sleep 1
}
work() { test -e "$root/tmp/out/file"; }
