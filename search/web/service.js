// The service, asked over HTTP. Failures are ServiceErrors that say what a shopper can do.

import { askedOf, parameters } from "./address.js";
import { storedPicture } from "./picture.js";

const PATIENCE_MS = 20_000;
const PAGE = 24;

/** What went wrong: the HTTP status, 0 when nothing was heard at all. */
export class ServiceError extends Error {
  constructor(status, message, wait_s = null) {
    super(message);
    this.status = status;
    this.wait_s = wait_s;
  }
}

/** The service's JSON answer; raises ServiceError, or AbortError when the signal said so. */
export async function ask(path, { signal, ...options } = {}) {
  const patience = AbortSignal.timeout(PATIENCE_MS);
  const until = signal ? AbortSignal.any([signal, patience]) : patience;
  let reply;
  try {
    reply = await fetch(path, { ...options, signal: until, credentials: "same-origin" });
    if (reply.ok) return await reply.json();
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ServiceError(0, patience.aborted ? "It took too long to answer." : "No connection.");
  }
  const problem = await reply.json().catch(() => null);
  const wait_s = Number(reply.headers.get("Retry-After")) || null;
  throw new ServiceError(reply.status, problem?.error?.message ?? reply.statusText, wait_s);
}

/** A page of products for a state; `more` are further parameters, such as cursor and facets. */
export function search(state, more = {}, signal = undefined) {
  const asked = parameters({ ...askedOf(state), product: "", picture: "" });
  for (const [name, value] of Object.entries({ limit: PAGE, ...more })) {
    if (value !== null && value !== false) asked.append(name, String(value));
  }
  const picture = state.picture ? storedPicture(state.picture) : null;
  if (!picture) return ask(`/search?${asked}`, { signal });
  const form = new FormData();
  for (const [name, value] of asked) form.append(name, value);
  form.append("image", picture.blob, "picture.jpg");
  return ask("/search", { method: "POST", body: form, signal });
}

/** Products like one of the catalog. */
export function similar(id, more, signal) {
  return ask(`/similar/${encodeURIComponent(id)}?${new URLSearchParams(more)}`, { signal });
}

/** One product and its variants. */
export function product(id, signal) {
  return ask(`/products/${encodeURIComponent(id)}`, { signal });
}

/** Ways to go on typing. */
export async function suggest(text, signal) {
  const asked = new URLSearchParams({ q: text, limit: "8" });
  return (await ask(`/suggest?${asked}`, { signal })).suggestions;
}

/** All values of one field under what a state asks for. */
export async function allValues(state, field) {
  return (await search(state, { limit: 1, facets: field, facet_limit: 1000 })).facets[field];
}

/** What the shop has: its name, fields, and indexes. */
export function schema() {
  return ask("/schema");
}

/** Give the key; the service answers with a cookie that no script can read. */
export function openSession(key) {
  const body = JSON.stringify({ key });
  return fetch("/session", {
    method: "POST",
    body,
    headers: { "Content-Type": "application/json" },
  });
}

/** Where a product's picture is, with `size` pixels along its longest side. */
export function pictureAt(url, size) {
  return `${url}${url.includes("?") ? "&" : "?"}size=${size}`;
}

/** Where a product's picture is with the places that a text is about in colour. */
export function heatAt(url, text) {
  return `${url.replace(/\.jpg$/, ".heat.jpg")}?${new URLSearchParams({ q: text })}`;
}

/** Where the picture of a product is that only its id is known of. */
export function pictureOf(id) {
  return `/pictures/${encodeURIComponent(id)}.jpg`;
}
