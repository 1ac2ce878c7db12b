// Keeps the page as the server has it: asks again when something was saved or chosen, and puts in what is new.
"use strict";

const byId = (id) => document.getElementById(id);
const state = byId("state");
const panels = new Map([...document.querySelectorAll("[data-live]")].map((panel) => [panel.id, panel.innerHTML]));
let stageHtml = byId("stage").innerHTML;
let shown = Number(byId("revision").dataset.revision);
let proof = byId("revision").dataset.proof;
let asked = 0;
let wanted = location.href; // the last choice, whose page may be on its way yet

// --- putting in what is new ---------------------------------------------------------------------

async function show(address) {
  const mine = ++asked;
  wanted = address;
  const answer = await fetch(address);
  if (!answer.ok) return say("The page could not be made; save once more, or start the desk again.");
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (mine !== asked) return; // something newer is on its way
  if (panels.size !== fresh.querySelectorAll("[data-live]").length) return location.replace(address); // the first page
  history.replaceState(null, "", address);
  document.title = fresh.title;
  const revision = fresh.getElementById("revision").dataset;
  shown = Number(revision.revision);
  keepingFocus(() => {
    for (const [id, before] of panels) {
      const html = fresh.getElementById(id).innerHTML;
      if (html !== before) replace(byId(id), html);
      panels.set(id, html);
    }
    stage(fresh.getElementById("stage"), revision.proof !== proof);
    for (const input of fresh.querySelectorAll(".tools input")) byId(input.id).checked = input.checked;
  });
  measured();
  proof = revision.proof;
}

function replace(panel, html) {
  const open = [...panel.querySelectorAll("details[open]")].map((details) => details.id);
  const top = panel.scrollTop;
  panel.innerHTML = html;
  for (const id of open) byId(id)?.setAttribute("open", "");
  panel.scrollTop = top;
}

function stage(fresh, composed) {
  const old = byId("stage");
  if (fresh.innerHTML !== stageHtml) {
    const place = old.querySelector("pre, .headers")?.scrollTop;
    const frames = kept(old);
    old.innerHTML = stageHtml = fresh.innerHTML;
    old.dataset.view = fresh.dataset.view;
    if (place) old.querySelector("pre, .headers")?.scrollTo(0, place);
    for (const frame of old.querySelectorAll("iframe")) arrive(frame, frames.get(frame.id));
  } else if (composed) {
    for (const frame of old.querySelectorAll("iframe:not(.coming)")) reload(frame);
  }
  fit();
}

function keepingFocus(change) {
  const id = document.activeElement?.id;
  change();
  if (id && document.activeElement?.id !== id) byId(id)?.focus({ preventScroll: true });
}

// --- the mail in its frame ------------------------------------------------------------------------

const kept = (place) => new Map([...place.querySelectorAll("iframe:not(.coming)")].map((frame) => [frame.id, spot(frame)]));
const spot = (frame) => [frame.contentWindow.scrollX, frame.contentWindow.scrollY];

function arrive(frame, place) {
  if (place) frame.addEventListener("load", () => frame.contentWindow.scrollTo(...place), { once: true });
}

// The new mail loads behind the old one and takes its place and its scroll position: nothing flickers.
function reload(frame) {
  frame.parentElement.querySelectorAll(".coming").forEach((other) => other.remove());
  const next = frame.cloneNode();
  next.classList.add("coming");
  next.removeAttribute("id");
  next.addEventListener("load", () => {
    next.contentWindow.scrollTo(...spot(frame));
    const focused = document.activeElement === frame;
    next.id = frame.id;
    frame.remove();
    next.classList.remove("coming");
    if (focused) next.focus({ preventScroll: true });
  }, { once: true });
  frame.after(next);
}

// A screen narrower than the chosen width shows the mail smaller.
function fit() {
  let scale = 1;
  for (const frame of document.querySelectorAll("#stage iframe")) {
    const width = Number(frame.dataset.width);
    const paper = frame.parentElement;
    scale = Math.min(1, paper.clientWidth / width);
    frame.style.width = `${width}px`;
    frame.style.height = `${paper.clientHeight / scale}px`;
    frame.style.transform = `scale(${scale})`;
    frame.style.left = `${Math.max(0, (paper.clientWidth - width) / 2)}px`;
  }
  const note = byId("scale");
  if (note) note.textContent = scale < 1 ? `Shown at ${Math.round(scale * 100)} %` : "";
}
new ResizeObserver(fit).observe(byId("stage"));

// How hard a story is to read is shown of the one that was pointed at last.
let pointed = "";

function measured() {
  for (const figures of document.querySelectorAll("[data-reads]")) figures.hidden = figures.dataset.reads !== pointed;
}

// Only the mail is moved; on a phone it is in sight once `there` is asked for.
function point(story, there) {
  pointed = story;
  measured();
  let found = false;
  for (const frame of document.querySelectorAll("#stage iframe:not(.coming)")) {
    const inside = frame.contentDocument;
    inside?.querySelectorAll("[data-shown]").forEach((old) => old.removeAttribute("data-shown"));
    const place = inside?.querySelector(`[data-story="${CSS.escape(story)}"]`);
    if (!place) continue;
    place.setAttribute("data-shown", "");
    frame.contentWindow.scrollBy(0, place.getBoundingClientRect().top);
    if (there) frame.scrollIntoView({ block: "nearest" });
    found = true;
  }
  say(found ? "" : "This story is not in what is shown.");
}

// --- choosing -----------------------------------------------------------------------------------------

const form = byId("choice");

function chosen(changed = "") {
  const query = new URLSearchParams(new FormData(form));
  if (changed === "interest") query.delete("reader"); // whoever ticks no longer looks at one person
  const before = new URLSearchParams(location.search); // the sides to compare are asked for in one view only
  for (const side of ["left", "right"]) if (!query.has(side) && before.has(side)) query.set(side, before.get(side));
  return `${location.pathname}?${query}`;
}

document.addEventListener("change", (event) => {
  if (event.target.form === form) show(chosen(event.target.name));
});

document.addEventListener("click", (event) => {
  const at = (selector) => event.target.closest(selector);
  const go = at("a[data-go]");
  const reader = at("a[data-reader]");
  const opening = at("[data-open]");
  const story = at(".to-story")?.dataset.story ?? at("summary")?.parentElement.dataset.story;
  if (go || reader) {
    event.preventDefault();
    const query = new URL(go ? go.href : chosen(), location.href).searchParams;
    if (reader) {
      query.delete("interest");
      query.set("reader", reader.dataset.reader);
    }
    show(`${location.pathname}?${query}`);
  } else if (opening) {
    post("open", { path: opening.dataset.open, line: opening.dataset.line }).then(say);
  } else if (story && !at("details[open]")) {
    point(story, Boolean(at(".to-story")));
  }
});

// --- searching, sending a test, opening the editor --------------------------------------------------------

const search = byId("q");
search?.addEventListener("input", async () => {
  const words = search.value;
  const answer = await fetch(`readers?q=${encodeURIComponent(words)}`);
  const found = await answer.text();
  if (words === search.value) byId("found").innerHTML = found;
});

byId("test")?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const told = byId("tested");
  told.textContent = "Sending …";
  told.textContent = await post(`test${location.search}`, { to: byId("to").value });
});

async function post(address, fields) {
  try {
    const answer = await fetch(address, { method: "POST", body: new URLSearchParams(fields) });
    return await answer.text();
  } catch {
    return "The desk does not answer.";
  }
}

// --- following what is saved ------------------------------------------------------------------------------

function say(words) {
  state.textContent = words || "Follows every save";
  state.classList.toggle("told", Boolean(words));
}

const events = new EventSource("events");
events.onmessage = (event) => {
  if (state.classList.contains("closed")) say("");
  state.classList.remove("closed");
  if (Number(event.data) !== shown) show(wanted);
};
events.onerror = () => {
  say("The desk is closed. Open it again with mailer preview.");
  state.classList.add("closed");
};
fit();
