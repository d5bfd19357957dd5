// Question          Which layer tells the two banks apart?
// Opening state     Equal shares, γ = 1: ten banks in the plane, each tied to the one that is nearest to it.
// Surprise          With all of the share on the token layer the ten are one point; γ moves every point and changes no tie.
// Reader's sentence A layer that has not read the sentence cannot tell the banks apart; the shares choose among the layers, γ sets the size.
import { button, format, h, liveSentence, newId, openFigure, range, s, softmax, sum, table, tableToggle, toolbar } from "./shared.js";

const LAYERS = DATA.plane.length;
const COUNT = DATA.sentences.length;
const NAMES = range(LAYERS).map((j) => (j ? `layer ${j}` : "token layer"));
const opening = () => ({ weights: range(LAYERS).map(() => 0), gamma: 1 });

// ---- arithmetic

/** γ Σ s_j of the points of each layer: where every bank lies in the plane. */
export function points({ weights, gamma }) {
  const shares = softmax(weights);
  return range(COUNT).map((i) => [0, 1].map((axis) => gamma * sum(shares.map((share, j) => share * DATA.plane[j][i][axis]))));
}

const product = (shares, a, b) => sum(range(LAYERS).flatMap((j) => range(LAYERS).map((k) => {
  const [row, column] = [j * COUNT + a, k * COUNT + b];
  return shares[j] * shares[k] * DATA.products[Math.max(row, column)][Math.min(row, column)];
})));

/** The cosine of two banks under the mix, in all entries of their vectors; γ cancels. */
export function cosine({ weights }, a, b) {
  const shares = softmax(weights);
  return product(shares, a, b) / Math.sqrt(product(shares, a, a) * product(shares, b, b));
}

/** For each bank the nearest other one, or -1 where all others are equally near. */
export function neighbours(state) {
  return range(COUNT).map((a) => {
    const cosines = range(COUNT).map((b) => (a === b ? -2 : cosine(state, a, b)));
    const best = Math.max(...cosines);
    const near = cosines.map((x) => x >= best - DATA.tie);
    return near.every((yes, b) => yes || a === b) ? -1 : near.indexOf(true);
  });
}

const senseOf = (i) => DATA.sentences[i][0];
export const agreeing = (state) => neighbours(state).filter((j, i) => j >= 0 && senseOf(i) === senseOf(j)).length;

export function sentence(state) {
  const shares = softmax(state.weights).map((x) => format(x)).join(", ");
  const fate = neighbours(state).every((j) => j < 0) ? "all ten banks are one and the same vector" : `for ${agreeing(state)} of ${COUNT} banks the nearest other bank means the same`;
  return `Shares ${shares}, γ ${format(state.gamma)}: ${fate}.`;
}

function tables(state) {
  const [where, near] = [points(state), neighbours(state)];
  return [table("The ten banks under this mix", ["sentence", "sense", "x", "y", "nearest", "cosine"],
    DATA.sentences.map(([sense, text], i) => [`${i + 1}. ${text}`, sense, ...where[i].map((x) => format(x)),
      near[i] < 0 ? "all" : `${near[i] + 1}`, near[i] < 0 ? "1" : format(cosine(state, i, near[i]), 3)]))];
}

const STYLE = `
.controls{display:grid;grid-template-columns:repeat(auto-fit,minmax(160px,1fr));gap:8px 24px}
.controls label{display:block;font-weight:650}
input[type=range]{width:100%;height:44px;margin:0;accent-color:var(--_ink);cursor:pointer;display:block}
.both{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,1fr);gap:24px;margin-top:16px}
.title{font-weight:650}
svg{display:block;width:100%;margin-top:8px;border:1px solid var(--_muted)}
.axis{stroke:var(--_muted);stroke-width:.5;stroke-dasharray:2 3}
.tie{stroke:var(--_ink);stroke-width:1}
.tie.off{stroke-dasharray:4 3}
.money{fill:var(--_page);stroke:var(--_ink);stroke-width:2}
.river{fill:var(--_surface);stroke:var(--_ink);stroke-width:2}
svg text{fill:var(--_ink);font-size:11px;text-anchor:middle;dominant-baseline:central}
ol{list-style:none;margin:8px 0 0;padding:0}
li{display:grid;grid-template-columns:28px 28px minmax(0,1fr);gap:0 4px;padding:3px 0;border-top:1px solid color-mix(in srgb,var(--_muted) 35%,transparent);font-size:15px;line-height:20px}
li b{text-align:center}
.mark{width:22px;height:22px;border:2px solid var(--_ink);font-size:12px;line-height:18px;text-align:center;border-radius:50%}
.mark.river{border-radius:3px;background:var(--_surface)}
@container (max-width:647px){.figure{padding:12px}.both{grid-template-columns:minmax(0,1fr)}th,td{padding:4px 2px;font-size:13px}}
`;

const SIZE = 300;
const largest = (where) => Math.max(...where.flat(9).map(Math.abs));

/** Half the width of the frame: room for the largest γ, whatever the shares; one point stays one point. */
export const reach = ({ weights }) => DATA.furthest * Math.max(largest(points({ weights, gamma: 1 })), largest(DATA.plane) / 1000);

/** The plane: a mark per bank, round for money and square for river, and a line to the nearest other one. */
function plot() {
  const ties = range(COUNT).map(() => s("line"));
  const marks = range(COUNT).map((i) => (senseOf(i) === "river"
    ? s("rect", { class: "river", x: -9, y: -9, width: 18, height: 18, rx: 2 }) : s("circle", { class: "money", r: 9.5 })));
  const groups = marks.map((mark, i) => s("g", {}, mark, s("text", {}, `${i + 1}`)));
  const axes = [s("line", { class: "axis", x1: 0, x2: SIZE, y1: SIZE / 2, y2: SIZE / 2 }), s("line", { class: "axis", y1: 0, y2: SIZE, x1: SIZE / 2, x2: SIZE / 2 })];
  const svg = s("svg", { viewBox: `0 0 ${SIZE} ${SIZE}`, role: "img" }, ...axes, ...ties, ...groups);
  const draw = (state) => {
    const at = (x) => (SIZE / 2) * (1 + (0.92 * x) / reach(state));
    const [where, near] = [points(state).map(([x, y]) => [at(x), SIZE - at(y)]), neighbours(state)];
    where.forEach(([x, y], i) => {
      groups[i].setAttribute("transform", `translate(${x.toFixed(2)} ${y.toFixed(2)})`);
      const [u, v] = near[i] < 0 ? [x, y] : where[near[i]];
      for (const [name, value] of Object.entries({ x1: x, y1: y, x2: u, y2: v })) ties[i].setAttribute(name, value.toFixed(2));
      ties[i].setAttribute("class", near[i] >= 0 && senseOf(i) === senseOf(near[i]) ? "tie" : "tie off");
    });
    svg.setAttribute("aria-label", `Ten banks in the plane. ${sentence(state)}`);
  };
  return { draw, node: svg };
}

export function render({ el }) {
  const { figure, close } = openFigure(el, "Which layer tells the two banks apart?", STYLE);
  let state = opening();
  const live = liveSentence();

  const slider = (min, max, step, change) => {
    const [id, words] = [newId(), h("span")];
    const input = h("input", { type: "range", id, min, max, step, oninput: () => update(change(Number(input.value))) });
    return { input, words, node: h("div", {}, h("label", { for: id }, words), input) };
  };
  const layers = range(LAYERS).map((j) => slider(-8, 8, 0.5, (value) => ({ weights: state.weights.map((w, k) => (j === k ? value : w)) })));
  const gamma = slider(0.1, DATA.furthest, 0.1, (value) => ({ gamma: value }));
  const tabular = tableToggle(() => tables(state));
  const picture = plot();
  const frame = h("p", { class: "muted" });
  const items = DATA.sentences.map(([sense, text], i) => {
    const sign = h("b");
    const [before, after] = text.split(DATA.word);
    const mark = h("span", { class: `mark ${sense}` }, `${i + 1}`);
    return { sign, node: h("li", {}, mark, sign, h("span", {}, before, h("strong", {}, DATA.word), after)) };
  });

  function draw() {
    const shares = softmax(state.weights);
    layers.forEach(({ input, words }, j) => {
      input.value = state.weights[j];
      words.textContent = `s${"₀₁₂₃₄"[j]}, ${NAMES[j]}: ${format(shares[j])}`;
      input.setAttribute("aria-valuetext", `weight ${format(state.weights[j])}, share ${format(shares[j])}`);
    });
    gamma.input.value = state.gamma;
    gamma.words.textContent = `γ = ${format(state.gamma)}`;
    picture.draw(state);
    neighbours(state).forEach((j, i) => {
      const [sign, says] = j < 0 ? ["=", "all others equally near"] : senseOf(i) === senseOf(j) ? ["✓", `nearest is ${j + 1}, the same sense`] : ["✗", `nearest is ${j + 1}, the other sense`];
      items[i].sign.textContent = sign;
      items[i].sign.setAttribute("role", "img");
      items[i].sign.setAttribute("aria-label", says);
    });
    frame.textContent = `The frame reaches from −${format(reach(state), 3)} to ${format(reach(state), 3)}; its middle is the mean of the ten.`;
    tabular.refresh();
  }
  function update(change) {
    state = { ...state, ...change };
    draw();
    live.say(sentence(state));
  }

  figure.append(
    h("div", { class: "controls" }, ...layers.map(({ node }) => node), gamma.node),
    toolbar("Mix", button("Reset", () => update(opening())), tabular.toggle),
    live.shown, live.spoken,
    h("div", { class: "both" },
      h("div", {}, h("p", { class: "title" }, "Ten banks in the plane"), h("p", { class: "muted" }, "Round: money. Square: river. A line leads to the nearest other bank, by the cosine of all entries; it is dashed to the other sense."), picture.node, frame),
      h("div", {}, h("p", { class: "title" }, "The sentences"), h("p", { class: "muted" }, "✓ the nearest other bank has the same sense, ✗ the other one, = all are equally near"), h("ol", {}, ...items.map(({ node }) => node)))),
    tabular.box,
  );
  draw();
  live.say(sentence(state), false);
  return close;
}

export default { render };
