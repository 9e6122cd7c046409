"use strict";
(function () {
  const form = document.getElementById("bundle");
  const ticked = (root) => root.querySelectorAll(".step > .check input:checked").length;

  function count() {
    document.getElementById("count").textContent = ticked(form);
    form.querySelectorAll(".section").forEach((section) => {
      section.querySelector(".on").textContent = ticked(section);
    });
  }

  /* A day as years since the start: 365 is the end of the first. */
  function years() {
    form.querySelectorAll(".day").forEach((input) => {
      const day = Number(input.value), place = input.parentNode.querySelector(".year");
      const told = input.value && day >= 0 ? (day / 365).toFixed(2).replace(/\.?0+$/, "") : "";
      place.textContent = told && window.brief.say([`= 第 ${told} 年末`, `= end of year ${told}`]);
    });
  }

  form.addEventListener("change", (event) => {
    count();
    years();
    if (event.target.id === "city") document.getElementById("recity").click();
  });
  form.querySelectorAll(".all").forEach((button) => button.addEventListener("click", () => {
    const boxes = Array.from(button.closest(".section").querySelectorAll(".step > .check input"));
    const on = boxes.some((box) => !box.checked);
    boxes.forEach((box) => {
      box.checked = on;
    });
    count();
  }));
  document.querySelectorAll(".warning a").forEach((link) => link.addEventListener("click", () => {
    const field = document.getElementById(link.hash.slice(1));
    for (let node = field; node; node = node.parentElement) if (node.tagName === "DETAILS") node.open = true;
    if (field) field.focus();
  }));
  window.brief.redraws.push(years);
  years();
})();
