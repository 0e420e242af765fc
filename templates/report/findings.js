// The findings stand in the page already: here they are filtered.

function setUpFindings() {
  const list = byId("finding-list");
  const groups = [...list.querySelectorAll(".group")].map((group) => ({
    group,
    severity: group.dataset.severity,
    rules: [...group.querySelectorAll(".rule")].map((rule) => {
      const places = [...rule.querySelectorAll(".place")].map((place) => ({place, text: place.textContent.toLowerCase()}));
      const head = [...rule.children].filter((child) => child.matches("header, .meaning, .fix")).map((child) => child.textContent).join("\n");
      return {rule, head: head.toLowerCase(), places};
    }),
  }));
  for (const code of list.querySelectorAll("code[data-name]")) {
    const file = fileNumbers.get(code.textContent);
    if (file === undefined) continue;
    code.after(" ", el("button.link.copy-button", {type: "button", onclick: () => showFile(file)}, "Why is it granted?"));
  }
  if (!groups.length) return;

  const off = new Set();
  let needle = "";
  const status = el("span.status", {role: "status"});
  const update = () => {
    let shown = 0;
    let all = 0;
    for (const {group, severity, rules} of groups) {
      let inGroup = 0;
      for (const {rule, head, places} of rules) {
        const whole = head.includes(needle);
        let inRule = 0;
        for (const {place, text} of places) {
          place.hidden = !whole && !text.includes(needle);
          inRule += place.hidden ? 0 : 1;
        }
        rule.hidden = !inRule;
        for (const more of rule.querySelectorAll("details")) if (needle) more.open = true;
        inGroup += inRule;
        all += places.length;
      }
      group.hidden = off.has(severity) || !inGroup;
      if (group.localName === "details" && needle) group.open = true;
      if (!group.hidden) shown += inGroup;
    }
    status.textContent = shown === all ? plural(all, "finding") : count(shown) + " of " + plural(all, "finding");
  };
  const toggles = el("div.toggles", {role: "group", "aria-label": "Severities shown"});
  for (const {severity} of groups) {
    const toggle = el("button.toggle.sev-" + severity, {type: "button", "aria-pressed": "true"}, severity);
    toggle.addEventListener("click", () => {
      const hide = !off.has(severity);
      if (hide) off.add(severity);
      else off.delete(severity);
      toggle.setAttribute("aria-pressed", String(!hide));
      update();
    });
    toggles.append(toggle);
  }
  const tools = byId("finding-tools");
  tools.append(searchBox("Search findings", (text) => { needle = text; update(); }), toggles, status);
  tools.hidden = false;
  update();
}
