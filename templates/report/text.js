// Elements and text. Every name comes from an image that may be hostile, so elements are made one by
// one and everything else is text: no markup is ever parsed.

const byId = (id) => document.getElementById(id);

// What would be drawn as nothing, or turn the order of what follows; html_markup.cc has the same list.
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]/gu;

function escaped(character) {
  const code = character.codePointAt(0);
  const digits = code.toString(16);
  if (code < 0x100) return "\\x" + digits.padStart(2, "0");
  return code < 0x10000 ? "\\u" + digits.padStart(4, "0") : "\\u{" + digits + "}";
}

// For attributes; put() for what is shown.
const visible = (text) => text.replace(UNSEEN, escaped);

function put(parent, text) {
  let at = 0;
  for (const match of text.matchAll(UNSEEN)) {
    if (match.index > at) parent.append(text.slice(at, match.index));
    const mark = document.createElement("span");
    mark.className = "esc";
    mark.textContent = escaped(match[0]);
    parent.append(mark);
    at = match.index + match[0].length;
  }
  if (at < text.length) parent.append(text.slice(at));
}

// put() with every occurrence of `needle`, in lower case, marked.
function putMarked(parent, text, needle) {
  const lower = text.toLowerCase();
  let at = 0;
  // Where lower case has another length than the text, positions would not agree.
  while (needle && lower.length === text.length) {
    const next = lower.indexOf(needle, at);
    if (next < 0) break;
    put(parent, text.slice(at, next));
    const mark = document.createElement("mark");
    put(mark, text.slice(next, next + needle.length));
    parent.append(mark);
    at = next + needle.length;
  }
  put(parent, text.slice(at));
}

// el("button.link", {type: "button", onclick: f}, child…): children are elements or text.
function el(kind, attributes, ...children) {
  const [tag, ...classes] = kind.split(".");
  const node = document.createElement(tag);
  if (classes.length) node.className = classes.join(" ");
  for (const [name, value] of Object.entries(attributes || {})) {
    if (typeof value === "function") node.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children) {
    if (child === null || child === undefined) continue;
    if (typeof child === "string") put(node, child);
    else node.append(child);
  }
  return node;
}

const count = (n) => n.toLocaleString("en-US");
const plural = (n, one, many) => count(n) + " " + (n === 1 ? one : many || one + "s");

function bytes(n) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (n >= 1024 && unit + 1 < units.length) { n /= 1024; ++unit; }
  return (unit ? n.toFixed(1) : String(n)) + " " + units[unit];
}

const isTyping = (target) => target instanceof HTMLInputElement;

async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = el("textarea", {readonly: true});
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

function copyButton(text, name) {
  const button = el("button.copy-button", {type: "button", "aria-label": "Copy " + name}, "Copy");
  button.addEventListener("click", async () => {
    button.textContent = (await copyText(text())) ? "Copied" : "Not allowed";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  });
  return button;
}

// A search box; `search` gets what is typed, trimmed and in lower case.
function searchBox(label, search) {
  const input = el("input", {type: "search", placeholder: label, "aria-label": label, autocomplete: "off", spellcheck: "false"});
  input.addEventListener("input", () => search(input.value.trim().toLowerCase()));
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    event.preventDefault();
    if (input.value) {
      input.value = "";
      search("");
    } else {
      input.blur();
    }
  });
  return el("div.search", null, input, el("kbd", {"aria-hidden": "true"}, "/"));
}
