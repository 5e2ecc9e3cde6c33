// Asks for the shop's key when the service wants one.

import { el } from "./dom.js";
import { openSession } from "./service.js";

const wrong = el("p", { class: "wrong", role: "alert", id: "key-wrong" });
const input = el("input", {
  id: "key-input",
  type: "password",
  autocomplete: "current-password",
  required: true,
});
const form = el(
  "form",
  { id: "key-form", method: "dialog" },
  el("h2", { id: "key-title" }, "This shop asks for a key"),
  el(
    "p",
    {},
    "Whoever runs it can give you one. This browser will then not be asked again for a while.",
  ),
  el("label", { for: "key-input" }, "Key"),
  input,
  wrong,
  el("button", { class: "button strong", type: "submit" }, "Open the shop"),
);
const dialog = el("dialog", { class: "key", id: "key", "aria-labelledby": "key-title" }, form);

/** Settled once the service took a key. */
export function askForKey() {
  if (!dialog.isConnected) document.body.append(dialog);
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
