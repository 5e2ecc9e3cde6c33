// Two indexes side by side on the same words: rank by rank, with marks on what both found.

import { addressOf, comparable, readState } from "./address.js";
import { skeletons } from "./card.js";
import { photo } from "./photo.js";
import { byId, debounce, el, icon, refill } from "./dom.js";
import { withKey } from "./key.js";
import { showNote, showNothing, showProblem } from "./notices.js";
import { schema as askSchema, search } from "./service.js";
import { countText } from "./wording.js";

const SHOWN = 24;
const SIDES = ["main", "compare"];
const SEARCH_AFTER_MS = 250;

let schema = null;
let asking = null;

/** Ask both, one after the other, so that neither waits for the other's work. */
async function compare() {
  asking?.abort();
  asking = new AbortController();
  const { signal } = asking;
  const state = comparable(readState(location.search));
  const { q } = state;
  if (byId("q").value.trim() !== q) byId("q").value = q;
  byId("back").href = addressOf(state);
  document.title = [q, "Compare", schema.name].filter(Boolean).join(" – ");
  if (!q.trim()) return showSides(SIDES.map(() => null));
  byId("results").setAttribute("aria-busy", "true");
  if (!byId("sides").childElementCount)
    showSides(
      SIDES.map(() => null),
      true,
    );
  try {
    const answers = [];
    for (const index of SIDES) {
      const started = performance.now();
      const answer = await withKey(() =>
        search(state, { index, limit: SHOWN, group: schema.group }, signal),
      );
      answers.push({ ...answer, total_ms: performance.now() - started });
    }
    showNothing();
    showSides(answers);
  } catch (error) {
    if (signal.aborted) return undefined;
    byId("sides").replaceChildren();
    showProblem(error, compare);
  }
  byId("results").removeAttribute("aria-busy");
  return undefined;
}

function showSides(answers, isWaiting = false) {
  const ranks = answers.map(
    (answer) => new Map((answer?.hits ?? []).map(({ id }, at) => [id, at + 1])),
  );
  const [left, right] = ranks;
  const both = [...left.keys()].filter((id) => right.has(id)).length;
  const most = Math.max(left.size, right.size);
  byId("count").textContent = !answers[0]
    ? "Two checkpoints, asked the same: type something they should agree on."
    : `${both} of the first ${most} are the same on both sides`;
  refill(
    byId("sides"),
    SIDES.map((name, side) => column(name, side, answers[side], ranks[1 - side], isWaiting)),
  );
}

function column(name, side, answer, others, isWaiting) {
  const model = schema.models[name] ?? name;
  return el(
    "section",
    { class: "side-of", "aria-labelledby": `side-${side}` },
    el("h2", { id: `side-${side}` }, el("span", { class: "letter" }, "AB"[side]), " ", model),
    el("p", { class: "times" }, answer ? times(answer) : " "),
    el(
      "ol",
      { class: "ranks" },
      isWaiting
        ? skeletons(8)
        : (answer?.hits ?? []).map((hit, at) => place(hit, at + 1, others, side)),
    ),
  );
}

function times({ total, encode_ms, index_ms, total_ms }) {
  const whole = el("b", {}, `${total_ms.toFixed(0)} ms`);
  const parts = `words ${encode_ms.toFixed(1)}, index ${index_ms.toFixed(1)}`;
  return [whole, ` in all (${parts}) · ${countText(total)}`];
}

function place(hit, rank, others, side) {
  const name = hit.title || hit.id;
  const other = others.get(hit.id);
  const mark = other
    ? el(
        "p",
        { class: "mark-both" },
        icon("check"),
        `also ${"BA"[side]} ${other}`,
        moved(rank, other),
      )
    : el("p", { class: "mark-only" }, "only here");
  const item = el(
    "li",
    { class: other ? "card is-both" : "card", "data-id": hit.id },
    el(
      "a",
      { class: "card-link", href: `/?${new URLSearchParams({ product: hit.id })}` },
      photo(hit.picture_url, 360),
      el("span", { class: "name" }, name),
    ),
    el("span", { class: "rank", "aria-hidden": "true" }, String(rank)),
    mark,
  );
  const light = (isOn) => {
    for (const twin of document.querySelectorAll(`[data-id="${CSS.escape(hit.id)}"]`))
      twin.classList.toggle("is-lit", isOn);
  };
  item.addEventListener("pointerenter", () => light(true));
  item.addEventListener("pointerleave", () => light(false));
  return item;
}

function moved(rank, other) {
  if (rank === other) return null;
  const [sign, word] = rank < other ? ["▲", "higher"] : ["▼", "lower"];
  const places = Math.abs(rank - other);
  return el(
    "span",
    { class: "moved" },
    el("span", { "aria-hidden": "true" }, `${sign}${places}`),
    el("span", { class: "unseen" }, `, ${places} ${word} here`),
  );
}

function ask(q, isTyped) {
  const given = new URLSearchParams(location.search);
  if (q.trim()) given.set("q", q);
  else given.delete("q");
  const address = given.size ? `/compare?${given}` : "/compare";
  if (isTyped) history.replaceState(null, "", address);
  else if (address !== location.pathname + location.search) history.pushState(null, "", address);
  compare();
}

async function start() {
  byId("box-icon").append(icon("search"));
  try {
    schema = await withKey(askSchema);
  } catch (error) {
    return showProblem(error, () => location.reload());
  }
  byId("mark").textContent = schema.name;
  if (!schema.indexes.includes("compare")) {
    byId("box").hidden = true;
    return showNote(
      "There is one index here. Start goods serve with --compare and a second one to see them side by side.",
    );
  }
  const typed = debounce(SEARCH_AFTER_MS, (q) => ask(q, true));
  byId("q").addEventListener("input", (event) => typed(event.target.value));
  byId("box").addEventListener("submit", (event) => {
    event.preventDefault();
    typed.cancel();
    ask(byId("q").value, false);
  });
  addEventListener("popstate", compare);
  return compare();
}

start();
