// Says that files are on their way, and sends a form once.
"use strict";
(() => {
    const form = document.getElementById("upload-form");
    form.addEventListener("submit", () => {
        form.querySelector(".sending").textContent = form.dataset.sending;
        form.querySelector("input[type=submit]").disabled = true;
    });
    // The browser may show the page again as it was left.
    window.addEventListener("pageshow", () => {
        form.querySelector(".sending").textContent = "";
        form.querySelector("input[type=submit]").disabled = false;
    });
})();
