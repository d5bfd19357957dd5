// Question          How does "it" come to mean the cat?
// Opening state     The row of "it" at step 1, the sentence ending in "hungry", the pair it · cat lit up.
// Surprise          Under the causal mask the row of "cat" outputs (10, 0) whatever its query.
// Reader's sentence The query decides the shares, the values are what gets shared out.
import {
  attend, button, choose, flow, format, h, liveSentence, newId, openFigure, pair, radios, range, rove, s, setBar, sum, table, tableToggle,
  toolbar, write,
} from "./shared.js";

const STEPS = ["Score", "Scale", "Softmax", "Mix"];
const [HUNGRY, WET] = DATA.swap;
const ROOT = Math.sqrt(DATA.query[0].length);
const LIMIT = 20;
const copy = (rows) => rows.map((row) => [...row]);
const list = (items) => items.join(", ");
const opening = () => (
  { step: 0, row: 2, word: HUNGRY, mask: "none", lit: 0, q: copy(DATA.query), k: copy(DATA.key), v: copy(DATA.value) }
);
const withLast = (q, word) => [...q.slice(0, 2), [...(word === WET ? DATA.wet : DATA.query[2])]];

// ---- what there is to say about a state

export function compute({ row, mask, q, k, v }) {
  const mayAttend = k.map((_, j) => mask === "none" || j <= row);
  return { mayAttend, ...attend(q[row], k, v, mayAttend) };
}

export function sentence(state) {
  const { mayAttend, scores, scaled, weights, output } = compute(state);
  const it = `*${DATA.words[state.row]}*`;
  const each = (numbers, keep = () => true) => list(DATA.words.map((word, j) => `${word} ${format(numbers[j])}`).filter((_, j) => keep(j)));
  const open = (j) => mayAttend[j];
  const blocked = DATA.words.filter((_, j) => !open(j)).join(" and ");
  const because = blocked && ` It may not read ${blocked}.`;
  const fate = mayAttend.filter(Boolean).length === 1 ? ", whatever its query: it can read only itself." : ", a mix of the values.";
  return `Step ${state.step + 1}. ` + [
    `${it} scores ${each(scores)}.`,
    `Divided by ${format(ROOT)}, ${it} has ${each(scaled, open)}.${because}`,
    `${it} gives ${each(weights, open)}.${because}`,
    `${it} receives ${pair(output)}${fate}`,
  ][state.step];
}

/** The arithmetic of the lit pair: plain strings, and [tag or role, text]. */
function working(state) {
  const { mayAttend, scores, scaled, weights, output } = compute(state);
  const { row, lit: j, q, k, v } = state;
  const plus = (parts) => parts.flatMap((part, i) => (i ? [" + ", ...part] : part));
  if (state.step === 0) {
    return [["q", DATA.words[row]], " · ", ["k", DATA.words[j]], " = ",
      ...plus(q[row].map((x, i) => [["q", format(x)], "·", ["k", format(k[j][i])]])), " = ", ["b", format(scores[j])]];
  }
  if (state.step === 3) return [...plus(weights.map((w, n) => [`${format(w)}·`, ["v", pair(v[n])]])), " = ", ["o", pair(output)]];
  if (!mayAttend[j]) return [`${DATA.words[j]} comes after ${DATA.words[row]}: blocked. The score becomes −∞, the share 0.`];
  if (state.step === 1) return [`${format(scores[j])} ÷ √${q[row].length} = ${format(scores[j])} ÷ ${format(ROOT)} = `, ["b", format(scaled[j])]];
  const top = Math.max(...scaled);
  const shift = top > 9 ? top : 0; // large powers do not fit here; the shares stay the same
  const open = range(scaled.length).filter((n) => mayAttend[n]);
  const power = (n) => Math.exp(scaled[n] - shift);
  const total = format(sum(open.map(power)));
  return [shift ? `Subtract the largest, ${format(shift)}. ` : "",
    ...open.flatMap((n, i) => [i ? ", " : "", "e", ["sup", format(scaled[n] - shift)], ` = ${format(power(n))}`]), `; sum ${total}`, ["br", ""],
    `${DATA.words[j]}: ${format(power(j))} ÷ ${total} = `, ["b", format(weights[j])]];
}

const WHY = [
  "Multiply entry by entry, then add up. A high score says: this key has what the query asks for.",
  "Dividing by √d_k keeps long vectors from making softmax jump. A mask acts here, before softmax.",
  "Powers of e are always positive. Each one, divided by their sum, is a share of 1.",
  "Shrink each value by its share and join them tip to tail. The end stays inside the triangle.",
];

function tables(state) {
  const { mayAttend, scores, scaled, weights, output } = compute(state);
  const may = (x, j) => (mayAttend[j] ? format(x, 3) : "blocked");
  return [table(`Row ${DATA.words[state.row]}`, ["key", "score", `÷ ${format(ROOT)}`, "share", "value"], [
    ...DATA.words.map((word, j) => [word, format(scores[j]), may(scaled[j], j), may(weights[j], j), pair(state.v[j])]),
    ["output", "", "", format(sum(weights)), pair(output)]])];
}

// ---- the plane in which the values are mixed

/** t from 0 (values at full length) to 1 (shrunken, tip to tail). */
function drawPlane(svg, state, t) {
  const { weights, output } = compute(state);
  const reach = Math.max(1, ...state.v.flat().map(Math.abs));
  const low = Math.min(0, ...state.v.flat()) / reach;
  const at = ([x, y]) => [40 + (160 * (x / reach - low)) / (1 - low), 184 - (150 * (y / reach - low)) / (1 - low)];
  const line = (from, to, more) => s("path", { d: `M${at(from)}L${at(to)}`, ...more });
  const middle = at([0, 1].map((i) => sum(state.v.map((v) => v[i])) / 3));
  const name = (v, j) => {
    const away = at(v).map((x, i) => x - middle[i]);
    const [x, y] = at(v).map((x, i) => x + (16 * away[i]) / (Math.hypot(...away) || 1));
    return s("text", { x, y: y + 5, "text-anchor": "middle" }, DATA.words[j]);
  };
  let tip = [0, 0];
  const arrows = state.v.map((v, j) => {
    const step = v.map((x) => x * (1 + (weights[j] - 1) * t));
    const from = tip.map((x) => x * t);
    tip = tip.map((x, i) => x + weights[j] * v[i]);
    return line(from, from.map((x, i) => x + step[i]), { class: "arrow", "marker-end": Math.hypot(...step) > reach / 20 && `url(#${svg.id}-tip)` });
  });
  const [x, y] = at(output);
  const end = [s("circle", { cx: x, cy: y, r: 6 }),
    s("text", { x: x > 165 ? x - 10 : x + 10, y: y - 10, "text-anchor": x > 165 ? "end" : "start", class: "end" }, pair(output))];
  svg.replaceChildren(
    s("marker", { id: `${svg.id}-tip`, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 9, markerHeight: 9, orient: "auto", markerUnits: "userSpaceOnUse" },
      s("path", { d: "M0 0L8 4L0 8z" })),
    ...(state.step === 3 ? [s("polygon", { points: state.v.map(at).join(" ") })] : []),
    ...state.v.map((v) => line([0, 0], v, { class: "full" })), ...state.v.map(name),
    ...(state.step === 3 ? arrows : []), ...(state.step === 3 && t === 1 ? end : []),
  );
  svg.setAttribute("aria-label", state.step < 3 ? "The three values as points of a plane."
    : `The shrunken values, joined tip to tail, end at ${pair(output)}, inside the triangle of the values.`);
}

// ---- the grid of numbers; --r and --c are row and column where there is room for all of it

const NAMES = { q: "query", k: "key", s: "score", a: "scaled score", w: "share", v: "value", o: "output" };
const APPEARS = { a: 1, w: 2, o: 3 };

function buildGrid(describedBy) {
  const cells = [];
  const place = (r, c, more) => ({ style: `--r:${r};--c:${c}`, ...more });
  const cell = (kind, j, i, r, c) => {
    const node = h("span", place(r, c, { role: "gridcell", class: `cell ${kind}`, tabindex: -1, "aria-readonly": !"qkv".includes(kind),
      "aria-describedby": "saw".includes(kind) && describedBy }), h("span", { class: "number" }), h("span", { class: "bar" }));
    cells.push({ node, kind, j, i });
    return node;
  };
  const label = (text, r, c, role = "rowheader", more = "") => h("span", place(r, c, { role, class: `label ${more}` }), text);
  const tag = (kind, text, r, c) => h("span", place(r, c, { class: "tag" }), h("b", { class: `role-${kind}` }, kind), ` ${text}`);
  const row = (more, ...items) => h("div", { role: "row", class: `row ${more}` }, ...items);
  const heads = (r, c, names) => row("", label("", r, c - 1, "none"), ...names.map((text, i) => label(text, r, c + i, "columnheader", "head")));
  const three = (kind, i, r, text, note = "", more = "") => row(more, label(text, r, 6), ...range(3).map((j) => cell(kind, j, i, r, j + 7)),
    h("span", place(r, 10, { class: "note" }), note));
  const asker = label("", 7, 1, "rowheader", "asker");
  const grid = h("div", { role: "grid", class: "grid", "aria-label": "Numbers. Enter changes a query, key or value." },
    tag("q", "query (d_k 4)", 6, "1/6"),
    heads(6, 2, DATA.features),
    row("", asker, ...range(4).map((i) => cell("q", -1, i, 7, i + 2))),
    tag("k", "keys (t_k 3 × d_k 4)", 1, "7/11"),
    heads(2, 7, DATA.words),
    ...DATA.features.map((text, i) => three("k", i, i + 3, text)),
    three("s", 0, 7, "scores", "(t_q 1 ×\nt_k 3)"),
    three("a", 0, 8, "÷ √d_k", `÷ ${format(ROOT)}`, "step1"),
    three("w", 0, 9, "shares", "add up\nto 1", "step2"),
    h("div", { class: "row step3" }, tag("v", "values (t_k 3 × d_v 2)", 10, "7/10")),
    ...range(2).map((i) => three("v", i, i + 11, "xy"[i], "", "step3")),
    h("div", { class: "row step3" }, tag("o", "output", 10, 10)),
    row("step3", label("(x, y)", 11, 10, "rowheader", "narrow"), ...range(2).map((i) => cell("o", 0, i, i + 11, 10))),
  );
  return { grid, cells, asker };
}

const STYLE = `
.line{line-height:52px;margin-bottom:12px}
.steps{display:flex;gap:12px;list-style:none;margin:0 auto 0 8px;padding:0;font-size:14px;color:var(--_muted)}
.steps li{border-bottom:2px solid transparent}
.steps [aria-current]{color:var(--_ink);font-weight:650;border-color:var(--_ink)}
.now-line{display:flex;flex-flow:row-reverse wrap;gap:0 16px;align-items:center;justify-content:space-between;margin-top:8px}
.board{display:grid;gap:4px;grid-template-columns:72px repeat(4,minmax(0,56px))}
.grid,.row{display:contents}
.label,.tag,.note{font-size:14px;line-height:18px;color:var(--_muted);align-self:center;white-space:pre-line}
.label{grid-column:1}
.head{grid-column:auto;text-align:center;font-size:13px}
.asker{font-style:italic;color:var(--_ink);font-size:16px}
.tag{grid-column:1/-1;margin-top:8px}
.role-q{color:var(--_query)}.role-k{color:var(--_key)}.role-v,.role-o{color:var(--_value)}
.note{font-size:13px;line-height:16px;grid-column:5}
.cell{position:relative;display:grid;place-items:center;height:44px;border:1px solid var(--_muted);border-radius:4px;overflow:hidden}
.cell:focus-visible{z-index:1}
.number{position:relative;z-index:1;line-height:18px;text-align:center}
.q,.k,.v{cursor:text}
.q{border-color:var(--_query)}
.k{border:1px dashed var(--_key)}
.v{border:2px dotted var(--_value)}
.q.on{background:var(--_q)}.k.on{background:var(--_k)}.v.on{background:var(--_v)}
.on{border-width:2px;font-weight:650}
.s.on,.a.on,.w.on{border-color:var(--_ink)}
.o.on{background:var(--_value);color:var(--_page);border:4px double var(--_page);outline:1px solid var(--_value);outline-offset:-1px}
.o.on:focus-visible{outline:2px solid var(--_ink);outline-offset:2px}
.empty{border:1px dashed color-mix(in srgb,var(--_muted) 40%,transparent)}
.w{height:64px}
.bar{position:absolute;background:color-mix(in srgb,var(--_ink) 30%,var(--_page))}
.w .bar{inset:auto 0 0;height:var(--is,0);transition:height .18s}
.s .bar,.a .bar{bottom:0;height:4px;background:var(--_ink);left:50%;width:calc(var(--is,0%)/2);transition:width .18s}
.cell.minus .bar{left:auto;right:50%}
.blocked{background:repeating-linear-gradient(45deg,var(--_mask) 0 1px,transparent 1px 7px)}
.blocked .number{background:var(--_page);padding:0 4px}
.cell input{position:absolute;inset:0;width:100%;border:0;text-align:center;font:inherit;color:var(--_ink);background:var(--_page);z-index:2}
.explain,.plane{grid-column:1/-1;margin-top:12px}
.working{font-size:18px;line-height:30px;margin-bottom:8px}
.working span{padding:0 3px;border:0;border-bottom:2px solid var(--_query);background:var(--_q)}
.working .k{border-bottom:2px dashed var(--_key);background:var(--_k)}
.working .v{border-bottom:2px dotted var(--_value);background:var(--_v);white-space:nowrap}
.working .o{border:0;background:var(--_value);color:var(--_page);white-space:nowrap}
sup{line-height:0}
.plane{width:256px;height:212px;justify-self:center;overflow:visible}
.plane polygon{fill:var(--_v)}
.plane path{stroke:var(--_value);stroke-width:1.5}
.plane .full{stroke-dasharray:1 4;stroke-linecap:round}
.plane .arrow{stroke-width:3}
.plane marker path,.plane circle{fill:var(--_value);stroke:none}
.plane text{fill:var(--_ink);font-size:14px}
.plane .end{font-weight:650;font-size:16px}
.code{list-style:none;margin:16px 0 0;padding:0;font:14px/22px ui-monospace,Menlo,Consolas,monospace;overflow-wrap:anywhere}
.code li{padding:2px 0 2px 12px;border-left:3px solid transparent;color:var(--_muted)}
.code .now{border-color:var(--_ink);color:var(--_ink);background:var(--_surface)}
.bars :is(th,td){border:0;font-size:16px;width:48px}
.bars .track{width:auto}
.track div{height:28px;background:var(--_surface);border-radius:4px;position:relative;overflow:hidden}
.track .bar{inset:0 auto 0 0;width:var(--is,0);background:var(--_ink);transition:width .18s}
@container (max-width:647px){
.later{display:none}
.figure{padding:12px}
.toolbar{gap:6px}
.steps{order:1;width:100%;margin:0}
button{padding:0 8px}
.now-line{flex-flow:wrap}
}
@container (min-width:648px){
.board{grid-template-columns:36px repeat(4,minmax(44px,56px)) minmax(72px,1fr) repeat(3,64px) 76px}
.grid :not(.cell>*){grid-row:var(--r);grid-column:var(--c);margin:0}
.tag,.head{align-self:end}
.tag:first-child{align-self:start}
.label{padding-right:8px;text-align:right}
.head{padding:0;text-align:center}
.narrow{display:none}
.board .explain{grid-area:1/1/6/6;padding-right:8px}
.board .plane{grid-area:8/1/13/6;align-self:end}
}
@media (prefers-reduced-motion:reduce){
.cell i::after{content:"\\A";white-space:pre}
.w::after,.track div::after{content:"";position:absolute;inset:auto 0 0;height:var(--was);border-top:2px dashed var(--_muted)}
.track div::after{inset:0 auto 0 0;height:auto;width:var(--was);border:0;border-right:2px dashed var(--_muted)}
}
`;

// ---- the compact form: the sentence and three bars

function renderCompact(el) {
  const { figure, close } = openFigure(el, "Change one word.", STYLE);
  const live = liveSentence();
  const rows = DATA.words.map((word) => h("tr", {}, h("th", { scope: "row" }, word),
    h("td", { class: "track" }, h("div", {}, h("span", { class: "bar" }))), h("td", {})));
  const draw = (word, aloud) => {
    const { weights } = compute({ ...opening(), q: withLast(DATA.query, word) });
    rows.forEach((row, j) => { setBar(row.cells[1].firstChild, weights[j]); write(row.cells[2], format(weights[j])); });
    const shares = DATA.words.map((name, j) => `${name} ${format(weights[j])}`);
    live.say(`With “${word}”, *it* gives ${list(shares)}.`, aloud);
  };
  const [before, after] = DATA.sentence.split(HUNGRY);
  figure.append(
    h("p", { class: "line" }, radios("Last word", DATA.swap, HUNGRY, (word) => draw(word, true), [before]), after),
    h("table", { class: "bars" }, h("caption", { class: "hidden" }, "Shares that the word it gives"), h("tbody", {}, ...rows)),
    live.shown, live.spoken,
  );
  draw(HUNGRY, false);
  return close;
}

// ---- the full figure

function renderFull(el) {
  const { figure, close } = openFigure(el, "How does *it* come to mean the cat?", STYLE);
  let state = opening();
  const live = liveSentence();
  const explain = h("div", { class: "explain" }, h("p", { class: "working", id: newId() }), h("p", { class: "muted" }));
  const plane = s("svg", { class: "plane step3", id: newId(), viewBox: "0 0 256 212", role: "img" });
  const { grid, cells, asker } = buildGrid(explain.firstChild.id);
  const settle = rove(grid, ".cell");
  const steps = h("ol", { class: "steps" }, ...STEPS.map((name, i) => h("li", {}, `${i + 1} ${name}`)));
  const code = h("ol", { class: "code", "aria-label": "The same in qkv.nn.attention" }, ...DATA.code.map(([, line]) => h("li", {}, line)));
  const tabular = tableToggle(() => tables(state));

  const update = (change = {}, message = undefined) => {
    state = { ...state, ...change };
    draw(change.step === 3);
    live.say(message ?? sentence(state));
  };
  const go = (by) => { if (STEPS[state.step + by]) update({ step: state.step + by }); };
  const back = button("Back", () => go(-1));
  const next = button("Next", () => go(1), { class: "main" });
  const reset = button("Reset", () => update(opening()));
  const pieces = DATA.sentence.split(new RegExp(`\\b(?:${[...DATA.words, HUNGRY].join("|")})\\b`));
  const groups = {
    row: radios("Which word asks?", DATA.words, "", (word) => update({ row: DATA.words.indexOf(word) }), pieces),
    word: radios("Last word", DATA.swap, "", (word) => update({ word, q: withLast(state.q, word), row: 2 })),
    mask: radios("Mask", ["none", "causal"], "", (mask) => update({ mask })),
  };

  const source = ({ kind, j, i }) => [state[kind][kind === "q" ? state.row : j], i];
  const title = ({ kind, j, i }) => list([`${NAMES[kind]} ${kind === "o" ? "" : DATA.words[kind === "q" ? state.row : j]}`.trim(),
    ..."kq".includes(kind) ? [DATA.features[i]] : "vo".includes(kind) ? ["xy"[i]] : []]);

  function edit(cell) {
    if (!"qkv".includes(cell.kind) || cell.node.querySelector("input")) return;
    const [row, i] = source(cell);
    const input = h("input", { inputmode: "decimal", value: row[i], "aria-label": title(cell) });
    const finish = (keep, refocus) => {
      if (!input.isConnected) return;
      const text = input.value.trim();
      const x = Number(text.replace("−", "-").replace(",", "."));
      const fits = text !== "" && Math.abs(x) <= LIMIT;
      input.onblur = undefined;
      input.remove();
      if (refocus) cell.node.focus();
      if (keep && fits) row[i] = x;
      if (keep) update({}, fits ? undefined : `“${text}” is no number from −${LIMIT} to ${LIMIT}; ${format(row[i])} stays.`);
    };
    input.onkeydown = (event) => {
      event.stopPropagation();
      if (event.key === "Enter") finish(true, true);
      if (event.key === "Escape") finish(false, true);
    };
    input.onblur = () => finish(true, false);
    cell.node.append(input);
    input.select();
  }

  for (const cell of cells) {
    const light = () => { if (!"qo".includes(cell.kind)) { state.lit = cell.j; lightUp(); } };
    const { node } = cell;
    node.addEventListener("focus", light);
    node.addEventListener("pointerenter", light);
    node.addEventListener("click", () => edit(cell));
    node.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.target === node) { event.preventDefault(); edit(cell); }
    });
  }

  function lightUp() {
    const { step, lit } = state;
    for (const { node, kind, j } of cells) {
      const here = j === lit;
      const on = { q: step === 0, k: step === 0 && here, s: step < 2 && here, a: step === 2 || (step === 1 && here), w: step === 3 || (step === 2 && here), v: step === 3, o: true };
      node.classList.toggle("on", on[kind] && !(APPEARS[kind] > step));
    }
    explain.firstChild.replaceChildren(...working(state).map((part) => (
      typeof part === "string" ? part : ["b", "br", "sup"].includes(part[0]) ? h(part[0], {}, part[1]) : h("span", { class: part[0] }, part[1]))));
  }

  function drawCell(cell, { mayAttend, scores, scaled, weights, output }) {
    const { node, kind, j, i } = cell;
    const empty = APPEARS[kind] > state.step;
    const blocked = !empty && "aw".includes(kind) && !mayAttend[j];
    const x = { s: scores[j], a: scaled[j], w: weights[j], o: output[i] }[kind] ?? source(cell)[0][i];
    const most = Math.max(...scores.map(Math.abs)) || 1;
    for (const [name, is] of Object.entries({ empty, blocked, minus: x < 0 })) node.classList.toggle(name, is);
    write(node.firstChild, empty ? "" : blocked ? "✕" : format(x));
    setBar(node, empty || blocked ? 0 : kind === "w" ? x : "sa".includes(kind) ? Math.abs(x) / most : 0);
    node.setAttribute("aria-label", `${title(cell)}: ${empty ? "not yet" : blocked ? "blocked" : format(x)}`);
  }

  function draw(flows) {
    const result = compute(state);
    asker.textContent = DATA.words[state.row];
    cells.forEach((cell) => drawCell(cell, result));
    lightUp();
    for (const node of [plane, ...grid.querySelectorAll("[class*=step]")]) node.classList.toggle("later", node.getAttribute("class").match(/step(\d)/)[1] > state.step);
    explain.lastChild.textContent = WHY[state.step];
    if (flows) flow((t) => drawPlane(plane, state, t)); else drawPlane(plane, state, 1);
    [...steps.children].forEach((item, i) => (i === state.step ? item.setAttribute("aria-current", "step") : item.removeAttribute("aria-current")));
    DATA.code.forEach(([step, , masks], i) => code.children[i].classList.toggle("now", step === state.step + 1 && (!masks || state.mask !== "none")));
    back.setAttribute("aria-disabled", state.step === 0);
    next.setAttribute("aria-disabled", state.step === 3);
    choose(groups.row, DATA.words[state.row]);
    choose(groups.word, state.word);
    choose(groups.mask, state.mask);
    tabular.refresh();
    settle();
  }

  figure.append(
    h("p", { class: "line" }, groups.row, pieces[3], groups.word, pieces[4]),
    toolbar("Steps", back, next, steps, reset, tabular.toggle),
    h("div", { class: "now-line" }, h("span", { class: "muted" }, "mask ", groups.mask), live.shown),
    live.spoken, h("div", { class: "board" }, grid, explain, plane), code, tabular.box,
  );
  draw(false);
  live.say(sentence(state), false);
  return close;
}

export const render = ({ model, el }) => (model.get("compact") ? renderCompact(el) : renderFull(el));
export default { render };
