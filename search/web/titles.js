// What products are called whose id stands in the address.

import { product } from "./service.js";

const known = new Map();

/** Note a hit's title, and those of its variants. */
export function noteTitles(hit) {
  for (const one of [hit, ...(hit.variants ?? [])]) known.set(one.id, one.title || one.id);
  return hit;
}

/** What a product is called; its id until that is known. */
export function titleOf(id) {
  return known.get(id) ?? id;
}

/** Ask for the titles that are not known; whether there were any. */
export async function learnTitles(ids) {
  const missing = ids.filter((id) => !known.has(id));
  await Promise.all(missing.map((id) => product(id).then(noteTitles, () => known.set(id, id))));
  return missing.length > 0;
}
