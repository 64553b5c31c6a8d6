// A file picker with a preview, for inputs that take encoded pictures: the file's bytes go to the model as they are.
import { element } from "./dom.js";

export function pictureField(input) {
  const id = `field-${input.name}`;
  const picker = element("input", { id, type: "file", accept: "image/*", "aria-describedby": `${id}-hint` });
  const hint = element("p", { class: "hint", id: `${id}-hint`, role: "status" }, "A picture file, such as a JPEG.");
  const preview = element("img", { class: "preview", alt: "", hidden: true });
  let content = null;

  function forget() {
    if (preview.src) URL.revokeObjectURL(preview.src);
    preview.removeAttribute("src");
    preview.hidden = true;
    content = null;
  }
  picker.addEventListener("change", async () => {
    forget();
    const [file] = picker.files;
    if (!file) return;
    preview.src = URL.createObjectURL(file);
    preview.alt = `Preview of ${file.name}`;
    preview.hidden = false;
    hint.textContent = `${file.name}, ${file.size.toLocaleString("en")} bytes`;
    const encoded = await base64(file);
    if (picker.files[0] === file) content = encoded;
  });
  preview.addEventListener("error", () => {
    if (!preview.src) return;
    preview.hidden = true;
    hint.textContent += "; this browser cannot show it, the model may still read it";
  });
  return {
    node: element("div", { class: "field" }, element("label", { for: id }, input.name), picker, hint, preview),
    clear() { picker.value = ""; forget(); hint.textContent = "A picture file, such as a JPEG."; },
    json() {
      if (content === null) throw new Error(`Choose a picture for ${input.name} first.`);
      return JSON.stringify({ b64: content });
    },
  };
}

/** The bytes of a file as base64. A reader does it natively; a loop over a string would freeze the page for megabytes. */
function base64(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}
