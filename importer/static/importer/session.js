// Polls a session while it waits or runs and updates the progress bar and the events; reloads the page when it ends.
"use strict";
(() => {
    const bar = document.getElementById("progress");
    if (!bar) {
        return;
    }
    const percent = document.getElementById("percent");
    const state = document.getElementById("state");
    const list = document.getElementById("events");
    const POLL_MS = 1500;
    const SLOWEST_POLL_MS = 20000;
    let after = Number(bar.dataset.after);
    let wait = POLL_MS;

    const cell = (row, text, kind) => {
        const node = row.insertCell();
        node.textContent = text;
        node.className = kind || "";
    };

    const show = (news) => {
        bar.value = news.progress;
        percent.textContent = `${news.progress} %`;
        state.textContent = news.status_name.charAt(0).toUpperCase() + news.status_name.slice(1);
        for (const event of news.events) {
            const row = list.insertRow();
            row.className = `level-${event.level}`;
            cell(row, event.at);
            cell(row, event.progress, "number");
            cell(row, event.message);
            after = event.sequence;
        }
    };

    const poll = async () => {
        try {
            const response = await fetch(`${bar.dataset.events}?after=${after}`, { credentials: "same-origin" });
            if (response.redirected || response.status === 403 || response.status === 404) {
                location.reload();
                return;
            }
            if (!response.ok) {
                throw new Error(String(response.status));
            }
            const news = await response.json();
            show(news);
            if (!["PENDING", "PROCESSING"].includes(news.status)) {
                location.reload();
                return;
            }
            wait = POLL_MS;
        } catch (error) {
            // The server may be restarting: poll again, at growing intervals.
            wait = Math.min(wait * 2, SLOWEST_POLL_MS);
        }
        setTimeout(poll, wait);
    };

    setTimeout(poll, POLL_MS);
})();
