/* What a link leads to, shown beside the link: by mouse, by keyboard, and at the first tap on a screen that is touched. */
"use strict";

(() => {
  if (location.protocol === "file:") return; // other pages cannot be read there
  const LINKS = ".bd-article :is(a.reference.internal, a.library-name)";
  const DELAY = 250;
  const pages = new Map();
  const box = document.createElement("div");
  box.id = "preview";
  box.className = "preview bd-article";
  box.hidden = true;
  box.setAttribute("role", "tooltip");
  document.body.append(box);
  let current = null;
  let timer;

  function page(url) {
    const address = url.origin + url.pathname;
    if (address === location.origin + location.pathname) return Promise.resolve(document);
    if (!pages.has(address)) {
      pages.set(address, fetch(address).then(async (answer) => {
        if (!answer.ok) throw new Error(answer.statusText);
        return new DOMParser().parseFromString(await answer.text(), "text/html");
      }));
    }
    return pages.get(address);
  }

  /* The heading of a section with its first paragraph. */
  function opening(section) {
    const parts = [section.querySelector("h1, h2, h3, h4")];
    for (let next = parts[0]?.nextElementSibling; next && parts.length < 2; next = next.nextElementSibling) {
      if (next.matches("p, ul, ol, .math")) parts.push(next);
    }
    return parts.filter(Boolean);
  }

  function shown(doc, id) {
    const article = doc.querySelector("article.bd-article");
    const target = id ? doc.getElementById(id) : article?.querySelector("section");
    if (!target || !article?.contains(target)) return [];
    if (target.matches("dt")) {
      /* A name of the library comes with its source, which stands on the same page. */
      const source = target.closest("dl.py") ? [...article.querySelectorAll("section#source div.highlight")] : [];
      return [target, ...[target.nextElementSibling].filter((each) => each?.matches("dd")), ...source];
    }
    if (target.matches("section")) return opening(target);
    const whole = target.closest("figure, .table-box, table, div.math, div.citation, div.admonition, details.fold, div.cell");
    if (whole) return [whole.closest(".table-box") || whole];
    const section = target.closest("section");
    return section ? opening(section) : [];
  }

  function copy(part, url) {
    const made = part.cloneNode(true);
    made.querySelectorAll(".headerlink, .copybtn, .exercise-solution, .solution-back, dl.py dl.py, script").forEach((each) => each.remove());
    made.matches("details") && (made.open = true);
    [made, ...made.querySelectorAll("[id]")].forEach((each) => each.removeAttribute("id"));
    made.querySelectorAll("[tabindex]").forEach((each) => each.removeAttribute("tabindex"));
    for (const name of ["src", "href"]) {
      made.querySelectorAll(`[${name}]`).forEach((each) => each.setAttribute(name, new URL(each.getAttribute(name), url).href));
    }
    return made;
  }

  function place(link) {
    if (matchMedia("(max-width: 600px)").matches) {
      box.style.cssText = "";
      return;
    }
    const line = link.getClientRects()[0] || link.getBoundingClientRect();
    const left = Math.max(8, Math.min(line.left, document.documentElement.clientWidth - box.offsetWidth - 8));
    const under = innerHeight - line.bottom > box.offsetHeight + 16 || line.top < box.offsetHeight + 16;
    const top = under ? line.bottom + 6 : line.top - box.offsetHeight - 6;
    box.style.cssText = `left: ${left + scrollX}px; top: ${top + scrollY}px`;
  }

  async function show(link, touched) {
    const url = new URL(link.href);
    let parts;
    try {
      parts = shown(await page(url), decodeURIComponent(url.hash.slice(1)));
    } catch {
      parts = [];
    }
    if (current !== link) return false;
    if (!parts.length) return false;
    box.replaceChildren(...parts.map((part) => copy(part, url)));
    if (touched) {
      const go = document.createElement("a");
      go.className = "preview__go";
      go.href = link.href;
      go.textContent = "Go there";
      go.addEventListener("click", hide);
      box.append(go);
    }
    box.hidden = false;
    link.setAttribute("aria-describedby", "preview");
    place(link);
    return true;
  }

  function hide() {
    clearTimeout(timer);
    current?.removeAttribute("aria-describedby");
    current = null;
    box.hidden = true;
  }

  function after(delay, action) {
    clearTimeout(timer);
    timer = setTimeout(action, delay);
  }

  function begin(link, delay) {
    if (current === link) {
      clearTimeout(timer);
      return;
    }
    hide();
    current = link;
    after(delay, () => show(link));
  }

  document.addEventListener("pointerover", (event) => {
    if (event.pointerType === "touch") return;
    const link = event.target.closest?.(LINKS);
    if (link) begin(link, DELAY);
    else if (box.contains(event.target)) clearTimeout(timer);
    else if (current && !current.matches(":focus-visible")) after(DELAY, hide);
  });
  document.addEventListener("focusin", (event) => {
    const link = event.target.closest?.(LINKS);
    if (link?.matches(":focus-visible")) begin(link, 0);
    else if (current && !box.contains(event.target)) hide();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && current) hide();
  });
  let touch = false;
  document.addEventListener("pointerdown", (event) => {
    touch = event.pointerType === "touch";
    if (touch && current && !box.contains(event.target) && event.target.closest?.(LINKS) !== current) hide();
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.(LINKS);
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (!touch || (current === link && !box.hidden)) {
      hide();
      return;
    }
    event.preventDefault();
    hide();
    current = link;
    show(link, true).then((done) => { if (!done) location.href = link.href; });
  });
})();
