// One product in a dialog: what it is, why it was found, its variants, and what is like it.

import { byId, el, icon, refill } from "./dom.js";
import { card } from "./card.js";
import { photo, variant } from "./photo.js";
import { row } from "./shelf.js";
import { withKey } from "./key.js";
import { heatAt, product, similar } from "./service.js";
import { problem } from "./notices.js";
import { labelOf, valueText } from "./wording.js";

const ALIKE = 8;

let asking = null;

/** Closes the dialog, if it is open. */
export function hideProduct() {
  asking?.abort();
  if (byId("product").open) byId("product").close();
}

/**
 * Opens the dialog for a product's id; `hit` is what is known of it already, or null.
 *
 * `acts` has `open`, `more`, `less` (or null), `close`, and `state()`.
 */
export async function showProduct(id, hit, shop, acts) {
  const dialog = byId("product");
  asking?.abort();
  asking = new AbortController();
  const { signal } = asking;
  const fill = (known, isWhole) => refill(dialog, content(known, isWhole, shop, acts));
  if (hit) fill({ ...hit, variants: hit.variants ?? [] }, false);
  else
    dialog.replaceChildren(
      closer(acts),
      el("h2", { class: "unseen", id: "product-title" }, "Loading"),
      el("div", { class: "product-wait" }),
    );
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
  try {
    const whole = await withKey(() => product(id, signal));
    fill({ ...whole, matched: hit?.matched ?? {}, words: hit?.words }, true);
    const more = { limit: ALIKE, group: shop.hasGroups };
    const { hits } = await withKey(() => similar(id, more, signal));
    showAlike(dialog, hits, shop, acts);
  } catch (error) {
    if (signal.aborted) return;
    const failed = problem(
      error,
      () => showProduct(id, hit, shop, acts),
      "This product cannot be shown",
    );
    dialog.replaceChildren(
      closer(acts),
      el("h2", { class: "unseen", id: "product-title" }, "No product"),
      failed,
    );
  }
}

function closer(acts) {
  return el(
    "button",
    {
      class: "quiet product-close",
      "data-key": "close",
      type: "button",
      "aria-label": "Close",
      onclick: acts.close,
    },
    icon("close"),
  );
}

function content(known, isWhole, shop, acts) {
  const name = known.title || known.id;
  const number = shop.numbers.find((one) => known.attributes[one] !== undefined);
  const act = (kind, text, press) =>
    el(
      "button",
      {
        class: kind === "more" ? "button strong" : "button",
        "data-key": kind,
        type: "button",
        onclick: () => press(known),
      },
      icon(kind),
      text,
    );
  return [
    closer(acts),
    el(
      "div",
      { class: "product-body" },
      el("div", { class: "product-photo" }, ...picture(known, name, acts.state().q.trim())),
      el(
        "div",
        { class: "product-text" },
        el("h2", { id: "product-title" }, name),
        number && el("p", { class: "product-price" }, shop.money(known.attributes[number])),
        reasons(known),
        el(
          "div",
          { class: "product-acts" },
          act("more", "More like this", acts.more),
          acts.less && act("less", "Less like this", acts.less),
        ),
        variants(known, isWhole, acts),
        attributes(known, number),
      ),
    ),
    el(
      "section",
      { class: "alike", id: "alike", "aria-labelledby": "alike-title" },
      el("h3", { id: "alike-title" }, "Looks alike"),
      row(
        "Looks alike",
        Array.from({ length: 6 }, () =>
          el(
            "li",
            { class: "card skeleton" },
            el("span", { class: "photo" }),
            el("span", { class: "bone" }),
          ),
        ),
      ),
    ),
  ];
}

/** Its picture; beside a text also a button that shows where in the picture the text is. */
function picture(known, name, text) {
  const plain = photo(known.picture_url, 960, name);
  if (!text) return [plain];
  let heat = null;
  const button = el(
    "button",
    {
      class: "button heat-button",
      type: "button",
      "data-key": "heat",
      "aria-pressed": "false",
      onclick: () => {
        const isOn = button.getAttribute("aria-pressed") !== "true";
        button.setAttribute("aria-pressed", String(isOn));
        heat ??= photo(
          heatAt(known.picture_url, text),
          960,
          `${name}; the places like ${text} are coloured`,
        );
        heat.classList.add("heat");
        (isOn ? plain : heat).replaceWith(isOn ? heat : plain);
      },
    },
    "Show what matches",
  );
  return [plain, button];
}

/** Why it was found: its values that the search is about. */
function reasons({ matched = {}, words }) {
  const said = Object.entries(matched).map(
    ([name, value]) => `${labelOf(name)}: ${valueText(value)}`,
  );
  if (words >= 1) said.unshift("Has all the words you typed");
  if (!said.length) return null;
  return el(
    "ul",
    { class: "reasons", "aria-label": "Why it was found" },
    said.map((text) => el("li", {}, icon("check"), text)),
  );
}

function variants(known, isWhole, acts) {
  if (!known.variants.length) return null;
  const label = isWhole ? `${known.variants.length + 1} variants` : "Variants";
  return el(
    "div",
    { class: "product-variants" },
    el("h3", {}, label),
    el("ul", {}, known.variants.map((one) => variant(one, 160, acts.open))),
  );
}

/** All that is known of it; `told` is the field whose value stands above already. */
function attributes({ id, attributes: values }, told) {
  const rows = Object.entries(values).filter(
    ([name, value]) => name !== told && value !== null && value !== "" && value.length !== 0,
  );
  return el(
    "dl",
    {},
    [...rows.map(([name, value]) => [labelOf(name), valueText(value)]), ["Article", id]].map(
      ([name, text]) => el("div", {}, el("dt", {}, name), el("dd", {}, text)),
    ),
  );
}

function showAlike(dialog, hits, shop, acts) {
  const section = dialog.querySelector("#alike");
  if (!hits.length) return section.remove();
  section.querySelector(".row").replaceWith(
    row(
      "Looks alike",
      hits.map((hit) => card(hit, acts.state(), shop, acts)),
    ),
  );
}
