// Question          Which of these four versions masks as BERT does?
// Opening state     The famous line, after twenty texts: about sixty gaps, and not one mask among them.
// Surprise          On a single text every version looks possible; the tallies of two hundred tell all but one at once.
// Reader's sentence Count what your masking does: a share that stays outside its band is a bug.
import { button, format, h, liveSentence, newId, openFigure, range, s, table, tableToggle, toolbar } from "./shared.js";

const [PUBLISHED, PART_OF_ITSELF, TWO_TOSSES, SPECIAL_TOO] = DATA.versions;
const SPECIAL = DATA.tokens.map((token) => token.startsWith("["));
const OTHERS = ["tea", "##ly", "blue", "seven", "hat", "ran", "##ism", "who"];
const opening = () => ({ version: PART_OF_ITSELF, texts: 20, seed: DATA.seed });

/** Word n of mulberry32, as a share of 2^32. */
export function uniform(seed, n) {
  const state = (seed + Math.imul(n + 1, 0x6D2B79F5)) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), state | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
}

/** What becomes of one token: "" when it is not chosen. */
function fate(version, seed, place, special) {
  const [choice, toss, second] = range(3).map((i) => uniform(seed, 4 * place + i));
  if (choice >= 0.15 || (special && version !== SPECIAL_TOO)) return "";
  if (version === PART_OF_ITSELF) return choice < choice * 0.8 ? "[MASK]" : choice < choice * 0.9 ? "another" : "itself";
  if (toss < 0.8) return "[MASK]";
  return (version === TWO_TOSSES ? second < 0.1 : toss < 0.9) ? "another" : "itself";
}

export function oneText({ version, seed, texts }) {
  return DATA.tokens.map((token, i) => {
    const place = (texts - 1) * DATA.tokens.length + i;
    const what = fate(version, seed, place, SPECIAL[i]);
    const other = OTHERS[Math.floor(uniform(seed, 4 * place + 3) * OTHERS.length)];
    return { token, what, seen: { "[MASK]": "[MASK]", another: other }[what] ?? token };
  });
}

export function tallies({ version, seed, texts }) {
  const found = { chosen: 0, "[MASK]": 0, another: 0, itself: 0, special: 0 };
  for (let n = 0; n < texts; n++) {
    DATA.tokens.forEach((_, i) => {
      const what = fate(version, seed, n * DATA.tokens.length + i, SPECIAL[i]);
      if (!what) return;
      found.chosen++;
      found[what]++;
      if (SPECIAL[i]) found.special++;
    });
  }
  return found;
}

/** Five lines: share, expected share, the half-width of the 95 % band, and whether the share lies inside. */
export function lines(state) {
  const found = tallies(state);
  const plain = SPECIAL.filter((special) => !special).length * state.texts;
  const line = (name, count, total, p) => {
    const half = total ? 1.96 * Math.sqrt((p * (1 - p)) / total) : 1;
    const share = total ? count / total : 0;
    return { name, count, total, share, p, half, inside: Math.abs(share - p) <= half + 1e-12 };
  };
  return [
    line("chosen, of plain tokens", found.chosen - found.special, plain, 0.15),
    ...[["[MASK]", 0.8], ["another", 0.1], ["itself", 0.1]].map(([name, p]) => line(`${name}, of the chosen`, found[name], found.chosen, p)),
    line("special, of the chosen", found.special, found.chosen, 0),
  ];
}

export function sentence(state) {
  const out = lines(state).filter(({ inside }) => !inside);
  const where = out.length ? `outside their band: ${out.map(({ name, share }) => `${name} ${format(share, 3)}`).join("; ")}` : "every share is inside its band";
  return `“${state.version}” after ${state.texts} ${state.texts === 1 ? "text" : "texts"}: ${where}.`;
}

const STYLE = `
select{font:inherit;color:inherit;background:var(--_page);border:1px solid var(--_muted);border-radius:4px;width:100%;max-width:28em;min-height:44px;padding:0 8px}
select:focus-visible{outline:2px solid var(--_ink);outline-offset:2px}
label{display:block;font-weight:650}
.text{display:flex;flex-wrap:wrap;gap:4px;margin:16px 0}
.text span{border:1px solid transparent;border-radius:4px;padding:2px 6px;font-family:ui-monospace,monospace}
.text .asked{border-color:var(--_ink);font-weight:650}
.text .asked.same{border-style:dashed}
svg{display:block;width:100%;overflow:visible}
.rows{display:grid;gap:4px;margin:8px 0}
.row{display:grid;grid-template-columns:minmax(0,12em) minmax(0,1fr) 8em;gap:12px;align-items:center;border-top:1px solid color-mix(in srgb,var(--_muted) 35%,transparent);padding:4px 0}
.row.out{font-weight:650}
.axis{stroke:var(--_muted)}
.band{fill:none;stroke:var(--_ink);stroke-width:1.5}
.seen{fill:var(--_ink)}
@container (max-width:647px){.row{grid-template-columns:minmax(0,1fr) 7em}.row svg{grid-column:1/-1;grid-row:2}}
`;

function meter() {
  const [band, seen] = [s("rect", { class: "band", y: 4, height: 16 }), s("rect", { class: "seen", y: 9, height: 6 })];
  const parts = [h("span"), h("span", { class: "muted" })];
  const svg = s("svg", { viewBox: "0 0 400 24", "aria-hidden": "true" }, s("line", { class: "axis", x1: 0, x2: 400, y1: 20, y2: 20 }), seen, band);
  const node = h("div", { class: "row" }, parts[0], svg, parts[1]);
  const draw = ({ name, share, p, half, inside }) => {
    const [low, high] = [Math.max(p - half, 0), Math.min(p + half, 1)];
    band.setAttribute("x", 400 * low);
    band.setAttribute("width", Math.max(400 * (high - low), 2));
    seen.setAttribute("width", 400 * share);
    parts[0].textContent = name;
    parts[1].textContent = `${inside ? "✓" : "✗"} ${format(share, 3)}, expected ${format(p)}`;
    node.className = inside ? "row" : "row out";
  };
  return { node, draw };
}

export function render({ el }) {
  const { figure, close } = openFigure(el, "Which of these four versions masks as BERT does?", STYLE);
  let state = opening();
  const live = liveSentence();
  const list = h("select", { id: newId(), onchange: () => update({ version: list.value }) }, ...DATA.versions.map((name) => h("option", { value: name }, name)));
  const text = h("p", { class: "text" });
  const meters = range(5).map(meter);
  const tabular = tableToggle(() => [
    table("Tallies", ["share", "count", "of", "seen", "expected", "±", "inside"], lines(state).map((l) => [l.name, `${l.count}`, `${l.total}`, format(l.share, 3), format(l.p), format(l.half, 3), l.inside ? "✓ yes" : "✗ no"])),
  ]);
  function draw() {
    list.value = state.version;
    text.replaceChildren(...oneText(state).map(({ token, what, seen }) => h("span", what ? { class: what === "itself" ? "asked same" : "asked", title: `asked: ${token}` } : {}, seen)));
    lines(state).forEach((line, i) => meters[i].draw(line));
    tabular.refresh();
  }
  function update(change) {
    state = { ...state, ...change };
    draw();
    live.say(sentence(state));
  }
  const more = (n) => () => update({ texts: Math.min(state.texts + n, 20000) });
  figure.append(
    h("label", { for: list.id }, "version"), list,
    toolbar("Masking", button("One more text", more(1)), button("200 more", more(200)), button("Other draws", () => update({ seed: state.seed + 1 })), button("Reset", () => update(opening())), tabular.toggle),
    live.shown, live.spoken,
    h("p", { class: "muted" }, "The newest text. Framed: to be guessed; dashed: left as it is."), text,
    h("p", { class: "muted" }, "Bars: shares seen so far. Frames: where 95 of 100 right versions would be."),
    h("div", { class: "rows", role: "group", "aria-label": "Shares" }, ...meters.map(({ node }) => node)),
    tabular.box,
  );
  draw();
  live.say(sentence(state), false);
  return close;
}

export default { render };
