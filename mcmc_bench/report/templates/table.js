// Sorting and filtering of the tables of numbers. Without this script they are complete, only fixed.
"use strict";
(() => {
  const value = (row, column) => {
    const text = row.cells[column].firstChild ? row.cells[column].firstChild.textContent.trim() : "";
    const plain = text.replace(/−/g, "-").replace(/^> /, "")
      .replace(/×10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)/, (_, digits) => "e" + [...digits].map((d) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹".indexOf(d) ? "⁰¹²³⁴⁵⁶⁷⁸⁹".indexOf(d) : "-").join(""));
    const number = parseFloat(plain);
    return Number.isNaN(number) ? text : number;
  };
  const missing = (row, column) => row.cells[column].classList.contains("m");

  const sortable = (table) => [...table.tHead.rows[0].cells].forEach((head, column) => {
    const body = table.tBodies[0];
    const rows = [...body.rows];
    const label = head.querySelector(".head") || head;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "head";
    button.textContent = label.textContent;
    if (label === head) head.replaceChildren(button); else label.replaceWith(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      // What has no number stays last whichever way the rest is sorted.
      const sorted = rows.map((row) => [missing(row, column), value(row, column), row]).sort((a, b) => {
        if (a[0] !== b[0]) return a[0] ? 1 : -1;
        if (typeof a[1] !== typeof b[1]) return typeof a[1] === "number" ? -1 : 1;
        const order = typeof a[1] === "number" ? a[1] - b[1] : a[1].localeCompare(b[1]);
        return down ? -order : order;
      });
      body.append(...sorted.map((item) => item[2]));
    });
  });

  document.querySelectorAll(".full table").forEach(sortable);

  const rows = [...document.getElementById("numbers").tBodies[0].rows];
  const form = document.querySelector(".filter");
  const input = form.querySelector("input");
  const output = form.querySelector("output");
  const texts = rows.map((row) => [...row.cells].slice(0, 4).map((cell) => cell.textContent).join(" ").toLowerCase());
  const filter = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, index) => {
      row.hidden = !words.every((word) => texts[index].includes(word));
      shown += !row.hidden;
    });
    output.textContent = `${shown} of ${rows.length} ${output.dataset.what || "cells"}`;
  };
  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  input.addEventListener("input", filter);
  // A permalink must lead somewhere even while a filter hides its row.
  addEventListener("hashchange", () => { input.value = ""; filter(); });
  filter();
})();
