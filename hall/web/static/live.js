// Keeps the marked parts of a page fresh: asks every two seconds, redraws only what changed, shows what is new.
"use strict";
const EVERY_MS = 2000;

function keys(part) {
  return new Set(Array.from(part.querySelectorAll("[data-key]"), (row) => row.dataset.key));
}

async function refresh(part) {
  if (document.hidden) return;
  const answer = await fetch(part.dataset.live, { credentials: "same-origin" });
  if (answer.status === 401) { location.reload(); return; }
  if (!answer.ok) return;
  const text = await answer.text();
  if (text === part.lastText) return;
  const before = keys(part);
  part.innerHTML = text;
  part.lastText = text;
  for (const row of part.querySelectorAll("[data-key]")) {
    if (!before.has(row.dataset.key)) row.classList.add("fresh");
  }
}

for (const part of document.querySelectorAll("[data-live]")) {
  setInterval(() => refresh(part).then(
    () => document.body.classList.remove("stale"),
    () => document.body.classList.add("stale"),
  ), EVERY_MS);
}
