# A web service in JavaScript with dependencies as npm lays them out: a main field, an exports map
# with conditions, a package within a package, an ES module that is imported at run time, JSON.
# shellcheck shell=sh disable=SC2034,SC2154
interpreter=yes
packages='nodejs'
config='{"User":"65534:65534","WorkingDir":"/app","Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin","NODE_ENV=production"],"Entrypoint":["node"],"Cmd":["server.js"]}'
configure() {
  put app/package.json <<'JSON'
{ "name": "service", "version": "1.0.0", "main": "server.js", "dependencies": { "greeter": "1.0.0", "@scope/units": "2.0.0", "modern": "1.0.0" } }
JSON
  put app/server.js <<'JS'
'use strict';
const http = require('http');
const path = require('node:path');
const fs = require('fs');
const greet = require('greeter');
const { metres } = require('@scope/units');
const format = require('@scope/units/format');
const render = require('./lib/render');
const settings = require('./config/settings.json');
const modern = import('modern');
http.createServer(async (request, response) => {
  const { shout } = await modern;
  const page = fs.readFileSync(path.join(__dirname, 'views', 'page.html'), 'utf8');
  response.end(render(page, { text: shout(greet(settings.name)), length: format(metres(3)) }));
}).listen(settings.port, '127.0.0.1');
JS
  echo "module.exports = (page, data) => page.replace(/{(\w+)}/g, (m, key) => require('./escape')(data[key]));" |
    put app/lib/render/index.js
  echo "module.exports = (text) => String(text).replace(/&/g, '&amp;').replace(/</g, '&lt;');" | put app/lib/render/escape.js
  echo '{ "name": "world", "port": 8083 }' | put app/config/settings.json
  echo '<p>{text}</p><p>{length}</p>' | put app/views/page.html
  echo '{ "name": "greeter", "version": "1.0.0", "main": "./dist/main" }' | put app/node_modules/greeter/package.json
  echo "const pad = require('pad'); module.exports = (name) => pad('hello ' + name);" | put app/node_modules/greeter/dist/main.js
  echo 'throw new Error("not the main module");' | put app/node_modules/greeter/index.js
  echo '{ "name": "pad", "version": "2.0.0" }' | put app/node_modules/greeter/node_modules/pad/package.json
  echo "module.exports = (text) => text + '.';" | put app/node_modules/greeter/node_modules/pad/index.js
  echo '{ "name": "pad", "version": "1.0.0" }' | put app/node_modules/pad/package.json
  echo "throw new Error('the other version');" | put app/node_modules/pad/index.js
  put app/node_modules/@scope/units/package.json <<'JSON'
{ "name": "@scope/units", "version": "2.0.0",
  "exports": { ".": { "import": "./esm/index.mjs", "require": "./cjs/index.cjs" }, "./format": { "node": "./cjs/format.cjs", "default": "./browser/format.js" } } }
JSON
  echo "exports.metres = (n) => ({ n, unit: 'm' });" | put app/node_modules/@scope/units/cjs/index.cjs
  echo "module.exports = (q) => q.n + ' ' + q.unit;" | put app/node_modules/@scope/units/cjs/format.cjs
  echo "export const metres = 0;" | put app/node_modules/@scope/units/esm/index.mjs
  echo "window.format = 0;" | put app/node_modules/@scope/units/browser/format.js
  echo '{ "name": "modern", "version": "1.0.0", "type": "module", "exports": "./index.js" }' | put app/node_modules/modern/package.json
  echo "import { upper } from './upper.js'; import fs from 'node:fs'; export const shout = (text) => (fs, upper(text) + '!');" |
    put app/node_modules/modern/index.js
  echo "export function upper(text) { return text.toUpperCase(); }" | put app/node_modules/modern/upper.js
  echo '# greeter' | put app/node_modules/greeter/README.md
}
serves=yes
work() { curl -sf http://127.0.0.1:8083/ | grep -q '<p>HELLO WORLD.!</p><p>3 m</p>'; }
