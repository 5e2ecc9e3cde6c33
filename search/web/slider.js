// A number field: bars of how many there are, two thumbs, and two boxes for exact numbers.

import { el } from "./dom.js";
import { numberText } from "./wording.js";

const STEPS = 200;

/** The slider; `change(low, high)` is called when a thumb is let go, with null for an open end. */
export function slider(label, facet, range, change) {
  const bounds = { low: facet?.low ?? range.low ?? 0, high: facet?.high ?? range.high ?? 0 };
  const step = stepOf(bounds);
  const floor = Math.floor(bounds.low / step) * step;
  const top = Math.ceil(bounds.high / step) * step;
  const now = { low: clamp(range.low ?? floor), high: clamp(range.high ?? top) };
  const bars = (facet?.ranges ?? []).map((one) => ({
    ...one,
    bar: el("span", { class: "bar-of" }),
  }));
  const most = Math.max(1, ...bars.map(({ count }) => count));
  for (const { low, high, count, bar } of bars) {
    bar.style.height = `${count ? Math.max(6, (count / most) * 100) : 0}%`;
    bar.style.flexGrow = Math.max(0, Math.min(high, top) - Math.max(low, floor)); // as on the track
  }
  const thumbs = { low: thumb("low", "from"), high: thumb("high", "to") };
  const boxes = { low: box("low", "From"), high: box("high", "To") };
  const fill = el("span", { class: "track-fill" });

  function clamp(number) {
    return Math.min(top, Math.max(floor, number));
  }
  function thumb(end, word) {
    return el("input", {
      type: "range",
      class: `thumb ${end}`,
      "aria-label": `${label} ${word}`,
      "data-key": `thumb ${label} ${end}`,
      min: floor,
      max: top,
      step,
      oninput: (event) => move(end, Number(event.target.value)),
      onchange: send,
    });
  }
  function box(end, word) {
    return el("input", {
      type: "number",
      class: "bound",
      "aria-label": `${label}: ${word.toLowerCase()}`,
      "data-key": `bound ${label} ${end}`,
      placeholder: word,
      step: "any",
      inputMode: "decimal",
      onchange: (event) => {
        const number = event.target.value === "" ? NaN : Number(event.target.value);
        move(end, Number.isFinite(number) ? number : end === "low" ? floor : top);
        send();
      },
    });
  }
  function move(end, number) {
    now[end] = end === "low" ? Math.min(clamp(number), now.high) : Math.max(clamp(number), now.low);
    draw();
  }
  function send() {
    change(now.low <= floor ? null : tidy(now.low), now.high >= top ? null : tidy(now.high));
  }
  function draw() {
    const width = top - floor || 1;
    for (const end of ["low", "high"]) {
      thumbs[end].value = now[end];
      thumbs[end].setAttribute("aria-valuetext", numberText(tidy(now[end])));
      boxes[end].value = tidy(now[end]);
    }
    fill.style.left = `${((now.low - floor) / width) * 100}%`;
    fill.style.right = `${((top - now.high) / width) * 100}%`;
    for (const { low, high, bar } of bars) {
      bar.classList.toggle("in", high > now.low && low <= now.high);
    }
  }
  draw();
  return el(
    "div",
    { class: "slider", role: "group", "aria-label": label },
    el(
      "div",
      { class: "bars", "aria-hidden": "true" },
      bars.map(({ bar }) => bar),
    ),
    el("div", { class: "track" }, fill, thumbs.low, thumbs.high),
    el(
      "div",
      { class: "bounds" },
      boxes.low,
      el("span", { "aria-hidden": "true" }, "–"),
      boxes.high,
    ),
  );
}

/** A round step: about a two-hundredth of the range, whole where both ends are. */
function stepOf({ low, high }) {
  const rough = (high - low) / STEPS || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= rough);
  return Number.isInteger(low) && Number.isInteger(high) ? Math.max(1, Math.round(step)) : step;
}

/** Without the tail that binary fractions have. */
function tidy(number) {
  return Number(number.toPrecision(12));
}
