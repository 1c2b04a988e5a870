"use strict";
for (const point of document.querySelectorAll(".chart [aria-roledescription=point]")) {
  const title = document.createElementNS("http://www.w3.org/2000/svg", "title");
  title.textContent = point.getAttribute("aria-label");
  point.append(title); // which a browser shows where the mouse rests
}
for (const film of document.querySelectorAll(".film")) {
  const slider = film.querySelector("input");
  if (!slider) continue;
  const frames = film.querySelectorAll("img");
  slider.addEventListener("input", () => {
    frames.forEach((frame, i) => { frame.hidden = i !== Number(slider.value); });
    film.querySelector("output").value = frames[slider.value].dataset.when;
  });
}
