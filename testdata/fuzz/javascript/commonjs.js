'use strict';
const a = require('a'), b = require("./b.json");
// require('in a comment')
/* and
 * require('in another') */
module.exports = require(`c`)(require.resolve('d/package.json'), require('./lang/' + x));
path.join(__dirname, '..', 'views'); fs.readdirSync(__dirname); dirname(__filename);
new Worker('./worker.js'); re = /["'`]/;
