// One file of the tree: what it is, why it is granted, its neighbours; and how one finds it.

function fileLink(file) {
  return el("button.link", {type: "button", onclick: () => reveal(file, false)}, pathOf(file));
}

function relation(title, numbers, other) {
  if (!numbers.length) return null;
  const rows = numbers.map((number) => () => {
    const {from, to, why, detail} = edge(number);
    const file = other === "from" ? from : to;
    return el("li", null, file < 0 ? "what the image starts" : fileLink(file), el("span.by", null, " " + why + (detail ? ": " + detail : "")));
  });
  const list = el("ul", null, ...rows.slice(0, 12).map((row) => row()));
  if (rows.length > 12) {
    const more = el("li", null, el("button.link", {type: "button", onclick: () => more.replaceWith(...rows.slice(12, 400).map((row) => row()))},
      "show " + count(Math.min(rows.length, 400) - 12) + " of " + count(rows.length - 12) + " more"));
    list.append(more);
  }
  return el("div", null, el("h4", null, title + " " + count(numbers.length)), list);
}

function describe(file) {
  const facts = el("dl");
  const fact = (term, ...value) => facts.append(el("div", null, el("dt", null, term), el("dd", null, ...value)));
  const name = packageOf(file);
  if (columns.package[file] >= 0 || data.packages.length) fact("Package", packageName(name) + (versions.get(name) ? " " + versions.get(name) : ""));
  if (columns.layer[file] >= 0) fact("Layer", el("code", null, textAt(columns.layer[file])));
  if (sizeOf(file) >= 0) fact("Size", bytes(sizeOf(file)));
  if (columns.kind[file] >= 0) fact("Kind", kindOf(file));
  if (columns.sha[file]) fact("SHA-256", el("code", null, digestOf(file)), copyButton(() => digestOf(file), "SHA-256"));
  for (const alias of columns.aliases[file]) fact("Also as", el("code", null, alias));

  const chain = chainTo(file);
  const steps = el("ol.chain");
  if (chain.length) steps.append(el("li", null, "what the image starts"));
  for (const number of chain) {
    const {to, why, detail} = edge(number);
    steps.append(el("li", null, to === file ? el("strong", null, el("code", null, pathOf(to))) : fileLink(to), el("span.by", null, " " + why + (detail ? ": " + detail : ""))));
  }
  const parts = [el("h3", null, pathOf(file)), facts];
  if (chain.length) parts.push(el("h4", null, "Why it is granted"), steps);
  else if (columns.reasons[file].length) parts.push(el("h4", null, "Why it is granted"), el("ul", null, ...columns.reasons[file].map((reason) => el("li", null, textAt(reason)))));
  // What the chain has said already is not said again.
  const others = neededBy[file].length === 1 && chain.length ? [] : neededBy[file];
  parts.push(relation("Needed by", others, "from"), relation("Needs", needs[file], "to"));
  about.replaceChildren(...parts.filter(Boolean));
  about.scrollTop = 0;
}

function fileFinder() {
  const list = el("ul.hits", {role: "listbox", id: "hits", "aria-label": "Files found", hidden: true});
  let hits = [];
  let at = -1;
  const mark = (next) => {
    at = next;
    [...list.children].forEach((row, i) => row.setAttribute("aria-selected", String(i === at)));
    if (at >= 0) {
      input.setAttribute("aria-activedescendant", "hit-" + at);
      list.children[at].scrollIntoView({block: "nearest"});
    } else {
      input.removeAttribute("aria-activedescendant");
    }
  };
  const close = () => { list.hidden = true; input.setAttribute("aria-expanded", "false"); input.removeAttribute("aria-activedescendant"); };
  const take = (i) => { reveal(hits[i], false); close(); };
  const search = (needle) => {
    if (!needle) return close();
    const found = findFiles(needle, 50);
    hits = found.files;
    list.replaceChildren(...hits.map((file, i) => {
      const row = el("li", {role: "option", id: "hit-" + i, "aria-selected": "false", onmousedown: (event) => { event.preventDefault(); take(i); }});
      putMarked(row, pathOf(file), needle);
      return row;
    }));
    if (!hits.length) list.append(el("li.note", {role: "option", "aria-disabled": "true", "aria-selected": "false"}, "No granted file has this in its name or package."));
    else if (found.all > hits.length) list.append(el("li.note", {role: "option", "aria-disabled": "true", "aria-selected": "false"}, "and " + count(found.all - hits.length) + " more"));
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    mark(hits.length ? 0 : -1);
  };
  const box = searchBox("Find a file or package", search);
  const input = box.querySelector("input");
  for (const [name, value] of Object.entries({role: "combobox", "aria-expanded": "false", "aria-controls": "hits", "aria-autocomplete": "list"})) input.setAttribute(name, value);
  input.addEventListener("keydown", (event) => {
    if (list.hidden || !hits.length) return;
    if (event.key === "ArrowDown") mark((at + 1) % hits.length);
    else if (event.key === "ArrowUp") mark((at + hits.length - 1) % hits.length);
    else if (event.key === "Enter" && at >= 0) take(at);
    else return;
    event.preventDefault();
  });
  input.addEventListener("blur", close);
  input.addEventListener("focus", () => search(input.value.trim().toLowerCase()));
  box.classList.add("finder");
  box.append(list);
  return box;
}
