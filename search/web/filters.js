// The filter language: colour=Red,Blue  colour!=Red  price<40  price=10..40  size=*

const FORM = /^\s*([\p{L}\p{N}_-]+)\s*(!=|<=|>=|=|<|>)\s*(.*?)\s*$/su;
const VALUE = /(?:^|,)\s*(?:"((?:[^"]|"")*)"\s*(?=,|$)|([^,]*))/gu;
const IS_MORE_THAN_A_VALUE = /[",]|\.\.|^\*?$|^\s|\s$/u;

/**
 * An expression taken apart; null when it cannot be read.
 *
 * `values` for = and !=; `low` and `high` (or null) for a range; `bound` for a comparison;
 * `op` alone, "any" or "none", for * which asks whether there is a value.
 */
export function parse(expression) {
  const match = FORM.exec(expression);
  if (!match?.[3]) return null;
  const [, field, op, text] = match;
  if (op !== "=" && op !== "!=") return { field, op, bound: Number(text) };
  if (text === "*") return { field, op: op === "=" ? "any" : "none" };
  if (op === "=" && text.includes("..") && !text.includes('"')) {
    const [low, high] = text.split("..").map((end) => (end.trim() ? Number(end) : null));
    return { field, op: "..", low, high };
  }
  return { field, op, values: split(text) };
}

/** The values between commas; what stands in double quotes is taken as it is, "" as a quote. */
function split(text) {
  return [...text.matchAll(VALUE)].map(([, quoted, bare]) =>
    quoted === undefined ? bare.trim() : quoted.replaceAll('""', '"'),
  );
}

function join(values) {
  return values
    .map((value) => (IS_MORE_THAN_A_VALUE.test(value) ? `"${value.replaceAll('"', '""')}"` : value))
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
