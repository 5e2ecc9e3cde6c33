// A product on the shelf.

import { el, icon } from "./dom.js";
import { addressOf } from "./address.js";
import { photo, variant } from "./photo.js";
import { isYears, labelOf, valueText } from "./wording.js";

const SWATCHES = 4;

/**
 * One hit as a list item.
 *
 * `acts` has `open(hit)`, `more(hit)`, `less(hit)` (null where nothing can be less like it).
 */
export function card(hit, state, shop, acts) {
  const name = hit.title || hit.id;
  const link = el(
    "a",
    {
      class: "card-link",
      href: addressOf({ ...state, product: hit.id }),
      onclick: (event) => {
        if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
        event.preventDefault();
        acts.open(hit);
      },
    },
    photo(hit.picture_url, 480),
    el("span", { class: "name" }, name),
  );
  return el(
    "li",
    { class: "card", "data-id": hit.id },
    link,
    facts(hit, shop),
    hit.variants?.length > 0 && variants(hit, acts),
    el(
      "div",
      { class: "acts" },
      act("more", `More like ${name}`, "More like this", () => acts.more(hit)),
      acts.less && act("less", `Less like ${name}`, "Less like this", () => acts.less(hit)),
    ),
  );
}

function act(name, label, hint, press) {
  return el(
    "button",
    { class: "act", type: "button", "aria-label": label, title: hint, onclick: press },
    icon(name),
  );
}

/** Two lines at most: the number that shops sell by, and why it is here or what it is. */
function facts(hit, shop) {
  const number = shop.numbers.find((name) => hit.attributes[name] !== undefined);
  const matched = shop.keywords.filter((name) => hit.matched?.[name] !== undefined);
  const names = [...matched, ...shop.keywords.filter((name) => !matched.includes(name))];
  const values = names
    .filter((name) => hit.attributes[name] !== undefined)
    .map((name) => valueText(hit.attributes[name]));
  const told = [...new Set(values)].slice(0, 2);
  return [
    number &&
      el(
        "p",
        { class: "price" },
        el("span", { class: "unseen" }, `${labelOf(number)} `),
        shop.money(hit.attributes[number]),
      ),
    told.length > 0 && el("p", { class: "facts" }, told.join(" · ")),
  ].filter(Boolean);
}

/** The other products of its group, as small pictures, with how many there are. */
function variants(hit, acts) {
  const shown = hit.variants.slice(0, SWATCHES);
  const more = hit.variant_count - shown.length;
  return el(
    "ul",
    { class: "variants", "aria-label": "Variants" },
    shown.map((one) => variant(one, 96, acts.open)),
    more > 0 && el("li", { class: "rest" }, `+${more}`),
  );
}

/** Empty cards in the shape of real ones. */
export function skeletons(count) {
  return Array.from({ length: count }, () =>
    el(
      "li",
      { class: "card skeleton", "aria-hidden": "true" },
      el("span", { class: "photo" }),
      el("span", { class: "bone" }),
      el("span", { class: "bone short" }),
    ),
  );
}

/** What the page needs to know of the shop's fields, from the schema and the numbers of an answer. */
export function shopOf(schema, numbers) {
  const of = (kind) => schema.fields.filter((field) => field.kind === kind).map(({ name }) => name);
  const prices = of("number").filter((name) => !(numbers[name] && isYears(numbers[name])));
  return {
    keywords: of("keyword"),
    numbers: prices.slice(0, 1),
    isPriced: Boolean(numbers[prices[0]]),
    money: (value) => withCurrency(value, schema.currency),
  };
}

/** A number beside its currency: "€40", "CHF 40". */
function withCurrency(value, currency) {
  if (!currency) return valueText(value);
  return /^\p{L}/u.test(currency) ? `${currency} ${valueText(value)}` : currency + valueText(value);
}
