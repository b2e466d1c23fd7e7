// Follows a session while it waits or runs: the bar and the events by small requests, the whole page once it has ended.
"use strict";
(() => {
    const bar = document.getElementById("progress");
    if (!bar) {
        return;
    }
    const percent = document.getElementById("percent");
    const state = document.getElementById("state");
    const list = document.getElementById("events");
    const EVERY = 1500;
    const SLOWEST = 20000;
    let after = Number(bar.dataset.after);
    let wait = EVERY;

    const cell = (row, text, kind) => {
        const made = row.insertCell();
        made.textContent = text;
        made.className = kind || "";
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

    const ask = async () => {
        try {
            const answer = await fetch(`${bar.dataset.events}?after=${after}`, { credentials: "same-origin" });
            if (answer.redirected || answer.status === 403 || answer.status === 404) {
                location.reload();
                return;
            }
            if (!answer.ok) {
                throw new Error(String(answer.status));
            }
            const news = await answer.json();
            show(news);
            if (!["PENDING", "PROCESSING"].includes(news.status)) {
                location.reload();
                return;
            }
            wait = EVERY;
        } catch (error) {
            // The server may be restarting: asked again, less and less often.
            wait = Math.min(wait * 2, SLOWEST);
        }
        setTimeout(ask, wait);
    };

    setTimeout(ask, EVERY);
})();
