// The search box: text as it is typed, suggestions to choose from, and a button for pictures.

import { byId, debounce, el, icon } from "./dom.js";
import { suggest } from "./service.js";
import { counted, labelOf } from "./wording.js";

const SUGGEST_AFTER_MS = 70;
const SEARCH_AFTER_MS = 160;

/**
 * Brings the box to life.
 *
 * `typed(text)` is called while somebody types, `sent(text)` when a text is meant, `chosen(file)`
 * with a picture. Gives functions that show a text, a hint, and a picture in the box.
 */
export function searchBox({ typed, sent, chosen }) {
  const input = byId("q");
  const clear = byId("clear");
  const file = byId("file");
  const suggestions = suggestionList(input, (text) => send(text));
  byId("box-icon").append(icon("search"));
  clear.append(icon("close"));
  byId("choose").append(icon("camera"));
  byId("box-picture").addEventListener("error", () => picture(false)); // it is not there any more
  const soon = debounce(SEARCH_AFTER_MS, typed);

  function picture(isShown) {
    byId("box-picture").hidden = !isShown;
    byId("box-icon").hidden = isShown;
  }
  function send(text) {
    soon.cancel();
    suggestions.close();
    input.value = text;
    clear.hidden = !text;
    sent(text);
  }
  input.addEventListener("input", () => {
    clear.hidden = !input.value;
    soon(input.value);
    suggestions.look(input.value);
  });
  byId("box").addEventListener("submit", (event) => {
    event.preventDefault();
    send(suggestions.current() ?? input.value);
  });
  clear.addEventListener("click", () => {
    send("");
    input.focus();
  });
  byId("choose").addEventListener("click", () => file.click());
  file.addEventListener("change", () => {
    if (file.files.length) chosen(file.files[0]);
    file.value = "";
  });
  return {
    show(text, hint, source) {
      const example = byId("box-picture");
      const isNew = example.getAttribute("src") !== source;
      if (source && isNew) example.src = source;
      picture(Boolean(source) && (isNew || !example.complete || example.naturalWidth > 0));
      if (input.value.trim() !== text.trim()) input.value = text;
      input.placeholder = hint;
      clear.hidden = !input.value;
    },
    focus: () => input.focus(),
    close: () => suggestions.close(),
  };
}

/** The list below the box: arrow keys move in it, Enter takes, Escape closes. */
function suggestionList(input, take) {
  const list = byId("suggestions");
  let shown = [];
  let at = -1;
  let asking = null;

  const look = debounce(SUGGEST_AFTER_MS, async (text) => {
    asking?.abort();
    asking = new AbortController();
    const { signal } = asking;
    if (!text.trim()) return close();
    try {
      const found = await suggest(text, signal);
      if (!signal.aborted && document.activeElement === input) open(found, text);
    } catch {
      if (!signal.aborted) close(); // without suggestions the search goes on
    }
  });

  function open(found, text) {
    shown = found.filter((one) => one.text.toLowerCase() !== text.trim().toLowerCase());
    at = -1;
    list.replaceChildren(...shown.map(option));
    list.hidden = !shown.length;
    input.setAttribute("aria-expanded", String(!list.hidden));
    input.removeAttribute("aria-activedescendant");
  }
  function close() {
    look.cancel();
    asking?.abort();
    open([], "");
  }
  function option(one, number) {
    const where = one.field ? el("span", { class: "where" }, labelOf(one.field)) : null;
    return el(
      "li",
      {
        role: "option",
        id: `suggestion-${number}`,
        "aria-selected": "false",
        onpointerdown: (event) => event.preventDefault(), // or the box loses the focus first
        onclick: () => take(one.text),
      },
      el("span", { class: "text" }, ...emphasised(one.text, input.value)),
      where,
      el("span", { class: "number" }, counted(one.count)),
    );
  }
  function move(step) {
    at = at + step < -1 ? shown.length - 1 : at + step >= shown.length ? -1 : at + step;
    [...list.children].forEach((item, number) => {
      item.setAttribute("aria-selected", String(number === at));
      if (number === at) item.scrollIntoView({ block: "nearest" });
    });
    if (at < 0) input.removeAttribute("aria-activedescendant");
    else input.setAttribute("aria-activedescendant", `suggestion-${at}`);
  }
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "Escape" && !list.hidden) {
      event.preventDefault();
      close();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) look(input.value);
      else move(event.key === "ArrowDown" ? 1 : -1);
    }
  });
  input.addEventListener("blur", close);
  return { look, close, current: () => shown[at]?.text ?? null };
}

/** What is added to the typed text in bold. */
function emphasised(text, typed) {
  const start = typed.trimStart();
  if (!text.toLowerCase().startsWith(start.toLowerCase())) return [text];
  return [text.slice(0, start.length), el("b", {}, text.slice(start.length))];
}
