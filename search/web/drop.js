// Pictures that are dropped or pasted anywhere on the page.

import { byId } from "./dom.js";
import { pictureIn } from "./picture.js";

/** Calls `chosen(file)` with them, and `refused(text)` with what is no picture. */
export function takePictures(chosen, refused) {
  const veil = byId("drop");
  let depth = 0; // dragenter and dragleave come for every element on the way
  const carriesFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  const show = (isOver) => veil.classList.toggle("is-over", isOver);

  addEventListener("dragenter", (event) => {
    if (!carriesFiles(event)) return;
    depth += 1;
    show(true);
  });
  addEventListener("dragleave", (event) => {
    if (!carriesFiles(event)) return;
    depth = Math.max(0, depth - 1);
    show(depth > 0);
  });
  addEventListener("dragover", (event) => {
    if (carriesFiles(event)) event.preventDefault();
  });
  addEventListener("drop", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    depth = 0;
    show(false);
    take(event.dataTransfer);
  });
  addEventListener("paste", (event) => {
    if (pictureIn(event.clipboardData)) {
      event.preventDefault();
      take(event.clipboardData);
    }
  });

  function take(transfer) {
    const file = pictureIn(transfer);
    if (file) chosen(file);
    else refused("This is no picture. Drop a JPEG, PNG or WebP.");
  }
}
