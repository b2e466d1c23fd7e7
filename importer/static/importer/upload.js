// Shows that the files are being sent, and keeps the form from being sent twice.
"use strict";
(() => {
    const form = document.getElementById("upload-form");
    form.addEventListener("submit", () => {
        form.querySelector(".sending").textContent = form.dataset.sending;
        form.querySelector("input[type=submit]").disabled = true;
    });
    // The browser may show the page again in the state in which the user left it.
    window.addEventListener("pageshow", () => {
        form.querySelector(".sending").textContent = "";
        form.querySelector("input[type=submit]").disabled = false;
    });
})();
