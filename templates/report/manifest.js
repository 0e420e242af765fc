// The manifest, line by line, with its reasons. Long runs of files are folded.

const FOLD = 8;     // so many files in a row are folded
const LINES = 100;  // lines shown at once

function lineAt(number) {
  const row = data.lines[number];
  if (row.length === 2) return {number, text: textAt(row[0]), reason: textAt(row[1]), file: -1};
  const [file, alias, shape, reason] = row;
  const [before, between, after] = data.shapes[shape];
  const path = alias ? columns.aliases[file][alias - 1] : pathOf(file);
  const digest = digestOf(file);
  return {number, text: before + path + between + digest + after, parts: [before, path, between + digest + after], reason: textAt(reason), file};
}

function renderLine(line, needle) {
  const code = el("code");
  const assignment = /^([A-Za-z0-9_.-]+)( *=)/.exec(line.text);
  if (needle) {
    putMarked(code, line.text, needle);
  } else if (line.parts) {
    code.append(el("span.hash", null, line.parts[0]));
    put(code, line.parts[1]);
    code.append(el("span.hash", null, line.parts[2]));
  } else if (assignment) {
    code.append(el("span.key", null, assignment[1]));
    put(code, line.text.slice(assignment[1].length));
  } else {
    put(code, line.text);
  }
  const reason = el("span.reason");
  putMarked(reason, line.reason, needle);
  if (line.file >= 0) reason.append(" ", el("button.link", {type: "button", "aria-label": "Show " + visible(pathOf(line.file)) + " among the dependencies", onclick: () => showFile(line.file)}, "→"));
  return el("div.line", {role: "listitem"}, el("span.n", {"aria-hidden": "true"}, String(line.number + 1)), code, reason);
}

// Appends lines, so many at a time.
function renderLines(parent, numbers, needle) {
  let shown = 0;
  const more = el("p.note");
  const next = () => {
    more.remove();
    const end = Math.min(numbers.length, shown + LINES);
    const part = document.createDocumentFragment();
    for (; shown < end; ++shown) part.append(renderLine(lineAt(numbers[shown]), needle));
    parent.append(part);
    if (shown === numbers.length) return;
    more.replaceChildren(el("button.link", {type: "button", onclick: next}, "show " + count(Math.min(LINES, numbers.length - shown)) + " of " + count(numbers.length - shown) + " more"));
    parent.append(more);
  };
  next();
}

function setUpManifest() {
  const place = byId("lines");
  if (!data.lines.length) {
    place.append(el("p.empty", null, "There is no manifest to show."));
    return;
  }
  const box = el("div.lines", {role: "list", "aria-label": "Lines of the manifest"});
  const status = el("span.status", {role: "status"});
  let lower = null;
  const folded = (numbers) => {
    const details = el("details", {role: "listitem"}, el("summary", null, plural(numbers.length, "file") + " with " + (numbers.length === 1 ? "its digest" : "their digests")));
    const inner = el("div", {role: "list"});
    details.append(inner);
    details.addEventListener("toggle", () => { if (details.open && !inner.firstChild) renderLines(inner, numbers, ""); });
    return details;
  };
  const showAll = () => {
    const parts = [];
    for (let at = 0; at < data.lines.length;) {
      let end = at;
      while (end < data.lines.length && data.lines[end].length === 4) ++end;
      if (end - at >= FOLD) {
        parts.push(folded(Array.from({length: end - at}, (_, i) => at + i)));
        at = end;
      } else {
        parts.push(renderLine(lineAt(at), ""));
        ++at;
      }
    }
    box.replaceChildren(...parts);
    status.textContent = plural(data.lines.length, "line");
  };
  const search = (needle) => {
    if (!needle) return showAll();
    if (!lower) lower = data.lines.map((_, number) => { const {text, reason} = lineAt(number); return (text + "\n" + reason).toLowerCase(); });
    const hits = [];
    lower.forEach((text, number) => { if (text.includes(needle)) hits.push(number); });
    box.replaceChildren();
    if (hits.length) renderLines(box, hits, needle);
    else box.append(el("p.note", null, "No line and no reason has this."));
    status.textContent = count(hits.length) + " of " + plural(data.lines.length, "line");
  };
  const whole = () => data.lines.map((_, number) => lineAt(number).text + "\n").join("");
  place.append(el("div.tools", null, searchBox("Search lines and reasons", search), status, copyButton(whole, "the manifest")), box);
  showAll();
}
