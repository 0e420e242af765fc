// Granted bytes as a squarified treemap (Bruls, Huizing, van Wijk 2000), with a table that says the same.

// Values in falling order, into a rectangle.
function squarify(values, x, y, width, height) {
  const total = values.reduce((sum, value) => sum + value, 0);
  const scale = (width * height) / total;
  const rectangles = [];
  let at = 0;
  while (at < values.length) {
    const side = Math.min(width, height);
    let sum = 0;
    let end = at;
    let worst = Infinity;
    while (end < values.length) {
      const next = sum + values[end] * scale;
      const ratio = Math.max((side * side * values[at] * scale) / (next * next), (next * next) / (side * side * values[end] * scale));
      if (ratio > worst) break;
      worst = ratio;
      sum = next;
      ++end;
    }
    const depth = sum / side;
    let along = 0;
    for (; at < end; ++at) {
      const length = (values[at] * scale) / depth;
      rectangles.push(width >= height ? {x, y: y + along, width: depth, height: length} : {x: x + along, y, width: length, height: depth});
      along += length;
    }
    if (width >= height) { x += depth; width -= depth; } else { y += depth; height -= depth; }
  }
  return rectangles;
}

const MOST_CELLS = 60;
const LEAST_SHARE = 0.0015;

// What is drawn, a cell each: the largest parts, then one for all that are too small to see.
function cellsOf(parts) {
  const drawn = parts.filter((part) => part.bytes > 0).sort((a, b) => b.bytes - a.bytes);
  const total = drawn.reduce((sum, part) => sum + part.bytes, 0);
  let end = Math.min(drawn.length, MOST_CELLS);
  while (end > 1 && drawn[end - 1].bytes < total * LEAST_SHARE) --end;
  const rest = drawn.slice(end);
  const cells = drawn.slice(0, end);
  if (rest.length === 1) cells.push(rest[0]);
  else if (rest.length) {
    cells.push({name: plural(rest.length, "smaller one"), bytes: rest.reduce((sum, part) => sum + part.bytes, 0), files: rest.reduce((sum, part) => sum + part.files, 0), tone: "rest", parts: rest});
  }
  return cells.sort((a, b) => b.bytes - a.bytes);
}

function packageParts() {
  const packages = new Map();
  for (let file = 0; file < fileCount; ++file) {
    const name = packageOf(file);
    if (!packages.has(name)) packages.set(name, []);
    packages.get(name).push(file);
  }
  return [...packages].map(([name, files]) => ({
    name: packageName(name), version: versions.get(name) || "", files: files.length,
    bytes: files.reduce((sum, file) => sum + Math.max(sizeOf(file), 0), 0),
    tone: kindOf(files[0]) === "runtime" ? "runtime" : name ? "" : "own",
    makeParts: () => files.map((file) => ({
      name: pathOf(file), label: columns.name[file], files: 1, bytes: Math.max(sizeOf(file), 0), file,
      tone: kindOf(file) === "runtime" ? "runtime" : name ? "" : "own",
    })),
  }));
}

function setUpTreemap() {
  const place = byId("treemap");
  if (!columns.size.some((size) => size > 0)) {
    place.append(el("p.empty", null, "The sizes of the files are not known here."));
    return;
  }
  const crumbs = el("div.crumbs");
  const map = el("div.map", {role: "group", "aria-label": "Map of granted bytes; the arrow keys move, Enter opens, Escape goes back"});
  const legend = el("div.legend");
  const tableBody = el("tbody");
  const tableHead = el("thead");
  const table = el("details.as-table", null, el("summary", null, "As a table"), el("div.scroll", null, el("table", null, tableHead, tableBody)));
  const all = packageParts();
  for (const [tone, meaning] of [["", "packages of the image"], ["own", "owned by no package"], ["runtime", "the enclave runtime"]])
    if (all.some((part) => part.tone === tone)) legend.append(el(tone ? "span." + tone : "span", null, el("i"), meaning));
  const path = [{name: "all packages", parts: all}];
  const whole = all.reduce((sum, part) => sum + part.bytes, 0);
  const share = (n) => (n / whole >= 0.0005 ? ((100 * n) / whole).toFixed(1) + " %" : "< 0.1 %");
  let cells = [];

  const open = (part) => {
    if (part.file !== undefined) return showFile(part.file);
    path.push({name: part.name, parts: part.parts || part.makeParts(), from: part});
    draw();
    focusCell(0);
  };
  const back = (depth) => {
    const from = path[depth + 1] && path[depth + 1].from;
    path.length = depth + 1;
    draw();
    focusCell(Math.max(0, cells.findIndex(({part}) => part.name === from.name)));
  };
  const focusCell = (i) => {
    for (const {button} of cells) button.tabIndex = -1;
    cells[i].button.tabIndex = 0;
    cells[i].button.focus({preventScroll: true});
  };

  const layOut = () => {
    const rectangles = squarify(cells.map(({part}) => part.bytes), 0, 0, map.clientWidth, map.clientHeight);
    cells.forEach((cell, i) => {
      const {x, y, width, height} = rectangles[i];
      cell.box = rectangles[i];
      Object.assign(cell.button.style, {left: x + "px", top: y + "px", width: width + "px", height: height + "px"});
      cell.button.classList.toggle("small", width < 44 || height < 20);
      cell.button.firstChild.hidden = width < 44 || height < 20;
      cell.button.lastChild.hidden = width < 64 || height < 40;
    });
  };
  const drawTable = (parts) => {
    const isFiles = parts.length > 0 && parts[0].file !== undefined;
    tableHead.replaceChildren(el("tr", null, el("th", {scope: "col"}, isFiles ? "File" : "Package"), el("th", {scope: "col"}, isFiles ? "" : "Version"), el("th.number", {scope: "col"}, "Files"), el("th.number", {scope: "col"}, "Size"), el("th.number", {scope: "col"}, "Share")));
    const sorted = [...parts].sort((a, b) => b.bytes - a.bytes || (a.name < b.name ? -1 : 1));
    const row = (part) => el("tr", null,
      el("td", null, el("button.link", {type: "button", onclick: () => open(part)}, part.name)), el("td", null, part.version || ""),
      el("td.number", null, count(part.files)), el("td.number", null, bytes(part.bytes)), el("td.number", null, share(part.bytes)));
    tableBody.replaceChildren(...sorted.slice(0, 500).map(row));
    if (sorted.length > 500) tableBody.append(el("tr", null, el("td", {colspan: 5}, el("span.by", null, "and " + plural(sorted.length - 500, "smaller one")))));
  };
  const draw = () => {
    const {parts} = path.at(-1);
    crumbs.replaceChildren();
    path.forEach((view, depth) => {
      if (depth) crumbs.append(el("span.by", {"aria-hidden": "true"}, "›"));
      crumbs.append(depth === path.length - 1 ? el("strong", null, view.name) : el("button.link", {type: "button", onclick: () => back(depth)}, view.name));
    });
    const sum = parts.reduce((bytesSoFar, part) => bytesSoFar + part.bytes, 0);
    const files = parts.reduce((filesSoFar, part) => filesSoFar + part.files, 0);
    crumbs.append(el("span.sum", {role: "status"}, bytes(sum) + " in " + plural(files, "file")));
    cells = cellsOf(parts).map((part) => {
      const label = part.name + ", " + bytes(part.bytes) + ", " + share(part.bytes) + (part.file === undefined ? ", " + plural(part.files, "file") : "");
      const button = el("button.cell" + (part.tone ? "." + part.tone : ""), {type: "button", tabindex: "-1", title: visible(label), "aria-label": visible(label), onclick: () => open(part)},
        el("b", null, part.label || part.name), el("span", null, bytes(part.bytes)));
      return {part, button, box: null};
    });
    map.replaceChildren(...cells.map(({button}) => button));
    if (cells.length) cells[0].button.tabIndex = 0;
    layOut();
    drawTable(parts);
  };
  map.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && path.length > 1) {
      event.preventDefault();
      back(path.length - 2);
      return;
    }
    const step = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]}[event.key];
    const here = cells.find(({button}) => button === event.target);
    if (!step || !here) return;
    event.preventDefault();
    const middle = ({box}) => [box.x + box.width / 2, box.y + box.height / 2];
    const [x, y] = middle(here);
    let best = -1;
    let nearest = Infinity;
    cells.forEach((cell, i) => {
      const [cx, cy] = middle(cell);
      const ahead = (cx - x) * step[0] + (cy - y) * step[1];
      const aside = Math.abs((cx - x) * step[1]) + Math.abs((cy - y) * step[0]);
      if (cell !== here && ahead > 0.5 && ahead + 2 * aside < nearest) { nearest = ahead + 2 * aside; best = i; }
    });
    if (best >= 0) focusCell(best);
  });
  place.append(crumbs, map, legend, table);
  draw();
  new ResizeObserver(layOut).observe(map);
}
