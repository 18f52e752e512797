"use strict";
const $ = (id) => document.getElementById(id);
const canvas = $("screen"), context = canvas.getContext("2d");
let street = null, here = null, socket = null, last = "";

const NAMES = { ui: "屏幕 ui", sync: "上报 sync", hall: "大厅 hall", idcard: "读卡 idcard", camera: "摄像 camera", receipt: "小票 receipt", page: "A4 page", social_card: "社保卡 social", scanner: "扫码 scanner", site_io: "机柜 site_io" };
const LINKS = { up: "通 up", down: "断 down", silent: "无声 silent", error_500: "出错 500", garbage: "乱码 garbage" };
const PRINTERS = [
  ["小票纸 装满", { do: "receipt.set", paper: "full", dots_left: null, cover: false }], ["小票纸 将尽", { do: "receipt.set", paper: "low" }],
  ["小票纸 用完", { do: "receipt.set", paper: "out" }], ["小票机 开盖", { do: "receipt.set", cover: true }],
  ["撕下小票", { do: "receipt.tear" }], ["A4 装纸", { do: "page.set", paper: "full", jam: false }],
  ["A4 缺纸", { do: "page.set", paper: "out" }], ["A4 卡纸", { do: "page.set", jam: true }], ["取走 A4", { do: "page.tear" }],
];

function say(text) { const box = $("trouble"); box.textContent = text; box.hidden = false; clearTimeout(say.timer); say.timer = setTimeout(() => { box.hidden = true; }, 5000); }

async function call(path, body) {
  const options = body === undefined ? {} : { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  const answer = await fetch(path, options);
  const data = await answer.json();
  if (!answer.ok) { say(typeof data.detail === "string" ? data.detail : "不行 refused"); throw new Error(String(answer.status)); }
  return data;
}
const order = (what, body) => call(`/api/terminals/${here.id}/${what}`, body).then(refresh).catch(() => {});

function button(text, act, pressed) {
  const made = document.createElement("button");
  made.type = "button"; made.textContent = text; made.addEventListener("click", act);
  if (pressed !== undefined) made.setAttribute("aria-pressed", String(pressed));
  return made;
}

function choose(terminal) {
  here = terminal; last = "";
  canvas.width = terminal.width; canvas.height = terminal.height;
  $("where").textContent = `${terminal.site} · ${terminal.name}（${terminal.id}）`;
  $("terminals").replaceChildren(...street.terminals.map((one) => button(one.id, () => choose(one), one === here)));
  watch(); refresh();
}

function watch() {
  if (socket) { socket.onclose = null; socket.close(); }
  socket = new WebSocket(`ws://${location.host}/api/terminals/${here.id}/screen`);
  socket.binaryType = "blob";
  socket.onmessage = async (message) => {
    $("dark").hidden = message.data.size > 0;
    if (message.data.size === 0) return;
    const picture = await createImageBitmap(message.data);
    context.drawImage(picture, 0, 0, canvas.width, canvas.height);
    picture.close();
  };
  socket.onclose = () => setTimeout(watch, 1000);
}

function touch(event, phase) {
  if (!socket || socket.readyState !== WebSocket.OPEN) return;
  const box = canvas.getBoundingClientRect();
  socket.send(JSON.stringify({ phase, x: (event.clientX - box.left) * canvas.width / box.width, y: (event.clientY - box.top) * canvas.height / box.height }));
}
let moved = 0;
canvas.addEventListener("pointerdown", (event) => { canvas.setPointerCapture(event.pointerId); touch(event, "press"); });
canvas.addEventListener("pointermove", (event) => { if (event.buttons && event.timeStamp - moved > 30) { moved = event.timeStamp; touch(event, "move"); } });
canvas.addEventListener("pointerup", (event) => touch(event, "release"));

function papers(kind, list) {
  return list.filter((paper) => paper.complete).slice(-4).reverse().map((paper) => {
    const figure = document.createElement("figure"), image = document.createElement("img"), words = document.createElement("figcaption");
    figure.className = kind;
    image.src = `/api/terminals/${here.id}/papers/${kind}/${paper.n}.png`;
    image.alt = words.textContent = `${kind === "receipt" ? "小票" : "A4"} 第 ${paper.n} 张${paper.torn ? "（已取走）" : ""}`;
    figure.append(image, words);
    return figure;
  });
}

function device(row) {
  const line = document.createElement("li"), head = document.createElement("div"), name = document.createElement("b"), tests = document.createElement("span");
  line.className = row.verdict; line.title = row.identity;
  head.className = "row"; name.textContent = row.name;
  tests.append(button("快 quick", () => order("self_test", { device: row.kind })), " ", button("深 deep", () => order("self_test", { device: row.kind, deep: true })));
  head.append(name, tests); line.append(head);
  for (const [text, style] of [[row.state, ""], [row.advice, ""], [row.driver, ""], [row.test && `自检 ${row.test}`, row.passed === false ? "failed" : ""], [row.error && `上次出错 ${row.error}`, ""]]) {
    if (!text) continue;
    const words = document.createElement("p"); words.textContent = text; words.className = style; line.append(words);
  }
  return line;
}

async function refresh() {
  if (!here) return;
  let state;
  try { state = await call(`/api/terminals/${here.id}`); } catch { return; }
  $("view").textContent = state.view || "—";
  $("links").replaceChildren(...Object.entries(LINKS).map(([mode, text]) => button(text, () => order("link", { mode }), state.link === mode)));
  $("processes").replaceChildren(...Object.entries(state.processes).map(([name, pid]) => {
    const made = button("", () => order("kill", { process: name }));
    made.className = pid ? "process" : "process down";
    const label = document.createElement("b"), number = document.createElement("span");
    label.textContent = NAMES[name]; number.textContent = pid || "…";
    made.append(label, number);
    return made;
  }));
  if (!$("devices").matches(":active")) $("devices").replaceChildren(...state.devices.map(device)); // a list redrawn under a finger loses the press
  $("events").replaceChildren(...state.events.slice().reverse().map((event) => {
    const line = document.createElement("li");
    line.textContent = `${new Date(event.at * 1000).toLocaleTimeString("zh-CN")} ${NAMES[event.process] || event.process} ${event.what} ${event.number}`;
    return line;
  }));
  document.dispatchEvent(new CustomEvent("state", { detail: state }));
  const mark = JSON.stringify(state.papers);
  if (mark !== last) {
    last = mark;
    const all = [...papers("receipt", state.papers.receipt), ...papers("page", state.papers.page)];
    const empty = document.createElement("p"); empty.className = "empty"; empty.textContent = "还没有打印任何东西 nothing printed yet";
    $("papers").replaceChildren(...(all.length ? all : [empty]));
  }
}

document.querySelector("[data-lift]").addEventListener("click", () => order("card", {}));
document.querySelector("[data-clear]").addEventListener("click", () => order("document", {}));
$("photo").addEventListener("change", async (event) => {
  const form = new FormData(); form.append("file", event.target.files[0]);
  const answer = await fetch(`/api/terminals/${here.id}/photo`, { method: "POST", body: form });
  if (!answer.ok) say("照片放不上去 the photo was refused");
  event.target.value = "";
});

// Not before the other scripts listen to what is told here.
document.addEventListener("DOMContentLoaded", async () => {
  street = await call("/api/street");
  $("persons").replaceChildren(...street.persons.map((person) => button(person.label, () => order("card", { person: person.key }))));
  $("documents").replaceChildren(...street.documents.map((paper) => button(paper.label, () => order("document", { document: paper.key }))));
  $("printers").replaceChildren(...PRINTERS.map(([text, body]) => button(text, () => order("hardware", body))));
  document.dispatchEvent(new CustomEvent("street", { detail: street }));
  choose(street.terminals[0]);
  setInterval(refresh, 1000);
});
