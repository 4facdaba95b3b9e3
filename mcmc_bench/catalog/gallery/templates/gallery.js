// The filter of the table hides cards too, and tags are buttons that fill it in. Without this script all is shown.
"use strict";
(() => {
  const input = document.querySelector(".filter input");
  const rows = [...document.querySelectorAll("#numbers tbody tr")];
  const buttons = [...document.querySelectorAll(".tags button")];
  const follow = () => {
    for (const row of rows) document.getElementById(row.dataset.card).hidden = row.hidden;
    for (const button of buttons) button.setAttribute("aria-pressed", button.textContent === input.value);
  };
  input.addEventListener("input", follow);
  for (const button of buttons) {
    button.addEventListener("click", () => {
      input.value = input.value === button.textContent ? "" : button.textContent;
      input.dispatchEvent(new Event("input"));
    });
  }
  document.querySelector(".tags.all").hidden = false;
})();
