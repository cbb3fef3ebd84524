/* Search: Pagefind's index, which is loaded when a reader first types; without a server, Sphinx's. */
"use strict";

(() => {
  const root = new URL(document.documentElement.dataset.content_root || "./", location.href);
  const PAGES = 8;
  const PLACES = 3;
  let engine;

  function load() {
    engine ??= import(new URL("pagefind/pagefind.js", root)).then(async (pagefind) => {
      await pagefind.options({ baseUrl: root.pathname, excerptLength: 22 });
      await pagefind.init();
      return pagefind;
    });
    return engine;
  }

  function element(tag, name, text) {
    const made = document.createElement(tag);
    if (name) made.className = name;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function link(title, url, name) {
    const made = element("a", name, title);
    made.href = url;
    return made;
  }

  /* One page of the book with the places on it that fit best. Excerpts are Pagefind's: text, escaped, with <mark>. */
  function hit(data) {
    const item = element("li", "search-hit");
    item.append(link(data.meta.title, data.url, "search-hit__page"));
    if (data.meta.chapter) item.append(element("span", "search-hit__chapter", data.meta.chapter));
    const places = data.sub_results.length ? data.sub_results : [data];
    for (const place of places.slice(0, PLACES)) {
      const entry = link("", place.url, "search-hit__place");
      if (place.title && place.title !== data.meta.title) entry.append(element("strong", "", place.title));
      const excerpt = element("span");
      excerpt.innerHTML = place.excerpt;
      entry.append(excerpt);
      item.append(entry);
    }
    return item;
  }

  function connect(box) {
    const input = box.querySelector("input");
    const status = box.querySelector(".search-box__status");
    const results = box.querySelector(".search-box__results");
    let latest = "";

    async function search() {
      const words = input.value.trim();
      latest = words;
      if (!words) {
        results.replaceChildren();
        status.textContent = "";
        return;
      }
      const found = await (await load()).search(words);
      const shown = await Promise.all(found.results.slice(0, PAGES).map((each) => each.data()));
      if (latest !== words) return;
      results.replaceChildren(...shown.map(hit));
      const count = found.results.length;
      status.textContent = count === 0 ? `Nothing found for “${words}”.`
        : count === 1 ? "1 page" : count > PAGES ? `${count} pages, the best ${PAGES} of them` : `${count} pages`;
    }

    let waiting;
    input.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => search().catch(() => { status.textContent = "Press Enter to search."; }), 120);
    });
    input.addEventListener("focus", () => load().catch(() => {}), { once: true });

    /* Up and down go through the list, and back into the field. */
    box.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (!step) return;
      const stops = [input, ...results.querySelectorAll("a")];
      const next = stops[stops.indexOf(document.activeElement) + step];
      if (next) {
        event.preventDefault();
        next.focus();
      }
    });
    /* A link to a place on this very page loads nothing: the dialog must go. */
    results.addEventListener("click", (event) => {
      if (event.target.closest("a")) box.closest("dialog")?.close();
    });
    return search;
  }

  /* On the search page the words are in the address. */
  async function answerAddress(box, search) {
    const words = new URLSearchParams(location.search).get("q") || "";
    const input = box.querySelector("input");
    input.value = words;
    input.focus();
    try {
      await load();
      await search();
    } catch {
      document.querySelectorAll(".search-without-server").forEach((place) => {
        const script = element("script");
        script.src = place.dataset.src;
        script.async = false;
        document.head.append(script);
      });
    }
  }

  document.querySelectorAll(".search-box").forEach((box) => {
    const search = connect(box);
    if (!box.closest("dialog")) answerAddress(box, search);
  });
})();
