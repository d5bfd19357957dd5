// Question          Which two pieces would you merge next?
// Opening state     Five words in letters; BPE points at ##a ##l, the score at j ##u.
// Surprise          The two advisers disagree at once: one likes what is frequent, the other what never parts.
// Reader's sentence BPE merges pairs that meet often, the score merges pairs that seldom part.
import { button, format, h, liveSentence, newId, openFigure, sum, table, tableToggle, toolbar } from "./shared.js";

const INSIDE = "##";
export const joined = (left, right) => left + (right.startsWith(INSIDE) ? right.slice(2) : right);
const letters = (word) => [...word].map((c, i) => (i ? INSIDE : "") + c);
export const opening = () => ({ words: DATA.read.map(([word, times]) => [letters(word), times]), vocabulary: [...DATA.alphabet], merges: [] });

/** Every pair with its count and score, best count first; of equals the older left part, then the older right. */
export function pairs({ words, vocabulary }) {
  const tokens = {};
  const found = {};
  for (const [pieces, times] of words) {
    pieces.forEach((piece, i) => {
      tokens[piece] = (tokens[piece] ?? 0) + times;
      if (i) (found[pieces[i - 1] + " " + piece] ??= { left: pieces[i - 1], right: piece, count: 0 }).count += times;
    });
  }
  const age = (piece) => vocabulary.indexOf(piece);
  return Object.values(found)
    .map((pair) => ({ ...pair, lefts: tokens[pair.left], rights: tokens[pair.right], score: pair.count / (tokens[pair.left] * tokens[pair.right]) }))
    .sort((a, b) => b.count - a.count || age(a.left) - age(b.left) || age(a.right) - age(b.right));
}

export function best(state, by) {
  const all = pairs(state);
  const age = (pair) => state.vocabulary.indexOf(pair.left) * state.vocabulary.length + state.vocabulary.indexOf(pair.right);
  return all.length ? all.reduce((top, pair) => (pair[by] > top[by] || (pair[by] === top[by] && age(pair) < age(top)) ? pair : top)) : null;
}

export function merge(state, { left, right }) {
  const whole = joined(left, right);
  const words = state.words.map(([pieces, times]) => {
    const out = [];
    for (let i = 0; i < pieces.length; i++) {
      if (pieces[i] === left && pieces[i + 1] === right) { out.push(whole); i++; } else out.push(pieces[i]);
    }
    return [out, times];
  });
  const vocabulary = state.vocabulary.includes(whole) ? state.vocabulary : [...state.vocabulary, whole];
  return { words, vocabulary, merges: [...state.merges, [left, right]] };
}

/** The merges that an adviser would make from the beginning. */
export function play(by, count) {
  let state = opening();
  for (let i = 0; i < count; i++) state = merge(state, best(state, by));
  return state.merges;
}

/** A word, cut with the vocabulary: the longest piece at each place, and what was tried there. */
export function cut(word, vocabulary) {
  const steps = [];
  for (let start = 0; start < word.length;) {
    const tried = [];
    let end = word.length;
    for (; end > start; end--) {
      const piece = (start ? INSIDE : "") + word.slice(start, end);
      tried.push(piece);
      if (vocabulary.includes(piece)) break;
    }
    steps.push({ tried, piece: end > start ? tried.at(-1) : null });
    if (end === start) return { pieces: ["[UNK]"], steps };
    start = end;
  }
  return { pieces: steps.map(({ piece }) => piece), steps };
}

const two = (pair) => `${pair.left} ${pair.right}`;
const perWord = ({ words }) => sum(words.map(([pieces, times]) => pieces.length * times)) / sum(words.map(([, times]) => times));

export function sentence(state) {
  const [count, score] = [best(state, "count"), best(state, "score")];
  const size = `${state.merges.length} ${state.merges.length === 1 ? "merge" : "merges"}, ${format(perWord(state))} pieces a word.`;
  if (!count) return `${size} Every word is one piece: nothing is left to merge.`;
  return two(count) === two(score)
    ? `${size} Both advisers would merge ${two(count)}.`
    : `${size} BPE would merge ${two(count)}, which meet ${count.count} times; the score ${two(score)}, which meet ${score.count} times.`;
}

const STYLE = `
.words{display:grid;gap:4px;margin:16px 0}
.words p{display:flex;flex-wrap:wrap;gap:4px;margin:0;align-items:center}
.words b{min-width:40px;font-weight:400;color:var(--_muted)}
.piece{border:1px solid var(--_muted);border-radius:4px;padding:2px 6px;font-family:ui-monospace,monospace}
.piece.long{border-color:var(--_ink);font-weight:650}
.pairs{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:8px;margin:8px 0}
.pairs button{display:block;text-align:left;min-height:64px;width:100%}
.pairs small{display:block;font-size:14px;color:var(--_muted)}
.tip{font-weight:650}
input{font:inherit;color:inherit;background:var(--_page);border:1px solid var(--_muted);border-radius:4px;min-height:44px;padding:0 8px;width:12em;max-width:100%}
input:focus-visible{outline:2px solid var(--_ink);outline-offset:2px}
.title{font-weight:650;margin-top:16px}
.trace{margin:8px 0;padding-left:24px}
`;

export function render({ el }) {
  const { figure, close } = openFigure(el, "Which two pieces would you merge next?", STYLE);
  let history = [opening()];
  const state = () => history.at(-1);
  const live = liveSentence();
  const [words, choices, trace, id] = [h("div", { class: "words" }), h("div", { class: "pairs", role: "group", "aria-label": "Pairs to merge" }), h("ol", { class: "trace" }), newId()];
  const typed = h("input", { id, type: "text", maxlength: 24, autocomplete: "off", spellcheck: "false", oninput: () => showCut() });
  const result = h("p", {});
  const tabular = tableToggle(() => [
    table("Pairs", ["pair", "meet", "left part", "right part", "score"], pairs(state()).map((p) => [two(p), `${p.count}`, `${p.lefts}`, `${p.rights}`, format(p.score, 3)])),
  ]);

  function showCut() {
    const word = typed.value.trim().toLowerCase();
    const { pieces, steps } = cut(word, state().vocabulary);
    result.textContent = word ? `${word} becomes ${pieces.join(" ")}` : "Type a word.";
    trace.replaceChildren(...steps.map(({ tried, piece }) => h("li", {}, `tried ${tried.slice(0, 6).join(", ")}${tried.length > 6 ? ", …" : ""}: ${piece ?? "nothing fits"}`)));
  }
  function draw() {
    words.replaceChildren(...state().words.map(([pieces, times]) => h("p", {}, h("b", {}, `${times} ×`), ...pieces.map((piece) => h("span", { class: piece.replace(INSIDE, "").length > 1 ? "piece long" : "piece" }, piece)))));
    const [count, score] = [best(state(), "count"), best(state(), "score")].map((pair) => pair && two(pair));
    choices.replaceChildren(...pairs(state()).map((pair) => button(two(pair), () => go([...history, merge(state(), pair)]))));
    pairs(state()).forEach((pair, i) => {
      const tips = [two(pair) === count ? "BPE" : "", two(pair) === score ? "score" : ""].filter(Boolean).join(" and ");
      choices.children[i].append(h("small", {}, ` meet ${pair.count} · score ${format(pair.score, 3)} `), h("small", { class: "tip" }, tips ? `taken by ${tips}` : ""));
    });
    showCut();
    tabular.refresh();
  }
  function go(next) {
    const inside = choices.contains(choices.getRootNode().activeElement);
    history = next;
    draw();
    if (inside) choices.firstElementChild?.focus();
    live.say(sentence(state()));
  }

  typed.value = "talking";
  figure.append(
    toolbar("Merge game", button("Undo", () => history.length > 1 && go(history.slice(0, -1))), button("Reset", () => { typed.value = "talking"; go([opening()]); }), tabular.toggle),
    live.shown, live.spoken, words,
    h("p", { class: "title" }, "Choose a pair"), choices,
    h("p", { class: "title" }, h("label", { for: id }, "Cut a word with these pieces: "), typed), result, trace,
    tabular.box,
  );
  draw();
  live.say(sentence(state()), false);
  return close;
}

export default { render };
