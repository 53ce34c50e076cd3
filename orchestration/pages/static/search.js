// Search over the list in organisations.js. Nothing is fetched; names are only ever written as text.
"use strict";
(() => {
  const SHOWN = 20;
  const plain = (text) => text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").toLowerCase();
  const known = window.ORGANISATIONS.map(([code, name, level, district, category]) => ({
    code, name, level, district, category, starts: plain(name), words: plain([name, code, district].join(" ")),
  }));
  const query = document.getElementById("query");
  const results = document.getElementById("results");
  const found = document.getElementById("found");
  const form = document.getElementById("search-form");

  const matches = (text) => {
    const words = plain(text).split(/\s+/).filter(Boolean);
    if (!words.length) return [];
    const hits = known.filter((one) => words.every((word) => one.words.includes(word)));
    const first = (one) => (one.code === text.trim() ? 0 : one.starts.startsWith(words[0]) ? 1 : 2);
    return hits.sort((a, b) => first(a) - first(b)); // stable: otherwise by code
  };

  const entry = (one) => {
    const item = document.createElement("li");
    const link = document.createElement("a");
    link.href = `org/${one.code}.html`;
    link.textContent = one.name;
    const about = document.createElement("span");
    about.textContent = [one.level, one.code, one.district, one.category].filter(Boolean).join(" · ");
    item.append(link, about);
    return item;
  };

  const search = () => {
    const hits = matches(query.value);
    results.replaceChildren(...hits.slice(0, SHOWN).map(entry));
    const more = hits.length > SHOWN ? `, the first ${SHOWN} are shown` : "";
    found.textContent = query.value.trim() ? `${hits.length} found${more}` : "";
  };

  const links = () => [...results.querySelectorAll("a")];
  const move = (event) => {
    const all = links();
    const place = all.indexOf(document.activeElement);
    if (event.key === "Escape") {
      query.value = "";
      search();
      query.focus();
    } else if (event.key === "ArrowDown" && all.length) {
      all[Math.min(place + 1, all.length - 1)].focus();
    } else if (event.key === "ArrowUp" && place >= 0) {
      (place ? all[place - 1] : query).focus();
    } else {
      return;
    }
    event.preventDefault();
  };

  query.addEventListener("input", search);
  query.addEventListener("keydown", move);
  results.addEventListener("keydown", move);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const [first] = links();
    if (first) window.location.href = first.href;
  });
  search(); // the browser may bring a query back
})();
