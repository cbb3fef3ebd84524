/* Small helps that a page can do without. */
"use strict";

/* Version and commit stand in one file for the whole site, so that a commit changes no page. */
async function showBuildFacts() {
  const places = document.querySelectorAll(".build-facts");
  if (!places.length || location.protocol === "file:") return;
  try {
    const answer = await fetch(new URL((document.documentElement.dataset.content_root || "./") + "build.json", location.href));
    if (!answer.ok) return;
    const facts = await answer.json();
    const commit = facts.commit ? `commit ${String(facts.commit).slice(0, 8)}` : "";
    const text = [facts.version ? `Version ${facts.version}` : "", commit].filter(Boolean).join(", ");
    places.forEach((place) => { place.textContent = text; });
  } catch {
    /* Without the file the footer stays empty. */
  }
}

/* Paper is light. */
let shown;
addEventListener("beforeprint", () => {
  shown = document.documentElement.dataset.theme;
  document.documentElement.dataset.theme = "light";
});
addEventListener("afterprint", () => { document.documentElement.dataset.theme = shown; });

/* A link to a folded solution, or to something inside it, unfolds it. */
function unfoldTarget() {
  const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  let folded = false;
  for (let fold = target.closest("details"); fold; fold = fold.parentElement.closest("details")) {
    folded = folded || !fold.open;
    fold.open = true;
  }
  if (folded) target.scrollIntoView();
}

/* What scrolls sideways must be reachable by keyboard; what does not scroll must not be a stop. */
function markScrollBoxes() {
  const boxes = document.querySelectorAll(".equation-body, .bd-article pre, div.cell_output .text_html, .table-box, .drawing-box");
  /* First all that is measured, then all that is changed: each change would make the next measurement a new layout. */
  const wide = [...boxes].map((box) => box.scrollWidth > box.clientWidth);
  boxes.forEach((box, i) => {
    if (wide[i] !== box.hasAttribute("tabindex")) {
      if (wide[i]) box.setAttribute("tabindex", "0");
      else box.removeAttribute("tabindex");
    }
  });
}

document.addEventListener("DOMContentLoaded", () => {
  showBuildFacts();
  unfoldTarget();
  markScrollBoxes();
});
window.addEventListener("hashchange", unfoldTarget);
window.addEventListener("resize", markScrollBoxes);
document.addEventListener("toggle", markScrollBoxes, true);
