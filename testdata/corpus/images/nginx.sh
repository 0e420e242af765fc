# nginx with one page; its logs are links to the standard streams, as in the official image.
# shellcheck shell=sh disable=SC2034,SC2154
packages='nginx-light'
config='{"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],"Entrypoint":["/usr/sbin/nginx"],"Cmd":["-g","daemon off;"],"StopSignal":"SIGQUIT","ExposedPorts":{"8081/tcp":{}}}'
configure() {
  rm "$root/etc/nginx/sites-enabled/default"
  ln -sf /dev/stdout "$root/var/log/nginx/access.log"
  ln -sf /dev/stderr "$root/var/log/nginx/error.log"
  echo 'server { listen 8081; root /usr/share/nginx/html; location / { index index.html; } }' |
    put etc/nginx/conf.d/default.conf
  echo '<h1>a page</h1>' | put usr/share/nginx/html/index.html
}
serves=yes
work() {
  curl -sf http://127.0.0.1:8081/ | grep -q 'a page' &&
    curl -s http://127.0.0.1:8081/none | grep -q '404 Not Found'
}
