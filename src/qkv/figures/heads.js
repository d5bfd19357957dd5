// Question          One of three heads is silent, and hardly anything is lost.  Is it useless?
// Opening state     "The cat left the mat."  Two heads ask who, one asks what; the first is silent and the loss near 0.
// Surprise          Each of the two "who" heads can go alone at no cost; both together cost ln 2.
// Reader's sentence A head that can be removed alone is not a head that does nothing: another may stand in for it.
import { attend, button, choose, format, h, italic, liveSentence, openFigure, pair, radios, range, rove, setBar, softmax, sum, table, tableToggle, toolbar, write } from "./shared.js";

const ASKED = ["who", "what"];
const SENTENCES = DATA.orders.map((words) => `The ${words[0]} left the ${words[2]}.`);
const MOST = 2 * Math.LN2; // guessing between two nouns, twice
const opening = () => ({ order: 0, gates: [0, 1, 1] });

/** Every head's weights and outputs, row by row, the two answers as shares of the two nouns, and the loss in nats. */
export function compute({ order, gates }) {
  const words = DATA.orders[order];
  const values = words.map((word) => DATA.values[word]);
  const heads = DATA.heads.map(({ key }) => DATA.query.map((query) => attend(query, key, values, [true, true, true])));
  const scores = (name, i) => DATA.output * sum(DATA.heads.map((head, n) => (head.asks === name ? gates[n] * heads[n][DATA.row].output[i] : 0)));
  const answers = ASKED.map((name) => softmax(DATA.nouns.map((_, i) => scores(name, i))));
  const right = [words[0], words[2]].map((noun) => DATA.nouns.indexOf(noun));
  return { words, heads, answers, right, loss: -sum(answers.map((shares, a) => Math.log(shares[right[a]]))) };
}

const ALL = compute({ order: 0, gates: [1, 1, 1] }).loss; // the same for both sentences
const nats = (x) => format(x, 3);
const label = (n) => `Head ${n + 1}: ${DATA.heads[n].asks}`;
const listed = (parts) => (parts.length > 1 ? `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}` : parts[0]);

export function sentence(state) {
  const { answers, loss } = compute(state);
  const silent = range(3).filter((n) => !state.gates[n]);
  const names = listed(silent.map((n) => `${n + 1} (${DATA.heads[n].asks})`));
  const who = silent.length ? `Silent: ${names}.` : "All heads are on.";
  const [first, second] = answers.map((shares, a) => (Math.abs(shares[0] - 0.5) < 1e-9 ? `${ASKED[a]} is a guess` : `${ASKED[a]} is ${DATA.nouns[shares[0] > 0.5 ? 0 : 1]}`));
  const more = loss - ALL > 5e-4 ? `, ${nats(loss - ALL)} more than with all heads` : "";
  return `${who} For *left*, ${first}, ${second}. Loss ${nats(loss)} nats${more}.`;
}

function tables(state) {
  const { words, heads, answers, loss } = compute(state);
  const rows = heads.map((head, n) => table(`${label(n)}, ${state.gates[n] ? "on" : "silent"}: weights, rows ask`, ["word", ...words, "hands over"],
    words.map((word, r) => [word, ...head[r].weights.map((w) => format(w)), state.gates[n] ? pair(head[r].output) : "(0, 0)"])));
  const last = table(`Answers for left; loss ${nats(loss)} nats`, ["question", ...DATA.nouns], ASKED.map((name, a) => [name, ...answers[a].map((p) => format(p, 3))]));
  return [...rows, last];
}

const STYLE = `
.heads{display:grid;grid-template-columns:repeat(3,minmax(0,1fr));gap:16px;margin-top:16px}
.card{border:1px solid color-mix(in srgb,var(--_muted) 35%,transparent);border-radius:4px;padding:8px;min-width:0}
.card button{width:100%;display:flex;justify-content:space-between;align-items:center;gap:8px}
.card button[aria-checked=true]{border:2px solid var(--_ink);font-weight:650}
.card button[aria-checked=false]{border-style:dashed}
.grid{display:grid;grid-template-columns:40px repeat(3,minmax(36px,1fr));gap:2px;margin:12px 0 8px;font-size:14px;text-align:center}
.grid b{font-weight:400;color:var(--_muted);line-height:32px;text-align:left}
.grid b.top{text-align:center;line-height:20px}
.grid b.asks{color:var(--_ink);font-weight:650}
.grid span{line-height:32px;border-radius:2px;background:color-mix(in srgb,var(--_ink) calc(var(--is,0%)*.4),var(--_page));transition:background .18s}
.grid span.asks{outline:1px solid var(--_ink)}
.off .grid span{background:repeating-linear-gradient(135deg,color-mix(in srgb,var(--_mask) 35%,var(--_page)) 0 1px,var(--_page) 1px 6px)}
.off .grid span.asks{outline-style:dashed}
.gives{font-size:14px;line-height:20px;min-height:20px}
.result{display:grid;gap:16px 24px;grid-template-columns:repeat(2,minmax(0,1fr));margin:16px 0}
.lines{display:grid;grid-template-columns:52px minmax(0,1fr) 44px;gap:4px 8px;align-items:center;font-size:14px}
.box{position:relative;height:20px;background:var(--_surface);border-radius:4px;overflow:hidden}
.box::before{content:"";position:absolute;inset:0 auto 0 0;width:var(--is,0);background:color-mix(in srgb,var(--_ink) 55%,var(--_page));transition:width .18s}
.box.right::before{background:var(--_ink)}
.title{font-weight:650;margin-bottom:4px}
.orders{margin-top:8px}
.orders .radios{display:flex;flex-wrap:wrap;gap:8px}
.orders .chip{margin:0}
.loss{margin-top:16px}
.loss .box{height:32px}
.loss .box::before{background:var(--_ink)}
.ticks{position:relative;height:40px;font-size:13px;line-height:16px;color:var(--_muted)}
.ticks span{position:absolute;top:2px;padding-top:6px;border-left:1px solid var(--_muted);padding-left:4px;max-width:30%}
.ticks span:last-child{border-left:0;border-right:1px solid var(--_muted);padding:6px 4px 0 0;right:0;text-align:right;max-width:20%}
@container (max-width:647px){.figure{padding:12px}.heads,.result{grid-template-columns:minmax(0,1fr)}.grid{grid-template-columns:72px repeat(3,minmax(36px,1fr))}th,td{padding:4px 2px;font-size:13px}}
@media (prefers-reduced-motion:reduce){.box::after{content:"";position:absolute;inset:0 auto 0 0;width:var(--was,0);border-right:2px dashed var(--_muted)}}
`;

function card(n, onclick) {
  const mark = h("span", { "aria-hidden": "true" });
  const toggle = button("", onclick, { role: "switch", class: "head" });
  toggle.append(h("span", {}, label(n)), mark);
  const names = range(3).map((i) => [h("b", { class: "top" }), h("b", { class: i === DATA.row ? "asks" : "" })]);
  const cells = range(3).map((r) => range(3).map(() => h("span", { class: r === DATA.row ? "asks" : "" })));
  const grid = h("div", { class: "grid", role: "img" }, h("b"), ...names.map(([top]) => top), ...cells.flatMap((row, r) => [names[r][1], ...row]));
  const gives = h("p", { class: "gives" });
  return { mark, toggle, names, cells, grid, gives, node: h("div", { class: "card" }, toggle, grid, gives) };
}

export function render({ el }) {
  const { figure, close } = openFigure(el, "One of three heads is silent, and hardly anything is lost. Is it useless?", STYLE);
  let state = opening();
  const live = liveSentence();
  const order = radios("Sentence", SENTENCES, SENTENCES[0], (text) => update({ order: SENTENCES.indexOf(text) }));
  const cards = range(3).map((n) => card(n, () => update({ gates: state.gates.map((gate, i) => (i === n ? 1 - gate : gate)) })));
  const heads = h("div", { class: "heads", role: "toolbar", "aria-label": "Heads, on or silent" }, ...cards.map(({ node }) => node));
  rove(heads, "button")();
  cards.forEach(({ toggle }, n) => { toggle.tabIndex = n ? -1 : 0; });
  const tabular = tableToggle(() => tables(state));

  const answers = ASKED.map((name) => {
    const lines = DATA.nouns.map((noun) => ({ noun: h("span", {}, noun), box: h("div", { class: "box" }), number: h("span", {}) }));
    const title = name === "who" ? "Who left?" : "What was left?";
    return { lines, node: h("div", {}, h("p", { class: "title" }, title), h("div", { class: "lines" }, ...lines.flatMap(({ noun, box, number }) => [noun, box, number]))) };
  });
  const lossText = h("span", {});
  const lossBox = h("div", { class: "box" });
  const ticks = [["0%", "0: sure and right"], ["50%", "ln 2: one guess"], ["", "ln 4: two guesses"]];
  const loss = h("div", { class: "loss" }, h("p", { class: "title" }, "Loss in nats: ", lossText), lossBox,
    h("div", { class: "ticks", "aria-hidden": "true" }, ...ticks.map(([left, text]) => h("span", { style: left && `left:${left}` }, text))));

  function draw() {
    const now = compute(state);
    choose(order, SENTENCES[state.order]);
    cards.forEach(({ mark, toggle, names, cells, grid, gives, node }, n) => {
      const on = Boolean(state.gates[n]);
      toggle.setAttribute("aria-checked", on);
      mark.textContent = on ? "on" : "✕ silent";
      node.classList.toggle("off", !on);
      names.forEach((both, i) => both.forEach((name) => { name.textContent = now.words[i]; }));
      cells.forEach((row, r) => row.forEach((cell, c) => {
        const weight = now.heads[n][r].weights[c];
        cell.style.setProperty("--is", `${(100 * weight).toFixed(1)}%`);
        cell.textContent = format(weight) === "0" ? "" : format(weight);
      }));
      const mine = now.heads[n][DATA.row];
      const given = now.words.map((word, i) => word + " " + format(mine.weights[i])).join(", ");
      grid.setAttribute("aria-label", `Weights of this head: left gives ${given}.`);
      write(gives, `hands over ${on ? pair(mine.output) : "(0, 0)"}`);
    });
    answers.forEach(({ lines }, a) => lines.forEach(({ noun, box, number }, i) => {
      const right = now.right[a] === i;
      noun.textContent = DATA.nouns[i] + (right ? " ✓" : "");
      box.classList.toggle("right", right);
      setBar(box, now.answers[a][i]);
      write(number, format(now.answers[a][i]));
    }));
    setBar(lossBox, now.loss / MOST);
    write(lossText, nats(now.loss));
    tabular.refresh();
  }
  function update(change) {
    state = { ...state, ...change };
    draw();
    live.say(sentence(state));
  }

  figure.append(
    h("p", { class: "muted" }, ...italic("Rows ask, columns are read. *left* needs to know who left and what was left.")),
    h("p", { class: "orders" }, order), loss, heads, live.shown, live.spoken,
    h("div", { class: "result" }, ...answers.map(({ node }) => node)),
    toolbar("Figure", button("Reset", () => update(opening())), tabular.toggle),
    tabular.box,
  );
  draw();
  live.say(sentence(state), false);
  return close;
}

export default { render };
