# A TLS client: the CA bundle, OpenSSL's configuration and providers, name lookup.
# shellcheck shell=sh disable=SC2034,SC2154
packages='curl ca-certificates'
config='{"User":"65534:65534","Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],"Entrypoint":["curl"],"Cmd":["-sS","--fail","https://localhost:8443/"]}'
configure() {
  lacking openssl && return 125
  openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj /CN=localhost -addext subjectAltName=DNS:localhost \
    -keyout "$work/key.pem" -out "$work/certificate.pem" 2>/dev/null
  put usr/local/share/ca-certificates/test.crt <"$work/certificate.pem"
  cat "$work/key.pem" "$work/certificate.pem" | put srv/test-server.pem
  chroot "$root" update-ca-certificates >/dev/null 2>&1
}
before() { openssl s_server -quiet -accept 127.0.0.1:8443 -www -cert "$root/srv/test-server.pem" >/dev/null 2>&1 </dev/null & sleep 1; }
work() { grep -q 's_server' "$log"; }
