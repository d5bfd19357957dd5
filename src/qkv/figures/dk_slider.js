// Question          Nothing is learned here.  Why does one word take everything?
// Opening state     d_k = 64, not scaled, eight keys: the top weight is near 1.
// Surprise          The slope with respect to q is not small throughout: its median vanishes while its mean grows.
// Reader's sentence Dot products spread like √d_k; dividing restores a spread of 1, and softmax stays able to learn.
import { button, choose, format, h, liveSentence, openFigure, radios, range, s, setBar, softmax, sum, table, tableToggle, toolbar, write } from "./shared.js";

const LN = Math.log(DATA.keys);
const REACH = 72; // the score axis: three spreads of √512 and a little more
const opening = () => ({ stop: DATA.stops.indexOf(64), scaled: false, draw: 0, slope: "slope" });

// ---- coins: mulberry32, a generator of 32-bit words; word n is a hash of seed + (n + 1) · 0x6D2B79F5

export function word(seed, n) {
  const a = (seed + Math.imul(n + 1, 0x6d2b79f5)) | 0;
  let t = Math.imul(a ^ (a >>> 15), a | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return (t ^ (t >>> 14)) >>> 0;
}

function ones(x) {
  x -= (x >>> 1) & 0x55555555;
  x = (x & 0x33333333) + ((x >>> 2) & 0x33333333);
  return Math.imul((x + (x >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** Scores of one query with eight keys and the keys' dot products; a bit is a coin, so q·k = d − 2 · (bits that differ). */
export function sample(seed, draw, d) {
  const size = Math.ceil(d / 32);
  const mask = d < 32 ? 2 ** d - 1 : -1;
  const first = draw * (DATA.keys + 1) * size;
  const vectors = range(DATA.keys + 1).map((v) => Int32Array.from({ length: size }, (_, i) => word(seed, first + v * size + i) & mask));
  const product = (a, b) => { let differ = 0; for (let i = 0; i < size; i++) differ += ones(a[i] ^ b[i]); return d - 2 * differ; };
  const keys = vectors.slice(1);
  return { scores: keys.map((key) => product(vectors[0], key)), gram: keys.map((a) => keys.map((b) => product(a, b))) };
}

/** Weights, their entropy, and the norms of their slope J = diag(w) − wwᵀ and of ∂w/∂q = scale · J K. */
export function measure({ scores, gram }, scale) {
  const w = softmax(scores.map((score) => score * scale));
  const slopes = w.map((a, i) => w.map((b, j) => (i === j ? a : 0) - a * b));
  let [slope, slopeQ] = [0, 0];
  for (let i = 0; i < w.length; i++) for (let j = 0; j < w.length; j++) {
    slope += slopes[i][j] ** 2;
    for (let k = 0; k < w.length; k++) slopeQ += slopes[k][i] * slopes[k][j] * gram[i][j];
  }
  const entropy = sum(w.map((x) => (x > 0 ? -x * Math.log(x) : 0)));
  return { weights: [...w].sort((a, b) => b - a), top: Math.max(...w), entropy, slope: Math.sqrt(slope), slope_q: scale * Math.sqrt(Math.max(0, slopeQ)) };
}

export function spread(values) {
  const sorted = Float64Array.from(values).sort();
  const at = (share) => {
    const place = share * (sorted.length - 1);
    const below = Math.floor(place);
    return sorted[below] + (place - below) * ((sorted[below + 1] ?? sorted[below]) - sorted[below]);
  };
  return { low: at(0.1), median: at(0.5), high: at(0.9), mean: sum(values) / values.length };
}

/** All draws at one d_k: how often each score occurs, and the spread of every quantity, [not scaled, scaled]. */
export function summary(d) {
  const draws = range(DATA.draws).map((draw) => sample(DATA.seed, draw, d));
  const counts = new Map();
  for (const { scores } of draws) for (const score of scores) counts.set(score, (counts.get(score) ?? 0) + 1);
  const spreads = [1, 1 / Math.sqrt(d)].map((scale) => {
    const all = draws.map((draw) => measure(draw, scale));
    return Object.fromEntries(["top", "entropy", "slope", "slope_q"].map((name) => [name, spread(all.map((one) => one[name]))]));
  });
  return { counts, spreads };
}

const summaries = [];
const summaryAt = (stop) => (summaries[stop] ??= summary(DATA.stops[stop]));

export function present({ stop, scaled, draw }) {
  const d = DATA.stops[stop];
  const one = sample(DATA.seed, draw, d);
  return { d, both: [1, 1 / Math.sqrt(d)].map((scale) => measure(one, scale)), scaled: Number(scaled) };
}

const small = (x) => (x > 0 && x < 0.001 ? format(x, 5) : format(x, 3));

export function sentence(state) {
  const { d, both, scaled } = present(state);
  const { top, entropy } = both[scaled];
  const { median, mean } = summaryAt(state.stop).spreads[scaled][state.slope];
  const version = scaled ? `divided by ${format(Math.sqrt(d))}` : "not scaled";
  const slope = state.slope === "slope" ? "Slope" : "Slope with respect to q";
  return `d_k = ${d}, ${version}: the top key takes ${format(top)}, entropy ${format(entropy)} of ${format(LN)}. `
    + `${slope}: median ${small(median)}, mean ${small(mean)}.`;
}

const VERSIONS = ["not scaled", "÷ √d_k"];

function tables(state) {
  const { d, both } = present(state);
  const one = table(`Draw ${state.draw + 1} at d_k = ${d}: the eight weights, sorted`, ["rank", ...VERSIONS],
    range(DATA.keys).map((i) => [`${i + 1}`, ...both.map(({ weights }) => format(weights[i], 4))]));
  const all = VERSIONS.map((name, v) => table(`${name}: ${DATA.draws} draws`, ["d_k", "top weight, median", "entropy, median", "slope, median / mean", "slope w.r.t. q, median / mean"],
    DATA.stops.map((stop, i) => {
      const { top, entropy, slope, slope_q: slopeQ } = summaryAt(i).spreads[v];
      return [`${stop}`, small(top.median), small(entropy.median), `${small(slope.median)} / ${small(slope.mean)}`, `${small(slopeQ.median)} / ${small(slopeQ.mean)}`];
    })));
  return [one, ...all];
}

// ---- four rows, each with the two versions one above the other on the same axes

const STYLE = `
.top{display:flex;flex-wrap:wrap;gap:8px 24px;align-items:center}
.slider{flex:1 1 280px}
.big{display:block;font-size:26px;line-height:32px;font-weight:650}
input[type=range]{width:100%;height:44px;margin:0;accent-color:var(--_ink);cursor:pointer}
.stops{display:flex;justify-content:space-between;margin:-6px 0 8px;padding:0 1px}
.stops span{width:32px;text-align:center}.stops span:first-child{margin-left:-8px}.stops span:last-child{margin-right:-8px}
.rows{display:grid;gap:24px;margin-top:16px}
.title{font-weight:650}
.pair{display:grid;grid-template-columns:100px minmax(0,1fr);gap:8px 12px;align-items:center;margin-top:8px}
.name{font-size:14px;line-height:18px;color:var(--_muted);padding:4px 0 4px 8px;border-left:3px solid transparent}
.name.on{border-color:var(--_ink);color:var(--_ink);font-weight:650}
.chart{position:relative;--bar:color-mix(in srgb,var(--_ink) 45%,var(--_page))}
.chart.on{--bar:var(--_ink)}
svg{display:block;width:100%;overflow:visible}
.axis{display:flex;justify-content:space-between;grid-column:2;font-size:13px;line-height:16px;color:var(--_muted);text-align:center}
.counts{height:52px;border-bottom:1px solid var(--_muted)}
.counts path{stroke:var(--bar);vector-effect:non-scaling-stroke}
.bracket{position:relative;height:8px;margin:4px auto 0;border:2px solid var(--_ink);border-top:0;width:var(--is);min-width:4px;transition:width .18s}
.caption{font-size:14px;line-height:20px;text-align:center}
.weights{display:grid;grid-template-columns:repeat(8,1fr);gap:4px;text-align:center;font-size:14px}
.box{position:relative;height:56px;background:var(--_surface);border-radius:4px 4px 0 0;overflow:hidden;border-bottom:1px solid var(--_muted)}
.box::before{content:"";position:absolute;inset:auto 0 0;height:var(--is,0);background:var(--bar);transition:height .18s}
.gauge{display:grid;grid-template-columns:1fr 40px;gap:8px;align-items:center}
.gauge .box{height:20px;border:0;border-radius:4px}
.gauge .box::before{inset:0 auto 0 0;height:auto;width:var(--is,0);transition:width .18s}
.pair .trend{display:grid;grid-template-columns:repeat(6,1fr);gap:4px}
.trend .box{height:96px;border-radius:4px}
.trend .box::before{display:none}
.trend .here{outline:2px solid var(--_ink);background:var(--_page)}
.trend :is(i,b,u){position:absolute;left:20%;right:20%}
.trend i{background:color-mix(in srgb,var(--_ink) 25%,var(--_page));bottom:var(--low);height:max(1px,calc(var(--high) - var(--low)))}
.trend b{bottom:calc(var(--median) - 2px);height:4px;background:var(--bar)}
.trend u{left:calc(50% - 5px);right:auto;width:10px;height:10px;bottom:calc(var(--mean) - 5px);border:2px solid var(--bar);border-radius:50%;background:var(--_page)}
.hand{margin-top:24px;padding-top:12px;border-top:1px solid color-mix(in srgb,var(--_muted) 35%,transparent)}
.hand table{max-width:24rem}
@container (max-width:647px){.figure{padding:12px}button{padding:0 8px}.pair{grid-template-columns:minmax(0,1fr)}.axis{grid-column:1}.name{padding-block:0}.weights{font-size:13px}th,td{padding:4px 2px;font-size:13px}}
@media (prefers-reduced-motion:reduce){
.box::after{content:"";position:absolute;inset:auto 0 0;height:var(--was,0);border-top:2px dashed var(--_muted)}
.gauge .box::after{inset:0 auto 0 0;height:auto;width:var(--was,0);border:0;border-right:2px dashed var(--_muted)}
.trend .box::after{display:none}
}
`;

const tall = { slope: 0.5, slope_q: 5 };

function drawCounts(svg, counts, scale) {
  const most = Math.max(...counts.values());
  const place = (score) => 500 + (500 * score * scale) / REACH;
  const lines = [...counts].filter(([score]) => Math.abs(score * scale) <= REACH).map(([score, n]) => `M${place(score).toFixed(1)} 100V${(100 - (100 * n) / most).toFixed(1)}`);
  const gap = (500 * 2 * scale) / REACH; // scores lie 2 apart
  svg.replaceChildren(s("path", { d: lines.join(""), "stroke-width": Math.max(1, Math.min(3, gap / 4)) }));
}

/** Both versions of one chart, with names at their left. */
function charts(make, below = [], look = "") {
  const made = VERSIONS.map((name) => ({ name: h("div", { class: "name" }, name), chart: h("div", { class: "chart" }), parts: make() }));
  for (const { chart, parts } of made) chart.append(...parts.nodes);
  return { made, node: h("div", { class: "pair" }, ...made.flatMap(({ name, chart }) => [name, chart]), h("div", { class: look, "aria-hidden": "true" }, ...below.map((text) => h("span", {}, text)))) };
}

const row = (title, note, node) => h("div", {}, h("p", { class: "title" }, title), note, node);
const says = (text = "") => h("p", { class: "muted" }, text);

export function render({ el }) {
  const { figure, close } = openFigure(el, "Nothing is learned here. Why does one word take everything?", STYLE);
  let state = opening();
  const live = liveSentence();
  const last = DATA.stops.length - 1;

  const slider = h("input", { type: "range", "aria-label": "d_k", min: 0, max: last, step: 1, oninput: () => update({ stop: Number(slider.value) }) });
  const shown = h("span", { class: "big", "aria-hidden": "true" });
  const version = radios("Version in play", VERSIONS, "", (name) => update({ scaled: name === VERSIONS[1] }));
  const slopes = radios("Slope with respect to", ["softmax's input", "q"], "", (name) => update({ slope: name === "q" ? "slope_q" : "slope" }));
  const tabular = tableToggle(() => tables(state));
  const seed = says();

  const A = charts(() => {
    const svg = s("svg", { class: "counts", viewBox: "0 0 1000 100", preserveAspectRatio: "none", role: "img" });
    const [bracket, caption] = [h("div", { class: "bracket" }), h("p", { class: "caption" })];
    return { svg, bracket, caption, nodes: [svg, bracket, caption] };
  }, [`−${REACH}`, "score 0", `${REACH}`], "axis");
  const B = charts(() => {
    const columns = range(DATA.keys).map(() => [h("div", { class: "box" }), h("span", {})]);
    const box = h("div", { class: "weights" }, ...columns.map((parts) => h("div", {}, ...parts)));
    return { columns, nodes: [box] };
  });
  const C = charts(() => {
    const [box, number] = [h("div", { class: "box" }), h("span", {})];
    return { box, number, nodes: [h("div", { class: "gauge" }, box, number)] };
  });
  const D = charts(() => {
    const boxes = DATA.stops.map(() => h("div", { class: "box" }, h("i"), h("b"), h("u")));
    const caption = says();
    return { boxes, caption, nodes: [h("div", { class: "trend", "aria-hidden": "true" }, ...boxes), caption] };
  }, DATA.stops.map(String), "trend axis");
  const slopeNote = says();

  function draw() {
    const { d, both, scaled } = present(state);
    slider.value = state.stop;
    slider.setAttribute("aria-valuetext", `d_k = ${d}`);
    shown.textContent = `d_k = ${d}`;
    choose(version, VERSIONS[scaled]);
    choose(slopes, state.slope === "slope" ? "softmax's input" : "q");
    seed.textContent = `Draw ${state.draw + 1} of ${DATA.draws}; seed ${DATA.seed}.`;
    slopeNote.textContent = `${state.slope === "slope" ? "‖diag(w) − wwᵀ‖, at softmax's own input" : "‖∂w/∂q‖"}. Bar: 10–90 % of ${DATA.draws} draws; line: median; ring: mean. Top of the axis: ${tall[state.slope]}.`;
    const { counts } = summaryAt(state.stop);
    both.forEach((one, v) => {
      for (const { made } of [A, B, C, D]) for (const part of [made[v].name, made[v].chart]) part.classList.toggle("on", v === scaled);
      const scale = v ? 1 / Math.sqrt(d) : 1;
      const a = A.made[v].parts;
      drawCounts(a.svg, counts, scale);
      a.svg.setAttribute("aria-label", `Scores spread by about ${format(Math.sqrt(d) * scale)} on either side of 0.`);
      setBar(a.bracket, (Math.sqrt(d) * scale) / REACH);
      a.caption.textContent = v ? "±1" : `±√${d} = ±${format(Math.sqrt(d))}` + (d === 4 ? "; −4 −2 0 2 4 occur 1 : 4 : 6 : 4 : 1 of 16" : "");
      one.weights.forEach((weight, i) => { const [box, number] = B.made[v].parts.columns[i]; setBar(box, weight); write(number, format(weight)); });
      setBar(C.made[v].parts.box, one.entropy / LN);
      write(C.made[v].parts.number, format(one.entropy));
      D.made[v].parts.boxes.forEach((box, i) => {
        const all = summaryAt(i).spreads[v][state.slope];
        for (const [name, value] of Object.entries(all)) box.style.setProperty(`--${name}`, `${Math.min(100, (100 * value) / tall[state.slope]).toFixed(2)}%`);
        box.classList.toggle("here", i === state.stop);
      });
      const { median, mean } = summaryAt(state.stop).spreads[v][state.slope];
      D.made[v].parts.caption.textContent = `At ${d}: median ${small(median)}, mean ${small(mean)}`;
    });
    tabular.refresh();
  }
  function update(change) {
    state = { ...state, ...change };
    draw();
    live.say(sentence(state));
  }

  figure.append(
    h("div", { class: "top" },
      h("div", { class: "slider" }, shown, slider, h("div", { class: "stops muted", "aria-hidden": "true" }, ...DATA.stops.map((stop) => h("span", {}, String(stop))))),
      version),
    toolbar("Draws", button("Draw again", () => update({ draw: (state.draw + 1) % DATA.draws }), { class: "main" }), button("Reset", () => update(opening())), tabular.toggle),
    live.shown, live.spoken,
    h("div", { class: "rows" },
      row("Scores of a query with its keys", says("All entries are coins, +1 or −1. Height: how often each score occurs."), A.node),
      row("Eight weights, sorted", seed, B.node),
      row(`Entropy of these weights, at most ln ${DATA.keys} = ${format(LN)}`, "", C.node),
      row("Slope of the weights", h("p", { class: "muted" }, "with respect to ", slopes), h("div", {}, slopeNote, D.node))),
    h("div", { class: "hand" }, table("By hand: two keys", ["score gap", "slope w (1 − w)"],
      [0, 2, 4, 8].map((gap) => { const [w] = softmax([gap, 0]); return [format(gap), format(w * (1 - w), gap > 4 ? 4 : 3)]; }))),
    tabular.box,
  );
  draw();
  live.say(sentence(state), false);
  return close;
}

export default { render };
