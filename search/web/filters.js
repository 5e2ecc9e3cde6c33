// The filter language: colour=Red,Blue  colour!=Red  price<40  price=10..40  size=*

const FORM = /^\s*([\p{L}\p{N}_-]+)\s*(!=|<=|>=|=|<|>)\s*(.*?)\s*$/su;
const VALUE = /\s*(?:"((?:[^"]|"")*)"|([^,]*))\s*(?:,|$)/gy;

/**
 * An expression taken apart; null when it cannot be read.
 *
 * `values` for = and !=; `low` and `high` (or null) for a range; `bound` for a comparison.
 */
export function parse(expression) {
  const match = FORM.exec(expression);
  if (!match) return null;
  const [, field, op, text] = match;
  if (op !== "=" && op !== "!=") return { field, op, bound: Number(text) };
  if (op === "=" && text.includes("..")) {
    const [low, high] = text.split("..").map((end) => (end.trim() ? Number(end) : null));
    return { field, op: "..", low, high };
  }
  return { field, op, values: split(text) };
}

/** The values between commas; one with a comma in it stands in double quotes. */
function split(text) {
  const values = [];
  VALUE.lastIndex = 0;
  while (VALUE.lastIndex < text.length) {
    const match = VALUE.exec(text);
    if (!match) break;
    values.push(match[1] === undefined ? match[2].trim() : match[1].replaceAll('""', '"'));
  }
  return values;
}

function join(values) {
  return values
    .map((value) => (/[",]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value))
    .join(",");
}

/** The values that are chosen of a field. */
export function valuesOf(filters, field) {
  const found = filters.map(parse).filter((one) => one?.field === field && one.op === "=");
  return found.flatMap((one) => one.values);
}

/** The filters with just these values of a field. */
export function withValues(filters, field, values) {
  const others = filters.filter((one) => !(parse(one)?.field === field && parse(one).op === "="));
  return values.length ? [...others, `${field}=${join(values)}`] : others;
}

/** The narrowest bounds that the filters put on a number field; null where there is none. */
export function rangeOf(filters, field) {
  let low = null;
  let high = null;
  for (const one of filters.map(parse)) {
    if (one?.field !== field) continue;
    const just =
      one.op === "=" && Number.isFinite(Number(one.values[0])) ? Number(one.values[0]) : null;
    const least = one.op === ".." ? one.low : one.op.startsWith(">") ? one.bound : just;
    const most = one.op === ".." ? one.high : one.op.startsWith("<") ? one.bound : just;
    if (least !== null) low = low === null ? least : Math.max(low, least);
    if (most !== null) high = high === null ? most : Math.min(high, most);
  }
  return { low, high };
}

/** The filters with just these bounds on a number field; null does not bind. */
export function withRange(filters, field, low, high) {
  const others = filters.filter(
    (one) => !(parse(one)?.field === field && /^(\.\.|=|[<>]=?)$/.test(parse(one).op)),
  );
  if (low === null && high === null) return others;
  return [...others, `${field}=${low ?? ""}..${high ?? ""}`];
}
