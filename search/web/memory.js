// What each entry of the tab's history showed, so that back and reload need not ask again.

const KEPT = 12;
const FRESH_MS = 30 * 60e3;

/** A new entry's name. */
export function newEntry() {
  return `${Date.now().toString(36)}-${Math.floor(Math.random() * 1e9).toString(36)}`;
}

/** Keep the answers that an entry shows, and how far it is scrolled. */
export function remember(entry, answers, scroll) {
  const [first, ...others] = answers;
  const pages = [first, ...others.map(({ hits, next }) => ({ hits, next }))];
  const text = JSON.stringify({ at: Date.now(), pages, scroll });
  const older = entries().filter((name) => name !== entry);
  while (older.length >= KEPT) sessionStorage.removeItem(`entry:${older.shift()}`);
  for (;;) {
    try {
      sessionStorage.setItem(`entry:${entry}`, text);
      return;
    } catch {
      if (!older.length) return; // larger than the tab's room: it is asked for again
      sessionStorage.removeItem(`entry:${older.shift()}`);
    }
  }
}

/** What an entry showed: `{ pages, scroll }`; null when it is gone, or too old to be true. */
export function recall(entry) {
  const text = entry && sessionStorage.getItem(`entry:${entry}`);
  if (!text) return null;
  const found = JSON.parse(text);
  return Date.now() - found.at < FRESH_MS ? found : null;
}

function entries() {
  const keys = Object.keys(sessionStorage).filter((key) => key.startsWith("entry:"));
  return keys.map((key) => key.slice("entry:".length)).sort();
}
