// Question          Who learns how fast, and when?
// Opening state     The paper's numbers on a run of 100 steps, five groups, one unfrozen per epoch; layer 2 at step 50.
// Surprise          The peak is over before the second group has joined: only the head ever sees the full rate.
// Reader's sentence The rate of a layer at a step is triangle × factor^-depth × unfrozen.
import { button, format, h, liveSentence, newId, openFigure, range, s, table, tableToggle, toolbar } from "./shared.js";

const TOP = DATA.groups.length - 1;
const opening = () => ({ ...DATA.opening, level: 2, step: 50 });

// ---- rates, as factors on the peak

export function triangle(step, T, cutFrac, ratio) {
  const cut = Math.floor(T * cutFrac);
  const fall = cut > 0 ? cut * (1 / cutFrac - 1) : T;
  const published = step < cut ? step / cut : 1 - (step - cut) / fall;
  const p = Math.max(0, published);
  return { cut, fall, published, p, factor: (1 + p * (ratio - 1)) / ratio };
}

export function oneCycle(step, T) {
  const { rise, start, end } = DATA.one_cycle;
  const peak = rise * T;
  const [low, gone] = step < peak ? [start, 1 - step / peak] : [end, (step - peak) / (T - peak)];
  return low + ((1 - low) * (1 + Math.cos(Math.PI * gone))) / 2;
}

const epochOf = (step, T) => Math.min(TOP, Math.floor((step * (TOP + 1)) / T));
const learns = ({ gradual, T }, level, step) => !gradual || level >= TOP - epochOf(step, T);

export function rate(state, level, step) {
  const slanted = triangle(step, state.T, state.cutFrac, state.ratio).factor;
  return learns(state, level, step) ? slanted / state.factor ** (TOP - level) : 0;
}
export const tableOf = (state) => range(TOP + 1).map((level) => range(state.T + 1).map((step) => rate(state, level, step)));

// ---- in words

const power = (n) => ["", "", "²", "³", "⁴"][n];

export function working(state) {
  const { T, cutFrac, ratio, factor, level, step } = state;
  const { cut, published, p, factor: slanted } = triangle(step, T, cutFrac, ratio);
  const [f, below] = [(x) => format(x, 4), TOP - level];
  const lines = [`cut = ⌊${T} · ${f(cutFrac)}⌋ = ${cut}${cut ? "" : ": the run starts at its peak and falls until T"}`];
  if (step < cut) lines.push(`p = ${step} / ${cut} = ${f(p)}`);
  else if (cut) lines.push(`p = 1 − (${step} − ${cut}) / (${cut} · (1 / ${f(cutFrac)} − 1)) = ${f(published)}${published < 0 ? ", stopped at 0" : ""}`);
  else lines.push(`p = 1 − ${step} / ${T} = ${f(p)}`);
  lines.push(`triangle = (1 + ${f(p)} · (${ratio} − 1)) / ${ratio} = ${f(slanted)}`);
  lines.push(below ? `layer: ÷ ${f(factor)}${power(below)} = ${f(slanted / factor ** below)}` : "layer: the top group has the full rate");
  const epoch = epochOf(step, T);
  const from = TOP - level;
  if (!state.gradual) lines.push("no group is frozen");
  else lines.push(learns(state, level, step) ? `epoch ${epoch}: unfrozen since epoch ${from}, × 1` : `epoch ${epoch}: frozen until epoch ${from}, × 0`);
  if (published < 0) lines.push(`As published p is ${f(published)} and the triangle ${f((1 + published * (ratio - 1)) / ratio)}.`);
  return lines;
}

export function sentence(state) {
  const { level, step, T } = state;
  const now = rate(state, level, step);
  const best = Math.max(...range(T + 1).map((t) => rate(state, level, t)));
  const name = DATA.groups[level];
  const has = learns(state, level, step) ? `learns with ${format(now, 4)} of the peak rate` : "is frozen";
  return `At step ${step} of ${T}, *${name}* ${has}; its largest rate in the run is ${format(best, 4)}. One-cycle would stand at ${format(oneCycle(step, T), 4)}.`;
}

function tables(state) {
  const steps = [...new Set(range(11).map((i) => Math.round((i * state.T) / 10)))];
  return [
    table("Rates, as shares of the peak", ["group", ...steps.map((t) => `${t}`)],
      [...range(TOP + 1)].reverse().map((level) => [DATA.groups[level], ...steps.map((t) => (learns(state, level, t) ? format(rate(state, level, t), 3) : "frozen"))])),
    table("The schedules alone", ["schedule", ...steps.map((t) => `${t}`)], [
      ["triangle", ...steps.map((t) => format(triangle(t, state.T, state.cutFrac, state.ratio).factor, 3))],
      ["one-cycle", ...steps.map((t) => format(oneCycle(t, state.T), 3))],
    ]),
  ];
}

const STYLE = `
.controls{display:grid;grid-template-columns:repeat(auto-fit,minmax(160px,1fr));gap:8px 24px}
.controls label{display:block;font-weight:650}
input[type=range]{width:100%;height:44px;margin:0;accent-color:var(--_ink);cursor:pointer;display:block}
button[aria-pressed=true]{border-width:2px;font-weight:650;background:var(--_surface)}
.map{display:grid;grid-template-columns:64px minmax(0,1fr);gap:0 8px;margin-top:12px}
.names{display:grid;grid-template-rows:repeat(${TOP + 1},40px);align-items:center}
.cells{cursor:crosshair;touch-action:manipulation}
svg{display:block;width:100%}
.cells svg{height:${40 * (TOP + 1)}px;border:1px solid var(--_muted)}
.cells rect{fill:var(--_ink);shape-rendering:crispEdges}
.cells path{stroke:var(--_mask);stroke-width:1;vector-effect:non-scaling-stroke;fill:none}
.cells .mark{fill:none;stroke:var(--_ink);stroke-width:3;vector-effect:non-scaling-stroke}
.curves{height:120px;border:1px solid var(--_muted);overflow:visible}
.curves polyline{fill:none;stroke:var(--_ink);stroke-width:2.5;vector-effect:non-scaling-stroke}
.curves .other{stroke:var(--_muted);stroke-dasharray:6 5}
.curves line{stroke:var(--_ink);stroke-width:1;vector-effect:non-scaling-stroke}
.scale{display:flex;justify-content:space-between;grid-column:2}
.title{font-weight:650;margin-top:16px}
ol{list-style:none;margin:8px 0 0;padding:0;font-size:15px;line-height:24px}
.tables{overflow-x:auto}
.tables[hidden]{display:none}
@container (max-width:647px){.figure{padding:12px}th,td{padding:4px 2px;font-size:13px}}
`;

const shade = (x) => 0.05 + 0.75 * Math.min(1, Math.max(0, 1 + Math.log10(x) / 3));

export function render({ el }) {
  const { figure, close } = openFigure(el, "Who learns how fast, and when?", STYLE);
  let state = opening();
  const live = liveSentence();

  const slider = (name, words, digits = 2) => {
    const [id, text] = [newId(), h("span")];
    const [min, max, step] = DATA.ranges[name];
    const input = h("input", { type: "range", id, min, max, step, oninput: () => update({ [name]: Number(input.value) }) });
    const draw = () => { text.textContent = `${words} ${format(state[name], digits)}`; input.value = state[name]; };
    return { draw, node: h("div", {}, h("label", { for: id }, text), input) };
  };
  const sliders = [slider("T", "T =", 0), slider("cutFrac", "cut_frac ="), slider("ratio", "ratio =", 0), slider("factor", "factor =")];
  const thaw = button("Gradual unfreezing", () => update({ gradual: !state.gradual }));
  const tabular = tableToggle(() => tables(state));
  for (const [name, value] of [["tabindex", 0], ["role", "region"], ["aria-label", "Tables"]]) tabular.box.setAttribute(name, value); // it scrolls on a phone

  const cells = s("g");
  const mark = s("rect", { class: "mark", height: 1 });
  const map = s("svg", { preserveAspectRatio: "none", "aria-hidden": "true" }, cells, mark);
  const box = h("div", { class: "cells", role: "application", tabindex: 0, "aria-label": "Heat map: groups by steps. Arrows choose a cell.", onclick: pick, onkeydown: move }, map);
  const ends = h("p", { class: "scale muted", "aria-hidden": "true" });
  const curves = s("svg", { class: "curves", preserveAspectRatio: "none", role: "img" });
  const lines = h("ol", { "aria-label": "How the value comes about" });
  const [where, note] = [h("p", { class: "title" }), h("p", { class: "muted" })];

  function pick(event) {
    const frame = map.getBoundingClientRect();
    const along = (x, size, n) => Math.min(n - 1, Math.max(0, Math.floor((x / size) * n)));
    update({
      step: along(event.clientX - frame.left, frame.width, state.T + 1),
      level: TOP - along(event.clientY - frame.top, frame.height, TOP + 1),
    });
  }
  function move(event) {
    const far = { Home: -state.step, End: state.T - state.step, PageUp: 10, PageDown: -10, ArrowLeft: -1, ArrowRight: 1 }[event.key] ?? 0;
    const up = { ArrowUp: 1, ArrowDown: -1 }[event.key] ?? 0;
    if (!far && !up) return;
    event.preventDefault();
    update({ step: state.step + far, level: state.level + up });
  }

  function draw() {
    const { T, level, step, gradual } = state;
    sliders.forEach((one) => one.draw());
    thaw.setAttribute("aria-pressed", gradual);
    map.setAttribute("viewBox", `0 0 ${T + 1} ${TOP + 1}`);
    cells.replaceChildren(...tableOf(state).flatMap((row, group) => row.map((x, t) => (learns(state, group, t)
      ? s("rect", { x: t, y: TOP - group, width: 1, height: 1, "fill-opacity": shade(x).toFixed(3) })
      : s("path", { d: `M${t} ${TOP - group + 1}l1 -1` })))));
    mark.setAttribute("x", step);
    mark.setAttribute("y", TOP - level);
    mark.setAttribute("width", 1);
    ends.replaceChildren(h("span", {}, "step 0"), h("span", {}, `step ${T}`));
    const points = (f) => range(T + 1).map((t) => `${t},${(1 - f(t)).toFixed(4)}`).join(" ");
    curves.setAttribute("viewBox", `0 -0.05 ${T} 1.1`);
    curves.setAttribute("aria-label", `Two schedules over ${T} steps: the triangle peaks at step ${triangle(0, T, state.cutFrac, 1).cut}, one-cycle at ${format(DATA.one_cycle.rise * T, 1)}.`);
    curves.replaceChildren(s("polyline", { class: "other", points: points((t) => oneCycle(t, T)) }),
      s("polyline", { points: points((t) => triangle(t, T, state.cutFrac, state.ratio).factor) }), s("line", { x1: step, x2: step, y1: 0, y2: 1 }));
    where.textContent = `${DATA.groups[level]}, step ${step}: ${format(rate(state, level, step), 4)} of the peak rate`;
    lines.replaceChildren(...working(state).map((text) => h("li", {}, text)));
    note.textContent = `Solid: slanted triangle, ${format(triangle(step, T, state.cutFrac, state.ratio).factor, 3)} at step ${step}. Dashed: one-cycle, ${format(oneCycle(step, T), 3)}.`;
    tabular.refresh();
  }
  function update(change) {
    const next = { ...state, ...change };
    state = { ...next, step: Math.min(next.T, Math.max(0, next.step)), level: Math.min(TOP, Math.max(0, next.level)) };
    draw();
    live.say(sentence(state));
  }

  figure.append(
    h("div", { class: "controls" }, ...sliders.map(({ node }) => node)),
    toolbar("Rates", thaw, button("Reset", () => update(opening())), tabular.toggle),
    live.shown, live.spoken,
    h("p", { class: "muted" }, "Ink: the peak rate. Paper: a thousandth of it. Hatched: frozen. Click a cell, or move with the arrows."),
    h("div", { class: "map" }, h("div", { class: "names", "aria-hidden": "true" }, ...[...DATA.groups].reverse().map((name) => h("span", {}, name))), box, ends),
    where, lines,
    h("p", { class: "title" }, "The two schedules"), note,
    h("div", { class: "map" }, h("div", { class: "muted", "aria-hidden": "true" }, "1 at the top, 0 below"), curves),
    tabular.box,
  );
  draw();
  live.say(sentence(state), false);
  return close;
}

export default { render };
