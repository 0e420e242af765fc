// The dependencies as a tree (WAI-ARIA Authoring Practices, "Tree View"): what the image starts, below
// it what that needs, and so on. Items are made when they are first seen, a hundred at a time.

const CHUNK = 100;       // children shown at once
const MANY = 40;         // children from which they are grouped by why
const FEW = 8;           // of a why that need no group
const MOST_LEVELS = 64;  // elements within elements: browsers bear many, not any number
const items = new WeakMap();  // treeitem element → item
let tree = null;
let root = null;         // the item above the first level; it has no element
let selected = null;     // item
let about = null;

function item(parent, fields) {
  return {parent, level: parent ? parent.level + 1 : 0, kids: null, shown: 0, element: null, list: null, more: null, ...fields};
}

// One child per file, whatever the number of edges to it.
function fileItems(parent, edges) {
  const byFile = new Map();
  for (const number of edges) {
    const to = data.edges[number * 4 + 1];
    if (!byFile.has(to)) byFile.set(to, []);
    byFile.get(to).push(number);
  }
  return [...byFile].map(([file, numbers]) => item(parent, {file, edges: numbers}));
}

function groupItem(parent, label, make) {
  return item(parent, {label, make});
}

function byWhy(parent, edges) {
  const reasons = new Map();
  for (const number of edges) {
    const why = textAt(data.edges[number * 4 + 2]);
    if (!reasons.has(why)) reasons.set(why, []);
    reasons.get(why).push(number);
  }
  if (edges.length <= MANY || reasons.size < 2) return fileItems(parent, edges);
  return [...reasons].flatMap(([why, numbers]) => (numbers.length <= FEW ? fileItems(parent, numbers)
    : [groupItem(parent, why + " (" + count(numbers.length) + ")", (self) => fileItems(self, numbers))]));
}

function isAbove(entry) {
  for (let at = entry.parent; at; at = at.parent) if (at.file === entry.file) return true;
  return false;
}
const canOpen = (entry) => entry.level < MOST_LEVELS && (entry.make || (needs[entry.file].length > 0 && !isAbove(entry)));

function kidsOf(entry) {
  if (!entry.kids) entry.kids = entry.make ? entry.make(entry) : byWhy(entry, needs[entry.file]);
  return entry.kids;
}

function nameParts(path) {
  const cut = path.lastIndexOf("/") + 1;
  return [el("span.dir", null, path.slice(0, cut)), el("span.base", null, path.slice(cut))];
}

function renderItem(entry) {
  const opens = canOpen(entry);
  const row = el("div.row", null, el("span.twist", {"aria-hidden": "true"}, opens ? "▶" : ""));
  if (entry.make) {
    row.append(el("span.name.plain", null, entry.label));
  } else {
    const whys = [...new Set(entry.edges.map((number) => edge(number).why))].join(", ");
    const detail = entry.edges.map((number) => edge(number).detail).filter(Boolean).join("; ");
    row.append(el("span.name", {title: visible(pathOf(entry.file))}, ...nameParts(pathOf(entry.file))));
    row.append(el("span.why", {title: visible(detail)}, isAbove(entry) ? whys + ", see above" : whys));
  }
  entry.element = el("li", {role: "treeitem", "aria-level": entry.level, tabindex: "-1", "aria-selected": "false"}, row);
  if (opens) entry.element.setAttribute("aria-expanded", "false");
  // Else it would be called by all that is below it.
  entry.element.setAttribute("aria-label", visible(row.textContent.replace("▶", "")));
  items.set(entry.element, entry);
  return entry.element;
}

function showMore(entry, upTo) {
  const kids = kidsOf(entry);
  const end = Math.min(kids.length, Math.max(upTo, entry.shown));
  const part = document.createDocumentFragment();
  for (; entry.shown < end; ++entry.shown) part.append(renderItem(kids[entry.shown]));
  if (entry.more) entry.more.element.remove();
  entry.list.append(part);
  entry.more = null;
  if (entry.shown === kids.length) return;
  const left = kids.length - entry.shown;
  entry.more = {more: entry, parent: entry, element: null};
  entry.more.element = el("li", {role: "treeitem", "aria-level": entry.level + 1, tabindex: "-1", "aria-selected": "false"},
    el("div.row", null, el("span.twist"), el("span.name.plain.link", null, "show " + count(Math.min(CHUNK, left)) + " of " + count(left) + " more")));
  items.set(entry.more.element, entry.more);
  entry.list.append(entry.more.element);
}

function setOpen(entry, open) {
  if (!entry.element.hasAttribute("aria-expanded")) return;
  if (open && !entry.list) {
    entry.list = el("ul", {role: "group"});
    entry.element.append(entry.list);
    showMore(entry, CHUNK);
  }
  if (entry.list) entry.list.hidden = !open;
  entry.element.setAttribute("aria-expanded", String(open));
}
const isOpen = (entry) => entry.element.getAttribute("aria-expanded") === "true";

function moveTo(entry, focus) {
  if (!entry) return;
  for (const old of tree.querySelectorAll("[tabindex='0']")) old.tabIndex = -1;
  entry.element.tabIndex = 0;
  if (focus) entry.element.focus({preventScroll: true});
  const row = entry.element.firstElementChild;
  const top = row.getBoundingClientRect().top - tree.getBoundingClientRect().top;
  if (top < 0 || top > tree.clientHeight - 40) tree.scrollTop += top - tree.clientHeight / 3;
}

function nextOf(element) {
  const entry = items.get(element);
  if (entry.list && !entry.list.hidden) return entry.list.firstElementChild;
  for (let at = element; at && at !== tree; at = at.parentElement.closest("[role=treeitem]"))
    if (at.nextElementSibling) return at.nextElementSibling;
  return null;
}
function lastIn(element) {
  for (;;) {
    const entry = items.get(element);
    if (!entry.list || entry.list.hidden) return element;
    element = entry.list.lastElementChild;
  }
}
function previousOf(element) {
  if (element.previousElementSibling) return lastIn(element.previousElementSibling);
  return element.parentElement.closest("[role=treeitem]");
}

function activate(entry) {
  if (entry.more) {
    const first = entry.more.shown;
    showMore(entry.more, first + CHUNK);
    moveTo(kidsOf(entry.more)[first], true);
  } else if (entry.make) {
    setOpen(entry, !isOpen(entry));
  } else {
    choose(entry);
  }
}

function choose(entry) {
  if (selected) selected.element.setAttribute("aria-selected", "false");
  selected = entry;
  entry.element.setAttribute("aria-selected", "true");
  describe(entry.file);
}

function onTreeKey(event) {
  const element = event.target.closest("[role=treeitem]");
  if (!element || event.ctrlKey || event.metaKey || event.altKey) return;
  const entry = items.get(element);
  const to = (next) => moveTo(next && items.get(next), true);
  switch (event.key) {
    case "ArrowDown": to(nextOf(element)); break;
    case "ArrowUp": to(previousOf(element)); break;
    case "ArrowRight":
      if (!element.hasAttribute("aria-expanded")) break;
      if (isOpen(entry)) to(entry.list.firstElementChild);
      else setOpen(entry, true);
      break;
    case "ArrowLeft":
      if (element.hasAttribute("aria-expanded") && isOpen(entry)) setOpen(entry, false);
      else to(element.parentElement.closest("[role=treeitem]"));
      break;
    case "Home": to(root.list.firstElementChild); break;
    case "End": to(lastIn(root.list.lastElementChild)); break;
    case "Enter": case " ": activate(entry); break;
    default: return;
  }
  event.preventDefault();
}

// The item of a file below `parent`, rendered, its group opened where it is in one.
function childFor(parent, file) {
  const kids = kidsOf(parent);
  let at = kids.findIndex((kid) => kid.file === file);
  if (at >= 0) {
    showMore(parent, at + 1);
    return kids[at];
  }
  at = kids.findIndex((kid) => kid.make && kidsOf(kid).some((below) => below.file === file));
  if (at < 0) return null;
  showMore(parent, at + 1);
  setOpen(kids[at], true);
  return childFor(kids[at], file);
}

// Opens the tree down to the file and tells about it.
function reveal(file, focus) {
  let at = root;
  const chain = chainTo(file);
  if (chain.length >= MOST_LEVELS) {
    if (selected) selected.element.setAttribute("aria-selected", "false");
    describe(file);
    return;
  }
  const steps = chain.length ? chain.map((number) => edge(number).to) : [file];
  for (const step of steps) {
    if (at !== root) setOpen(at, true);
    at = childFor(at, step);
    if (!at) return;
  }
  choose(at);
  moveTo(at, focus);
}

function showFile(file) {
  byId("files").scrollIntoView();
  reveal(file, true);
}

function setUpExplorer() {
  const place = byId("explorer");
  if (!fileCount) {
    place.append(el("p.empty", null, "No file is granted."));
    return;
  }
  about = el("div.panel.about", {"aria-label": "The selected file", role: "region", tabindex: "0"});
  tree = el("ul.panel.tree", {role: "tree", "aria-label": "Files by what needs them"});
  const loose = [];
  for (let file = 0; file < fileCount; ++file) if (reachedBy[file] < 0) loose.push(file);
  root = item(null, {make: () => [], list: tree});
  root.kids = byWhy(root, starts);
  const looseItems = (self) => loose.map((file) => item(self, {file, edges: []}));
  // Without edges, as for a manifest alone, the files are all there is.
  if (loose.length && starts.length) root.kids.push(groupItem(root, "not needed by another file (" + count(loose.length) + ")", looseItems));
  else if (loose.length) root.kids.push(...looseItems(root));
  showMore(root, CHUNK);
  tree.addEventListener("keydown", onTreeKey);
  tree.addEventListener("click", (event) => {
    const row = event.target.closest(".row");
    if (!row) return;
    const entry = items.get(row.parentElement);
    if (!entry.more) moveTo(entry, true);
    if (!entry.more && !entry.make) {
      // A second click, or one on the mark, opens and closes.
      if (event.target.closest(".twist") || entry === selected) setOpen(entry, !isOpen(entry));
      else if (!isOpen(entry)) setOpen(entry, true);
      choose(entry);
      return;
    }
    activate(entry);
  });
  place.append(el("div.tools", null, fileFinder(), el("span.status", null, plural(fileCount, "file") + ", " + plural(edgeCount, "dependency", "dependencies"))),
    el("div.explorer", null, tree, about));
  const first = root.kids[0];
  if (first.make) setOpen(first, true);
  else {
    setOpen(first, true);
    choose(first);
  }
  moveTo(first, false);
}
