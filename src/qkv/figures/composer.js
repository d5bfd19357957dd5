// Question          From which slot does the answer come?
// Opening state     An entailment in a batch whose longest row has 14 slots; the state of ⟨e⟩ goes to the head.
// Surprise          Read at the last slot instead, and the score moves with the length of a neighbour's text.
// Reader's sentence A task is a row of tokens; the answer is read where ⟨e⟩ stands.
import { button, choose, dot, format, h, liveSentence, newId, openFigure, radios, range, softmax, sum, table, tableToggle, toolbar } from "./shared.js";

const [START, DELIMITER, EXTRACT, PAD] = DATA.marks;
const CLASSIFICATION = "classification";
const [SIMILARITY, CHOICE] = ["similarity", "multiple choice"];
const textsOf = (task) => ({ first: DATA.tasks[task][0], second: DATA.tasks[task][1] });
const opening = () => ({ ...DATA.opening, ...textsOf(DATA.opening.task) });

/** Words and signs in small letters; here each is a token. */
export const words = (text) => text.toLowerCase().match(/[a-z0-9']+|[^\sa-z0-9']/g) ?? [];

/** The rows of an example; none while a text is missing. */
export function rows({ task, first, second }) {
  const a = words(first);
  const others = (task === CHOICE ? second.split("/") : [second]).map(words);
  if (task === CLASSIFICATION) return a.length ? [[START, ...a, EXTRACT]] : [];
  if (!a.length || others.some((text) => !text.length) || (task === CHOICE && others.length < 2)) return [];
  const joined = (x, y) => [START, ...x, DELIMITER, ...y, EXTRACT];
  return task === SIMILARITY ? [joined(a, others[0]), joined(others[0], a)] : others.map((text) => joined(a, text));
}

/** Two numbers from −1 to 1 out of a word's letters. */
export function values(word) {
  let mixed = 2166136261;
  for (let i = 0; i < word.length; i++) mixed = Math.imul(mixed ^ word.charCodeAt(i), 16777619) >>> 0;
  return [(mixed & 65535) / 32768 - 1, (mixed >>> 16) / 32768 - 1];
}

/** The toy reader: each slot takes a mix of itself and the slots before it, nearer ones more. */
export function states(row, slots) {
  const filled = [...row, ...range(Math.max(slots - row.length, 0)).map(() => PAD)];
  const value = filled.map(values);
  return filled.map((_, i) => {
    const shares = softmax(filled.map((__, j) => (j <= i ? -DATA.slope * (i - j) : -Infinity)));
    return [0, 1].map((n) => sum(shares.map((share, j) => share * value[j][n])));
  });
}

const widest = (state) => Math.max(state.slots, ...rows(state).map((row) => row.length));
const placeIn = (state, row) => (state.last ? widest(state) - 1 : row.length - 1);

/** One score for each row; of both orders one, from the sum of their states. */
export function scores(state) {
  const read = rows(state).map((row) => states(row, widest(state))[placeIn(state, row)]);
  const taken = state.task === SIMILARITY && read.length ? [range(2).map((n) => sum(read.map((each) => each[n])))] : read;
  return taken.map((each) => dot(each, DATA.weights));
}

export function sentence(state) {
  const found = rows(state);
  if (!found.length) return state.task === CHOICE ? "Type a context, and at least two endings with / between them." : "Type a text in each box.";
  const numbers = scores(state);
  const at = state.last ? `at slot ${widest(state) - 1}, the last one` : found.length === 1 ? `at slot ${found[0].length - 1}, where ⟨e⟩ stands` : "where ⟨e⟩ stands in each row";
  const padded = state.last && found.some((row) => row.length < widest(state)) ? " That is padding, and the score depends on the batch." : "";
  const says = state.task === CHOICE ? `chances ${softmax(numbers).map((x) => format(x, 3)).join(", ")}` : `score ${format(numbers[0], 3)}`;
  const many = found.length === 1 ? "One row" : `${found.length} rows`;
  return `${many}, read ${at}: ${says}.${padded}`;
}

const STYLE = `
.fields{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:12px 16px;margin-top:12px}
label{font-weight:650}
.chip{font-weight:400}
input[type=text]{font:inherit;color:inherit;background:var(--_page);border:1px solid var(--_muted);border-radius:4px;min-height:44px;padding:0 8px;width:100%}
input[type=range]{width:100%;height:44px;margin:0;accent-color:var(--_ink);cursor:pointer;display:block}
.strips{overflow-x:auto;margin:8px 0}
.strip{display:flex;gap:2px;padding:4px 4px 8px;width:max-content}
.slot{flex:none;min-width:34px;border:1px solid var(--_muted);border-radius:4px;padding:2px 5px;text-align:center;font:15px/22px ui-monospace,monospace}
.slot small{display:block;font-size:13px;line-height:16px;color:var(--_muted)}
.slot.mark{background:var(--_surface)}
.slot.guessed{border-bottom:3px solid var(--_ink)}
.slot.pad{border-style:dashed;color:var(--_muted)}
.slot.read{outline:3px solid var(--_ink);outline-offset:-1px;font-weight:650}
.title{font-weight:650;margin-top:16px}
[hidden]{display:none}
@container (max-width:647px){.fields{grid-template-columns:minmax(0,1fr)}}
`;

export function render({ el }) {
  const { figure, close } = openFigure(el, "From which slot does the answer come?", STYLE);
  let state = opening();
  const live = liveSentence();
  const names = Object.keys(DATA.tasks);
  const group = radios("Task", names, state.task, (task) => update({ task, ...textsOf(task) }));
  const box = (name) => {
    const [id, words] = [newId(), h("span")];
    const input = h("input", { type: "text", id, maxlength: 90, autocomplete: "off", spellcheck: "false", oninput: () => update({ [name]: input.value }) });
    return { input, words, node: h("div", {}, h("label", { for: id }, words), input) };
  };
  const [first, second] = [box("first"), box("second")];
  const [id, longest] = [newId(), h("span")];
  const slots = h("input", { type: "range", id, min: 4, max: DATA.most, step: 1, oninput: () => update({ slots: Number(slots.value) }) });
  const place = button("", () => update({ last: !state.last }));
  const strips = h("div", { class: "strips", tabindex: 0, role: "group", "aria-label": "Rows of tokens" });
  const head = h("p", { class: "title" });
  const tabular = tableToggle(() => rows(state).map((row, i) => table(`Row ${i + 1}`, ["slot", "token", "state", "read here", "guessed by L1"],
    states(row, widest(state)).map((each, n) => [`${n}`, row[n] ?? PAD, each.map((x) => format(x, 3)).join(", "), n === placeIn(state, row) ? "✓" : "", n && n < row.length ? "✓" : ""]))));

  const NAMES = { classification: ["text", ""], entailment: ["premise", "hypothesis"], similarity: ["one text", "the other"], "multiple choice": ["context", "endings, with / between them"] };
  function strip(row, number) {
    const read = placeIn(state, row);
    const slot = (n) => {
      const word = row[n] ?? PAD;
      const kind = n >= row.length ? " pad" : [START, DELIMITER, EXTRACT].includes(word) && (n === 0 || n === row.length - 1 || word === DELIMITER) ? " mark" : "";
      return h("span", { class: `slot${kind}${n && n < row.length ? " guessed" : ""}${n === read ? " read" : ""}` }, word, h("small", {}, `${n}`));
    };
    return h("div", { class: "strip", role: "group", "aria-label": `Row ${number + 1}: ${row.join(" ")}; read at slot ${read}` }, ...range(widest(state)).map(slot));
  }
  function draw() {
    choose(group, state.task);
    [first, second].forEach((each, i) => {
      each.words.textContent = NAMES[state.task][i];
      const text = i ? state.second : state.first;
      if (each.input.value !== text) each.input.value = text;
      each.node.hidden = !NAMES[state.task][i];
    });
    slots.value = state.slots;
    longest.textContent = `slots of the batch's longest row: ${widest(state)}`;
    slots.setAttribute("aria-valuetext", `${widest(state)}`);
    place.textContent = state.last ? "Read at ⟨e⟩ again" : "Read at the last slot";
    strips.replaceChildren(...rows(state).map(strip));
    const numbers = scores(state);
    const shares = state.task === CHOICE ? `, softmax over the rows: ${softmax(numbers).map((x) => format(x, 3)).join(", ")}` : state.task === SIMILARITY ? ", from the sum of both states" : "";
    head.textContent = numbers.length ? `score ${numbers.map((x) => format(x, 3)).join(", ")}${shares}` : "";
    tabular.refresh();
  }
  function update(change) {
    state = { ...state, ...change };
    draw();
    live.say(sentence(state));
  }

  figure.append(
    group,
    h("div", { class: "fields" }, first.node, second.node, h("div", {}, h("label", { for: id }, longest), slots)),
    toolbar("Composer", place, button("Reset", () => update(opening())), tabular.toggle),
    live.shown, live.spoken,
    h("p", { class: "muted" }, "Numbers are positions. Heavy frame: the state that goes to the head. Underlined: guessed by L1. Dashed: padding. Words stand for tokens, and the reader is a toy; nothing in it is learned."),
    strips, head, tabular.box,
  );
  draw();
  live.say(sentence(state), false);
  return close;
}

export default { render };
