// The shop's front: ways in, made of what the catalog has.

import { byId, el } from "./dom.js";
import { addressOf, EMPTY } from "./address.js";
import { photo } from "./photo.js";
import { colourOf, isColourful } from "./colours.js";
import { withValues } from "./filters.js";
import { search } from "./service.js";
import { counted, labelOf, valueText } from "./wording.js";

const TILES = 8;
const DOTS = 14;
const FEWEST = 6; // values of a field whose pictures make a shop window
const MOST = 60;

let isFilled = false;

/** Shows or hides the front; filled once, from the answer to the empty search. */
export function showFront(isShown, schema, answer, go) {
  byId("front").hidden = !isShown;
  if (!isShown || isFilled) return;
  isFilled = true;
  const fields = schema.fields.filter((field) => field.kind === "keyword");
  const counts = fields.map(({ name }) => ({ name, values: answer.facets[name] ?? [] }));
  const colours = counts.find(({ values }) => isColourful(values));
  const kinds = counts.filter((one) => one !== colours && fits(one.values));
  const pictured = kinds.sort((a, b) => spread(b.values) - spread(a.values))[0];
  const link = (name, value, ...inside) => {
    const state = { ...EMPTY, filter: withValues([], name, [String(value)]) };
    return el(
      "a",
      { href: addressOf(state), onclick: (event) => follow(event, state, go) },
      ...inside,
    );
  };
  byId("front-shelves").replaceChildren(
    ...(pictured ? [tiles(pictured, link)] : []),
    ...(colours ? [dots(colours, link)] : []),
  );
}

function fits(values) {
  return values.length >= FEWEST && values.length <= 100;
}

/** How evenly the products lie over the values: the more even, the better a way in. */
function spread(values) {
  const all = values.reduce((sum, { count }) => sum + count, 0);
  const shares = values.slice(0, MOST).map(({ count }) => count / all);
  return -shares.reduce((sum, share) => sum + share * Math.log(share), 0);
}

function follow(event, state, go) {
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  go(state);
}

function tiles({ name, values }, link) {
  return el(
    "div",
    { class: "window" },
    el("h2", {}, `By ${labelOf(name).toLowerCase()}`),
    el(
      "ul",
      { class: "tiles" },
      values.slice(0, TILES).map(({ value, count }) => {
        const frame = el("span", { class: "photo" });
        typical(name, value).then((hit) => hit && frame.replaceWith(photo(hit.picture_url, 360)));
        return el(
          "li",
          {},
          link(
            name,
            value,
            frame,
            el("span", { class: "name" }, valueText(value)),
            el("span", { class: "number" }, counted(count)),
          ),
        );
      }),
    ),
  );
}

/** The product that looks most like a value sounds. */
async function typical(name, value) {
  const state = { ...EMPTY, q: String(value), filter: withValues([], name, [String(value)]) };
  const answer = await search(state, { limit: 1, understand: "off", words_weight: 0 }).catch(
    () => null,
  );
  return answer?.hits[0] ?? null;
}

function dots({ name, values }, link) {
  const shown = values.filter(({ value }) => colourOf(value)).slice(0, DOTS);
  return el(
    "div",
    { class: "window" },
    el("h2", {}, `By ${labelOf(name).toLowerCase()}`),
    el(
      "ul",
      { class: "dots" },
      shown.map(({ value }) => {
        const swatch = el("span", { class: "swatch" });
        swatch.style.backgroundColor = colourOf(value);
        return el(
          "li",
          {},
          link(name, value, swatch, el("span", { class: "name" }, valueText(value))),
        );
      }),
    ),
  );
}
