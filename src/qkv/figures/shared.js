// What all figures share: arithmetic, number formats, page elements, the keyboard pattern, colours.
// Python joins this file, the figure's own file and their numbers (DATA, TOKENS) into one script, because a widget's
// script is loaded from a blob and cannot import.  Nothing here touches the page before a figure is drawn.

// ---- arithmetic

export const range = (n) => Array.from({ length: n }, (_, i) => i);
export const sum = (numbers) => numbers.reduce((total, x) => total + x, 0);
export const dot = (a, b) => sum(a.map((x, i) => x * b[i]));

/** Shares of 1.  The maximum is subtracted first, so that no power overflows; -Infinity gets a share of 0. */
export function softmax(scores) {
  const top = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - top));
  const total = sum(powers);
  return powers.map((power) => power / total);
}

/** One query over t_k keys: softmax(q Kᵀ / √d_k) V, with every step kept. */
export function attend(query, keys, values, mayAttend) {
  const scores = keys.map((key) => dot(query, key));
  const scaled = scores.map((score, j) => (mayAttend[j] ? score / Math.sqrt(query.length) : -Infinity));
  const weights = softmax(scaled);
  const output = values[0].map((_, i) => sum(weights.map((weight, j) => weight * values[j][i])));
  return { scores, scaled, weights, output };
}

/** .67, 7.39, −2, 0: at most `digits` decimals, no leading zero, a true minus sign. */
export function format(x, digits = 2) {
  return String(Number(x.toFixed(digits))).replace(/^(-?)0\./, "$1.").replace("-", "−");
}
export const pair = (numbers) => `(${numbers.map((x) => format(x)).join(", ")})`;

// ---- elements

const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}
export const h = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);
export const s = (tag, attributes = {}, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);

export function newId() {
  globalThis.qkvFigureIds = (globalThis.qkvFigureIds ?? 0) + 1;
  return `qkv-figure-${globalThis.qkvFigureIds}`;
}

/** Native radios that look like chips; one tab stop, arrows choose.  `between` is text set before each chip. */
export function radios(label, options, chosen, onchoose, between = []) {
  const name = newId();
  const chip = (option) => h("label", { class: "chip" },
    h("input", { type: "radio", name, value: option, checked: option === chosen && "", onchange: () => onchoose(option) }),
    h("span", {}, option));
  const parts = options.flatMap((option, i) => [between[i] ?? "", chip(option)]);
  return h("span", { role: "radiogroup", "aria-label": label, class: "radios" }, ...parts);
}

/** Keep the radio that shows `value` checked when the state changes by another way than a click. */
export function choose(group, value) {
  for (const input of group.querySelectorAll("input")) input.checked = input.value === value;
}

export const button = (text, onclick, more = {}) => h("button", { type: "button", onclick, ...more }, text);

export function table(caption, head, rows) {
  const line = (cells) => h("tr", {}, h("th", { scope: "row" }, cells[0]), ...cells.slice(1).map((cell) => h("td", {}, cell)));
  return h("table", {}, h("caption", {}, caption),
    h("thead", {}, h("tr", {}, ...head.map((text) => h("th", { scope: "col" }, text)))), h("tbody", {}, ...rows.map(line)));
}

/** A button and the box that it opens; `draw` gives the tables of the present state. */
export function tableToggle(draw) {
  const box = h("div", { id: newId(), class: "tables", hidden: "" });
  const toggle = button("Show as table", () => {
    box.hidden = !box.hidden;
    toggle.setAttribute("aria-expanded", !box.hidden);
    refresh();
  }, { "aria-expanded": "false", "aria-controls": box.id });
  const refresh = () => box.replaceChildren(...(box.hidden ? [] : draw()));
  return { toggle, box, refresh };
}

/** *word* is set in italics. */
export const italic = (text) => text.split("*").map((part, i) => (i % 2 ? h("em", {}, part) : part));

/** The figure's sentence: shown at once, spoken after 500 ms of rest. */
export function liveSentence() {
  const shown = h("p", { class: "sentence" });
  const spoken = h("p", { class: "hidden", role: "status" });
  let timer;
  const say = (text, aloud = true) => {
    shown.replaceChildren(...italic(text));
    clearTimeout(timer);
    if (aloud) timer = setTimeout(() => { spoken.textContent = text.replaceAll("*", ""); }, 500);
  };
  return { shown, spoken, say };
}

// ---- change, with and without motion

export const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** Write a number.  A change glows for 180 ms; with reduced motion the old number stays, outlined, with an arrow. */
export function write(node, text) {
  const old = node.dataset.text;
  node.dataset.text = text;
  node.replaceChildren(text);
  if (!old || !text || old === text) return;
  if (calm()) node.replaceChildren(h("s", {}, old), h("i", {}, "→"), text);
  else node.animate([{ opacity: 0.2 }, { opacity: 1 }], 180);
}

/** Set a bar's length, 0 to 1; the stylesheet moves it, or outlines the old length. */
export function setBar(node, share) {
  const now = `${(100 * share).toFixed(2)}%`;
  node.style.setProperty("--was", node.style.getPropertyValue("--is") || now);
  node.style.setProperty("--is", now);
}

/** Run `draw(t)` from 0 to 1 within 400 ms, or draw(1) at once. */
export function flow(draw) {
  if (calm()) return draw(1);
  const start = performance.now();
  const frame = (now) => {
    const t = Math.min(1, Math.max(0, (now - start) / 400));
    draw(t * t * (3 - 2 * t));
    if (t < 1) requestAnimationFrame(frame);
  };
  return requestAnimationFrame(frame);
}

// ---- keyboard: a box with one tab stop, in which the arrows go to the nearest item that way

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function nearest(from, items, [dx, dy]) {
  const middle = (node) => { const box = node.getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]; };
  const [x, y] = middle(from);
  const cost = (item) => {
    const [u, v] = middle(item);
    const ahead = (u - x) * dx + (v - y) * dy;
    return ahead > 1 ? ahead + 3 * Math.abs((u - x) * dy + (v - y) * dx) : Infinity;
  };
  return items.filter((item) => cost(item) < Infinity).sort((a, b) => cost(a) - cost(b))[0];
}

/**
 * Returns a function to call when items appear or vanish, so that the one tab stop is always a visible item.
 * With `inOrder`, for items in lines that wrap, left and right go through them as they are read.
 */
export function rove(box, selector, inOrder = false) {
  const all = () => [...box.querySelectorAll(selector)];
  const visible = () => all().filter((item) => item.checkVisibility({ visibilityProperty: true }));
  const stopAt = (stop) => { for (const item of all()) item.tabIndex = item === stop ? 0 : -1; };
  box.addEventListener("focusin", (event) => stopAt(event.target.closest(selector)));
  box.addEventListener("keydown", (event) => {
    if (!ARROWS[event.key] || !event.target.matches(selector)) return;
    event.preventDefault();
    event.stopPropagation();
    const [items, step] = [visible(), ARROWS[event.key]];
    (inOrder && step[0] ? items[items.indexOf(event.target) + step[0]] : nearest(event.target, items, step))?.focus();
  });
  return () => { const seen = visible(); if (!seen.some((item) => item.tabIndex === 0)) stopAt(seen[0]); };
}

export function toolbar(label, ...items) {
  const bar = h("div", { role: "toolbar", "aria-label": label, class: "toolbar" }, ...items);
  bar.querySelectorAll("button").forEach((item, i) => { item.tabIndex = i ? -1 : 0; });
  rove(bar, "button", true);
  return bar;
}

// ---- frame: a shadow root, so that neither the site's nor JupyterLab's styles reach in; colours from the page's tokens

const colours = (theme) => Object.entries(TOKENS[theme]).map(([name, colour]) => `--_${name}:var(--${name},${colour});`).join("");

const tint = (role) => `color-mix(in srgb,var(--_${role}) var(--tint),var(--_page))`;

const BASE = `
:host{display:block;container-type:inline-size;max-width:52rem;margin:24px 0}
.figure{${colours("light")}--tint:12%;color-scheme:light;color:var(--_ink);background:var(--_page);
  border:1px solid color-mix(in srgb,var(--_muted) 35%,transparent);border-radius:4px;padding:16px;
  font:16px/24px system-ui,sans-serif;font-variant-numeric:tabular-nums}
.figure{--_q:${tint("query")};--_k:${tint("key")};--_v:${tint("value")}}
.figure.dark{${colours("dark")}--tint:22%;color-scheme:dark}
*,*::before,*::after{box-sizing:border-box}
p{margin:0}
.question{font-size:21px;line-height:28px;font-weight:650;margin-bottom:8px;text-wrap:balance}
.sentence{min-height:24px;margin:12px 0;padding-left:12px;border-left:3px solid var(--_ink)}
.muted{color:var(--_muted);font-size:14px;line-height:20px}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.toolbar{margin-top:8px;display:flex;flex-wrap:wrap;gap:8px;align-items:center}
button,.chip span{font:inherit;color:inherit;background:var(--_page);border:1px solid var(--_muted);border-radius:4px;
  min-height:44px;min-width:44px;padding:0 12px;cursor:pointer;touch-action:manipulation}
button:hover,.chip:hover span{background:var(--_surface)}
button[aria-disabled=true]{color:var(--_muted);border-style:dashed;cursor:default}
button.main{background:var(--_ink);color:var(--_page);border-color:var(--_ink);font-weight:600}
button.main[aria-disabled=true]{background:none;color:var(--_muted)}
.chip{position:relative;display:inline-block;margin:0 2px;line-height:24px;vertical-align:middle}
.chip input{position:absolute;inset:0;width:100%;height:100%;margin:0;opacity:0;cursor:pointer}
.chip span{display:inline-flex;align-items:center;justify-content:center}
.chip input:checked+span{border:2px solid var(--_ink);font-weight:650;background:var(--_surface)}
.chip input:focus-visible+span,button:focus-visible,[tabindex]:focus-visible,input:focus-visible{outline:2px solid var(--_ink);outline-offset:2px}
s{text-decoration:none;background:var(--_page);color:var(--_ink);border:1px dashed var(--_muted);border-radius:2px;padding:0 1px;font-size:13px;font-weight:400}
i{font-style:normal;font-size:13px}
.tables{margin-top:16px;display:grid;gap:16px}
table{border-collapse:collapse;font-size:14px;line-height:20px;width:100%}
caption{text-align:left;font-weight:600;padding-bottom:4px}
th,td{border-bottom:1px solid color-mix(in srgb,var(--_muted) 35%,transparent);padding:4px;text-align:right;font-weight:400}
th:first-child{text-align:left}
thead th{font-weight:600;vertical-align:bottom}
@media (prefers-reduced-motion:reduce){*,*::before,*::after{transition:none!important}}
`;

function isDark() {
  const { documentElement: html, body } = document;
  const named = html.dataset.theme ?? html.getAttribute("theme");
  if (named) return named === "dark";
  if (body.dataset.jpThemeLight) return body.dataset.jpThemeLight === "false";
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

/** An empty figure inside `el`, with its question, and a function that stops watching the page's theme. */
export function openFigure(el, question, style) {
  const title = h("p", { class: "question", id: newId() }, ...italic(question));
  const figure = h("div", { class: "figure", role: "group", "aria-labelledby": title.id }, title);
  (el.shadowRoot ?? el.attachShadow({ mode: "open" })).replaceChildren(h("style", {}, BASE + style), figure);
  el.setAttribute("data-lm-suppress-shortcuts", "true"); // JupyterLab: keys typed here are no notebook commands
  const paint = () => figure.classList.toggle("dark", isDark());
  const watcher = new MutationObserver(paint);
  for (const node of [document.documentElement, document.body]) watcher.observe(node, { attributes: true });
  const system = matchMedia("(prefers-color-scheme: dark)");
  system.addEventListener("change", paint);
  paint();
  return { figure, close: () => { watcher.disconnect(); system.removeEventListener("change", paint); } };
}

/** On the static site: <qkv-figure name="…"> becomes the live figure; what it held before was its stand-in. */
export function define(name, render) {
  const figures = (globalThis.qkvFigures ??= {});
  figures[name] = render;
  const open = (el) => { el.close = figures[el.getAttribute("name")]?.({ model: { get: (key) => el.hasAttribute(key) }, el }); };
  if (!customElements.get("qkv-figure")) {
    customElements.define("qkv-figure", class extends HTMLElement {
      connectedCallback() { open(this); }
      disconnectedCallback() { this.close?.(); }
    });
  } else document.querySelectorAll(`qkv-figure[name="${name}"]`).forEach(open);
}
