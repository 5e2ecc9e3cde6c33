// The products that were found: page after page, as far as somebody scrolls.

import { byId, el } from "./dom.js";
import { card, skeletons } from "./card.js";
import { countText } from "./wording.js";
import { problem } from "./notices.js";

const AHEAD = "900px"; // so far below the window the next page is fetched

/**
 * The shelf. `fetchPage(cursor, signal)` gives the next answer, `make(hit)` a card.
 *
 * The button stays for those who do not scroll: it fetches the next page and moves the focus there.
 */
export function shelf({ fetchPage, makeCard, grown }) {
  const grid = byId("grid");
  const more = byId("more");
  const end = byId("end");
  const room = byId("results");
  let pages = [];
  let fetching = null;
  const watcher = new IntersectionObserver(([seen]) => seen.isIntersecting && next(false), {
    rootMargin: AHEAD,
  });
  watcher.observe(byId("after"));
  more.addEventListener("click", () => next(true));

  function show(answers) {
    stop();
    pages = answers;
    grid.replaceChildren(...answers.flatMap(({ hits }) => hits.map(makeCard)));
    rest();
    settle();
  }

  function rest() {
    const last = pages.at(-1);
    more.hidden = !last?.next;
    more.disabled = false;
    more.textContent = "Show more";
    const shown = grid.querySelectorAll(".card:not(.skeleton)").length;
    end.hidden = !last || Boolean(last.next) || shown < 2;
    end.textContent = end.hidden ? "" : `That is all: ${countText(shown)}.`;
  }

  async function next(isPressed) {
    const cursor = pages.at(-1)?.next;
    if (!cursor || fetching) return;
    fetching = new AbortController();
    const { signal } = fetching;
    const waiting = skeletons(isPressed ? 4 : 8);
    grid.append(...waiting);
    more.textContent = "Loading…";
    more.disabled = !isPressed; // a button that is disabled loses the focus
    try {
      const answer = await fetchPage(cursor, signal);
      if (signal.aborted) return;
      pages.push(answer);
      const cards = answer.hits.map(makeCard);
      waiting.forEach((one) => one.remove());
      grid.append(...cards);
      fetching = null;
      rest();
      if (isPressed) cards[0]?.querySelector("a").focus();
      grown(answer.hits.length);
      again();
    } catch (error) {
      waiting.forEach((one) => one.remove());
      if (signal.aborted) return;
      fetching = null;
      more.hidden = true;
      end.hidden = false;
      end.replaceChildren(
        problem(
          error,
          () => {
            rest();
            next(true);
          },
          "More products could not be fetched",
        ),
      );
    }
  }

  /** An observer tells of changes only: ask again where the end is still in sight. */
  function again() {
    watcher.unobserve(byId("after"));
    watcher.observe(byId("after"));
  }

  function stop() {
    fetching?.abort();
    fetching = null;
  }

  function wait() {
    stop();
    room.setAttribute("aria-busy", "true");
    if (pages.length && grid.childElementCount) return grid.classList.add("is-old");
    grid.replaceChildren(...skeletons(12));
    more.hidden = end.hidden = true;
  }

  function settle() {
    room.removeAttribute("aria-busy");
    grid.classList.remove("is-old");
    again();
  }

  function empty() {
    stop();
    pages = [];
    grid.replaceChildren();
    rest();
    settle();
  }

  return { show, wait, empty, pages: () => pages };
}

/** A row of products that scrolls sideways. */
export function row(label, cards) {
  return el("ul", { class: "row", "aria-label": label }, cards);
}
