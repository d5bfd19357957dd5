// Question          Does the best pronunciation begin with the best first sound?
// Opening state     "adherence": after one sound AE is ahead, and the search has already dropped most beginnings.
// Surprise          The best whole word begins with AH, which was second for three sounds.
// Reader's sentence The best whole need not begin with the best first sound, so beam search keeps several beginnings.
import { button, calm, format, h, italic, liveSentence, openFigure, radios, range, s, table, tableToggle, toolbar } from "./shared.js";
import { FORM, askForm, openSessions, rowsOf, whole } from "./runtime.js";

// ---- the model, and beam search as qkv.decoding.search does it with alpha = 0

const LETTERS = DATA.symbols.slice(DATA.end + 1, DATA.end + 1 + DATA.letters);

/** Both halves of the model from the folder `home`: {encode, next}. */
export async function openModel(home) {
  const [ort, encoder, decoder] = await openSessions(home, "g2p/encoder.onnx", "g2p/decoder.onnx");
  const encode = async (letters) => (await encoder.run({ source: whole(ort, letters, [1, letters.length]) })).memory;
  const next = async (beginnings, memory) => {
    const ids = beginnings.map((sounds) => [DATA.start, ...sounds]);
    const answer = await decoder.run({ ids: whole(ort, ids.flat(), [ids.length, ids[0].length]), memory });
    return { logP: rowsOf(answer.log_probabilities.data, ids.length), looks: rowsOf(answer.weights.data, ids.length) };
  };
  return { encode, next };
}

/** Letters → every beginning kept and dropped, step by step, and whole pronunciations; best first. */
export async function search(model, letters, width = DATA.width) {
  const memory = await model.encode(letters);
  const [steps, ended] = [[], []];
  let open = [{ ids: [], total: 0, looks: [] }];
  for (let left = DATA.most; left > 0; left--) {
    const { logP, looks } = await model.next(open.map(({ ids }) => ids), memory);
    const all = open.flatMap((from, r) => Array.from(logP[r], (p, id) => ({ from, r, id, total: from.total + p })));
    all.sort((a, b) => b.total - a.total);
    const grown = ({ from, r, id, total }) => ({ ids: id === DATA.end ? from.ids : [...from.ids, id], total, looks: [...from.looks, Array.from(looks[r])] });
    const worst = all[width - 1].total;
    ended.push(...all.filter(({ id, total }) => id === DATA.end && (left === 1 || total >= worst)).map(grown));
    ended.sort((a, b) => b.total - a.total);
    const going = all.filter(({ id }) => id !== DATA.end).slice(0, width + DATA.dropped).map(grown);
    open = going.slice(0, width);
    if (ended.length >= width && ended[width - 1].total >= open[0].total) break;
    if (left > 1) steps.push({ kept: open, dropped: going.slice(width) });
  }
  return { steps, found: ended.slice(0, width) };
}

// ---- words

const sound = (id) => DATA.symbols[id];
const spoken = (ids) => ids.map(sound).join(" ");
const begins = (whole, part) => part.every((id, i) => whole[i] === id);
const listed = (parts) => (parts.length > 1 ? `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}` : parts[0]);
const KNOWN = "It knows the letters a to z and the apostrophe.";

/** What is typed → ids of its letters, or a sentence that says what is in the way. */
export function read(typed) {
  const word = typed.trim().toLowerCase().replaceAll("’", "'");
  const strange = [...new Set(word)].filter((letter) => !LETTERS.includes(letter));
  const names = strange.map((letter) => (letter.trim() ? `“${letter}”` : "a space"));
  if (strange.length) return { trouble: `The model cannot read ${listed(names)} in “${word}”. ${KNOWN}` };
  if (!word) return { trouble: `There is no word yet. Type one; the model reads it letter by letter. ${KNOWN}` };
  if (word.length > DATA.most) return { trouble: `This word has ${word.length} letters. The model reads at most ${DATA.most}.` };
  return { word, letters: Array.from(word, (letter) => DATA.symbols.indexOf(letter)) };
}

/** The first step at which another beginning was ahead of the chosen pronunciation's, or none. */
function overtaken({ steps, found }, n) {
  const at = steps.slice(0, found[n].ids.length).findIndex(({ kept }) => !begins(found[n].ids, kept[0].ids));
  if (at < 0) return undefined;
  return { at, ahead: steps[at].kept[0], own: steps[at].kept.find(({ ids }) => begins(found[n].ids, ids)) };
}

const PLACES = ["The most probable", "The second", "The third", "The fourth"];

export function sentence({ word, tree, n }) {
  const { ids, total } = tree.found[n];
  const past = overtaken(tree, n);
  const share = `log probability ${format(total)}, probability ${format(Math.exp(total), 3)}`;
  const start = `${PLACES[n]} pronunciation found for *${word}* is ${spoken(ids)}: ${share}.`;
  if (!past) return `${start} It was ahead after every sound.`;
  const digits = past.ahead.total - past.own.total < 0.01 ? 4 : 2;
  const scored = (one) => `${spoken(one.ids)} (${format(one.total, digits)})`;
  return `${start} After ${past.at + 1} ${past.at ? "sounds" : "sound"}, ${scored(past.ahead)} was ahead of ${scored(past.own)}.`;
}

const rowNames = ({ ids }) => [...ids.map(sound), "end"];
const most = (numbers) => numbers.indexOf(Math.max(...numbers));

function tables({ word, tree, n }) {
  const cell = (one) => (one ? `${spoken(one.ids)} ${format(one.total)}` : "");
  const kept = range(DATA.width).map((i) => `kept ${i + 1}`);
  const dropped = range(DATA.dropped).map((i) => `dropped ${i + 1}`);
  const steps = tree.steps.map((step, i) => [String(i + 1), ...range(DATA.width).map((k) => cell(step.kept[k])), ...range(DATA.dropped).map((k) => cell(step.dropped[k]))]);
  const one = tree.found[n];
  return [
    table(`${word}: pronunciations found, with their log probability in nats`, ["sounds", "log probability", "probability"], tree.found.map(({ ids, total }) => [spoken(ids), format(total), format(Math.exp(total), 3)])),
    table("Beginnings after each sound, with their log probability so far", ["sounds", ...kept, ...dropped], steps),
    table(`Where each sound of ${spoken(one.ids)} looks: shares of the letters`, ["sound", ...word], rowNames(one).map((name, r) => [name, ...one.looks[r].map((x) => format(x))])),
  ];
}

// ---- drawing

const STYLE = `
input[type=text]{max-width:20rem}
.title{font-weight:650;margin:16px 0 4px}
.found{display:grid;gap:4px}
.found .radios{display:flex;flex-wrap:wrap;gap:8px}
.found .chip{margin:0}
.parts{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,1fr);gap:24px;align-items:start}
.scroll{overflow:auto;padding:2px}
.row,.heads{display:grid;grid-template-columns:repeat(4,minmax(40px,1fr)) 8px repeat(2,minmax(40px,1fr))}
.heads{font-size:14px;line-height:20px;color:var(--_muted);margin-bottom:4px}
.heads span:first-child{grid-column:1/5}
.heads span:last-child{grid-column:6/8}
.cell{margin:0 2px;min-height:44px;border:1px solid var(--_muted);border-radius:4px;padding:2px 0;text-align:center;font-size:13px;line-height:18px;background:var(--_page)}
.cell b{display:block;font-size:16px;line-height:20px;font-weight:400}
.cell em{display:block;font-style:normal;border-top:1px solid var(--_muted);margin-top:2px}
.cell.dropped{grid-column-start:auto;border-style:dashed;color:var(--_muted)}
.cell.dropped.first{grid-column:6}
.cell.dropped b{text-decoration:line-through}
.cell.best{border:2px solid var(--_ink);background:var(--_surface)}
.cell.best b{font-weight:700}
svg{display:block;width:100%;height:16px;overflow:visible}
line{stroke:var(--_muted);stroke-width:1;vector-effect:non-scaling-stroke}
line.lost{stroke-dasharray:3 3}
line.best{stroke:var(--_ink);stroke-width:3}
.looks{display:grid;gap:2px;font-size:14px;text-align:center;min-width:min-content}
.looks b{font-weight:400;line-height:24px;color:var(--_muted);text-align:left;position:sticky;left:0;background:var(--_page);padding-right:4px}
.looks b.top{text-align:center;color:var(--_ink);position:static;padding:0}
.looks b.sound{color:var(--_ink)}
.looks span{line-height:28px;min-height:28px;border-radius:2px;outline:1px solid color-mix(in srgb,var(--_muted) 20%,transparent);background:color-mix(in srgb,var(--_ink) calc(var(--is)*var(--deep)),var(--_page));font-size:13px}
.figure{--deep:.45}
.figure.dark{--deep:.38}
.tables{overflow:auto}
@container (max-width:647px){.figure{padding:12px}.parts{grid-template-columns:minmax(0,1fr);gap:0}th,td{padding:4px 2px;font-size:13px}}
`;

/** Lines from the beginnings of one step to those of the next.  Six columns and a gap share the width. */
function lines(before, step, best) {
  const { width } = DATA;
  const cells = [...step.kept, ...step.dropped];
  const middle = (i) => (i < width ? i + 0.5 : i + 0.65);
  const line = (one, i) => {
    const parent = before.kept.findIndex(({ ids }) => begins(one.ids, ids));
    const role = i >= width ? "lost" : begins(best.ids, one.ids) ? "best" : "";
    return s("line", { x1: middle(parent), y1: 0, x2: middle(i), y2: 1, class: role });
  };
  return s("svg", { viewBox: `0 0 ${width + DATA.dropped + 0.15} 1`, preserveAspectRatio: "none", "aria-hidden": "true" }, ...cells.map(line));
}

function drawTree({ tree, n }) {
  const best = tree.found[n];
  const end = ({ ids }) => tree.found.find((one) => one.ids.length === ids.length && begins(one.ids, ids));
  const cell = (kind) => (one, i) => {
    const last = kind === "kept" && end(one);
    const role = kind === "kept" && begins(best.ids, one.ids) ? "best" : i === 0 ? "first" : "";
    return h("div", { class: `cell ${kind} ${role}` }, h("b", {}, sound(one.ids.at(-1))), format(one.total), ...(last ? [h("em", {}, "end", h("br"), format(last.total))] : []));
  };
  return tree.steps.flatMap((step, i) => [
    ...(i ? [lines(tree.steps[i - 1], step, best)] : []),
    h("div", { class: "row" }, ...step.kept.map(cell("kept")), ...step.dropped.map(cell("dropped"))),
  ]);
}

function drawLooks({ word, tree, n }) {
  const one = tree.found[n];
  const names = rowNames(one);
  const cells = (row) => row.map((x) => h("span", { style: `--is:${(100 * x).toFixed(1)}%` }, format(x, 1) === "0" ? "" : format(x, 1)));
  const says = names.map((name, r) => `${name} looks most at ${word[most(one.looks[r])]}`).join(", ");
  return h("div", { class: "looks", role: "img", "aria-label": `${says}.`, style: `grid-template-columns:44px repeat(${word.length},minmax(26px,1fr))` },
    h("b"), ...Array.from(word, (letter) => h("b", { class: "top" }, letter)),
    ...names.flatMap((name, r) => [h("b", { class: name === "end" ? "" : "sound" }, name), ...cells(one.looks[r])]));
}

/** Sounds appear one after the other, within 400 ms; with reduced motion all at once. */
function appear(nodes) {
  if (!calm()) nodes.forEach((node, i) => node.animate([{ opacity: 0 }, { opacity: 1 }], { duration: 180, delay: (220 * i) / nodes.length, fill: "backwards" }));
}

const opening = () => ({ ...DATA.opening, n: 0 });
const NOTEBOOK = "The model runs on the course's site only. In a notebook, call qkv.pronounce.pronounce; in a terminal, run “python -m qkv pronounce” and a word.";

export function render({ el }) {
  const { figure, close } = openFigure(el, "Does the best pronunciation begin with the best first sound?", FORM + STYLE);
  let state = opening();
  const live = liveSentence();
  const box = askForm({
    label: "A word", value: state.word, press: "Pronounce", onpress: pronounce, open: openModel, elsewhere: NOTEBOOK,
    before: `The first word that you try loads the model, about ${DATA.megabytes} MB, from this site. Nothing you type is sent anywhere.`,
    after: "The model is here. Each word is computed on this page.",
  });
  const found = h("div", { class: "found" });
  const tree = h("div", { class: "tree", role: "group", "aria-label": "Beginnings after each sound" });
  const looks = h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Where each sound looks" });
  const tabular = tableToggle(() => tables(state));
  Object.entries({ tabindex: "0", role: "region", "aria-label": "Tables" }).forEach((pair) => tabular.box.setAttribute(...pair));

  function draw() {
    const { word, tree: all } = state;
    const label = ({ ids, total }) => `${spoken(ids)} (${format(total)})`;
    found.replaceChildren(radios(`Pronunciations of ${word}`, all.found.map(label), label(all.found[state.n]), (text) => pick(all.found.findIndex((one) => label(one) === text))));
    paint();
  }
  function paint() {
    tree.replaceChildren(h("div", { class: "heads" }, h("span", {}, "kept, best first"), h("span", {}, "dropped")), ...drawTree(state));
    looks.replaceChildren(drawLooks(state));
    tabular.refresh();
  }
  function pick(n) {
    state = { ...state, n };
    paint();
    live.say(sentence(state));
  }
  function show(next, aloud) {
    state = next;
    draw();
    live.say(sentence(state), aloud);
  }
  function pronounce() {
    const { word, letters, trouble } = read(box.input.value);
    box.ask(trouble, (model) => search(model, letters), (next) => {
      show({ word, tree: next, n: 0 });
      appear(tree.querySelectorAll(".row"));
    });
  }
  function reset() {
    box.reset(DATA.opening.word);
    show(opening());
  }

  figure.append(
    box.form,
    h("p", { class: "title" }, "Best whole pronunciations, with log probabilities"), found, live.shown, live.spoken,
    h("div", { class: "parts" },
      h("div", {}, h("p", { class: "title" }, "Beginnings, sound by sound"), tree),
      h("div", {}, h("p", { class: "title" }, "Where each sound looks in the word"), looks, h("p", { class: "muted" }, ...italic("Rows ask, columns are read. Cross-attention of the last layer, mean over its heads; each row adds up to 1.")))),
    toolbar("Figure", button("Reset", reset), tabular.toggle), tabular.box,
  );
  show(state, false);
  return close;
}

export default { render };
