// Swatches beside values that name a colour, as CSS spells colours.

const NO_COLOUR = /^(inherit|initial|unset|revert|revert-layer|transparent|currentcolor)$/;

/** The CSS colour that a value names ("Navy Blue" is navy); null when it names none. */
export function colourOf(value) {
  const words = String(value)
    .toLowerCase()
    .split(/[^a-z]+/)
    .filter(Boolean);
  if (!words.length || words.length > 3) return null;
  const tried = [words.join(""), words[0], words[words.length - 1]];
  return tried.find((name) => CSS.supports("color", name) && !NO_COLOUR.test(name)) ?? null;
}

/** Whether most of a field's values name colours, so that swatches help. */
export function isColourful(counts) {
  const named = counts.filter(({ value }) => colourOf(value));
  return counts.length > 2 && named.length > counts.length / 2;
}
