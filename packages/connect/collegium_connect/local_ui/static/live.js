// Parts of a page that are read anew every two seconds, unless someone points or types in them.
const EVERY_MS = 2000;

async function refresh(part) {
  if (document.hidden || part.matches(":hover") || part.contains(document.activeElement)) return;
  try {
    const answer = await fetch(part.dataset.live, { credentials: "same-origin" });
    if (answer.ok) part.innerHTML = await answer.text();
    part.classList.toggle("stale", !answer.ok);
  } catch {
    part.classList.add("stale");
  }
}

for (const part of document.querySelectorAll("[data-live]")) {
  setInterval(() => refresh(part), EVERY_MS);
}
