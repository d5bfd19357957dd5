// Question          Which word may read which, and what is that good for?
// Opening state     Encoder-only, the cell where "cat" reads "sleeps": open, although "sleeps" comes later.
// Surprise          From prefix to encoder–decoder no cell moves: two families, one way of reading.
// Reader's sentence A family is a mask: change who may read whom, and other tasks become possible.
import { button, choose, h, liveSentence, openFigure, radios, range, rove, s, table, tableToggle, toolbar } from "./shared.js";

const { words: WORDS, source: SOURCE, tasks: TASKS, families: FAMILIES } = DATA;
const NAMES = Object.keys(FAMILIES);
const LENGTH = WORDS.length;
const SIGNS = { "made for it": "✓", "by a detour": "◦", "not as it stands": "✗" };
const opening = () => ({ family: NAMES[0], i: 1, j: 2 });

// ---- who may read whom: row i reads, column j is read

const RULES = {
  "encoder-only": () => true,
  "decoder-only": (i, j) => j <= i,
  "prefix": (i, j) => j <= i || j < SOURCE,
  "encoder–decoder": (i, j) => (i < SOURCE ? j < SOURCE : j < SOURCE || j <= i),
};
export const mayRead = (family, i, j) => RULES[family](i, j);
export const matrix = (family) => range(LENGTH).map((i) => range(LENGTH).map((j) => mayRead(family, i, j)));
export const moved = (before, after) => matrix(after).flat().filter((open, c) => open !== matrix(before).flat()[c]).length;

function reason({ family, i, j }) {
  if (i === j) return "it is the word itself";
  if (family === "encoder-only") return "everything is open";
  if (family === "decoder-only") return j < i ? "it stands before" : "it comes later";
  const both = family === "prefix";
  if (j < SOURCE) return both ? "it belongs to the prefix" : i < SOURCE ? "the encoder reads both ways" : "the decoder reads what the encoder made of it";
  if (i < SOURCE) return both ? "it comes after the prefix" : "the encoder never sees the second text";
  return j < i ? "it is written already" : "it is not written yet";
}

export function sentence(state, from) {
  const { family, i, j } = state;
  const words = i === j ? `*${WORDS[i]}* may read itself` : `*${WORDS[i]}* ${mayRead(family, i, j) ? "may" : "may not"} read *${WORDS[j]}*: ${reason(state)}`;
  const count = from && from !== family ? ` From ${from}, ${moved(from, family) || "no"} cell${moved(from, family) === 1 ? "" : "s"} changed.` : "";
  return `${family[0].toUpperCase()}${family.slice(1)}: ${words}.${count}`;
}

function tables({ family }) {
  return [
    table(`Who may read whom, ${family}`, ["reads ↓ is read →", ...WORDS], matrix(family).map((row, i) => [WORDS[i], ...row.map((open) => (open ? "yes" : "no"))])),
    table(`Tasks, ${family}`, ["task", "fit"], TASKS.map((task, k) => [task, FAMILIES[family].fit[k]])),
  ];
}

const STYLE = `
.radios{display:flex;flex-wrap:wrap;gap:4px}
.both{display:grid;grid-template-columns:minmax(0,4fr) minmax(0,3fr);gap:8px 24px;margin-top:8px}
.title{font-weight:650}
svg{display:block;width:100%;max-width:420px;overflow:visible;margin-top:4px}
svg text{fill:var(--_ink);font-size:15px;text-anchor:middle}
svg .reader{font-weight:700}
svg path{fill:none;stroke:var(--_ink);stroke-width:1.5}
svg path.chosen{stroke-width:4}
svg path.closed{stroke:var(--_mask);stroke-dasharray:4 5}
svg circle{fill:none;stroke:var(--_ink);stroke-width:1.5}
svg circle.chosen{fill:var(--_ink)}
.grid{display:grid;grid-template-columns:72px repeat(${LENGTH},minmax(0,1fr));max-width:420px;margin-top:8px;font-size:14px}
.row{display:contents}
.head,.side{display:flex;align-items:center;justify-content:center;min-height:28px;overflow:hidden}
.side{justify-content:flex-start}
.cell{min-height:40px;margin:1px;border:1px solid var(--_muted);border-radius:2px;cursor:pointer;display:flex;align-items:center;justify-content:center;
  background:var(--_ink);color:var(--_page);transition:background-color .4s,color .4s}
.cell.closed{color:var(--_ink);background:repeating-linear-gradient(135deg,var(--_page) 0 5px,color-mix(in srgb,var(--_mask) 45%,var(--_page)) 5px 6px)}
.cell.chosen{outline:3px solid var(--_query);outline-offset:1px;z-index:1}
.cell.new{border:2px solid var(--_query)}
.cut{margin-top:7px}
.cutleft{margin-left:7px}
ul{list-style:none;margin:8px 0 0;padding:0}
li{display:grid;grid-template-columns:28px minmax(0,1fr);padding:4px 0;border-top:1px solid color-mix(in srgb,var(--_muted) 35%,transparent)}
li.made{font-weight:650}
li small{font-size:14px;font-weight:400;color:var(--_muted);display:block}
@container (max-width:647px){.figure{padding:12px}.both{grid-template-columns:minmax(0,1fr)}.grid{grid-template-columns:60px repeat(${LENGTH},minmax(0,1fr));font-size:13px}svg text{font-size:18px}th,td{padding:4px 1px;font-size:13px}}
`;

const WIDTH = 420;
const middle = (place) => (WIDTH / LENGTH) * (place + 0.5);

/** The words in a row, and an arrow from each word that is read to the one that reads. */
function arrows() {
  const svg = s("svg", { viewBox: `0 0 ${WIDTH} 118`, role: "img" });
  const draw = ({ family, i, j }) => {
    const arc = (k) => {
      const [from, to] = [middle(k), middle(i)];
      const name = `${k === j ? "chosen " : ""}${mayRead(family, i, k) ? "" : "closed"}`;
      if (k === i) return s("circle", { class: name, cx: to, cy: 78, r: 6 });
      const top = 84 - 16 * Math.abs(k - i);
      return s("path", { class: name, d: `M${from} 84C${from} ${top - 14} ${to} ${top - 14} ${to} 84m-5 -9l5 9l5 -9` });
    };
    const read = range(LENGTH).filter((k) => mayRead(family, i, k));
    const drawn = [...new Set([...read, j])];
    svg.replaceChildren(...drawn.map(arc), ...WORDS.map((word, k) => s("text", { x: middle(k), y: 106, class: k === i ? "reader" : "" }, word)));
    svg.setAttribute("aria-label", `${WORDS[i]} reads ${read.map((k) => WORDS[k]).join(", ")}.`);
  };
  return { draw, node: svg };
}

function readingGrid(onpick) {
  const cells = range(LENGTH).map((i) => range(LENGTH).map((j) => h("div", {
    role: "gridcell", class: "cell", tabindex: "-1",
    onclick: () => onpick(i, j), onfocus: () => onpick(i, j), onpointerenter: (event) => event.pointerType === "mouse" && onpick(i, j),
  })));
  const cut = (i, j) => (i === SOURCE ? " cut" : "") + (j === SOURCE ? " cutleft" : "");
  const head = h("div", { role: "row", class: "row" }, h("div", { role: "columnheader", class: "side muted" }, "reads ↓"),
    ...WORDS.map((word, j) => h("div", { role: "columnheader", class: `head${cut(0, j)}` }, word)));
  const lines = cells.map((line, i) => h("div", { role: "row", class: "row" }, h("div", { role: "rowheader", class: `side${cut(i, 0)}` }, WORDS[i]), ...line));
  const box = h("div", { role: "grid", class: "grid", "aria-label": "Who may read whom: rows read, columns are read" }, head, ...lines);
  rove(box, ".cell");
  cells[opening().i][opening().j].tabIndex = 0;
  const draw = ({ family, i, j }, from) => cells.forEach((line, row) => line.forEach((cell, column) => {
    const open = mayRead(family, row, column);
    const changed = from && open !== mayRead(from, row, column);
    cell.className = `cell${open ? "" : " closed"}${row === i && column === j ? " chosen" : ""}${changed ? " new" : ""}${cut(row, column)}`;
    cell.textContent = open ? "■" : "✕";
    cell.setAttribute("aria-label", `${WORDS[row]} reads ${WORDS[column]}: ${open ? "yes" : "no"}`);
  }));
  return { draw, node: box, cells };
}

export function render({ el }) {
  const { figure, close } = openFigure(el, "Which word may read which, and what is that good for?", STYLE);
  let [state, from] = [opening(), undefined];
  const live = liveSentence();
  const families = radios("family", NAMES, state.family, (family) => update({ family }));
  const tabular = tableToggle(() => tables(state));
  const words = arrows();
  const grid = readingGrid((i, j) => (i !== state.i || j !== state.j) && update({ i, j }));
  const title = h("p", { class: "title" });
  const list = h("ul", { "aria-label": "Tasks" });

  function draw() {
    const { family } = state;
    choose(families, family);
    title.textContent = `${family}: ${FAMILIES[family].reads}`;
    words.draw(state);
    grid.draw(state, from);
    list.replaceChildren(...TASKS.map((task, k) => {
      const fit = FAMILIES[family].fit[k];
      return h("li", { class: fit === "made for it" ? "made" : "" }, h("span", { "aria-hidden": "true" }, SIGNS[fit]), h("span", {}, task, h("small", {}, fit)));
    }));
    tabular.refresh();
  }
  function update(change) {
    from = change.family ? state.family : undefined;
    state = { ...state, ...change };
    draw();
    live.say(sentence(state, from));
  }

  figure.append(
    families,
    toolbar("Families", button("Reset", () => { state = opening(); from = undefined; draw(); live.say(sentence(state)); }), tabular.toggle),
    live.shown, live.spoken, title,
    h("div", { class: "both" },
      h("div", {}, words.node, grid.node, h("p", { class: "muted" }, "■ may read, ✕ may not. Point at a cell, or walk with the arrow keys. A thin gap parts the two texts.")),
      h("div", {}, h("p", { class: "title" }, "What it is made for"), list)),
    tabular.box,
  );
  draw();
  live.say(sentence(state), false);
  return close;
}

export default { render };
