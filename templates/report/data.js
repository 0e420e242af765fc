// The report's lists and what is derived from them at once; cmd/report/html_data.h has their form.

const data = JSON.parse(byId("data").textContent);
const columns = data.files;
const fileCount = columns.name.length;

function textAt(number) {
  if (number < 0) return "";
  const row = data.strings[number];
  return typeof row === "string" ? row : textAt(row[0]) + pathOf(row[1]) + textAt(row[2]);
}
const pathOf = (file) => data.dirs[columns.dir[file]] + columns.name[file];
const packageOf = (file) => textAt(columns.package[file]);
const kindOf = (file) => textAt(columns.kind[file]);
const sizeOf = (file) => columns.size[file];

function digestOf(file) {
  let hex = "";
  for (const c of atob(columns.sha[file])) hex += c.charCodeAt(0).toString(16).padStart(2, "0");
  return hex;
}

const versions = new Map(data.packages.map(([name, version]) => [textAt(name), textAt(version)]));
const packageName = (name) => name || "owned by no package";
const fileNumbers = new Map();
for (let file = 0; file < fileCount; ++file) {
  fileNumbers.set(pathOf(file), file);
  for (const alias of columns.aliases[file]) if (!fileNumbers.has(alias)) fileNumbers.set(alias, file);
}

// Edges by number; needs[file] and neededBy[file] hold such numbers.
const edgeCount = data.edges.length / 4;
const edge = (number) => {
  const [from, to, why, detail] = data.edges.slice(number * 4, number * 4 + 4);
  return {from, to, why: textAt(why), detail: textAt(detail)};
};
const needs = Array.from({length: fileCount}, () => []);
const neededBy = Array.from({length: fileCount}, () => []);
const starts = [];
for (let number = 0; number < edgeCount; ++number) {
  const from = data.edges[number * 4];
  (from < 0 ? starts : needs[from]).push(number);
  neededBy[data.edges[number * 4 + 1]].push(number);
}

// The edge by which each file is first reached from what is started: the last step of its shortest
// chain. Files that nothing needs have none.
const reachedBy = new Array(fileCount).fill(-1);
const reachedOrder = [];
for (const number of starts) {
  const to = data.edges[number * 4 + 1];
  if (reachedBy[to] >= 0) continue;
  reachedBy[to] = number;
  reachedOrder.push(to);
}
for (let i = 0; i < reachedOrder.length; ++i) {
  for (const number of needs[reachedOrder[i]]) {
    const to = data.edges[number * 4 + 1];
    if (reachedBy[to] >= 0) continue;
    reachedBy[to] = number;
    reachedOrder.push(to);
  }
}

// The edges from what is started to the file.
function chainTo(file) {
  const chain = [];
  for (let at = file; at >= 0 && reachedBy[at] >= 0; at = data.edges[reachedBy[at] * 4]) chain.unshift(reachedBy[at]);
  return chain;
}

let haystack = null;
function findFiles(needle, most) {
  if (!haystack) {
    haystack = Array.from({length: fileCount}, (_, file) =>
      [pathOf(file), ...columns.aliases[file], packageOf(file)].join("\n").toLowerCase());
  }
  const hits = [];
  for (let file = 0; file < fileCount; ++file) {
    const at = haystack[file].indexOf(needle);
    if (at < 0) continue;
    // What begins a file's name is what most people mean.
    const named = columns.name[file].toLowerCase().startsWith(needle) ? 0 : columns.name[file].toLowerCase().includes(needle) ? 1 : 2;
    hits.push({file, named});
  }
  hits.sort((a, b) => a.named - b.named || a.file - b.file);
  return {files: hits.slice(0, most).map((hit) => hit.file), all: hits.length};
}
