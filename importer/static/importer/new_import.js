// Sends the files of an import one by one and shows what the server finds in each. All texts come from the page.
// Without this script, the form sends everything at once.

const settings = JSON.parse(document.getElementById("new-import-settings").textContent);
const { texts } = settings;
const language = document.documentElement.lang;
const at = (id) => document.getElementById(id);
const form = at("new-import");
const country = form.elements.country;

// Files that Excel, Windows and macOS add to folders: nobody means them.
const SYSTEM_FILES = /^(~\$.*|\..*|thumbs\.db|desktop\.ini)$/i;
// Answers after which the same request may succeed.
const TRY_AGAIN = new Set([0, 429, 502, 503, 504]);
// Answers that the same file always gets.
const REFUSED = new Set([400, 413]);
const PARALLEL = 2;
const MEGABYTE = 1024 * 1024;

// A row of the list. `state`: asks, waits, sending, checking, broken, failed, refused, stored. `stored`: the file as the API shows it.
const rows = [];
let leaving = false;

function fill(text, values) {
    return text.replace(/%\((\w+)\)[sd]/g, (_all, name) => values[name]);
}

function shownSize(bytes) {
    if (bytes < MEGABYTE) return fill(texts.sizeSmall, { size: count(Math.ceil(bytes / 1024)) });
    const number = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
    return fill(texts.size, { size: number.format(bytes / MEGABYTE) });
}

function count(number) {
    return new Intl.NumberFormat(language).format(number);
}

// --- What a screen reader hears -------------------------------------------------------------------------------------

let lastAnnounced = 0;

// Progress is announced every few seconds at most, problems at once.
function announce(text, { now = false } = {}) {
    const time = Date.now();
    if (!now && time - lastAnnounced < 4000) return;
    lastAnnounced = time;
    at("announcements").textContent = text;
}

// --- Requests -------------------------------------------------------------------------------------------------------

// → { status, body, wait }: status 0 for a line that broke, `wait` the seconds of Retry-After.
function send(method, address, { body = null, headers = {}, onProgress = null, row = null } = {}) {
    return new Promise((resolve) => {
        const request = new XMLHttpRequest();
        request.open(method, address);
        request.setRequestHeader("Accept", "application/json");
        request.setRequestHeader("Accept-Language", language);
        request.setRequestHeader("X-CSRFToken", form.elements.csrfmiddlewaretoken.value);
        for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
        if (onProgress) request.upload.addEventListener("progress", onProgress);
        request.addEventListener("loadend", () => {
            let answer = null;
            try {
                answer = JSON.parse(request.responseText);
            } catch {
                // An error page of a proxy, or no answer at all.
            }
            const wait = Number(request.status ? request.getResponseHeader("Retry-After") : 0) || 0;
            resolve({ status: request.status, body: answer, wait });
        });
        if (row) row.request = request;
        request.send(body);
    });
}

function reasonsOf(answer) {
    const errors = answer.body?.errors?.map((error) => error.message);
    return errors?.length ? [...new Set(errors)] : [answer.body?.detail ?? texts.failed];
}

// --- The list of files ----------------------------------------------------------------------------------------------

function newRow({ name, size, file = null, stored = null, state = "waits", before = false }) {
    const row = { name, size, file, stored, state, before, tries: 0, sent: 0, reasons: [], problems: [], shown: null };
    row.country = stored ? stored.country.code : (country?.value ?? "");
    row.element = at("row").content.firstElementChild.cloneNode(true);
    row.part = (selector) => row.element.querySelector(selector);
    row.part(".send-again").addEventListener("click", () => sendAgain(row));
    row.part(".remove").addEventListener("click", () => remove([row]));
    for (const button of row.part(".file-choice").children) {
        button.addEventListener("click", () => chooseKind(row, button.dataset.kind));
    }
    rows.push(row);
    at("rows").append(row.element);
    return row;
}

function listed() {
    return country ? rows.filter((row) => row.country === country.value) : rows;
}

function storedAs(kind) {
    return listed().filter((row) => row.stored?.file_type === kind);
}

// Gives each row its `problems`, texts of which the `blocking` ones keep the import from starting.
function findProblems() {
    const all = listed();
    const ids = new Set(all.map((row) => row.stored?.id));
    const contents = new Map();
    const names = new Set();
    let hasStat = false;
    for (const row of all) {
        row.problems = row.reasons.map((text) => ({ text, blocking: true }));
        if (!row.stored) continue;
        const add = (text, blocking) => row.problems.push({ text, blocking });
        const { file_type: kind, problems, sha256, same_content_as: elsewhere, converter } = row.stored;
        problems.forEach((problem) => add(problem.message, true));
        if (converter) add(fill(texts.willConvert, { converter }), false);
        if (contents.has(sha256)) add(fill(texts.sameContent, { name: contents.get(sha256) }), true);
        else if (names.has(row.name)) add(texts.sameName, false);
        if (kind === "stat" && hasStat) add(texts.secondStat, true);
        for (const file of elsewhere) if (!ids.has(file.id)) add(fill(texts.sentEarlier, file), false);
        if (!contents.has(sha256)) contents.set(sha256, row.name);
        names.add(row.name);
        hasStat ||= kind === "stat";
    }
}

const isBusy = (row) => ["waits", "sending", "checking", "broken"].includes(row.state);
const isStopped = (row) => ["failed", "refused"].includes(row.state);
const hasProblem = (row) => isStopped(row) || row.problems.some((problem) => problem.blocking);

function stateOf(row) {
    if (row.state === "broken") return [fill(texts.broken, { seconds: count(row.pause) }), "warn"];
    if (row.state === "asks") return [texts.asks, "warn"];
    if (row.state !== "stored") return [texts[row.state], isStopped(row) ? "bad" : "busy"];
    if (hasProblem(row)) return [texts.problem, "bad"];
    return [row.before ? texts.sentBefore : texts.ready, "good"];
}

function kindOf(row) {
    if (row.stored) return settings.kinds[row.stored.file_type];
    return row.state === "refused" ? texts.notRecognised : "–";
}

function showRow(row) {
    const { problems } = row;
    const [state, colour] = stateOf(row);
    // Only what changed is written, so that a screen reader in the row is not interrupted.
    const shown = JSON.stringify([state, problems, row.sent, row.state]);
    if (shown === row.shown) return;
    row.shown = shown;
    row.part(".file-name").textContent = row.name;
    row.part(".file-size").textContent = shownSize(row.size);
    row.part(".file-kind").textContent = kindOf(row);
    row.part("progress").hidden = !isBusy(row);
    row.part("progress").value = row.sent;
    row.part(".badge").textContent = state;
    row.part(".badge").className = `badge ${colour}`;
    row.part(".file-choice").hidden = row.state !== "asks";
    for (const button of row.part(".file-choice").children) {
        button.setAttribute("aria-label", `${button.textContent}: ${row.name}`);
    }
    row.part(".send-again").hidden = row.state !== "failed";
    row.part(".send-again").setAttribute("aria-label", `${row.part(".send-again").textContent}: ${row.name}`);
    row.part(".remove").setAttribute("aria-label", `${row.part(".remove").textContent}: ${row.name}`);
    row.part(".file-problems").replaceChildren(
        ...problems.map((problem) => {
            const item = document.createElement("li");
            item.className = problem.blocking ? "blocking" : "warning";
            item.textContent = problem.text;
            return item;
        }),
    );
}

function showSheets() {
    const stats = storedAs("stat");
    const sheets = stats.length === 1 && stats[0].stored.sheets.length > 1 ? stats[0].stored.sheets : [];
    const select = at("sheet");
    at("choose-sheet").hidden = sheets.length === 0;
    const shown = [...select.options].slice(1).map((option) => option.value);
    if (JSON.stringify(shown) === JSON.stringify(sheets)) return;
    select.replaceChildren(select.options[0], ...sheets.map((sheet) => new Option(sheet, sheet)));
    select.value = "";
}

// The first reason for which the import cannot start yet; "" for none.
function missing() {
    const all = listed();
    if (country && !country.value) return texts.needCountry;
    if (all.length === 0) return texts.needFiles;
    if (all.some(hasProblem)) return texts.needFixed;
    if (all.some((row) => row.state === "asks")) return texts.needKind;
    if (all.some(isBusy)) return texts.needSent;
    if (storedAs("stat").length === 0) return texts.needStat;
    const pages = storedAs("recap").reduce((sum, row) => sum + row.stored.page_count, 0);
    if (pages === 0) return texts.needRecap;
    if (pages > settings.maxPages) return fill(texts.tooManyPages, { limit: count(settings.maxPages) });
    if (!at("choose-sheet").hidden && !at("sheet").value) return texts.needSheet;
    return "";
}

// --- Pages that are missing among the names -------------------------------------------------------------------------

let askedAbout = "";

async function showMissingPages() {
    if (listed().some(isBusy)) return;
    const ids = storedAs("recap")
        .map((row) => row.stored.id)
        .join(",");
    if (ids === askedAbout) return;
    askedAbout = ids;
    const answer = ids ? await send("GET", `${settings.missingPages}?ids=${ids}`) : null;
    // The list has changed meanwhile: its own answer follows.
    if (ids !== askedAbout) return;
    // A warning that cannot be fetched now is asked for again with the next change; the session has it too.
    if (answer && answer.status !== 200) askedAbout = "";
    const warnings = answer?.body?.warnings ?? [];
    const items = warnings.map((text) => {
        const item = document.createElement("li");
        item.textContent = text;
        return item;
    });
    at("missing-pages").querySelector("ul").replaceChildren(...items);
    at("missing-pages").hidden = items.length === 0;
}

function show() {
    const all = listed();
    findProblems();
    for (const row of rows) row.element.hidden = !all.includes(row);
    all.forEach(showRow);
    at("list").hidden = all.length === 0;
    const [problems, busy] = [all.filter(hasProblem).length, all.filter(isBusy).length];
    const numbers = { all: count(all.length), sending: count(busy), problems: count(problems) };
    numbers.ready = count(all.filter((row) => row.stored && !hasProblem(row)).length);
    at("summary").textContent = fill(texts.summary, numbers);
    at("remove-problems").hidden = problems < 2;
    showSheets();
    showMissingPages();
    const reason = missing();
    at("start").disabled = reason !== "" || leaving;
    const text = leaving ? texts.starting : reason || texts.allReady;
    if (at("missing").textContent !== text) at("missing").textContent = text;
    if (busy) announce(at("summary").textContent);
}

function announceState(row) {
    findProblems();
    const { problems } = row;
    const [state] = stateOf(row);
    const words = [state, ...problems.map((problem) => problem.text)].join(". ");
    announce(fill(texts.announced, { file: row.name, state: words }), { now: problems.length > 0 });
}

// --- Sending --------------------------------------------------------------------------------------------------------

function next() {
    show();
    const underWay = rows.filter((row) => ["sending", "checking"].includes(row.state)).length;
    const waiting = rows.filter((row) => row.state === "waits");
    waiting.slice(0, Math.max(0, PARALLEL - underWay)).forEach(sendFile);
}

async function sendFile(row) {
    Object.assign(row, { state: "sending", sent: 0, tries: row.tries + 1 });
    const body = new FormData();
    body.append("file", row.file, row.name);
    if (row.country) body.append("country", row.country);
    if (row.kind) body.append("file_type", row.kind);
    show();
    const answer = await send("POST", settings.files, {
        body,
        row,
        onProgress: (event) => {
            row.sent = Math.floor((100 * event.loaded) / event.total);
            row.state = event.loaded === event.total ? "checking" : "sending";
            show();
        },
    });
    // Removed while it was sent.
    if (!rows.includes(row)) {
        if (answer.status === 201) [answer.body, ...answer.body.others].forEach((file) => forget(file.id));
        return next();
    }
    if (answer.status === 201) return stored(row, answer.body);
    if (TRY_AGAIN.has(answer.status) && row.tries < settings.tries) return pauseThenSend(row, answer.wait);
    row.state = REFUSED.has(answer.status) ? "refused" : "failed";
    row.reasons = reasonsOf(answer);
    if (answer.status === 0) row.reasons = [];
    announceState(row);
    return next();
}

// An archive is stored as the files in it, each with a row of its own.
function stored(row, answer) {
    const { others, ...first } = answer;
    Object.assign(row, { state: "stored", stored: first, name: first.name, size: first.size, reasons: [] });
    let last = row.element;
    for (const file of others) {
        const other = newRow({ name: file.name, size: file.size, stored: file, state: "stored" });
        last.after(other.element);
        last = other.element;
    }
    announceState(row);
    next();
}

function pauseThenSend(row, wait) {
    row.state = "broken";
    row.pause = wait > 0 ? Math.min(wait, 60) : 2 ** row.tries;
    row.timer = setTimeout(() => {
        row.state = "waits";
        next();
    }, row.pause * 1000);
    next();
}

function sendAgain(row) {
    Object.assign(row, { state: "waits", tries: 0, reasons: [] });
    row.part(".remove").focus();
    next();
}

// What a converter reads has no columns yet that would show its kind.
function chooseKind(row, kind) {
    Object.assign(row, { state: "waits", kind });
    row.part(".remove").focus();
    next();
}

function isConverted(name) {
    return settings.converted.some((ending) => name.toLowerCase().endsWith(ending));
}

function add(files) {
    if (country && !country.value) {
        country.focus();
        announce(texts.needCountry, { now: true });
        return;
    }
    for (const file of files) {
        if (SYSTEM_FILES.test(file.name)) continue;
        const row = newRow({ name: file.name, size: file.size, file });
        if (file.size > settings.maxBytes) {
            row.state = "refused";
            const limit = Math.floor(settings.maxBytes / MEGABYTE);
            row.reasons = [fill(texts.tooLarge, { file: file.name, limit })];
            announceState(row);
        } else if (isConverted(file.name)) {
            row.state = "asks";
            announceState(row);
        }
    }
    next();
}

// --- Removing -------------------------------------------------------------------------------------------------------

function forget(id) {
    return send("DELETE", `${settings.files}${id}/`);
}

async function remove(chosen) {
    for (const row of chosen) {
        if (row.stored) {
            const answer = await forget(row.stored.id);
            if (answer.status !== 204 && answer.status !== 404) {
                row.reasons = [fill(texts.notRemoved, { file: row.name }), ...reasonsOf(answer)];
                announceState(row);
                show();
                continue;
            }
        }
        clearTimeout(row.timer);
        const neighbour = row.element.nextElementSibling ?? row.element.previousElementSibling;
        rows.splice(rows.indexOf(row), 1);
        row.request?.abort();
        row.element.remove();
        announce(fill(texts.removed, { file: row.name }), { now: true });
        const focused = neighbour && !neighbour.hidden ? neighbour.querySelector(".remove") : at("chosen-files");
        focused.focus();
    }
    next();
}

// --- Choosing: inputs, drop, folders --------------------------------------------------------------------------------

function fromInput(event) {
    add([...event.target.files].sort((one, other) => one.name.localeCompare(other.name)));
    // The same file may be chosen again after it was corrected.
    event.target.value = "";
}

async function filesUnder(entry) {
    if (entry.isFile) return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
    const reader = entry.createReader();
    const found = [];
    for (;;) {
        // Browsers hand out a folder in parts, the last of which is empty.
        const part = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
        if (part.length === 0) return found;
        for (const one of part) found.push(...(await filesUnder(one)));
    }
}

async function fromDrop(event) {
    event.preventDefault();
    at("drop").classList.remove("over");
    // The entries are gone once this function waits for the first time.
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
    const plain = [...event.dataTransfer.files];
    const found = [];
    for (const entry of entries) found.push(...(await filesUnder(entry)));
    add((entries.length ? found : plain).sort((one, other) => one.name.localeCompare(other.name)));
}

// --- Starting the import --------------------------------------------------------------------------------------------

const firstKey = form.elements.idempotency_key.value;
let lastBody = "";
let bodies = 0;

// The same choices have the same key, so that a request whose answer was lost starts no second import.
function keyOf(body) {
    if (body !== lastBody) bodies += 1;
    lastBody = body;
    return `${firstKey}-${bodies}`;
}

async function start(event) {
    event.preventDefault();
    if (at("start").disabled) return;
    const choices = new FormData(form);
    const body = JSON.stringify({
        stat_file_id: storedAs("stat")[0].stored.id,
        recap_file_ids: storedAs("recap").map((row) => row.stored.id),
        stat_sheet: at("choose-sheet").hidden ? "" : at("sheet").value,
        dry_run: choices.get("dry_run"),
        on_conflict: choices.get("on_conflict"),
        currency: choices.get("currency"),
        country: choices.get("country") ?? "",
    });
    leaving = true;
    at("refusals").hidden = true;
    show();
    const headers = { "Content-Type": "application/json", "Idempotency-Key": keyOf(body) };
    const answer = await send("POST", settings.sessions, { body, headers });
    if (answer.status === 202) {
        window.location.assign(settings.page.replace("/0/", `/${answer.body.id}/`));
        return;
    }
    leaving = false;
    const reasons = answer.status === 0 ? [texts.notStarted] : reasonsOf(answer);
    at("refusals").querySelector("ul").replaceChildren(
        ...reasons.map((reason) => Object.assign(document.createElement("li"), { textContent: reason })),
    );
    at("refusals").hidden = false;
    show();
}

// --- The page -------------------------------------------------------------------------------------------------------

async function offerWaiting() {
    const answer = await send("GET", settings.waiting);
    if (answer.status !== 200) return;
    for (const file of answer.body.files) {
        if (rows.some((row) => row.stored?.id === file.id)) continue;
        newRow({ name: file.name, size: file.size, stored: file, state: "stored", before: true });
    }
    show();
}

function begin() {
    at("plain-files").remove();
    at("plain-sheet").remove();
    at("sent-files").hidden = false;
    for (const id of ["chosen-files", "chosen-folder"]) at(id).addEventListener("change", fromInput);
    at("drop").addEventListener("dragover", (event) => {
        event.preventDefault();
        at("drop").classList.add("over");
    });
    at("drop").addEventListener("dragleave", (event) => {
        if (!at("drop").contains(event.relatedTarget)) at("drop").classList.remove("over");
    });
    at("drop").addEventListener("drop", fromDrop);
    // A file that misses the zone must not replace the page.
    for (const name of ["dragover", "drop"]) window.addEventListener(name, (event) => event.preventDefault());
    at("remove-problems").addEventListener("click", () => remove(listed().filter(hasProblem)));
    at("sheet").addEventListener("change", show);
    country?.addEventListener("change", show);
    form.addEventListener("submit", start);
    window.addEventListener("beforeunload", (event) => {
        if (!leaving && rows.some(isBusy)) event.preventDefault();
    });
    window.addEventListener("pageshow", (event) => {
        // Shown again after "back": the files now belong to an import.
        if (event.persisted) window.location.reload();
    });
    show();
    offerWaiting();
}

begin();
