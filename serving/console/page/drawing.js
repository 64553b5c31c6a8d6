// A canvas to draw a digit, with mouse, finger, pen or keyboard, read as MNIST's pictures are made: fitted into 20x20 pixels and
// put into 28x28 by its centre of mass (yann.lecun.com's description of the data set). White ink on black paper, 0 to 1.
import { element } from "./dom.js";

const SIZE = 280, PIXELS = 28, BOX = 20, PEN = 22, STEP = 10;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export function drawingField(input) {
  const hintId = `hint-${input.name}`;
  const canvas = element("canvas", {
    class: "drawing", width: SIZE, height: SIZE, tabindex: "0", role: "application",
    "aria-label": `Drawing of ${input.name}`, "aria-describedby": hintId,
  });
  const said = element("p", { class: "hint", role: "status" });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const pen = { x: SIZE / 2, y: SIZE / 2, isDown: false };
  let isEmpty = true;

  function clear() {
    context.fillStyle = "#000";
    context.fillRect(0, 0, SIZE, SIZE);
    isEmpty = true;
    pen.isDown = false;
  }
  function line(from, to) {
    context.strokeStyle = "#fff";
    context.lineWidth = PEN;
    context.lineCap = context.lineJoin = "round";
    context.beginPath();
    context.moveTo(from.x, from.y);
    context.lineTo(to.x, to.y);
    context.stroke();
    isEmpty = false;
  }
  function place(event) {
    const frame = canvas.getBoundingClientRect();
    return { x: (event.clientX - frame.left) * SIZE / frame.width, y: (event.clientY - frame.top) * SIZE / frame.height };
  }
  let last = null;
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    last = place(event);
    line(last, last);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (last === null) return;
    const next = place(event);
    line(last, next);
    last = next;
  });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => { last = null; });
  canvas.addEventListener("keydown", (event) => {
    if (event.key === " ") {
      pen.isDown = !pen.isDown;
      if (pen.isDown) line(pen, pen);
      said.textContent = pen.isDown ? "Pen down" : "Pen up";
    } else if (event.key === "Delete" || event.key === "Backspace") {
      clear();
      said.textContent = "Cleared";
    } else if (event.key in ARROWS) {
      const [right, down] = ARROWS[event.key];
      const before = { x: pen.x, y: pen.y };
      pen.x = Math.min(SIZE, Math.max(0, pen.x + right * STEP));
      pen.y = Math.min(SIZE, Math.max(0, pen.y + down * STEP));
      if (pen.isDown) line(before, pen);
      said.textContent = `Pen ${pen.isDown ? "down" : "up"} at ${Math.round(pen.x / SIZE * 100)} % across, ${Math.round(pen.y / SIZE * 100)} % down`;
    } else return;
    event.preventDefault();
  });
  clear();
  const hint = element("p", { class: "hint", id: hintId },
    "Draw one digit. By keyboard: arrows move the pen, space puts it down or lifts it, Delete clears.");
  return {
    node: element("div", { class: "field" }, element("label", {}, input.name), canvas, hint, said),
    clear,
    json() {
      if (isEmpty) throw new Error(`Draw something for ${input.name} first.`);
      return JSON.stringify(shaped(pixels(canvas), input));
    },
  };
}

/** Whether an input takes one picture of 28x28 pixels a row. */
export function isDrawable({ kind, shape }) {
  return (kind === "fraction" || kind === "integer") && ["null,784", "null,28,28", "null,28,28,1"].includes(shape?.map(String).join());
}

/** 784 numbers from 0 to 1, row by row. */
function pixels(canvas) {
  const whole = canvas.getContext("2d").getImageData(0, 0, SIZE, SIZE).data;
  let [left, top, right, bottom] = [SIZE, SIZE, 0, 0];
  for (let y = 0; y < SIZE; y++) {
    for (let x = 0; x < SIZE; x++) {
      if (whole[4 * (y * SIZE + x)] === 0) continue;
      [left, right, top, bottom] = [Math.min(left, x), Math.max(right, x), Math.min(top, y), Math.max(bottom, y)];
    }
  }
  const [width, height] = [right - left + 1, bottom - top + 1];
  const scale = BOX / Math.max(width, height);
  const small = new OffscreenCanvas(PIXELS, PIXELS).getContext("2d");
  const draw = (x, y) => {
    small.fillStyle = "#000";
    small.fillRect(0, 0, PIXELS, PIXELS);
    small.imageSmoothingQuality = "high";
    small.drawImage(canvas, left, top, width, height, x, y, width * scale, height * scale);
    return small.getImageData(0, 0, PIXELS, PIXELS).data;
  };
  const [x, y] = [(PIXELS - width * scale) / 2, (PIXELS - height * scale) / 2];
  const mass = centre(draw(x, y));
  const centred = draw(x + PIXELS / 2 - mass.x, y + PIXELS / 2 - mass.y);
  return Array.from({ length: PIXELS * PIXELS }, (_, index) => centred[4 * index] / 255);
}

function centre(data) {
  let [sum, x, y] = [0, 0, 0];
  for (let index = 0; index < PIXELS * PIXELS; index++) {
    const ink = data[4 * index];
    sum += ink;
    x += ink * (index % PIXELS + 0.5);
    y += ink * (Math.floor(index / PIXELS) + 0.5);
  }
  return { x: x / sum, y: y / sum };
}

function shaped(flat, { kind, shape }) {
  const values = flat.map((value) => kind === "integer" ? Math.round(value * 255) : Number(value.toFixed(4)));
  if (shape.length === 2) return values;
  const rows = Array.from({ length: PIXELS }, (_, row) => values.slice(row * PIXELS, (row + 1) * PIXELS));
  return shape.length === 3 ? rows : rows.map((row) => row.map((value) => [value]));
}
