// Opens and closes the whole explanation; a link to a policy row opens the list that it stands in.
"use strict";
(() => {
  const tree = document.getElementById("tree");
  const policy = document.querySelector("details.policy");
  const all = () => tree.querySelectorAll("details");
  const bar = document.createElement("p");
  bar.className = "buttons";
  for (const [text, open] of [["Open all", true], ["Close all", false]]) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = text;
    button.addEventListener("click", () => all().forEach((one) => { one.open = open; }));
    bar.append(button);
  }
  tree.before(bar);
  const reveal = () => {
    if (window.location.hash.startsWith("#rule-")) {
      policy.open = true;
      document.getElementById(window.location.hash.slice(1))?.scrollIntoView();
    }
  };
  window.addEventListener("hashchange", reveal);
  reveal();
})();
