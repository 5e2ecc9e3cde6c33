// Filters with counts: values to tick, numbers to slide.

import { byId, el, icon, refill } from "./dom.js";
import { rangeOf, valuesOf, withRange, withValues } from "./filters.js";
import { allValues } from "./service.js";
import { slider } from "./slider.js";
import { colourOf, isColourful } from "./colours.js";
import { counted, isYears, labelOf, valueText } from "./wording.js";

const FEW = 6;
const MANY = 12; // values from which on a box to find one in them helps
const COUNTED = 100; // values that an answer counts of a field
const OPEN = 4; // fields that are open at first

const opened = new Map();
const unfolded = new Set();
const wanted = new Map();
const complete = new Map();

/** Shows a section per field of the schema that tells products apart. `change(patch)` as elsewhere. */
export function showFacets(schema, state, answer, change) {
  complete.clear();
  const fields = schema.fields.filter((field) => hasChoice(field, state, answer));
  refill(
    byId("facets"),
    inOrder(fields, answer).map((field, number) =>
      section(field, number < OPEN, state, answer, change),
    ),
  );
}

/** As the catalog has them, with numbers such as the price after the first: shoppers look there. */
function inOrder(fields, answer) {
  const isEarly = ({ name, kind }) =>
    kind === "number" && answer.numbers[name] && !isYears(answer.numbers[name]);
  const [first, ...others] = fields.filter((field) => !isEarly(field));
  return [first, ...fields.filter(isEarly), ...others].filter(Boolean);
}

/** How many fields something is chosen of. */
export function chosenFields(schema, state, answer) {
  return schema.fields.filter((field) => isChosen(field, state, answer)).length;
}

function hasChoice({ name, kind }, state, answer) {
  if (isChosen({ name, kind }, state, answer)) return true;
  if (kind === "number") return answer.numbers[name]?.high > answer.numbers[name]?.low;
  return (answer.facets[name]?.length ?? 0) > 1;
}

function isChosen({ name, kind }, state, answer) {
  if (kind !== "number") return chosenValues(name, state, answer).length > 0;
  const { low, high } = chosenRange(name, state, answer);
  return low !== null || high !== null;
}

/** The demands on a field that the text was understood as, and that were carried out. */
function demandsOn(name, answer, isWanted) {
  const given = new Set(answer.relaxed.map((demand) => demand.key));
  const demands = answer.understanding?.filters ?? [];
  return demands.filter((one) => one.field === name && !given.has(one.key) && isWanted(one.op));
}

function chosenValues(name, state, answer) {
  const said = demandsOn(name, answer, (op) => op === "=").flatMap((one) => one.value.map(String));
  return [...new Set([...valuesOf(state.filter, name), ...said])];
}

function isBound(op) {
  return op !== "!=";
}

function chosenRange(name, state, answer) {
  const said = demandsOn(name, answer, isBound);
  return rangeOf(
    [
      ...state.filter,
      ...said.flatMap((one) => [one.value].flat().map((value) => `${name}${one.op}${value}`)),
    ],
    name,
  );
}

/** What was understood becomes a filter of the shopper's own once it is changed by hand. */
function takenOver(name, state, answer, isWanted) {
  return [...state.ignore, ...demandsOn(name, answer, isWanted).map((one) => one.key)];
}

function section(field, isFirst, state, answer, change) {
  const { name } = field;
  const isOpen = opened.get(name) ?? (isFirst || isChosen(field, state, answer));
  const body = el("div", { class: "facet-body", id: `facet-${name}`, hidden: !isOpen });
  const head = el(
    "button",
    {
      class: "facet-head",
      type: "button",
      "data-key": `head ${name}`,
      "aria-expanded": String(isOpen),
      "aria-controls": `facet-${name}`,
      onclick: () => {
        opened.set(name, body.hidden);
        body.hidden = !body.hidden;
        head.setAttribute("aria-expanded", String(!body.hidden));
      },
    },
    labelOf(name),
    icon("chevron"),
  );
  body.append(
    field.kind === "number"
      ? numberChoice(name, state, answer, change)
      : valueChoice(name, state, answer, change),
  );
  return el("section", { class: "facet" }, el("h2", {}, head), body);
}

function numberChoice(name, state, answer, change) {
  const range = chosenRange(name, state, answer);
  return slider(labelOf(name), answer.numbers[name], range, (low, high) =>
    change({
      filter: withRange(state.filter, name, low, high),
      ignore: takenOver(name, state, answer, isBound),
    }),
  );
}

function valueChoice(name, state, answer, change) {
  const chosen = chosenValues(name, state, answer);
  const root = el("div", { role: "group", "aria-label": labelOf(name) });
  const toggle = (value, isOn) => {
    const values = isOn ? [...chosen, value] : chosen.filter((one) => one !== value);
    change({
      filter: withValues(state.filter, name, values),
      ignore: takenOver(name, state, answer, (op) => op === "="),
    });
  };
  const list = el("ul", { class: "values" });
  const fill = () => {
    const counts = complete.get(name) ?? answer.facets[name] ?? [];
    const known = new Set(counts.map(({ value }) => String(value)));
    const gone = chosen.filter((value) => !known.has(value)).map((value) => ({ value, count: 0 }));
    list.replaceChildren(
      ...shownValues(name, [...counts, ...gone], chosen).map((one) =>
        tick(name, one, chosen, counts, toggle),
      ),
    );
  };
  fill();
  const total = answer.facets[name]?.length ?? 0;
  root.append(...(total > MANY ? [finder(name, fill)] : []), list);
  if (total > FEW) root.append(unfold(name, total, state, fill));
  return root;
}

/** Those that fit what was typed; otherwise the chosen ones and the most frequent. */
function shownValues(name, counts, chosen) {
  const text = (wanted.get(name) ?? "").trim().toLowerCase();
  if (text) return counts.filter(({ value }) => valueText(value).toLowerCase().includes(text));
  if (unfolded.has(name)) return counts;
  const few = new Set(counts.slice(0, FEW));
  return counts.filter((one) => few.has(one) || chosen.includes(String(one.value)));
}

function tick(name, { value, count }, chosen, counts, toggle) {
  const text = String(value);
  const swatch = isColourful(counts) ? el("span", { class: "swatch" }) : null;
  if (swatch && colourOf(text)) swatch.style.backgroundColor = colourOf(text);
  else swatch?.classList.add("several");
  const box = el("input", {
    type: "checkbox",
    checked: chosen.includes(text),
    "data-key": `tick ${name} ${text}`,
    onchange: (event) => toggle(text, event.target.checked),
  });
  return el(
    "li",
    {},
    el(
      "label",
      { class: count ? "tick" : "tick none" },
      box,
      swatch,
      el("span", { class: "value" }, valueText(value)),
      el("span", { class: "number" }, counted(count)),
    ),
  );
}

function finder(name, fill) {
  return el("input", {
    class: "finder",
    type: "search",
    value: wanted.get(name) ?? "",
    placeholder: `Find in ${labelOf(name).toLowerCase()}`,
    "aria-label": `Find in ${labelOf(name)}`,
    "data-key": `find ${name}`,
    oninput: (event) => {
      wanted.set(name, event.target.value);
      fill();
    },
  });
}

/** A button that shows all values, and fetches those that the answer left out. */
function unfold(name, total, state, fill) {
  const button = el("button", {
    class: "link",
    type: "button",
    "data-key": `unfold ${name}`,
    onclick: async () => {
      if (unfolded.delete(name)) return say(fill());
      unfolded.add(name);
      if (total >= COUNTED) complete.set(name, await allValues(state, name).catch(() => null));
      if (!complete.get(name)) complete.delete(name);
      say(fill());
    },
  });
  const say = () => {
    const number = total >= COUNTED ? `${total} or more` : total;
    button.textContent = unfolded.has(name) ? "Show fewer" : `Show all ${number}`;
    button.setAttribute("aria-expanded", String(unfolded.has(name)));
  };
  say();
  return button;
}
