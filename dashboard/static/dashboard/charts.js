/* Draws the charts of a page from the JSON beside them. Colours come from the stylesheet, texts from the server. */
(function () {
    "use strict";
    const language = document.documentElement.lang || "en";
    const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
    const dark = window.matchMedia("(prefers-color-scheme: dark)");
    const compact = new Intl.NumberFormat(language, { notation: "compact", maximumFractionDigits: 1 });
    const percent = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 1 });
    const drawn = [];

    function colours() {
        const style = getComputedStyle(document.documentElement);
        const read = (name) => style.getPropertyValue(name).trim();
        return {
            series: [1, 2, 3, 4].map((at) => read("--series-" + at)),
            text: read("--text"),
            soft: read("--text-soft"),
            grid: read("--border"),
            ground: read("--surface"),
        };
    }

    /* Names of providers are longer than their place beside the bars. */
    function short(label, most) {
        return label.length > most ? label.slice(0, most - 1) + "…" : label;
    }

    function settings(data, box) {
        const paint = colours();
        const isLine = data.kind === "line";
        const isLying = data.kind === "horizontal";
        const isStacked = data.kind === "stacked";
        const isShare = data.unit === "%";
        const isWhole = data.series.every((one) => one.values.every((value) => value === null || Number.isInteger(value)));
        const room = box.clientWidth < 480 ? 16 : box.clientWidth < 900 ? 32 : 64;
        const values = {
            stacked: isStacked,
            beginAtZero: true,
            max: isShare && isLine ? 1 : undefined,
            grid: { color: paint.grid },
            border: { color: paint.grid },
            ticks: {
                color: paint.soft,
                maxTicksLimit: 6,
                precision: isWhole ? 0 : undefined,
                callback: (value) => (isShare ? percent : compact).format(value),
            },
            title: { display: Boolean(data.unit) && !isShare, text: data.unit, color: paint.soft },
        };
        const names = {
            stacked: isStacked,
            grid: { display: false },
            border: { color: paint.grid },
            ticks: {
                color: paint.soft,
                autoSkip: !isLying,
                maxRotation: 45,
                callback: function (value) { return short(this.getLabelForValue(value), isLying ? room : 24); },
            },
        };
        return {
            type: isLine ? "line" : "bar",
            data: {
                labels: data.labels,
                datasets: data.series.map((one, at) => ({
                    label: one.name,
                    data: one.values,
                    texts: one.texts,
                    borderColor: paint.series[at],
                    backgroundColor: paint.series[at],
                    borderWidth: isLine ? 2 : 0,
                    pointRadius: isLine && data.labels.length <= 40 ? 3 : 0,
                    pointHitRadius: 10,
                    /* Lines differ by more than colour. */
                    borderDash: isLine && at ? [[], [6, 4], [2, 3], [10, 3, 2, 3]][at] : [],
                    pointStyle: ["circle", "rect", "triangle", "rectRot"][at],
                    maxBarThickness: 46,
                    spanGaps: false,
                })),
            },
            options: {
                animation: calm.matches ? false : { duration: 250 },
                responsive: true,
                maintainAspectRatio: false,
                indexAxis: isLying ? "y" : "x",
                interaction: { mode: "index", axis: isLying ? "y" : "x", intersect: false },
                scales: isLying ? { x: values, y: names } : { x: names, y: values },
                plugins: {
                    legend: {
                        display: data.series.length > 1,
                        position: "top",
                        align: "start",
                        labels: { color: paint.text, usePointStyle: isLine, boxWidth: isLine ? 8 : 14, boxHeight: isLine ? 7 : 11 },
                    },
                    tooltip: {
                        callbacks: {
                            title: (items) => (items.length ? data.labels[items[0].dataIndex] : ""),
                            label: (item) => " " + item.dataset.label + ": " + item.dataset.texts[item.dataIndex],
                        },
                    },
                },
            },
        };
    }

    function draw(figure) {
        const data = JSON.parse(document.getElementById(figure.dataset.chart).textContent);
        figure.hidden = false;
        const canvas = figure.querySelector("canvas");
        drawn.push(new window.Chart(canvas, settings(data, canvas.parentElement)));
    }

    function drawAll() {
        while (drawn.length) drawn.pop().destroy();
        document.querySelectorAll("figure[data-chart]").forEach(draw);
    }

    /* A printed page has the tables in place of the charts. */
    function forPrint() {
        document.querySelectorAll("details.numbers:not([open])").forEach((one) => {
            one.open = true;
            one.dataset.closed = "";
        });
    }

    function afterPrint() {
        document.querySelectorAll("details[data-closed]").forEach((one) => {
            one.open = false;
            delete one.dataset.closed;
        });
    }

    window.Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
    document.querySelectorAll("details[data-long]").forEach((one) => { one.open = false; });
    drawAll();
    dark.addEventListener("change", drawAll);
    window.addEventListener("beforeprint", forPrint);
    window.addEventListener("afterprint", afterPrint);
})();
