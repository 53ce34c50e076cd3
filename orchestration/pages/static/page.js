// What every page does beyond reading: wide tables can be scrolled by keyboard, the explanation opens as a whole,
// and a link to a policy row opens the list that it stands in. Without this script all of it can still be read.
"use strict";
(() => {
  const reachable = () => {
    for (const box of document.querySelectorAll(".scroll")) {
      const wide = box.scrollWidth > box.clientWidth;
      box.tabIndex = wide ? 0 : -1;
      if (!wide) box.removeAttribute("tabindex");
    }
  };
  window.addEventListener("resize", reachable);
  reachable();

  const tree = document.getElementById("tree");
  if (!tree) return;
  const bar = document.createElement("p");
  bar.className = "buttons";
  for (const [text, open] of [["Open all", true], ["Close all", false]]) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = text;
    button.addEventListener("click", () => tree.querySelectorAll("details").forEach((one) => { one.open = open; }));
    bar.append(button);
  }
  tree.before(bar);
  const reveal = () => {
    if (!window.location.hash.startsWith("#rule-")) return;
    document.querySelector("details.policy").open = true;
    document.getElementById(window.location.hash.slice(1))?.scrollIntoView();
  };
  window.addEventListener("hashchange", reveal);
  reveal();
})();
