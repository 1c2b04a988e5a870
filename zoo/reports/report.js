"use strict";
for (const chart of document.querySelectorAll(".chart")) {
  const spec = JSON.parse(chart.nextElementSibling.textContent);
  vegaEmbed(chart, spec, { renderer: "svg", actions: false, tooltip: { disableDefaultStyle: true } });
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
