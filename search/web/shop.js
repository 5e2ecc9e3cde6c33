// The shop: one state, kept in the address; one answer to it, on the shelf.

import { addressOf, comparable, EMPTY, isAimed, isFront, readState, searchOf } from "./address.js";
import { showAsked } from "./asked.js";
import { furnish, showBar, showSorts, spoken } from "./bar.js";
import { searchBox } from "./box.js";
import { card, shopOf } from "./card.js";
import { byId, debounce } from "./dom.js";
import { takePictures } from "./drop.js";
import { chosenFields, showFacets } from "./facets.js";
import { showFront } from "./front.js";
import { withKey } from "./key.js";
import { newEntry, recall, remember } from "./memory.js";
import { noteFor, showEmpty, showNote, showNothing, showProblem } from "./notices.js";
import { storedPicture, storePicture } from "./picture.js";
import { hideProduct, showProduct } from "./product.js";
import { pictureAt, pictureOf, schema as askSchema, search } from "./service.js";
import { shelf } from "./shelf.js";
import { learnTitles, noteTitles, titleOf } from "./titles.js";
import { furnishWithout } from "./without.js";
import { countText } from "./wording.js";

const say = debounce(600, (text) => (byId("live").textContent = text));

const UNFINISHED_MS = 900; // nobody wants to hear that nothing matches half a word

let state = readState(location.search);
let entry = history.state?.entry ?? newEntry();
let schema = null;
let shop = null; // the schema, as cards need it
let shown = null; // the search whose answer is on the shelf
let asking = null;
let isTyping = false; // what is typed in one go is one entry of the history
const seen = new Map(); // hits by id, for the product's dialog

const products = shelf({
  fetchPage: (cursor, signal) => withKey(() => search(state, { cursor, ...grouped() }, signal)),
  makeCard: (hit) => {
    seen.set(hit.id, noteTitles(hit));
    return card(hit, state, shop, acts());
  },
  grown: (count) => say(`${countText(count)} more`),
});
const box = searchBox({
  typed: (q) => go({ ...state, q, ignore: [] }, { isTyped: true }),
  sent: (q) => {
    const isSame = q === state.q;
    if (!isSame) go({ ...state, q, ignore: [] });
    isTyping = false;
    if (isSame && shown === null) refresh();
  },
  chosen: choosePicture,
});

/** Go to another state: a new entry of the history, unless it goes on with what is being typed. */
function go(next, { isTyped = false } = {}) {
  const isSame = addressOf(next) === addressOf(state);
  if (isTyped && isTyping) {
    history.replaceState({ entry }, "", addressOf(next));
  } else if (!isSame) {
    keep();
    entry = newEntry();
    history.pushState({ entry }, "", addressOf(next));
  }
  isTyping = isTyped;
  state = next;
  hideProduct();
  refresh();
}

function change(patch) {
  go({ ...state, ...patch });
}

function grouped() {
  return { group: schema.group };
}

function acts() {
  return {
    open: openProduct,
    more: (hit) => go({ ...EMPTY, filter: state.filter, similar: [noteTitles(hit).id] }),
    less: isAimed(state)
      ? (hit) =>
          change({
            product: "",
            minus_similar: [...new Set([...state.minus_similar, noteTitles(hit).id])],
          })
      : null,
    close: closeProduct,
    state: () => state,
  };
}

/** Ask for the state's products and show them. */
async function refresh() {
  asking?.abort();
  asking = new AbortController();
  const { signal } = asking;
  const searched = searchOf(state);
  showHead();
  products.wait();
  try {
    const more = { facets: "all", ...grouped() };
    const answer = await withKey(() => search(state, more, signal));
    if (signal.aborted) return;
    shown = searched;
    showAnswer([answer], signal);
    if (scrollY > byId("main").offsetTop) scrollTo(0, 0);
  } catch (error) {
    if (signal.aborted) return;
    shown = null;
    products.empty();
    byId("main").dataset.state = "failed";
    showAsked(state, null, titleOf, change); // what is at fault can be taken back
    showProblem(error, refresh, () => go(EMPTY));
  }
}

function showAnswer(pages, signal) {
  const [answer] = pages;
  shop = { ...shopOf(schema, answer.numbers), hasGroups: schema.group };
  byId("main").dataset.state = "answered";
  showHead(); // now it is known whether products have a price
  const chosen = chosenFields(schema, state, answer);
  showAsked(state, answer, titleOf, change);
  showFacets(schema, state, answer, change);
  showBar(state, answer, chosen);
  showSorts(schema, state, answer);
  showFront(isFront(state), schema, answer, go);
  products.show(pages);
  if (!answer.total) showEmpty(state, answer, change, signal);
  else showNothing();
  const note = noteFor(state, answer);
  if (note) setTimeout(() => signal.aborted || note(), isTyping ? UNFINISHED_MS : 0);
  if (state.picture && !storedPicture(state.picture)) {
    showNote(
      "The picture of this search stayed in the tab where it was chosen. Choose it again to search by it.",
    );
  }
  say(spoken(answer));
  const ids = [...state.similar, ...state.minus_similar];
  learnTitles(ids).then(
    (isNew) => isNew && !signal.aborted && showAsked(state, answer, titleOf, change),
  );
}

/** What can be shown before there is an answer. */
function showHead() {
  const example = examplePicture();
  const isLike = example || state.image.length;
  box.show(
    state.q,
    isLike ? "… like this, but in green" : `Try “red summer dress${shop?.isPriced ? " under 50" : ""}”`,
    example,
  );
  byId("compare").href = addressOf(comparable(state), "/compare");
  document.title = [state.q.trim(), schema.name].filter(Boolean).join(" – ");
}

/** The picture that the text is about, if there is one; null otherwise. */
function examplePicture() {
  const stored = state.picture ? storedPicture(state.picture)?.url : null;
  const like = state.similar.length ? pictureAt(pictureOf(state.similar[0]), 96) : null;
  return stored ?? like;
}

/** Keep what is shown with its entry of the history. */
function keep() {
  if (shown === searchOf(state) && products.pages().length)
    remember(entry, products.pages(), scrollY);
}

/** Show what the entry showed when it was left; ask again if that is forgotten. */
function restore() {
  const kept = recall(entry);
  showHead();
  if (!kept) return refresh();
  asking?.abort();
  asking = new AbortController();
  shown = searchOf(state);
  showAnswer(kept.pages, asking.signal);
  scrollTo(0, kept.scroll);
  return undefined;
}

function openProduct(hit) {
  noteTitles(hit);
  seen.set(hit.id, { ...seen.get(hit.id), ...hit });
  state = { ...state, product: hit.id };
  history.pushState({ entry, isOver: true }, "", addressOf(state));
  showProduct(hit.id, seen.get(hit.id), shop, acts());
}

/** Back to where it was opened, or, where it was the first thing here, to the search around it. */
function closeProduct() {
  if (history.state?.isOver) return history.back();
  state = { ...state, product: "" };
  history.replaceState({ entry }, "", addressOf(state));
  return hideProduct();
}

async function choosePicture(file) {
  try {
    const picture = await storePicture(file);
    go({ ...EMPTY, filter: state.filter, picture });
    box.focus();
  } catch (error) {
    showNote(error.message);
    say(error.message);
  }
}

function followHistory() {
  keep();
  isTyping = false;
  state = readState(location.search);
  entry = history.state?.entry ?? newEntry();
  if (searchOf(state) !== shown) restore();
  if (state.product) showProduct(state.product, seen.get(state.product) ?? null, shop, acts());
  else hideProduct();
}

async function start() {
  products.wait();
  try {
    schema = await withKey(askSchema);
  } catch (error) {
    products.empty();
    byId("main").dataset.state = "failed";
    return showProblem(error, start);
  }
  byId("mark").textContent = schema.name;
  byId("links").hidden = !schema.indexes.includes("compare");
  shop = { ...shopOf(schema, {}), hasGroups: schema.group };
  history.replaceState({ ...history.state, entry }, "");
  await restore();
  if (state.product) showProduct(state.product, seen.get(state.product) ?? null, shop, acts());
  return undefined;
}

history.scrollRestoration = "manual";
furnish((sort) => change({ sort }));
furnishWithout();
takePictures(choosePicture, showNote);
addEventListener("popstate", followHistory);
addEventListener("pagehide", keep);
byId("product").addEventListener("cancel", (event) => {
  event.preventDefault();
  closeProduct();
});
byId("product").addEventListener("click", (event) => {
  if (event.target === byId("product")) closeProduct();
});
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // a place in the address would be one more entry of the history
  byId("results").focus();
});
byId("mark").addEventListener("click", (event) => {
  if (event.metaKey || event.ctrlKey) return;
  event.preventDefault();
  go(EMPTY);
});
start();
