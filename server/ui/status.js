// What a page does beyond showing itself. Without this script everything still works, by loading pages anew.

const { page } = document.body.dataset;
/** In seconds. */
const units = [
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
];
/** Attributes of inputs and buttons that say what somebody does with them. */
const ownedByUser = new Set(["value", "disabled", "aria-busy"]);

if (page === "login") returnIfSignedIn();
if (page === "status" || page === "gate") keepUp();
showAges();
setInterval(showAges, 30_000);
addEventListener("submit", showBusy);

/**
 * Browsers keep the session to themselves when a link on another site leads here. Asked from here they tell:
 * who is signed in then goes on to where the link led.
 */
async function returnIfSignedIn() {
  const { signedIn } = await (await fetch("/ui/session")).json();
  const next = document.querySelector('input[name="next"]')?.value;
  if (signedIn && next?.startsWith("/") && !next.startsWith("//")) location.replace(next);
}

/** Asks for the page anew whenever something has changed, at most once at a time. */
function keepUp() {
  const notice = document.getElementById("connection");
  const project =
    new URLSearchParams(location.search).get("project") ?? document.getElementById("project")?.textContent;
  const source = new EventSource(`/ui/events?project=${encodeURIComponent(project ?? "")}`);
  let asking = false;
  let again = false;

  async function update() {
    if (asking) {
      again = true;
      return;
    }
    asking = true;
    do {
      again = false;
      try {
        await refresh();
        notice.hidden = true;
      } catch {
        notice.hidden = false;
      }
      await new Promise((resolve) => setTimeout(resolve, 250));
    } while (again);
    asking = false;
  }

  source.addEventListener("hello", update);
  source.addEventListener("changed", update);
  source.addEventListener("error", () => {
    notice.hidden = false;
  });
}

async function refresh() {
  const response = await fetch(document.body.dataset.self ?? location.href, {
    headers: { Accept: "text/html" },
  });
  if (!response.ok) throw new Error(`The server answered ${response.status}`);
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  if (fresh.body.dataset.page === "login") return location.reload();
  keepFailure(fresh.querySelector("main"));
  for (const selector of ["header.bar", "main"]) {
    morph(document.querySelector(selector), fresh.querySelector(selector));
  }
  showAges();
}

/** What went wrong is no news of the daemon's: it stays until somebody has read it and goes on. */
function keepFailure(main) {
  const failure = document.getElementById("failure");
  if (failure) main.prepend(failure.cloneNode(true));
}

/**
 * Makes `old` like `fresh` with as little change as possible: what somebody has typed, chosen or focused stays.
 * Elements with an id are matched by it, so that a button never becomes another one under somebody's hand.
 */
function morph(old, fresh) {
  if (old.nodeName === "TIME" && old.dateTime === fresh.dateTime) return;
  if (old.isEqualNode(fresh)) return;
  copyAttributes(old, fresh);
  const kept = new Map([...old.children].filter(({ id }) => id).map((child) => [child.id, child]));
  let place = old.firstChild;
  for (const child of [...fresh.childNodes]) {
    const own = child.id ? kept.get(child.id) : matching(place, child);
    if (own) {
      if (own === place) place = place.nextSibling;
      else old.insertBefore(own, place);
      if (own.nodeType === Node.ELEMENT_NODE) morph(own, child);
      else if (own.nodeValue !== child.nodeValue) own.nodeValue = child.nodeValue;
    } else {
      old.insertBefore(child, place);
    }
  }
  while (place) {
    const next = place.nextSibling;
    place.remove();
    place = next;
  }
}

/** The node at this place, if it may become the wanted one. */
function matching(node, wanted) {
  return node && !node.id && node.nodeName === wanted.nodeName ? node : undefined;
}

function copyAttributes(old, fresh) {
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !ownedByUser.has(name)) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (!(ownedByUser.has(name) && old.nodeName === "INPUT") && old.getAttribute(name) !== value) {
      old.setAttribute(name, value);
    }
  }
}

/** A button that was pressed says so, and cannot be pressed twice. */
function showBusy({ target, submitter }) {
  target.setAttribute("aria-busy", "true");
  // Later, since a button that is disabled now would not be sent along.
  setTimeout(() => {
    for (const button of target.querySelectorAll("button")) button.disabled = true;
    if (submitter) submitter.textContent = `${submitter.textContent} …`;
  });
}

function showAges() {
  const format = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  for (const time of document.querySelectorAll("time")) {
    const seconds = (Date.parse(time.dateTime) - Date.now()) / 1000;
    if (Number.isNaN(seconds)) continue;
    const [unit, size] = units.find(([, size]) => Math.abs(seconds) >= size) ?? ["second", 1];
    const text = Math.abs(seconds) < 10 ? "just now" : format.format(Math.trunc(seconds / size), unit);
    if (time.textContent !== text) time.textContent = text;
    time.title = new Date(time.dateTime).toLocaleString();
  }
}
