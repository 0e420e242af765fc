import a, { b } from 'a';
import 'side'; import * as c from "./c.mjs"; export * from '#internal';
const d = await import(/* chunk */ './d.mjs'), e = await import(name);
const __dirname = dirname(fileURLToPath(import.meta.url));
new URL('./w.wasm', import.meta.url); createRequire(import.meta.url)('x'); import.meta.resolve('y');
