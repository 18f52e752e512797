// Keeps the marked parts of a page fresh: asks every two seconds, redraws only what changed, shows what is new.
"use strict";
const EVERY_MS = 2000;
const FRESH_MS = 6000;

// When each row was first seen; rows of the first drawing are old.
function mark(part, now) {
  for (const row of part.querySelectorAll("[data-key]")) {
    const key = row.dataset.key;
    if (!part.seen.has(key)) part.seen.set(key, now);
    const age = now - part.seen.get(key);
    if (part.seen.get(key) >= 0 && age < FRESH_MS) {
      row.style.setProperty("--age", `-${age}ms`);
      row.classList.add("fresh");
    }
  }
}

async function refresh(part) {
  if (document.hidden) return;
  const answer = await fetch(part.dataset.live, { credentials: "same-origin" });
  if (answer.status === 401) { location.reload(); return; }
  if (!answer.ok) return;
  const text = await answer.text();
  if (text === part.lastText) return;
  part.innerHTML = text;
  part.lastText = text;
  mark(part, performance.now());
}

for (const part of document.querySelectorAll("[data-live]")) {
  part.seen = new Map();
  mark(part, -FRESH_MS);
  setInterval(() => refresh(part).then(
    () => document.body.classList.remove("stale"),
    () => document.body.classList.add("stale"),
  ), EVERY_MS);
}
