// What is asked for, as it stands in the address: every state of the page can be shared.

const ONE = ["q", "sort", "picture", "product"];
const MANY = ["image", "similar", "minus", "minus_similar", "filter", "ignore"];

/** Nothing asked for: all products. */
export const EMPTY = Object.freeze({
  q: "",
  sort: "",
  picture: "",
  product: "",
  image: [],
  similar: [],
  minus: [],
  minus_similar: [],
  filter: [],
  ignore: [],
});

/** The state that a query string stands for. */
export function readState(query) {
  const given = new URLSearchParams(query);
  const state = { ...EMPTY };
  for (const name of ONE) state[name] = given.get(name) ?? "";
  for (const name of MANY) state[name] = given.getAll(name).filter((value) => value !== "");
  return state;
}

/** The state as URL parameters; those that say nothing are left out. */
export function parameters(state) {
  const made = new URLSearchParams();
  for (const name of ONE) if (state[name].trim()) made.append(name, state[name]);
  for (const name of MANY) for (const value of state[name]) made.append(name, value);
  return made;
}

/** A page's address in this state. */
export function addressOf(state, page = "/") {
  const query = parameters(state).toString();
  return query ? `${page}?${query}` : page;
}

/** What of a state two indexes can be compared on: pictures and products belong to one. */
export function comparable({ q, filter, ignore, minus }) {
  return { ...EMPTY, q, filter, ignore, minus };
}

/** Equal for states that show the same products. */
export function searchOf(state) {
  return addressOf(askedOf({ ...state, product: "", q: state.q.trim() }));
}

/** What of a state the service is asked: nothing is less like what nobody looks for. */
export function askedOf(state) {
  return isAimed(state) ? state : { ...state, minus_similar: [] };
}

/** Whether something is looked for, so that products can be more or less like it. */
export function isAimed(state) {
  return Boolean(state.q.trim() || state.picture || state.image.length || state.similar.length);
}

/** Whether it is the shop's front: nothing is asked for at all. */
export function isFront(state) {
  return searchOf({ ...state, sort: "" }) === "/";
}
