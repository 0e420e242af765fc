# Apache started by Debian's own shell script, with modules loaded from its configuration.
# shellcheck shell=sh disable=SC2034,SC2154
packages='apache2'
config='{"WorkingDir":"/var/www/html","Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],"Cmd":["apache2ctl","-D","FOREGROUND"],"StopSignal":"SIGWINCH"}'
configure() {
  sed -i 's/^Listen 80$/Listen 127.0.0.1:8089/' "$root/etc/apache2/ports.conf"
  sed -i 's/\*:80>/*:8089>/' "$root/etc/apache2/sites-available/000-default.conf"
  echo 'ServerName localhost' | put etc/apache2/conf-available/name.conf
  ln -s ../conf-available/name.conf "$root/etc/apache2/conf-enabled/name.conf"
  echo '<h1>a page</h1>' | put var/www/html/index.html
}
serves=yes
work() { curl -sf http://127.0.0.1:8089/ | grep -q 'a page'; }
