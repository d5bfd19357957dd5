// Question          How many tokens may come next?
// Opening state     “The President of the United”, temperature 1, p .9: next to nothing else is left.
// Surprise          The same p leaves hundreds of tokens after another beginning; the same k leaves as many everywhere.
// Reader's sentence Top-k keeps as many tokens where the model is sure as where it is not; top-p keeps few where it is sure and many where it is not.
import { button, choose, format, h, liveSentence, newId, openFigure, radios, range, softmax, sum, table, tableToggle, toolbar } from "./shared.js";

const STOPS = [1, 2, 3, 5, 10, 20, 40, 100, 300, 1000, Infinity];
const SHOWN = 12;
const opening = () => ({ beginning: 0, temperature: 1, topK: Infinity, topP: 0.9, draws: 0 });

/** Every score of a beginning, best first. */
export function scoresOf(beginning) {
  const { best, rest } = DATA.beginnings[beginning];
  return [...best, ...rest.flatMap(([point, count]) => range(count).map(() => point * DATA.grid))];
}

/** The odds of every token: temperature, then the best k, then the fewest that reach p. */
export function odds({ beginning, temperature, topK, topP }) {
  const hot = scoresOf(beginning).map((score) => score / temperature);
  const shares = softmax(hot.map((score, i) => (i < topK ? score : -Infinity)));
  let before = 0;
  const kept = shares.map((share, i) => {
    const keep = i < topK && (topP >= 1 || before < topP);
    before += share;
    return keep;
  });
  return softmax(hot.map((score, i) => (kept[i] ? score : -Infinity)));
}

/** How many may be drawn, how many of them hold half of the odds, and the odds beyond the bars. */
export function summary(state) {
  const now = odds(state);
  let [half, total] = [0, 0];
  while (total < 0.5) total += now[half++];
  return { kept: now.filter((each) => each > 0).length, half, beyond: sum(now.slice(SHOWN)) };
}

/** Word n of mulberry32, as a share of 2^32. */
export function uniform(seed, n) {
  const state = (seed + Math.imul(n + 1, 0x6D2B79F5)) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), state | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
}

/** Ten places of the ordered list, drawn by their odds. */
export function drawn(state) {
  const now = odds(state);
  return range(10).map((n) => {
    const u = uniform(state.beginning + 1, 10 * (state.draws - 1) + n);
    let [i, total] = [0, now[0]];
    while (total < u && i < now.length - 1) total += now[++i];
    return i;
  });
}

const nameOf = (beginning, i) => DATA.beginnings[beginning].tokens[i] ?? "(a rare one)";
const quoted = (text) => `“${text}”`;

export function sentence(state) {
  const { kept, half } = summary(state);
  const now = odds(state);
  const few = half === 1 ? "one of them has" : `${half} of them have`;
  const many = kept === 1 ? "one token is left" : `${kept} tokens may be drawn, and ${few} half of the odds`;
  const k = state.topK === Infinity ? "no k" : `k ${state.topK}`;
  return `T ${format(state.temperature)}, ${k}, p ${format(state.topP)}: ${many}; the best, ${quoted(nameOf(state.beginning, 0))}, has ${format(now[0], 3)}.`;
}

const STYLE = `
.controls{display:grid;grid-template-columns:repeat(3,minmax(0,1fr));gap:16px;margin-top:12px}
.begin{margin-top:4px}
.begin .chip{margin:2px}
input[type=range]{width:100%;height:44px;margin:0;accent-color:var(--_ink);cursor:pointer;display:block}
label{font-weight:650}
.chip{font-weight:400}
.rows{display:grid;gap:2px;margin:12px 0}
.row{display:grid;grid-template-columns:9em minmax(0,1fr) 9em;gap:12px;align-items:center;min-height:26px}
.row code{font:15px/22px ui-monospace,monospace;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.row.cut{color:var(--_muted)}
.row.cut code{text-decoration:line-through}
.track{position:relative;height:16px}
.now,.was{position:absolute;left:0;top:0;height:100%}
.now{background:var(--_ink)}
.was{border:1px solid var(--_muted);border-left:0}
.title{font-weight:650;margin-top:16px}
.drawn{min-height:48px}
@container (max-width:647px){.controls{grid-template-columns:minmax(0,1fr);gap:4px}.row{grid-template-columns:7em minmax(0,1fr) 6.5em;gap:6px;font-size:14px}}
`;

export function render({ el }) {
  const { figure, close } = openFigure(el, "How many tokens may come next?", STYLE);
  let state = opening();
  const live = liveSentence();
  const texts = DATA.beginnings.map(({ text }) => text);
  const group = radios("Beginning", texts, texts[0], (text) => update({ beginning: texts.indexOf(text), draws: 0 }));
  const slider = (min, max, step, change) => {
    const [id, words] = [newId(), h("span")];
    const input = h("input", { type: "range", id, min, max, step, oninput: () => update({ ...change(Number(input.value)), draws: 0 }) });
    return { input, words, node: h("div", {}, h("label", { for: id }, words), input) };
  };
  const heat = slider(0.2, 3, 0.1, (value) => ({ temperature: value }));
  const best = slider(0, STOPS.length - 1, 1, (value) => ({ topK: STOPS[value] }));
  const mass = slider(0.05, 1, 0.05, (value) => ({ topP: value }));
  const bars = range(SHOWN + 1).map(() => {
    const parts = [h("code"), h("span", { class: "was" }), h("span", { class: "now" }), h("span")];
    return { parts, node: h("div", { class: "row" }, parts[0], h("span", { class: "track" }, parts[1], parts[2]), parts[3]) };
  });
  const result = h("p", { class: "drawn" });
  const tabular = tableToggle(() => [
    table("The best tokens", ["token", "chance", "odds now"], lines().map(({ name, was, now }) => [name, format(was, 4), format(now, 4)])),
  ]);

  /** The bars' numbers: the twelve best tokens, then all others together. */
  function lines() {
    const [was, now] = [softmax(scoresOf(state.beginning)), odds(state)];
    const all = range(SHOWN).map((i) => ({ name: nameOf(state.beginning, i), was: was[i], now: now[i] }));
    return [...all, { name: `${was.length - SHOWN} more`, was: sum(was.slice(SHOWN)), now: sum(now.slice(SHOWN)) }];
  }
  function draw() {
    choose(group, texts[state.beginning]);
    heat.input.value = state.temperature;
    heat.words.textContent = `temperature T = ${format(state.temperature)}`;
    best.input.value = STOPS.indexOf(state.topK);
    best.words.textContent = state.topK === Infinity ? "top-k: off" : `top-k: k = ${state.topK}`;
    best.input.setAttribute("aria-valuetext", state.topK === Infinity ? "off" : `${state.topK}`);
    mass.input.value = state.topP;
    mass.words.textContent = `top-p: p = ${format(state.topP)}${state.topP >= 1 ? ", off" : ""}`;
    lines().forEach(({ name, was, now }, i) => {
      const [word, before, after, number] = bars[i].parts;
      word.textContent = i < SHOWN ? quoted(name) : name;
      before.style.width = `${100 * was}%`;
      after.style.width = `${100 * now}%`;
      number.textContent = `${format(was, 3)} → ${now ? format(now, 3) : "cut"}`;
      bars[i].node.className = now ? "row" : "row cut";
    });
    result.textContent = state.draws ? `Ten draws: ${drawn(state).map((i) => quoted(nameOf(state.beginning, i))).join(" ")}` : "";
    tabular.refresh();
  }
  function update(change) {
    state = { ...state, ...change };
    draw();
    live.say(sentence(state));
  }

  figure.append(
    h("p", { class: "muted" }, "The text begins with"), h("div", { class: "begin" }, group),
    h("div", { class: "controls" }, heat.node, best.node, mass.node),
    toolbar("Next token", button("Draw ten", () => update({ draws: state.draws + 1 })), button("Reset", () => update(opening())), tabular.toggle),
    live.shown, live.spoken,
    h("p", { class: "title" }, "The best tokens"),
    h("p", { class: "muted" }, "Frame: the model's chance. Filled: the odds now. A space before a word belongs to its token."),
    h("div", { class: "rows", role: "group", "aria-label": "Odds" }, ...bars.map(({ node }) => node)),
    result, tabular.box,
  );
  draw();
  live.say(sentence(state), false);
  return close;
}

export default { render };
