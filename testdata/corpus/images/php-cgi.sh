# PHP as a FastCGI server of its own, with a library of Debian's that loads its classes by name.
# shellcheck shell=sh disable=SC2016,SC2034,SC2154
# shellcheck source=testdata/corpus/fastcgi.sh
. "$here/fastcgi.sh"
interpreter=yes
packages='php-cgi php-mbstring php-twig'
config='{"User":"www-data","WorkingDir":"/srv/shop","Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin","PHP_FCGI_CHILDREN=0"],"Entrypoint":["php-cgi","-b","127.0.0.1:9001"]}'
configure() {
  put srv/shop/page.php <<'PHP'
<?php
require_once 'Twig/autoload.php';
$twig = new Twig\Environment(new Twig\Loader\FilesystemLoader(__DIR__ . '/views'));
echo $twig->render('page.twig', ['prices' => json_decode(file_get_contents('data/prices.json'))]);
PHP
  echo '{{ prices|join("+") }} = {{ prices|reduce((sum, price) => sum + price) }}' | put srv/shop/views/page.twig
  echo '[3, 4]' | put srv/shop/data/prices.json
}
serves=yes
work() { fastcgi_get 127.0.0.1:9001 /srv/shop/page.php | grep -q '3+4 = 7'; }
