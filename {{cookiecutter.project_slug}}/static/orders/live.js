// Keeps the list true: the feed tells of each new or changed order, and after every (re)connection the API
// tells what was missed.

const FIRST_DELAY = 500;
const LONGEST_DELAY = 30_000;
const HEARTBEAT = 25_000; // a dead line is silent, so ask now and then
const SIGN_IN = 4401;

const list = document.getElementById("orders");
const blank = document.getElementById("row").content.firstElementChild;
const state = document.getElementById("live");
const limit = list.dataset.limit;

const address = new URL(list.dataset.feed, location.href);
address.protocol = address.protocol.replace("http", "ws");

let socket = null;
let attempt = 0;
let waiting = 0;
let beating = 0;

function connect() {
  const line = new WebSocket(address);
  let answered = true;
  socket = line;

  line.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    answered = true;
    if (message.type === "welcome") {
      catchUp(line);
    } else if (message.type === "order") {
      show(message.order);
    }
  };
  line.onclose = ({ code }) => lost(line, code);

  beating = setInterval(() => {
    if (!answered) return lost(line);
    if (line.readyState !== WebSocket.OPEN) return;
    answered = false;
    line.send(JSON.stringify({ type: "echo", data: "heartbeat" }));
  }, HEARTBEAT);
}

function lost(line, code) {
  if (line !== socket) return; // it was given up before
  disconnect();
  if (code === SIGN_IN) return tell("Signed out. Load the page again.", "off");
  tell("Reconnecting", "off");
  // Full jitter: clients that lost the same server do not come back all at once.
  const longest = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** attempt++);
  waiting = setTimeout(connect, Math.random() * longest);
}

function disconnect() {
  clearTimeout(waiting);
  clearInterval(beating);
  const line = socket;
  socket = null;
  if (line?.readyState === WebSocket.CONNECTING) {
    line.onopen = () => line.close(); // at once, the console would call it a failure
  } else {
    line?.close();
  }
}

async function catchUp(line) {
  try {
    const answer = await fetch(list.dataset.api, { signal: AbortSignal.timeout(10_000) });
    if (!answer.ok) throw new Error(answer.statusText);
    (await answer.json()).orders.reverse().forEach(show);
  } catch {
    return lost(line);
  }
  if (line !== socket) return;
  attempt = 0;
  tell("Live", "on");
}

function show(order) {
  let row = list.querySelector(`[data-id="${Number(order.id)}"]`);
  if (row?.dataset.status === order.status) return; // also keeps its photo, whose address is signed anew each time
  if (row?.dataset.status === "confirmed") return; // an answer of the API that a message has overtaken
  if (!row) {
    row = blank.cloneNode(true);
    row.dataset.id = order.id;
    row.classList.add("new");
    list.insertBefore(row, [...list.children].find((other) => Number(other.dataset.id) < order.id) ?? null);
    while (list.children.length > limit) list.lastElementChild.remove();
  }
  fill(row, order);
}

function fill(row, order) {
  const part = (selector) => row.querySelector(selector);
  row.dataset.status = order.status;
  part(".title").href = order.url;
  part(".name").textContent = order.title;
  part(".quantity").textContent = order.quantity;
  part(".customer").textContent = order.customer;
  part(".status").textContent = order.status_label;
  part("time").dateTime = order.created;
  localTime(part("time"));
  const photo = order.thumbnail_url ?? order.photo_url;
  if (photo) part("img").src = photo;
  part("img").hidden = !photo;
}

function localTime(time) {
  time.textContent = new Date(time.dateTime).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

function tell(text, how) {
  state.textContent = text;
  state.dataset.state = how;
}

list.querySelectorAll("time").forEach(localTime);
// A page kept for the "back" button holds no connection, and takes it up again when it is shown.
addEventListener("pagehide", disconnect);
addEventListener("pageshow", () => socket ?? connect());
