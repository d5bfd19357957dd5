// Question          What does a step to the right do, and which mistakes in the table show?
// Opening state     Position 5 and the row 3 further on, the right formula: eight hands, five promises, all kept.
// Surprise          With the exponent doubled four promises of five still hold: only the numbers themselves tell.
// Reader's sentence A step to the right turns each hand by its own angle, the same from every position; so does many a wrong table.
import { button, dot, format, h, liveSentence, newId, openFigure, range, s, sum, table, tableToggle, toolbar, write } from "./shared.js";

const HANDS = DATA.d_model / 2;
const CLOSE = 1e-4;
const [FORMULA] = DATA.versions;
const opening = () => ({ p: 5, k: 3, version: FORMULA });

// ---- tables: one row per position, columns 2i and 2i + 1 are sine and cosine of hand i

const waves = (length, d, { base = 10000, exponent = 1, ahead = 0, first = 0 } = {}) => range(length).map((row) => range(d).map((column) => {
  const even = column - (column % 2);
  const angle = (row + first) / base ** ((exponent * (even + (column % 2) * ahead)) / d);
  return column % 2 ? Math.cos(angle) : Math.sin(angle);
}));

const VERSIONS = {
  "formula": waves,
  "doubled exponent": (length, d) => waves(length, d, { exponent: 2 }),
  "cosine's own exponent": (length, d) => waves(length, d, { ahead: 1 }),
  "not interleaved": (length, d) => waves(length, d).map((row) => [0, 1].flatMap((odd) => row.filter((_, i) => i % 2 === odd))),
  "base 1000": (length, d) => waves(length, d, { base: 1000 }),
  "starts at 1": (length, d) => waves(length, d, { first: 1 }),
};
const built = {};
export const build = (version) => (built[version] ??= VERSIONS[version](DATA.length, DATA.d_model));

// ---- promises, measured

const widest = (numbers) => Math.max(...numbers) - Math.min(...numbers);

/** For one hand: the turn that fits best all steps of k, its largest error, and the length of what it multiplies by. */
function fit(rows, k, i) {
  const steps = rows.slice(k).map((after, p) => [rows[p][2 * i + 1], rows[p][2 * i], after[2 * i + 1], after[2 * i]]);
  const size = sum(steps.map(([x, y]) => x * x + y * y));
  const re = sum(steps.map(([x, y, u, v]) => x * u + y * v)) / size;
  const im = sum(steps.map(([x, y, u, v]) => x * v - y * u)) / size;
  const error = Math.max(...steps.map(([x, y, u, v]) => Math.hypot(u - (x * re - y * im), v - (x * im + y * re))));
  return Math.max(error, Math.abs(Math.hypot(re, im) - 1));
}

/** How far the table is from keeping each promise: 0 is kept. */
export function measure(version, k) {
  const rows = build(version);
  const lengths = rows.map((row) => Math.hypot(...row));
  const products = range(rows.length).map((distance) => rows.slice(distance).map((row, p) => dot(row, rows[p])));
  return {
    lengths: widest(lengths),
    turns: Math.max(...range(HANDS).map((i) => fit(rows, k, i))),
    distances: Math.max(...products.map(widest)),
    start: Math.max(...rows[0].map((x, i) => Math.abs(x - (i % 2)))),
    exact: Math.max(...rows.flatMap((row, p) => row.map((x, i) => Math.abs(x - build(FORMULA)[p][i])))),
    least: Math.min(...lengths), most: Math.max(...lengths), low: Math.min(...products[k]), high: Math.max(...products[k]),
  };
}

const near = (a, b) => (format(a) === format(b) ? format(a) : `${format(a)} to ${format(b)}`);

export function promises({ k, version }) {
  const m = measure(version, k);
  return [
    [m.lengths, "All rows are equally long", `length ${near(m.least, m.most)}`],
    [m.turns, `A step of ${k} turns each hand by one angle from everywhere`, `error ${format(m.turns)}`],
    [m.distances, "Dot products depend on the distance alone", `${k} apart: ${near(m.low, m.high)}`],
    [m.start, "Row 0 is 0, 1, 0, 1, …", build(version)[0].slice(0, 4).map((x) => format(x)).join(", ") + ", …"],
    [m.exact, "All numbers equal the formula's", `off by up to ${format(m.exact)}`],
  ].map(([error, says, seen]) => ({ kept: error < CLOSE, says, seen }));
}

export function present({ p, k, version }) {
  const [here, there] = [build(version)[p], build(version)[p + k]];
  const hands = range(HANDS).map((i) => {
    const [[y, x], [v, u]] = [here, there].map((row) => row.slice(2 * i, 2 * i + 2));
    return { x, y, u, v, turn: (Math.atan2(x * v - y * u, x * u + y * v) + 2 * Math.PI) % (2 * Math.PI) };
  });
  return { hands, product: dot(here, there) };
}

const NUMBERS = ["first", "second", "third", "fourth", "fifth"];

export function sentence(state) {
  const all = promises(state);
  const broken = all.flatMap(({ kept }, i) => (kept ? [] : [NUMBERS[i]]));
  const { product } = present(state);
  const name = state.version === FORMULA ? "The formula" : `“${state.version}”`;
  const fate = broken.length ? `keeps ${all.length - broken.length} of ${all.length} promises, not the ${broken.join(", ").replace(/, (\w+)$/, " and $1")}` : "keeps all five promises";
  return `${name} ${fate}. Rows ${state.p} and ${state.p + state.k} have the dot product ${format(product)}.`;
}

function tables(state) {
  const { p, k } = state;
  return [
    table(`Hands at ${p} and ${p + k}, ${state.version}`, ["hand", `sin ${p}`, `cos ${p}`, `sin ${p + k}`, `cos ${p + k}`, "turned by"],
      present(state).hands.map(({ x, y, u, v, turn }, i) => [`${i}`, ...[y, x, v, u, turn].map((n) => format(n, 3))])),
    table("Promises", ["promise", "kept", "seen"], promises(state).map(({ kept, says, seen }) => [says, kept ? "✓ yes" : "✗ no", seen])),
  ];
}

const STYLE = `
.controls{display:grid;grid-template-columns:repeat(auto-fit,minmax(200px,1fr));gap:8px 24px}
.controls label{display:block;font-weight:650}
input[type=range]{width:100%;height:44px;margin:0;accent-color:var(--_ink);cursor:pointer;display:block}
select{font:inherit;color:inherit;background:var(--_page);border:1px solid var(--_muted);border-radius:4px;width:100%;min-height:44px;padding:0 8px}
select:focus-visible{outline:2px solid var(--_ink);outline-offset:2px}
.both{display:grid;grid-template-columns:minmax(0,3fr) minmax(0,2fr);gap:24px;margin-top:16px}
.title{font-weight:650}
.dials{display:grid;grid-template-columns:repeat(4,1fr);gap:8px;margin-top:8px;text-align:center}
svg{display:block;width:100%;overflow:visible}
.dials circle{fill:none;stroke:var(--_muted)}
.dials line{stroke:var(--_ink);stroke-width:5;stroke-linecap:round}
.dials .there{stroke-width:3;stroke-dasharray:7 6}
.dials .tip{fill:var(--_ink);stroke:none}
.dials .open{fill:var(--_page);stroke:var(--_ink);stroke-width:3}
.map{height:288px;margin-top:8px;border:1px solid var(--_muted)}
.map rect{fill:var(--_ink);shape-rendering:crispEdges}
.map .mark{fill:none;stroke:var(--_ink);stroke-width:2;vector-effect:non-scaling-stroke}
.map .there{stroke-dasharray:5 4}
.scale{display:flex;justify-content:space-between}
ol{list-style:none;margin:16px 0 0;padding:0;display:grid;gap:4px}
li{display:grid;grid-template-columns:32px minmax(0,3fr) minmax(0,2fr);gap:0 8px;padding:4px 0;border-top:1px solid color-mix(in srgb,var(--_muted) 35%,transparent)}
li b{font-size:18px}
li.broken{font-weight:650}
@container (max-width:647px){.figure{padding:12px}.both{grid-template-columns:minmax(0,1fr)}li{grid-template-columns:24px minmax(0,1fr)}li span:last-child{grid-column:2}th,td{padding:4px 2px;font-size:13px}}
`;

/** One dial: a circle of radius 100, the hand of p solid, that of p + k dashed with an open tip. */
function dial() {
  const lines = [["there"], ["here"]].map(([name]) => s("line", { class: name, x1: 0, y1: 0 }));
  const tips = [s("circle", { class: "open", r: 9 }), s("circle", { class: "tip", r: 9 })];
  const caption = h("span", { class: "muted" });
  const draw = ({ x, y, u, v, turn }) => {
    [[u, v], [x, y]].forEach(([right, up], i) => {
      lines[i].setAttribute("x2", 100 * right);
      lines[i].setAttribute("y2", -100 * up);
      tips[i].setAttribute("cx", 100 * right);
      tips[i].setAttribute("cy", -100 * up);
    });
    write(caption, format(turn, 3));
  };
  return { draw, node: h("div", {}, s("svg", { viewBox: "-112 -112 224 224" }, s("circle", { r: 100 }), ...lines, ...tips), caption) };
}

function heatMap() {
  const cells = s("g");
  const marks = ["mark there", "mark"].map((name) => s("rect", { class: name, x: 0, width: DATA.d_model, height: 1 }));
  const svg = s("svg", { class: "map", viewBox: `0 0 ${DATA.d_model} ${DATA.length}`, preserveAspectRatio: "none", role: "img" }, cells, ...marks);
  let shown;
  const draw = ({ p, k, version }) => {
    if (shown !== version) {
      shown = version;
      cells.replaceChildren(...build(version).flatMap((row, y) => row.map((x, i) => s("rect", { x: i, y, width: 1, height: 1, "fill-opacity": ((x + 1) * 0.4).toFixed(3) }))));
    }
    [p + k, p].forEach((row, i) => marks[i].setAttribute("y", row));
    svg.setAttribute("aria-label", `The table, ${version}: ${DATA.length} positions by ${DATA.d_model} columns, rows ${p} and ${p + k} outlined.`);
  };
  return { draw, node: svg };
}

export function render({ el }) {
  const { figure, close } = openFigure(el, "What does a step to the right do, and which mistakes show?", STYLE);
  let state = opening();
  const live = liveSentence();

  const slider = (name, min, max) => {
    const [id, words] = [newId(), h("span")];
    const input = h("input", { type: "range", id, min, max, step: 1, oninput: () => update({ [name]: Number(input.value) }) });
    return { input, words, node: h("div", {}, h("label", { for: id }, words), input) };
  };
  const position = slider("p", 0, DATA.length - 1 - DATA.furthest);
  const offset = slider("k", 1, DATA.furthest);
  const list = h("select", { id: newId(), onchange: () => update({ version: list.value }) }, ...DATA.versions.map((name) => h("option", { value: name }, name)));
  const tabular = tableToggle(() => tables(state));
  const dials = range(HANDS).map(dial);
  const note = h("p", { class: "title" });
  const clocks = h("div", { class: "dials", role: "img" }, ...dials.map(({ node }) => node));
  const map = heatMap();
  const items = range(NUMBERS.length).map(() => { const parts = [h("b"), h("span"), h("span", { class: "muted" })]; return { parts, node: h("li", {}, ...parts) }; });

  function draw() {
    const { p, k, version } = state;
    const { hands } = present(state);
    position.words.textContent = `position p = ${p}`;
    offset.words.textContent = `offset k = ${k}`;
    [position.input.value, offset.input.value, list.value] = [p, k, version];
    note.textContent = `Hands at ${p} (solid) and ${p + k} (dashed)`;
    clocks.setAttribute("aria-label", `From ${p} to ${p + k} the hands turn by ${hands.map(({ turn }) => format(turn)).join(", ")} radians.`);
    hands.forEach((hand, i) => dials[i].draw(hand));
    map.draw(state);
    promises(state).forEach(({ kept, says, seen }, i) => {
      const [sign, words, number] = items[i].parts;
      sign.textContent = kept ? "✓" : "✗";
      sign.setAttribute("aria-label", kept ? "kept" : "broken");
      sign.setAttribute("role", "img");
      words.textContent = says;
      number.textContent = seen;
      items[i].node.className = kept ? "" : "broken";
    });
    tabular.refresh();
  }
  function update(change) {
    state = { ...state, ...change };
    draw();
    live.say(sentence(state));
  }

  figure.append(
    h("div", { class: "controls" }, position.node, offset.node, h("div", {}, h("label", { for: list.id }, "table built with"), list)),
    toolbar("Clock", button("Reset", () => update(opening())), tabular.toggle),
    live.shown, live.spoken,
    h("div", { class: "both" },
      h("div", {}, note, h("p", { class: "muted" }, "Right: cosine. Up: sine. Below each dial: by how many radians the hand turned, full rounds left out."), clocks),
      h("div", {}, h("p", { class: "title" }, "The table"), h("p", { class: "muted" }, "Rows: positions, 0 at the top. Ink: 1. Paper: −1."), map.node,
        h("p", { class: "scale muted", "aria-hidden": "true" }, h("span", {}, "column 0"), h("span", {}, `column ${DATA.d_model - 1}`)))),
    h("ol", { "aria-label": "Promises" }, ...items.map(({ node }) => node)),
    tabular.box,
  );
  draw();
  live.say(sentence(state), false);
  return close;
}

export default { render };
