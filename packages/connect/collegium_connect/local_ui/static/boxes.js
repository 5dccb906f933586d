// Boxes drawn on a picture with the pointer; the text field beside it is what counts and what is sent.
for (const picture of document.querySelectorAll("[data-draw]")) draw(picture, document.getElementById(picture.dataset.draw));

function draw(picture, field) {
  const image = picture.querySelector("img");
  let start = null;
  let shape = null;

  const point = (event) => {
    const place = image.getBoundingClientRect();
    const scale = image.width ? image.naturalWidth / place.width : 1;
    const clamp = (value, most) => Math.max(0, Math.min(most, Math.round(value)));
    return [
      clamp((event.clientX - place.left) * scale, image.naturalWidth),
      clamp((event.clientY - place.top) * scale, image.naturalHeight),
    ];
  };
  const show = ([left, top, right, bottom]) => {
    const box = document.createElement("span");
    box.className = "box";
    box.style.left = `${(100 * left) / image.naturalWidth}%`;
    box.style.top = `${(100 * top) / image.naturalHeight}%`;
    box.style.width = `${(100 * (right - left)) / image.naturalWidth}%`;
    box.style.height = `${(100 * (bottom - top)) / image.naturalHeight}%`;
    picture.append(box);
    return box;
  };
  const redraw = () => {
    for (const box of picture.querySelectorAll(".box")) box.remove();
    for (const line of field.value.split("\n")) {
      const numbers = line.split(",").map(Number);
      if (numbers.length === 4 && numbers.every(Number.isFinite)) show(numbers);
    }
  };
  const between = (from, to) => [
    Math.min(from[0], to[0]), Math.min(from[1], to[1]), Math.max(from[0], to[0]), Math.max(from[1], to[1]),
  ];

  picture.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    picture.setPointerCapture(event.pointerId);
    start = point(event);
  });
  picture.addEventListener("pointermove", (event) => {
    if (!start) return;
    shape?.remove();
    shape = show(between(start, point(event)));
  });
  picture.addEventListener("pointerup", (event) => {
    if (!start) return;
    const box = between(start, point(event));
    start = shape = null;
    if (box[2] - box[0] > 1 && box[3] - box[1] > 1) {
      field.value = `${field.value.trimEnd()}\n${box.join(", ")}`.trimStart();
    }
    redraw();
  });
  field.addEventListener("input", redraw);
  if (image.complete) redraw();
  else image.addEventListener("load", redraw);
}
