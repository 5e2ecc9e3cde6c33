// What is asked for, as chips that take it back, and in words what was made of the text.

import { isAimed } from "./address.js";
import { byId, el, icon, refill } from "./dom.js";
import { pictureAt, pictureOf } from "./service.js";
import { storedPicture } from "./picture.js";
import { showWithout } from "./without.js";
import { demandText, filterText } from "./wording.js";

const REASONS = {
  synonym: "another word for it here",
  spelling: "spelt like this here",
  nearest: "the nearest to it here",
};

/**
 * Shows chips and sentences for a state and the answer to it.
 *
 * `change(patch)` is called with what is different once a chip is pressed.
 */
export function showAsked(state, answer, titleOf, change) {
  const without = (name, value) => ({ [name]: state[name].filter((one) => one !== value) });
  const chips = [
    ...exampleChips(state, titleOf, without, change),
    ...understoodChips(state, answer, change),
    ...state.filter.map((expression) =>
      chip({ ...filterText(expression), take: () => change(without("filter", expression)) }),
    ),
    ...state.ignore.map((key) => ignoredChip(key, () => change(without("ignore", key)))),
    ...state.minus.map((text) =>
      chip({
        label: "Without",
        text,
        kind: "minus",
        take: () => change(without("minus", text)),
      }),
    ),
  ];
  const lines = sentences(state, answer);
  const wasHere = byId("asked").contains(document.activeElement);
  refill(
    byId("chips"),
    chips.map((one) => el("li", {}, one)),
  );
  byId("sentences").replaceChildren(...lines.map((line) => el("p", { class: "made" }, ...line)));
  const rest = ["filter", "ignore", "minus", "minus_similar", "similar", "image"];
  const nothing = Object.fromEntries(rest.map((name) => [name, []]));
  const clear = byId("clear-all");
  clear.hidden = chips.length < 2;
  clear.onclick = () => change({ ...nothing, picture: "" });
  showWithout(state, change);
  byId("asked").hidden = !chips.length && !lines.length && byId("without").hidden;
  if (wasHere && !isFocused()) (byId("chips").querySelector("button") ?? byId("heading")).focus();
}

/** Whether the focus is anywhere that can be seen: a chip that was pressed takes it along. */
function isFocused() {
  return document.activeElement?.checkVisibility() && document.activeElement !== document.body;
}

function chip({ label, text, short = null, take, picture = null, kind = "", action = "Remove" }) {
  const name = label ? `${label}: ${text}` : text;
  return el(
    "button",
    {
      class: `chip ${kind}`,
      type: "button",
      "data-key": `chip ${name}`,
      "aria-label": `${action} ${name}`,
      title: short ? name : "",
      onclick: take,
    },
    picture && el("img", { src: picture, alt: "", onerror: ({ target }) => target.remove() }),
    label && el("span", { class: "label" }, label),
    el("span", { class: "text" }, short ?? text),
    icon(kind === "ignored" ? "undo" : "close"),
  );
}

function exampleChips(state, titleOf, without, change) {
  const thumbnail = (id) => pictureAt(pictureOf(id), 96);
  const stored = state.picture ? storedPicture(state.picture) : null;
  return [
    stored &&
      chip({ text: "Your picture", picture: stored.url, take: () => change({ picture: "" }) }),
    ...state.image.map((url) =>
      chip({ label: "Looks like", text: url, take: () => change(without("image", url)) }),
    ),
    ...state.similar.map((id) =>
      chip({
        label: "Like",
        text: titleOf(id),
        picture: thumbnail(id),
        take: () => change(without("similar", id)),
      }),
    ),
    ...(isAimed(state) ? state.minus_similar : []).map((id) =>
      chip({
        label: "Less like",
        text: titleOf(id),
        picture: thumbnail(id),
        kind: "minus",
        take: () => change(without("minus_similar", id)),
      }),
    ),
  ].filter(Boolean);
}

function understoodChips(state, answer, change) {
  const { filters = [], boosts = [], avoided = [] } = answer?.understanding ?? {};
  const ignored = (key) => () => change({ ignore: [...state.ignore, key] });
  const given = new Set((answer?.relaxed ?? []).map((demand) => demand.key));
  const typed = new Set(state.minus.map((text) => text.toLowerCase())); // they have chips already
  const isOwn = (text) => !typed.has(text.toLowerCase());
  const demands = [...filters, ...boosts].filter(
    (demand) => !given.has(demand.key) && (demand.op !== "!=" || isOwn(demand.from)),
  );
  return [
    ...demands.map((demand) =>
      chip({ ...demandText(demand), kind: "understood", take: ignored(demand.key) }),
    ),
    ...avoided.filter(({ text }) => isOwn(text)).map(({ text, key }) =>
      chip({ text: `not ${text}`, kind: "understood", take: ignored(key) }),
    ),
  ];
}

function ignoredChip(key, take) {
  return chip({ text: key.replace(/ = /, ": "), kind: "ignored", action: "Apply again:", take });
}

/** Sentences about what was substituted, not carried, and let go. */
function sentences(state, answer) {
  const { substituted = [], not_carried = [], avoided = [] } = answer?.understanding ?? {};
  const missing = not_carried.filter(({ why }) => why !== "no value to exclude"); // see lastSentence
  const quoted = (text) => el("q", {}, text);
  const used = substituted.map(({ from, to, why }) => [
    "We read ",
    quoted(from),
    ` as ${to.join(" or ")}${REASONS[why] ? `, ${REASONS[why]}` : ""}.`,
  ]);
  const carried = missing.map(({ from, why }) =>
    why.startsWith("no such")
      ? ["We carry no ", quoted(from), "."]
      : ["We could not use ", quoted(from), `: there is ${why}.`],
  );
  return [...used, ...carried, ...lastSentence(state, avoided), ...relaxedSentence(answer)];
}

/** What no filter can refuse; in another order than the best first nothing comes last. */
function lastSentence(state, avoided) {
  if (!avoided.length || state.sort) return [];
  const things = avoided.flatMap(({ text }, at) => [at ? " or " : "", el("q", {}, text)]);
  const called = avoided.length > 1 ? "called so" : "called it";
  return [["There is no filter for ", ...things, `, so products that are ${called} come last.`]];
}

/** What was given up so that there is something; on an empty shelf the ways out say more. */
function relaxedSentence(answer) {
  if (!answer?.relaxed.length || !answer.total) return [];
  const names = answer.relaxed.map(demandText).map(({ label, text }) => `${label}: ${text}`);
  const list = names.flatMap((name, number) => [
    number === 0 ? "" : number === names.length - 1 ? " and " : ", ",
    el("b", {}, name),
  ]);
  return [["No product is all of that, so we let go of ", ...list, "."]];
}
