# nginx as the official image starts it: the entry script makes its configuration from a template,
# which names pages, keys and Lua programs; Lua finds modules in directories of its own.
# shellcheck shell=sh disable=SC2034,SC2154
packages='nginx-light libnginx-mod-http-lua libnginx-mod-http-headers-more-filter gettext-base'
config='{"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin","NGINX_PORT=8098","NGINX_ENVSUBST_OUTPUT_DIR=/tmp"],"Entrypoint":["/docker-entrypoint.sh"],"Cmd":["nginx","-g","daemon off;"],"StopSignal":"SIGQUIT"}'
configure() {
  lacking openssl && return 125
  rm "$root/etc/nginx/sites-enabled/default"
  ln -sf /dev/stdout "$root/var/log/nginx/access.log"
  ln -sf /dev/stderr "$root/var/log/nginx/error.log"
  openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj /CN=localhost \
    -keyout "$work/key.pem" -out "$work/certificate.pem" 2>/dev/null
  put etc/nginx/tls/cert.pem <"$work/certificate.pem"
  put etc/nginx/tls/key.pem <"$work/key.pem"
  echo 'include /tmp/default.conf;' | put etc/nginx/conf.d/made.conf
  put etc/nginx/templates/default.conf.template <<'CONF'
lua_package_path "/srv/lua/?.lua;;";
init_by_lua_block { greet = require "greet" }
server {
  listen ${NGINX_PORT};
  listen 8099 ssl;
  ssl_certificate tls/cert.pem;
  ssl_certificate_key tls/key.pem;
  include snippets/extra.conf;
  root /srv/www;
  error_page 404 /errors/404.html;
  location /file { content_by_lua_file /srv/lua/page.lua; }
  location /hello { content_by_lua_block { ngx.say(greet.hello()) } }
}
CONF
  echo 'more_set_headers "X-A: b";' | put etc/nginx/snippets/extra.conf
  printf 'local m = {}\nfunction m.hello() return "hello" end\nreturn m\n' | put srv/lua/greet.lua
  echo 'ngx.say("from a file")' | put srv/lua/page.lua
  echo 'an index' | put srv/www/index.html
  echo 'not there' | put srv/www/errors/404.html
  put docker-entrypoint.sh 755 <<'SH'
#!/bin/sh
set -e
if [ "$1" = nginx ]; then
  find "/docker-entrypoint.d/" -follow -type f -print | sort -V | while read -r f; do
    case "$f" in
      *.sh) [ ! -x "$f" ] || "$f" ;;
    esac
  done
fi
exec "$@"
SH
  put docker-entrypoint.d/20-envsubst-on-templates.sh 755 <<'SH'
#!/bin/sh
set -e
template_dir="${NGINX_ENVSUBST_TEMPLATE_DIR:-/etc/nginx/templates}"
output_dir="${NGINX_ENVSUBST_OUTPUT_DIR:-/etc/nginx/conf.d}"
defined=$(printf '${%s} ' $(awk 'END { for (name in ENVIRON) print name }' </dev/null))
find "$template_dir" -follow -type f -name '*.template' -print | while read -r template; do
  path=${template#"$template_dir/"}
  envsubst "$defined" <"$template" >"$output_dir/${path%.template}"
done
SH
}
serves=yes
work() {
  curl -sf http://127.0.0.1:8098/ | grep -q 'an index' && curl -sfk https://127.0.0.1:8099/hello | grep -q hello &&
    curl -sf http://127.0.0.1:8098/file | grep -q 'from a file' && curl -s http://127.0.0.1:8098/none | grep -q 'not there'
}
