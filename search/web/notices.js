// What is said in place of products, or above them: nothing found, no good match, no answer.

import { byId, el, refill } from "./dom.js";
import { search } from "./service.js";
import { counted, demandText, filterText } from "./wording.js";

const WAYS = 6; // ways out of an empty shelf that are tried
const QUOTED = 80; // letters of a text that are said again

/**
 * A failure in words, with a button that tries again.
 *
 * With `leave`, a search that will fail again has a button that leaves it instead.
 */
export function problem(error, retry, title = null, leave = null) {
  const [head, text] = wordsFor(error);
  const isLasting = leave && [400, 404, 413, 422].includes(error.status);
  return el(
    "div",
    { class: "notice wrong-notice", role: "alert" },
    el("h2", {}, title ?? head),
    el("p", {}, title ? `${head}. ${text}` : text),
    el(
      "button",
      {
        class: "button strong",
        type: "button",
        "data-key": "retry",
        onclick: isLasting ? leave : retry,
      },
      isLasting ? "Show everything" : "Try again",
    ),
  );
}

function wordsFor({ status, message, wait_s }) {
  const wait = wait_s ? `in ${wait_s} second${wait_s === 1 ? "" : "s"}` : "in a moment";
  if (status === 0 && !navigator.onLine)
    return ["You are offline", "Your search is kept; try again once you are connected."];
  if (status === 0)
    return ["The shop cannot be reached", `${message} Nothing is lost: try again ${wait}.`];
  if (status === 401 || status === 403)
    return ["This needs a key", "The key was missing, or it may not do this."];
  if (status === 429)
    return ["That was a little fast", `Too many searches at once. Try again ${wait}.`];
  if (status === 503)
    return ["The shop is getting ready", `${message || "It is not open yet."} Try again ${wait}.`];
  if (status === 404)
    return ["This is not here any more", "It may be sold out. Look for something else."];
  if (status >= 500)
    return [
      "Something broke on our side",
      "It was noted. Try again, or search for something else.",
    ];
  return ["This search cannot be carried out", `${message.charAt(0).toUpperCase()}${message.slice(1)}.`];
}

/** Put a failure in the place of the products. */
export function showProblem(error, retry, leave = null) {
  refill(byId("notices"), problem(error, retry, null, leave));
}

/** Put nothing there. */
export function showNothing() {
  byId("notices").replaceChildren();
}

/** Something to know about the products below. */
export function showNote(text) {
  refill(byId("notices"), el("p", { class: "note" }, text));
}

/** Nothing is like the text: say so, above what comes nearest. */
function showNoMatch(text) {
  const lead = text
    ? ["Nothing here is a close match for ", quoted(text), "."]
    : ["Nothing here is a close match."];
  refill(byId("notices"), el("p", { class: "note" }, ...lead, " These come nearest."));
}

/** No product has a word of the text: say so, above what looks like it. */
function showByLooks(text) {
  const lead = ["None of these is called ", quoted(text), "."];
  refill(byId("notices"), el("p", { class: "note" }, ...lead, " They are here by their looks alone."));
}

function quoted(text) {
  return el("q", {}, text.length > QUOTED ? `${text.slice(0, QUOTED).trimEnd()}…` : text);
}

/** What has to be said above the products that were found, as a function that says it; null for nothing. */
export function noteFor(state, answer) {
  const text = state.q.trim();
  if (!answer.total) return null;
  if (answer.relevance?.is_good === false) return () => showNoMatch(text);
  return isByLooks(state, answer) ? () => showByLooks(text) : null;
}

/** Whether nothing but pictures speaks for what was found, where nobody measured what that says. */
function isByLooks(state, answer) {
  const isAllText = state.q.trim() && !state.picture && !state.image.length && !state.similar.length;
  if (!isAllText || state.sort || answer.relevance) return false;
  const { text = state.q, filters = [], boosts = [] } = answer.understanding ?? {};
  const isKnown = [...filters, ...boosts].some(({ op }) => op === "=");
  return /[\p{L}\p{N}]/u.test(text) && !isKnown && answer.hits.every(({ words }) => !words);
}

/** An empty shelf: each demand that can be let go, with how many products that leaves. */
export async function showEmpty(state, answer, change, signal) {
  const ways = waysOut(state, answer).slice(0, WAYS);
  const list = el("ul", { class: "ways" });
  const heading = el("h2", { tabIndex: -1 }, "No product is all of that");
  refill(
    byId("notices"),
    el(
      "div",
      { class: "notice" },
      heading,
      el(
        "p",
        {},
        ways.length ? "Let one thing go, and there is more:" : "Try other words, or look around.",
      ),
      list,
      el(
        "button",
        {
          class: "button",
          type: "button",
          onclick: () =>
            change({
              q: "",
              picture: "",
              image: [],
              similar: [],
              minus: [],
              minus_similar: [],
              filter: [],
              ignore: [],
            }),
        },
        "Show everything",
      ),
    ),
  );
  const counts = await Promise.all(
    ways.map(({ patch }) =>
      search({ ...state, ...patch }, { limit: 1 }, signal).then(
        ({ total }) => total,
        () => 0,
      ),
    ),
  );
  if (signal.aborted) return;
  const found = ways
    .map((way, number) => ({ ...way, count: counts[number] }))
    .filter(({ count }) => count);
  found.sort((a, b) => b.count - a.count);
  list.replaceChildren(
    ...found.map(({ text, patch, count }) =>
      el(
        "li",
        {},
        el(
          "button",
          { class: "way", type: "button", onclick: () => change(patch) },
          el("span", {}, "Without ", el("b", {}, text)),
          el("span", { class: "number" }, counted(count)),
        ),
      ),
    ),
  );
}

function waysOut(state, answer) {
  const said = ({ label, text }) => `${label}: ${text}`;
  const filters = state.filter.map((one) => ({
    text: said(filterText(one)),
    patch: { filter: state.filter.filter((other) => other !== one) },
  }));
  const demands = (answer.understanding?.filters ?? []).map((demand) => ({
    text: said(demandText(demand)),
    patch: { ignore: [...state.ignore, demand.key] },
  }));
  const all = filters.length > 1 ? [{ text: "any of these filters", patch: { filter: [] } }] : [];
  const words =
    state.q.trim() && filters.length
      ? [{ text: `“${state.q.trim()}”`, patch: { q: "", ignore: [] } }]
      : [];
  return [...filters, ...demands, ...all, ...words];
}
