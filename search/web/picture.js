// A picture to search by: made small, and kept in the tab so that back and reload find it again.

const LONGEST = 768;
const MAX_BYTES = 60e6;
const KEPT = 4;

/** Keep a file's picture; gives the name under which `storedPicture` finds it. */
export async function storePicture(file) {
  if (file.size > MAX_BYTES) throw new Error("This picture is larger than 60 MB.");
  const url = await shrink(file);
  const name = `${Date.now().toString(36)}${Math.floor(Math.random() * 1e6).toString(36)}`;
  const names = keptNames().slice(-(KEPT - 1));
  for (const old of keptNames()) {
    if (!names.includes(old)) sessionStorage.removeItem(`picture:${old}`);
  }
  try {
    sessionStorage.setItem(`picture:${name}`, url);
  } catch {
    sessionStorage.clear();
    sessionStorage.setItem(`picture:${name}`, url);
  }
  return name;
}

/** The picture with this name, as `{ url, blob }`; null when this tab does not have it. */
export function storedPicture(name) {
  const url = sessionStorage.getItem(`picture:${name}`);
  if (!url) return null;
  const bytes = Uint8Array.from(atob(url.split(",")[1]), (letter) => letter.charCodeAt(0));
  return { url, blob: new Blob([bytes], { type: "image/jpeg" }) };
}

/** The first picture among dropped or pasted things; null if there is none. */
export function pictureIn(transfer) {
  return [...(transfer?.files ?? [])].find((file) => file.type.startsWith("image/")) ?? null;
}

function keptNames() {
  const names = Object.keys(sessionStorage).filter((key) => key.startsWith("picture:"));
  return names.map((key) => key.slice("picture:".length)).sort();
}

async function shrink(file) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    throw new Error("This file is no picture that your browser can open. Try a JPEG or PNG.");
  }
  const scale = Math.min(1, LONGEST / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const paint = canvas.getContext("2d");
  paint.fillStyle = "#fff"; // what is see-through counts as white, as in the catalog's pictures
  paint.fillRect(0, 0, canvas.width, canvas.height);
  paint.imageSmoothingQuality = "high";
  paint.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return canvas.toDataURL("image/jpeg", 0.88);
}
