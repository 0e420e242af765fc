// What belongs to no part alone: colours, copying, the bar, the key "/", printing.

function setUpTheme() {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const button = byId("theme");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  const label = () => { button.textContent = isDark() ? "Light" : "Dark"; button.setAttribute("aria-label", (isDark() ? "Light" : "Dark") + " colours"); };
  button.hidden = false;
  button.addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; label(); });
  system.addEventListener("change", label);
  label();
}

function setUpSections() {
  for (const code of document.querySelectorAll("code.copy")) {
    const name = code.closest("div").querySelector("dt").textContent;
    const text = code.textContent;
    code.after(copyButton(() => text, name));
  }
  const links = new Map();
  for (const link of document.querySelectorAll(".bar nav a")) links.set(link.hash.slice(1), link);
  const observer = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      const link = links.get(entry.target.id);
      if (entry.isIntersecting) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  }, {rootMargin: "-25% 0px -70% 0px"});
  for (const id of links.keys()) observer.observe(byId(id));

  byId("keys").hidden = false;
  // "/" goes to the search box of the part one looks at.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    const boxes = [...document.querySelectorAll(".search input")].filter((input) => input.offsetParent);
    const box = boxes.find((input) => input.closest("section").getBoundingClientRect().bottom > innerHeight / 3) || boxes.at(-1);
    if (!box) return;
    event.preventDefault();
    box.focus();
    box.select();
  });

  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("#surface details, #findings details, .as-table")].filter((details) => !details.open);
    for (const details of opened) details.open = true;
  });
  addEventListener("afterprint", () => { for (const details of opened) details.open = false; });
}
