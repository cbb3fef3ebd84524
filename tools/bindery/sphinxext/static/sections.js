/* What a reader does with a section: links that know the line, and a discussion that is loaded when it is asked for. */
"use strict";

document.querySelectorAll(".section-tools").forEach((tools) => {
  const lines = JSON.parse(tools.dataset.lines);
  const headings = Object.keys(lines).map((id) => document.getElementById(id)).filter(Boolean);
  const links = tools.querySelectorAll("a[data-template]");

  /* The line of the last heading that has gone past the upper third of the window. */
  function line() {
    let found = 1;
    for (const heading of headings) {
      if (heading.getBoundingClientRect().top < innerHeight / 3) found = lines[heading.id];
    }
    return found;
  }

  links.forEach((link) => {
    const fill = () => { link.href = link.dataset.template.replaceAll("LINE", line()); };
    fill();
    for (const event of ["pointerenter", "focus", "click"]) link.addEventListener(event, fill);
  });
});

document.querySelectorAll(".discussion").forEach((place) => {
  place.querySelector("button").addEventListener("click", () => {
    const script = document.createElement("script");
    script.src = "https://giscus.app/client.js";
    script.async = true;
    script.crossOrigin = "anonymous";
    const dark = document.documentElement.dataset.theme === "dark";
    Object.assign(script.dataset, { ...place.dataset, mapping: "pathname", theme: dark ? "dark" : "light", lang: document.documentElement.lang });
    place.replaceChildren(script);
  }, { once: true });
});
