// Elements made without HTML strings: whatever a catalog says is text and nothing else.

const SVG = "http://www.w3.org/2000/svg";

const ICONS = {
  search: ["M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14Z", "m16.2 16.2 4.3 4.3"],
  camera: [
    "M4 8.5A1.5 1.5 0 0 1 5.5 7h2.2l1.2-2h6.2l1.2 2h2.2A1.5 1.5 0 0 1 20 8.5v9a1.5 1.5 0 0 1-1.5 1.5h-13A1.5 1.5 0 0 1 4 17.5Z",
    "M12 9.5a3.4 3.4 0 1 0 0 6.8 3.4 3.4 0 0 0 0-6.8Z",
  ],
  close: ["m6 6 12 12", "M18 6 6 18"],
  check: ["m5 12.5 4.5 4.5L19 7.5"],
  chevron: ["m6 9.5 6 6 6-6"],
  more: ["M8 4.5h10.5V15", "M5 8.5h9.5V19H5Z"],
  less: ["M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16Z", "M8 12h8"],
  filters: ["M4 7h9", "M18 7h2", "M15.5 4.8v4.4", "M4 17h3", "M12 17h8", "M9.5 14.8v4.4"],
  undo: ["M4 9h10a5.5 5.5 0 0 1 0 11H9", "m8 4.5L3.5 9 8 13.5"],
};

/**
 * An element with properties and children.
 *
 * `class`, `data-…`, `aria-…`, `role` and `for` become attributes, functions become listeners,
 * everything else becomes a property. Children that are missing or false are left out.
 */
export function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (/^(class|role|for|data-.*|aria-.*)$/.test(name)) element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children.flat().filter(isThere));
  return element;
}

function isThere(child) {
  return child !== null && child !== undefined && child !== false;
}

/** An icon; it says nothing to a screen reader. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  for (const line of ICONS[name]) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", line);
    svg.append(path);
  }
  return svg;
}

/** The element with this id. */
export function byId(id) {
  return document.getElementById(id);
}

/** Put `made` in place of an element's children, and the focus where it was: at the same `data-key`. */
export function refill(root, ...made) {
  const key = root.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  root.replaceChildren(...made.flat().filter(Boolean));
  if (key) root.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus({ preventScroll: true });
}

/** Calls the last one only, when `wait_ms` have passed without another. */
export function debounce(wait_ms, call) {
  let timer;
  const later = (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => call(...given), wait_ms);
  };
  later.cancel = () => clearTimeout(timer);
  return later;
}
