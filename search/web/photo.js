// Pictures of products: in a frame, and small ones to press.

import { el } from "./dom.js";
import { pictureAt } from "./service.js";

/** A picture in a frame of fixed shape, so that nothing moves when it arrives. */
export function photo(url, size, alt = "") {
  const image = el("img", {
    alt,
    decoding: "async",
    loading: "lazy",
    onload: () => {
      const shape = image.naturalWidth / image.naturalHeight;
      if (shape > 0.62 && shape < 0.92) image.classList.add("fills");
      frame.classList.add("has-come");
    },
    onerror: () => {
      frame.classList.add("has-none");
      image.remove();
    },
  });
  const frame = el("span", { class: "photo" }, image);
  image.srcset = `${pictureAt(url, size)} 1x, ${pictureAt(url, Math.min(1024, size * 2))} 2x`;
  image.src = pictureAt(url, size);
  return frame;
}

/** A variant of a product as a list item: a small picture that opens it. */
export function variant(product, size, open) {
  const name = product.title || product.id;
  return el(
    "li",
    {},
    el(
      "button",
      {
        class: "variant",
        type: "button",
        "aria-label": name,
        title: name,
        onclick: () => open(product),
      },
      photo(product.picture_url, size),
    ),
  );
}
