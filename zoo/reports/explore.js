// What a hand moves on the page of `zoo explore`: sliders, the map, pictures, the drawing.
// The server is told where it is now, at most once a frame: older places are never sent.
(() => {
  const $ = (id) => document.getElementById(id);
  const waiting = new Map();
  const touched = new Map(); // when a slider was moved by hand: an answer to an older place is late

  function tell(event, value, key = event) {
    if (!waiting.size)
      requestAnimationFrame(() => {
        const all = [...waiting.values()];
        waiting.clear();
        for (const [name, args] of all) emitEvent(name, args);
      });
    waiting.set(key, [event, value]);
  }

  // Where in an element an event is: 0 to 1, from the left and from the top.
  function within(element, event) {
    const box = element.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  }

  // -- the map
  let dots = [], colours = [], at = [0, 0];

  function drawMap() {
    const canvas = $("map");
    if (!canvas) return;
    const size = canvas.clientWidth, sharp = window.devicePixelRatio || 1;
    canvas.width = canvas.height = size * sharp;
    const pen = canvas.getContext("2d");
    pen.scale(sharp, sharp);
    pen.globalAlpha = 0.75;
    for (const [x, y, label] of dots) {
      pen.fillStyle = colours[label] || "#888";
      pen.beginPath();
      pen.arc(((1 + x) / 2) * size, ((1 - y) / 2) * size, 2.5, 0, 7);
      pen.fill();
    }
    pen.globalAlpha = 1;
    const [x, y] = [((1 + at[0]) / 2) * size, ((1 - at[1]) / 2) * size];
    for (const [width, colour] of [[5, "#fff"], [2.5, "#000"]]) {
      pen.lineWidth = width;
      pen.strokeStyle = colour;
      pen.beginPath();
      pen.arc(x, y, 9, 0, 7);
      pen.stroke();
    }
  }

  function walkTo(x, y) {
    at = [Math.max(-1, Math.min(1, x)), Math.max(-1, Math.min(1, y))];
    drawMap();
    tell("drag", at);
  }

  // -- the drawing
  let pen = null;
  function clearDrawing() {
    const context = $("drawing").getContext("2d");
    context.fillStyle = "#000";
    context.fillRect(0, 0, 280, 280);
  }
  function line(canvas, event) {
    const [x, y] = within(canvas, event).map((part) => part * 280);
    const context = canvas.getContext("2d");
    Object.assign(context, { lineWidth: 24, lineCap: "round", strokeStyle: "#fff" });
    context.beginPath();
    context.moveTo(...(pen || [x, y]));
    context.lineTo(x, y);
    context.stroke();
    pen = [x, y];
  }

  // -- the map of codes of a VQ-VAE
  let book = null;
  function drawBook() {
    const canvas = $("book");
    if (!canvas || !book) return;
    const { rows, columns, entries, cell } = book;
    const side = canvas.clientWidth / columns, sharp = window.devicePixelRatio || 1;
    canvas.style.height = `${side * rows}px`;
    canvas.width = canvas.clientWidth * sharp;
    canvas.height = side * rows * sharp;
    const context = canvas.getContext("2d");
    context.scale(sharp, sharp);
    Object.assign(context, { textAlign: "center", textBaseline: "middle" });
    context.font = `${Math.min(13, side / 2.4)}px sans-serif`;
    entries.forEach((entry, i) => {
      const [x, y] = [(i % columns) * side, Math.floor(i / columns) * side];
      context.fillStyle = `hsl(${(entry * 137.5) % 360} 55% 78%)`;
      context.fillRect(x, y, side - 1, side - 1);
      context.fillStyle = "#000";
      if (side > 18) context.fillText(entry, x + side / 2, y + side / 2);
    });
    context.lineWidth = 3;
    context.strokeRect(cell[1] * side + 1, cell[0] * side + 1, side - 3, side - 3);
  }

  document.addEventListener("input", ({ target }) => {
    if (target.dataset.dimension) {
      touched.set(target, performance.now());
      target.nextElementSibling.textContent = (+target.value).toFixed(2);
      tell("slide", [+target.dataset.dimension, +target.value], target);
    } else if (target.id === "entry") tell("entry", +target.value);
  });
  document.addEventListener("pointerdown", (event) => {
    const { target } = event;
    if (target.id === "map" || target.id === "drawing") {
      target.setPointerCapture(event.pointerId);
      event.preventDefault();
      target.focus();
    }
    if (target.id === "map") walkTo(...place(target, event));
    if (target.id === "drawing") line(target, event);
    if (target.id === "book") {
      const [x, y] = within(target, event);
      tell("cell", [Math.floor(y * book.rows), Math.floor(x * book.columns)]);
    }
  });
  document.addEventListener("pointermove", (event) => {
    const { target, buttons } = event;
    if (!buttons) return;
    if (target.id === "map") walkTo(...place(target, event));
    if (target.id === "drawing" && pen) {
      line(target, event);
      tell("drawn", target.toDataURL("image/png"));
    }
  });
  document.addEventListener("pointerup", ({ target }) => {
    if (target.id === "drawing") tell("drawn", target.toDataURL("image/png"));
    pen = null;
  });
  document.addEventListener("click", (event) => {
    const { target } = event;
    if (target.dataset.cells) {
      const [columns, rows] = target.dataset.cells.split(" ").map(Number);
      const [x, y] = within(target, event);
      tell("pick", [target.id, Math.floor(y * rows) * columns + Math.floor(x * columns)]);
    }
  });
  document.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    if (event.target.id !== "map" || !step[event.key]) return;
    event.preventDefault();
    walkTo(at[0] + step[event.key][0] / 50, at[1] + step[event.key][1] / 50);
  });
  addEventListener("resize", () => { drawMap(); drawBook(); });

  const place = (target, event) => {
    const [x, y] = within(target, event);
    return [2 * x - 1, 1 - 2 * y];
  };

  // What the server calls.
  window.zoo = {
    begin(state) {
      ({ dots, colours } = state);
      if ($("drawing")) clearDrawing();
      drawMap();
    },
    images(urls) {
      for (const [id, url] of Object.entries(urls)) {
        $(id).src = url;
        $(id).hidden = false;
      }
    },
    walked(state) {
      const now = performance.now();
      for (const slider of document.querySelectorAll("[data-dimension]")) {
        if (now - (touched.get(slider) || -1e9) < 500) continue;
        slider.value = state.z[slider.dataset.dimension];
        slider.nextElementSibling.textContent = (+slider.value).toFixed(2);
      }
      for (const button of document.querySelectorAll("[data-class]"))
        button.setAttribute("aria-pressed", +button.dataset.class === state.label);
      at = state.at;
      drawMap();
      if (state.book) {
        book = state.book;
        $("entry").value = book.entry;
        drawBook();
      }
    },
    hide(id) { $(id).hidden = true; },
    copy(text) { navigator.clipboard?.writeText(text).catch(() => {}); }, // on loopback or https
    clearDrawing,
  };
})();
