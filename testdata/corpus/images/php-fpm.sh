# PHP's process manager as Debian configures it: which script is run a FastCGI request decides.
# shellcheck shell=sh disable=SC2016,SC2034,SC2154
# shellcheck source=testdata/corpus/fastcgi.sh
. "$here/fastcgi.sh"
interpreter=yes
packages='php-fpm php-mbstring php-sqlite3 php-xml'
config='{"WorkingDir":"/var/www/html","Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],"Entrypoint":["php-fpm8.2"],"Cmd":["-F"],"StopSignal":"SIGQUIT"}'
configure() {
  sed -i 's/^listen = .*/listen = 127.0.0.1:9000/' "$root/etc/php/8.2/fpm/pool.d/www.conf"
  put var/www/html/index.php <<'PHP'
<?php
spl_autoload_register(fn ($class) => require __DIR__ . '/../lib/' . $class . '.php');
$db = new PDO('sqlite::memory:');
$xml = simplexml_load_string('<a><b>seven</b></a>');
echo mb_strtoupper('grüße'), ' ', $xml->b, ' ', $db->query('select 6 * 7')->fetchColumn(), ' ', (new Clock)->year($_GET['zone']), "\n";
PHP
  printf '<?php\nclass Clock { function year($zone) { return (new DateTime("@0", new DateTimeZone($zone)))->format("Y"); } }\n' | put var/www/lib/Clock.php
}
serves=yes
work() { fastcgi_get 127.0.0.1:9000 /var/www/html/index.php zone=Europe/Berlin | grep -q 'GRÜSSE seven 42 1970'; }
