// Words for what the service says in data: fields, values, numbers, demands.

import { parse } from "./filters.js";

const WHOLE = new Intl.NumberFormat();
const BOUNDS = { "<": "under", "<=": "up to", ">": "over", ">=": "from" };

/** A field's name as a label: "baseColour" and "base_colour" become "Base colour". */
export function labelOf(field) {
  const words = field
    .replace(/(\p{Ll})(\p{Lu})/gu, "$1 $2")
    .replace(/[_-]+/g, " ")
    .trim()
    .toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** A value for people; true and false become Yes and No. */
export function valueText(value) {
  if (Array.isArray(value)) return value.map(valueText).join(", ");
  if (value === true || value === "true") return "Yes";
  if (value === false || value === "false") return "No";
  return typeof value === "number" ? numberText(value) : String(value);
}

/** A number for people; four digits together may be a year and stay unbroken. */
export function numberText(number) {
  if (!Number.isInteger(number)) {
    return number.toLocaleString(undefined, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  }
  return Math.abs(number) < 10_000 ? String(number) : WHOLE.format(number);
}

/** "1 product", "6,699 products". */
export function countText(count, noun = "product") {
  return `${WHOLE.format(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** A count alone: "6,699". */
export function counted(count) {
  return WHOLE.format(count);
}

/** An understood demand in words: `{ label, text }`, as in Colour · Red, or Price · under 50. */
export function demandText({ field, op, value }) {
  const label = labelOf(field);
  const values = [value].flat().map(valueText);
  if (op === "=") return { label, text: values.join(" or "), short: shortened(values) };
  if (op === "!=") return { label, text: `not ${values.join(" or ")}` };
  return { label, text: `${BOUNDS[op]} ${values[0]}` };
}

function shortened(values) {
  return values.length > 3
    ? `${values.slice(0, 2).join(", ")} and ${values.length - 2} more`
    : null;
}

/** A filter expression in words; null when it cannot be read. */
export function filterText(expression) {
  const found = parse(expression);
  if (!found) return { label: "Filter", text: expression };
  const label = labelOf(found.field);
  if (found.op === "..") return { label, text: rangeText(found.low, found.high) };
  if (found.op === "any" || found.op === "none") return { label, text: found.op };
  if (found.values) return demandText({ ...found, value: found.values });
  return demandText({ ...found, value: found.bound });
}

/** "10 – 40", "from 10" or "up to 40". */
export function rangeText(low, high) {
  if (low === null) return `up to ${numberText(high)}`;
  if (high === null) return `from ${numberText(low)}`;
  return `${numberText(low)} – ${numberText(high)}`;
}

/** Whether a number field looks like years: whole numbers of our time. */
export function isYears(numbers) {
  const ends = [numbers.low, numbers.high];
  return ends.every((end) => Number.isInteger(end) && end >= 1900 && end <= 2100);
}
