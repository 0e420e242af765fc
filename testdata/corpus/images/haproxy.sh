# haproxy answering by itself, with an error file.
# shellcheck shell=sh disable=SC2034,SC2154
packages='haproxy'
config='{"User":"haproxy","WorkingDir":"/var/lib/haproxy","Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],"Entrypoint":["haproxy"],"Cmd":["-f","/usr/local/etc/haproxy/haproxy.cfg"],"StopSignal":"SIGUSR1"}'
configure() {
  put usr/local/etc/haproxy/haproxy.cfg <<'CONF'
defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 5s
  errorfile 503 /etc/haproxy/errors/503.http
frontend web
  bind 127.0.0.1:8090
  http-request return status 200 content-type text/plain lf-file /usr/local/etc/haproxy/answer.txt if { path / }
  default_backend none
backend none
CONF
  echo 'answer for %[path]' | put usr/local/etc/haproxy/answer.txt
}
serves=yes
work() {
  curl -sf http://127.0.0.1:8090/ | grep -q 'answer for /' && curl -s http://127.0.0.1:8090/x | grep -q '503'
}
