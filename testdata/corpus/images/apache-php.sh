# Apache with PHP as its module: which script is run a request decides.
# shellcheck shell=sh disable=SC2016,SC2034,SC2154
interpreter=yes
packages='apache2 libapache2-mod-php php-mbstring'
config='{"WorkingDir":"/var/www/html","Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],"Cmd":["apache2ctl","-D","FOREGROUND"],"StopSignal":"SIGWINCH"}'
configure() {
  sed -i 's/^Listen 80$/Listen 127.0.0.1:8092/' "$root/etc/apache2/ports.conf"
  sed -i 's/\*:80>/*:8092>/' "$root/etc/apache2/sites-available/000-default.conf"
  printf '<?php\nrequire __DIR__ . "/../lib/sum.php";\necho mb_strtoupper("grüße "), sum([1, 2]), "\\n";\n' | put var/www/html/index.php
  printf '<?php\nfunction sum($x) { return array_sum($x); }\n' | put var/www/lib/sum.php
  rm -f "$root/var/www/html/index.html"
}
serves=yes
work() { curl -sf http://127.0.0.1:8092/ | grep -qx 'GRÜSSE 3'; }
