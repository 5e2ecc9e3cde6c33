// The line above the products: what they are, how many, in which order; and the filters' sheet.

import { byId, el, icon } from "./dom.js";
import { countText, counted, isYears, labelOf } from "./wording.js";

/** Brings the bar and the sheet to life; `sorted(order)` is called with "", "field" or "-field". */
export function furnish(sorted) {
  const sheet = byId("sheet");
  byId("close-sheet").append(icon("close"));
  byId("sort").addEventListener("change", (event) => sorted(event.target.value));
  byId("open-filters").addEventListener("click", () => {
    byId("sheet-body").append(byId("facets"));
    sheet.showModal();
  });
  byId("close-sheet").addEventListener("click", () => sheet.close());
  byId("show-found").addEventListener("click", () => sheet.close());
  sheet.addEventListener("click", (event) => event.target === sheet && sheet.close());
  sheet.addEventListener("close", () => byId("side").append(byId("facets")));
  matchMedia("(min-width: 62rem)").addEventListener("change", () => sheet.open && sheet.close());
}

/** Shows what was found: `chosen` is how many fields are filtered by. */
export function showBar(state, answer, chosen) {
  const isFiltered = chosen > 0 || state.filter.length > 0;
  const isRanked = Boolean(
    state.q.trim() || state.picture || state.similar.length || state.image.length,
  );
  byId("heading").replaceChildren(...titleFor(state));
  byId("count").textContent =
    isRanked && !isFiltered && !state.sort
      ? `The closest first, out of ${countText(answer.total)}`
      : countText(answer.total);
  byId("open-filters").replaceChildren(
    icon("filters"),
    "Filters",
    ...(chosen
      ? [
          el(
            "span",
            { class: "badge" },
            el("span", { class: "unseen" }, " chosen: "),
            String(chosen),
          ),
        ]
      : []),
  );
  byId("show-found").textContent = answer.total
    ? `Show ${countText(answer.total)}`
    : "Nothing left to show";
}

function titleFor(state) {
  if (state.q.trim()) return [el("q", {}, state.q.trim())];
  if (state.picture || state.image.length) return ["Looks like your picture"];
  if (state.similar.length) return ["More like this"];
  return [state.filter.length ? "Your choice" : "Everything"];
}

/** Offers the orders that there are: by likeness, and by each number field. */
export function showSorts(schema, state, answer) {
  const numbers = schema.fields.filter(
    ({ name, kind }) => kind === "number" && answer.numbers[name],
  );
  const orders = numbers.flatMap(({ name }) => {
    const [low, high] = isYears(answer.numbers[name])
      ? ["oldest first", "newest first"]
      : ["low to high", "high to low"];
    return [
      [name, `${labelOf(name)}: ${low}`],
      [`-${name}`, `${labelOf(name)}: ${high}`],
    ];
  });
  const all = [["", "Best match"], ...orders];
  if (state.sort && !all.some(([order]) => order === state.sort))
    all.push([state.sort, state.sort]);
  const select = byId("sort");
  select.replaceChildren(...all.map(([order, text]) => el("option", { value: order }, text)));
  select.value = state.sort;
  select.parentElement.hidden = all.length < 2;
}

/** The counts that a screen reader is told. */
export function spoken(answer) {
  return answer.total
    ? `${counted(answer.total)} ${answer.total === 1 ? "product" : "products"}`
    : "No products";
}
