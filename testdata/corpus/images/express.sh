# A service on Debian's express: modules in /usr/share/nodejs, found without a node_modules.
# shellcheck shell=sh disable=SC2034,SC2154
interpreter=yes
packages='nodejs node-express'
config='{"WorkingDir":"/srv/app","Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],"Cmd":["node","index.js"]}'
configure() {
  put srv/app/index.js <<'JS'
const express = require('express');
const app = express();
app.use(express.json());
app.get('/', (request, response) => response.json({ answer: 42 }));
app.use('/static', express.static(__dirname + '/public'));
app.listen(8084, '127.0.0.1');
JS
  echo 'static text' | put srv/app/public/text.txt
}
serves=yes
work() {
  curl -sf http://127.0.0.1:8084/ | grep -q '"answer":42' &&
    curl -sf http://127.0.0.1:8084/static/text.txt | grep -q 'static text'
}
