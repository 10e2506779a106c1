"use strict";
// What the page does beside being read: copies commands, filters resources, walks and zooms the graph, saves its data.
// Everything is in the page without it.
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const one = (selector) => document.querySelector(selector);
  const live = one("#live");
  const say = (text) => { live.textContent = text; };
  for (const element of all(".screen[hidden]")) element.hidden = false;

  // Commands
  const copy = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const field = Object.assign(document.createElement("textarea"), { value: text });
      document.body.append(field);
      field.select();
      document.execCommand("copy");
      field.remove();
    }
  };
  for (const button of all("button[data-copy]")) {
    button.addEventListener("click", async () => {
      const was = button.textContent;
      await copy(button.dataset.copy);
      button.focus();
      button.textContent = "Copied";
      say("Copied");
      setTimeout(() => { button.textContent = was; }, 1500);
    });
  }

  // Resources
  const search = one("#search");
  const groups = all("details.group").map((element) => ({
    element,
    stack: element.dataset.stack,
    name: element.querySelector(".name").textContent.toLowerCase(),
    unfolded: element.open,
    list: element.querySelector(".lines"),
    lines: all("li", element).map((line) => ({
      element: line, mark: line.dataset.mark || "", loss: "loss" in line.dataset, text: line.textContent.toLowerCase(),
    })),
  }));
  // How high what is not laid out will be: a guess that is far off lets the page jump.
  const first = all(".lines li:not([hidden])").find((line) => line.offsetHeight > 0);
  const row = first ? first.offsetHeight : 24;
  const shown = { marks: new Set(), stack: null };
  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const unchanged = one("#unchanged").checked;
    const narrowed = words.length > 0 || shown.marks.size > 0 || shown.stack !== null;
    let hits = 0, stacks = 0;
    for (const group of groups) {
      let inside = 0;
      const here = shown.stack === null || group.stack === shown.stack;
      for (const line of group.lines) {
        const kept = here && (line.mark || unchanged || shown.stack !== null)
          && (shown.marks.size === 0 || shown.marks.has(line.mark) || (shown.marks.has("loss") && line.loss))
          && words.every((word) => line.text.includes(word) || group.name.includes(word));
        if (line.element.hidden === kept) line.element.hidden = !kept;
        if (kept) inside += 1;
      }
      if (group.element.hidden === inside > 0) group.element.hidden = inside === 0;
      const open = narrowed ? inside > 0 : group.unfolded;
      if (group.element.open !== open) group.element.open = open;
      if (group.list) group.list.style.containIntrinsicBlockSize = `${inside * row + 8}px`;
      hits += inside;
      if (inside) stacks += 1;
    }
    const counted = (number, what) => `${number.toLocaleString("en")} ${what}${number === 1 ? "" : "s"}`;
    one("#found").textContent = hits ? `${counted(hits, "line")} in ${counted(stacks, "group")}` : "Nothing like that";
    one("#only").hidden = shown.stack === null;
    one("#only-name").textContent = shown.stack === null ? "" : shown.stack || "root stack";
  };
  if (search) {
    const reset = () => {
      search.value = "";
      shown.marks.clear();
      shown.stack = null;
      for (const button of all("button[data-mark]")) button.setAttribute("aria-pressed", "false");
      filter();
    };
    search.addEventListener("input", filter);
    search.addEventListener("keydown", (event) => { if (event.key === "Escape") reset(); });
    one("#unchanged").addEventListener("change", filter);
    one("#only").addEventListener("click", () => { shown.stack = null; filter(); search.focus(); });
    for (const button of all("button[data-mark]")) {
      button.addEventListener("click", () => {
        const on = button.getAttribute("aria-pressed") !== "true";
        button.setAttribute("aria-pressed", String(on));
        if (on) shown.marks.add(button.dataset.mark); else shown.marks.delete(button.dataset.mark);
        filter();
      });
    }
    const fold = (open) => { for (const group of groups) group.element.open = group.unfolded = open; };
    one("#unfold").addEventListener("click", () => fold(true));
    one("#fold").addEventListener("click", () => fold(false));
    document.addEventListener("keydown", (event) => {
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.target.closest("input, textarea, select")) return;
      event.preventDefault();
      search.focus();
      search.scrollIntoView({ block: "center" });
    });
    filter();
  }

  // The graph: one stop of the Tab key; arrows walk it, Enter shows a stack's resources.
  const graph = one(".graph");
  if (graph) {
    const svg = graph.querySelector("svg");
    const nodes = all(".node", svg);
    const width = Number(svg.getAttribute("width")), height = Number(svg.getAttribute("height"));
    let zoom = 1;
    const scale = (wanted) => {
      zoom = Math.min(3, Math.max(0.2, wanted));
      svg.setAttribute("width", Math.round(width * zoom));
      svg.setAttribute("height", Math.round(height * zoom));
      one("#zoomed").textContent = `${Math.round(zoom * 100)} %`;
    };
    one("#closer").addEventListener("click", () => scale(zoom * 1.25));
    one("#farther").addEventListener("click", () => scale(zoom / 1.25));
    one("#natural").addEventListener("click", () => scale(1));
    one("#fit").addEventListener("click", () => scale((graph.clientWidth - 2) / width));
    graph.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      scale(zoom * (event.deltaY < 0 ? 1.12 : 1 / 1.12));
    }, { passive: false });
    let from = null;
    graph.addEventListener("pointerdown", (event) => {
      if (event.pointerType !== "mouse" || event.button !== 0) return;
      from = { x: event.clientX, y: event.clientY, left: graph.scrollLeft, top: graph.scrollTop, moved: false };
    });
    graph.addEventListener("pointermove", (event) => {
      if (!from) return;
      const x = event.clientX - from.x, y = event.clientY - from.y;
      if (!from.moved && Math.hypot(x, y) < 5) return;
      if (!from.moved) { from.moved = true; graph.classList.add("drag"); graph.setPointerCapture(event.pointerId); }
      graph.scrollLeft = from.left - x;
      graph.scrollTop = from.top - y;
    });
    let dragged = false;
    for (const name of ["pointerup", "pointercancel"]) {
      graph.addEventListener(name, () => { dragged = Boolean(from && from.moved); from = null; graph.classList.remove("drag"); });
    }
    const go = (node) => {
      if (!node) return;
      for (const other of nodes) other.setAttribute("tabindex", other === node ? "0" : "-1");
      node.focus({ preventScroll: true });
      node.scrollIntoView({ block: "nearest", inline: "nearest", behavior: "instant" });
    };
    const open = (node) => {
      for (const other of nodes) other.classList.toggle("here", other === node);
      shown.stack = node.dataset.stack;
      search.value = "";
      filter();
      one("#resources").scrollIntoView();
      one("#resources-title").focus({ preventScroll: true });
      say(`${one("#only-name").textContent}: ${one("#found").textContent}`);
    };
    nodes.forEach((node, index) => {
      const at = (name) => nodes[Number(node.dataset[name])];
      node.addEventListener("click", () => { if (!dragged) open(node); dragged = false; });
      node.addEventListener("keydown", (event) => {
        const moves = {
          ArrowDown: () => nodes[index + 1], ArrowUp: () => nodes[index - 1], ArrowRight: () => at("first"),
          ArrowLeft: () => at("parent"), Home: () => nodes[0], End: () => nodes[nodes.length - 1],
        };
        if (event.ctrlKey || event.metaKey || event.altKey) return;
        if (event.key in moves) { event.preventDefault(); go(moves[event.key]()); }
        else if (event.key === "Enter" || event.key === " ") { event.preventDefault(); open(node); }
      });
    });
  }

  // The data, as `--json` gives it.
  one("#save").addEventListener("click", () => {
    const text = JSON.stringify(JSON.parse(one("#data").textContent), null, 2);
    const address = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    Object.assign(document.createElement("a"), { href: address, download: "report.json" }).click();
    setTimeout(() => URL.revokeObjectURL(address), 1000);
  });

  // Folded stacks are printed unfolded, but for a plan of many pages: there whoever prints unfolds what she wants.
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = all(document.body.classList.contains("long") ? "details.more:not([open])" : "details:not(.much, [open])");
    for (const element of folded) element.open = true;
  });
  addEventListener("afterprint", () => { for (const element of folded) element.open = false; });
})();
