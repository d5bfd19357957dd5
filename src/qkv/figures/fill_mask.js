// Question          Which word is missing, and do the words behind the gap matter?
// Opening state     "He went [MASK] of the house.": the model is rather sure of "out".
// Surprise          Without "of" it expects on, to or into, and the words before the gap are the same.
// Reader's sentence BERT fills a gap from both sides: with other words behind the gap it expects another word.
import { button, format, h, liveSentence, openFigure, range, rove, table, tableToggle, toolbar } from "./shared.js";
import { FORM, askForm, openSessions, rowsOf, whole } from "./runtime.js";

// ---- WordPiece as qkv.text.wordpiece does it

const [MASK, UNKNOWN, CLS, SEP] = ["[MASK]", "[UNK]", "[CLS]", "[SEP]"];
const signs = (inside) => new RegExp("[" + inside + "]", "gu");
const LINE = signs("\\t\\n\\r");
const DROPPED = signs("\\p{Cc}\\p{Cf}\\p{Co}\\p{Cs}\\ufffd");
const SPACE = signs("\\p{Z}");
const CHINESE = signs(DATA.chinese);
const ACCENT = signs("\\p{Mn}");
const MARK = signs("!-\\/:-@\\[-\\x60\\{-~\\p{P}");
const SPECIAL = new RegExp("(\\[(?:PAD|UNK|CLS|SEP|MASK)\\])");

/** Lower case sign by sign: at the end of a word JavaScript would make another sigma. */
const lower = (text) => Array.from(text, (sign) => sign.toLowerCase()).join("");

/** Lower case without accents, cut at spaces and round punctuation. */
export function words(text) {
  const clean = text.replace(LINE, " ").replace(DROPPED, "").replace(SPACE, " ").replace(CHINESE, " $& ");
  return lower(clean.normalize("NFD").replace(ACCENT, "").replace(MARK, " $& ")).split(" ").filter((word) => word !== "");
}

/** The longest piece that begins the word, then the longest that goes on; a rest without a piece makes it unknown. */
export function cut(word, ids) {
  const letters = [...word];
  if (letters.length > DATA.longestWord) return [UNKNOWN];
  const pieces = [];
  for (let start = 0; start < letters.length;) {
    let end = letters.length;
    const piece = () => (start ? "##" : "") + letters.slice(start, end).join("");
    while (end > start && !ids.has(piece())) end--;
    if (end === start) return [UNKNOWN];
    pieces.push(piece());
    start = end;
  }
  return pieces;
}

/** The pieces of a text, and the words that have none; special tokens in the text are kept whole. */
export function tokens(text, ids) {
  const unknown = [];
  const cutWord = (word) => {
    const pieces = cut(word, ids);
    if (pieces[0] === UNKNOWN) unknown.push(word);
    return pieces;
  };
  const pieces = text.split(SPECIAL).flatMap((part, i) => (i % 2 ? [part] : words(part).flatMap(cutWord)));
  return { pieces, unknown };
}

// ---- a line: pieces in their order, each shown or hidden; what the reader did not write is guessed

const listed = (parts) => (parts.length > 1 ? `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}` : parts[0]);
const quoted = (text) => `“${text}”`;
const asLine = (pieces) => pieces.map((piece) => (piece === MASK ? { piece: "", hidden: true, guessed: true } : { piece, hidden: false, guessed: false }));
const EMPTY = "There is no text yet. Write a line with [MASK] where a word is missing.";

/** What is typed → a line and a remark on words without pieces, or a sentence that says what is in the way. */
export function read(typed, ids) {
  const { pieces, unknown } = tokens(typed.replace(/\[mask\]/gi, MASK), ids);
  if (!pieces.length) return { trouble: EMPTY };
  if (pieces.length > DATA.most) return { trouble: `This text has ${pieces.length} pieces. The model reads at most ${DATA.most}: take some words away.` };
  const strange = [...new Set(unknown)].map((word) => quoted(word.length > 20 ? word.slice(0, 20) + "…" : word));
  const remark = strange.length ? `The model has no pieces for ${listed(strange)}. It reads ${UNKNOWN} there, which says nothing to it.` : "";
  return { line: asLine(pieces), remark };
}

/** Turn a piece into a gap, or a gap back; a gap that never had a word takes the best guess. */
export function flipped(line, at, guess) {
  return line.map((item, i) => (i !== at ? item : { ...item, hidden: !item.hidden, piece: item.hidden && item.guessed ? guess : item.piece }));
}

// ---- the model

/** The model and its pieces from the folder `home`: {ids, names, chances}. */
export async function openModel(home) {
  const vocabulary = async () => {
    const answer = await fetch(new URL("bert/vocab.txt", home));
    if (!answer.ok) throw new Error(`${answer.status} for the pieces`);
    return (await answer.text()).trimEnd().split("\n");
  };
  const [names, [ort, filler]] = await Promise.all([vocabulary(), openSessions(home, "bert/filler.onnx")]);
  const chances = async (ids, places) => {
    const answer = await filler.run({ ids: whole(ort, ids, [1, ids.length]), places: whole(ort, places, [places.length]) });
    return rowsOf(answer.chances.data, places.length);
  };
  return { names, ids: new Map(names.map((name, i) => [name, i])), chances };
}

/** For each gap: where it is, the best pieces with their chances, and how the piece that stood there fares. */
export async function gapsOf(model, line) {
  const at = range(line.length).filter((i) => line[i].hidden);
  if (!at.length) return [];
  const row = [CLS, ...line.map(({ piece, hidden }) => (hidden ? MASK : piece)), SEP].map((piece) => model.ids.get(piece));
  const chances = await model.chances(row, at.map((i) => i + 1));
  return chances.map((each, n) => {
    const order = range(each.length).sort((a, b) => each[b] - each[a]);
    const { piece, guessed } = line[at[n]];
    const own = model.ids.get(piece);
    return {
      at: at[n],
      best: order.slice(0, DATA.best).map((i) => [model.names[i], each[i]]),
      stood: guessed ? undefined : { piece, chance: each[own], place: order.indexOf(own) + 1 },
    };
  });
}

// ---- words

const chance = (x) => (x < 0.0005 ? "under .001" : format(x, 3));
const nameOf = (n, gaps) => (gaps.length > 1 ? `Gap ${n + 1}` : "The gap");
const fares = ({ stood: { piece, chance: x, place } }) => `${quoted(piece)} stood here: place ${place.toLocaleString("en")} of ${DATA.size.toLocaleString("en")}, chance ${chance(x)}.`;

export function sentence({ gaps }) {
  if (!gaps.length) return "There is no gap. Choose a word below to hide it, or write [MASK] in the text.";
  const best = ({ best: [[piece, x]] }) => `${quoted(piece)} (${chance(x)})`;
  const all = gaps.map((gap, n) => `Gap ${n + 1}: ${best(gap)}`).join("; ");
  if (gaps.length > 1) return `${all}. Each is guessed alone, with all gaps open.`;
  const [gap] = gaps;
  const others = listed(gap.best.slice(1).map(([piece]) => quoted(piece)));
  const expects = `In the gap the model expects ${best(gap)}, then ${others}.`;
  return gap.stood ? `${expects} ${fares(gap)}` : expects;
}

function tables({ gaps }) {
  const found = gaps.map(({ best }, n) => table(nameOf(n, gaps), ["piece", "chance"], best.map(([piece, x]) => [piece, format(x, 5)])));
  return found.length ? found : [h("p", {}, "There is no gap.")];
}

// ---- drawing

const STYLE = `
.examples .toolbar{margin-top:4px}
.examples button{text-align:left;max-width:100%}
.examples,.strip{margin-top:12px}
.strip .row{display:flex;flex-wrap:wrap;gap:4px;align-items:center;margin-top:4px}
.strip button{padding:0 8px}
.strip button.gap{border:2px solid var(--_ink);background:var(--_surface);font-weight:650}
.strip span{color:var(--_muted);font-size:14px}
.gaps{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(17rem,100%),1fr));gap:16px 32px;margin:12px 0}
.title{font-weight:650}
.best{display:grid;gap:2px;margin:4px 0}
.best div{display:grid;grid-template-columns:8em minmax(0,1fr) 5.5em;gap:8px;align-items:center;min-height:26px}
.best b{font-weight:400;overflow-wrap:anywhere}
.best .stood b{font-weight:700;text-decoration:underline}
.track{height:16px;border:1px solid var(--_muted)}
.track span{display:block;height:100%;background:var(--_ink)}
.tables{grid-template-columns:repeat(auto-fit,minmax(min(12rem,100%),1fr))}
@container (max-width:647px){.figure{padding:12px}.best div{grid-template-columns:7em minmax(0,1fr) 5.2em}}
`;

function drawGap(gap, n, gaps) {
  const row = ([piece, x]) => h("div", { class: gap.stood?.piece === piece ? "stood" : "" }, h("b", {}, piece),
    h("span", { class: "track" }, h("span", { style: `width:${100 * x}%` })), h("span", {}, chance(x)));
  return h("div", {}, h("p", { class: "title" }, nameOf(n, gaps)), h("div", { class: "best" }, ...gap.best.map(row)), ...(gap.stood ? [h("p", { class: "muted" }, fares(gap))] : []));
}

/** An example with the answers that were worked out when the page was built. */
const example = ({ pieces, gaps }) => {
  const line = asLine(pieces);
  const at = range(line.length).filter((i) => line[i].hidden);
  return { line, gaps: gaps.map((best, n) => ({ at: at[n], best })) };
};
const NOTEBOOK = "The model runs on the course's site only. In a notebook, call qkv.fill.fill; in a terminal, run “python -m qkv fill” and a text.";

export function render({ el }) {
  const { figure, close } = openFigure(el, "Which word is missing, and do the words behind the gap matter?", FORM + STYLE);
  let state = example(DATA.examples[0]); // what the answers speak of
  let line = state.line; // what the strip shows: ahead of the answers while they are worked out
  const live = liveSentence();
  const box = askForm({
    label: "A text with [MASK] for each missing word", value: DATA.examples[0].text, press: "Fill", onpress: fillTyped, open: openModel, elsewhere: NOTEBOOK,
    before: `The examples are answered already. The first text of your own, or the first word that you hide, loads the model, about ${DATA.megabytes} MB, from this site. Nothing you type is sent anywhere.`,
    after: "The model is here. Each gap is filled on this page.",
  });
  const row = h("div", { class: "row", role: "group", "aria-label": "Pieces of the text" });
  const stops = rove(row, "button", true);
  const gaps = h("div", { class: "gaps" });
  const took = h("p", { class: "muted" });
  const tabular = tableToggle(() => tables(state));

  /** Buttons stay where they are, so that the one that was pressed keeps the focus. */
  function drawStrip() {
    const [first, last] = [row.firstChild ?? h("span", {}, CLS), row.lastChild ?? h("span", {}, SEP)];
    const buttons = [...row.querySelectorAll("button")].slice(0, line.length);
    while (buttons.length < line.length) { const at = buttons.length; buttons.push(button("", () => flip(at))); }
    let count = 0;
    const several = line.filter(({ hidden }) => hidden).length > 1;
    line.forEach(({ piece, hidden, guessed }, i) => {
      const name = !hidden ? piece : several ? `${MASK} ${++count}` : MASK;
      const back = guessed ? "put the best guess in" : `put ${piece} back`;
      buttons[i].textContent = name;
      buttons[i].className = hidden ? "gap" : "";
      buttons[i].setAttribute("aria-label", `${name}: ${hidden ? back : "hide it"}`);
    });
    if (row.querySelectorAll("button").length !== line.length) row.replaceChildren(first, ...buttons, last);
    stops();
  }
  function show(found, aloud = true) {
    if (found.trouble) return box.complain(found.trouble);
    state = found;
    line = found.line;
    drawStrip();
    gaps.replaceChildren(...state.gaps.map(drawGap));
    took.textContent = found.ms === undefined ? "" : `Worked out in ${found.ms < 1 ? "less than 1" : Math.round(found.ms)} ms on this machine.`;
    if (found.remark) box.complain(found.remark);
    tabular.refresh();
    live.say(sentence(state), aloud);
  }
  async function answer(model, found) {
    const start = performance.now();
    const answers = await gapsOf(model, found.line);
    return { ...found, gaps: answers, ms: answers.length ? performance.now() - start : undefined };
  }
  function fillTyped() {
    const why = box.input.value.trim() ? undefined : EMPTY;
    box.ask(why, (model) => {
      const found = read(box.input.value, model.ids);
      return found.trouble ? found : answer(model, found);
    }, show);
  }
  async function flip(at) {
    const guess = state.gaps.find((gap) => gap.at === at)?.best[0][0];
    if (line[at].hidden && line[at].guessed && !guess) return; // its answer is still on the way
    line = flipped(line, at, guess);
    drawStrip();
    const asked = line;
    await box.ask(undefined, (model) => answer(model, { line: asked }), show);
    if (box.trouble.textContent && line !== state.line) {
      line = state.line;
      drawStrip();
    }
  }
  function open({ text, ...rest }) {
    box.reset(text);
    show(example(rest));
  }

  figure.append(
    box.form,
    h("div", { class: "examples" }, h("p", { class: "muted" }, "Examples"), toolbar("Examples", ...DATA.examples.map((one) => button(one.text, () => open(one))))),
    h("div", { class: "strip" }, h("p", { class: "muted" }, "The text as the model reads it, in pieces; ## goes on inside a word. Choose a piece to hide it, choose a gap to put its piece back."), row),
    live.shown, live.spoken, gaps, took,
    h("p", { class: "muted" }, DATA.about),
    toolbar("Figure", button("Reset", () => open(DATA.examples[0])), tabular.toggle), tabular.box,
  );
  show(state, false);
  return close;
}

export default { render };
