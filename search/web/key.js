// Asks for the shop's key when the service wants one.

import { byId } from "./dom.js";
import { openSession } from "./service.js";

/** Settled once the service took a key. */
export function askForKey() {
  const dialog = byId("key");
  const form = byId("key-form");
  const input = byId("key-input");
  const wrong = byId("key-wrong");
  if (!dialog.open) dialog.showModal();
  input.focus();
  return new Promise((resolve) => {
    dialog.oncancel = (event) => event.preventDefault();
    form.onsubmit = async (event) => {
      event.preventDefault();
      const reply = await openSession(input.value).catch(() => null);
      if (reply?.ok) {
        input.value = "";
        wrong.textContent = "";
        dialog.close();
        resolve();
      } else {
        wrong.textContent =
          reply?.status === 401 || reply?.status === 403
            ? "This is not the key of this shop."
            : "The shop could not be reached. Try again.";
        input.select();
      }
    };
  });
}

/** The outcome of a call; where the service wants a key, once it has one. */
export async function withKey(call) {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (error.status !== 401) throw error;
      await askForKey();
    }
  }
}
