# PHP's own web server with extensions of Debian's.
# shellcheck shell=sh disable=SC2016,SC2034,SC2154
interpreter=yes
packages='php-cli php-mbstring php-sqlite3'
config='{"User":"www-data","WorkingDir":"/srv/www","Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],"Entrypoint":["php"],"Cmd":["-S","127.0.0.1:8088","-t","/srv/www"]}'
configure() {
  put srv/www/index.php <<'PHP'
<?php
require __DIR__ . '/../lib/render.php';
spl_autoload_register(fn ($class) => require __DIR__ . '/../lib/' . $class . '.php');
$db = new PDO('sqlite::memory:');
echo render(mb_strtoupper('grüße'), json_encode(['v' => $db->query('select 6 * 7')->fetchColumn()]), (new Clock)->year());
PHP
  printf '<?php\nfunction render(...$words) { return implode(" ", $words) . "\\n"; }\n' | put srv/lib/render.php
  printf '<?php\nclass Clock { function year() { return (new DateTime("@0", new DateTimeZone("Europe/Berlin")))->format("Y"); } }\n' | put srv/lib/Clock.php
}
serves=yes
work() { curl -sf http://127.0.0.1:8088/ | grep -qE '^GRÜSSE \{"v":"?42"?\} 1970'; }
