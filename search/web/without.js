// What is not wanted, typed: a field among the chips, each text of which becomes a chip.

import { isFront } from "./address.js";
import { byId, icon } from "./dom.js";

const MOST = 16; // the service takes no more

let add = null; // what to do with texts that are typed

/** Brings the field to life. */
export function furnishWithout() {
  const input = byId("unwanted");
  const button = byId("leave-out");
  byId("without-icon").append(icon("less"));
  button.append(icon("check"));
  input.addEventListener("input", () => (button.hidden = !input.value.trim()));
  byId("without").addEventListener("submit", (event) => {
    event.preventDefault();
    const texts = told(input.value);
    input.value = "";
    button.hidden = true;
    input.focus();
    if (texts.length) add(texts);
  });
}

/** Shows the field where something is asked for; `change(patch)` is called with what is typed. */
export function showWithout(state, change) {
  byId("without").hidden = isFront(state) || state.minus.length >= MOST;
  add = (texts) => {
    const known = new Set(state.minus.map((text) => text.toLowerCase()));
    const fresh = texts.filter((text) => !known.has(text.toLowerCase()));
    if (fresh.length) change({ minus: [...state.minus, ...new Set(fresh)].slice(0, MOST) });
  };
}

/** The things in a text: "no lace, buttons" are two. */
function told(text) {
  return text
    .split(/[,;]| or /i)
    .map((one) => one.trim().replace(/^(without|no|not)\s+/i, ""))
    .filter(Boolean);
}
