"use strict";
// The contact slot, the code scanner, lamps and sensors. `dock.js` tells what the street and the hardware are.
const CARDS = { "": "空 empty", social: "社保卡 social", bank: "银行卡 bank", transit: "交通卡 transit", resident: "身份证 resident", unknown: "不认识 unknown", mute: "插反了 wrong way" };
const LAMPS = { card: "读卡 card", receipt: "小票 receipt", page: "A4 page", camera: "补光 camera", status: "机柜 status" };
const LIT = { off: "灭 off", on: "亮 on", blink: "闪 blink" };
const SENSES = { cabinet_open: "柜门开 door open", person_near: "有人在 person near", slip_waiting: "小票没取 slip waiting", page_waiting: "A4 没取 page waiting", on_battery: "停电 on battery" };

function lamp(name, state) {
  const line = document.createElement("li"), bulb = document.createElement("i"), words = document.createElement("span");
  line.className = `lamp ${state}`; bulb.setAttribute("aria-hidden", "true");
  words.textContent = `${LAMPS[name] || name} ${LIT[state] || state}`;
  line.append(bulb, words);
  return line;
}

function senses(inputs) {
  const made = Object.entries(SENSES).map(([name, text]) => button(text, () => order("hardware", { do: "site.set", [name]: !inputs[name] }), inputs[name] === true));
  const level = document.createElement("label"), slide = document.createElement("input"), words = document.createElement("span");
  level.className = "level"; slide.type = "range"; slide.min = 0; slide.max = 100; slide.step = 5; slide.value = inputs.battery_percent;
  words.textContent = `电池 battery ${inputs.battery_percent} %`;
  slide.addEventListener("input", () => { words.textContent = `电池 battery ${slide.value} %`; });
  slide.addEventListener("change", () => order("hardware", { do: "site.set", battery_percent: Number(slide.value) }));
  level.append(words, slide);
  return [...made, level];
}

document.addEventListener("street", ({ detail: street }) => {
  $("socials").replaceChildren(
    ...street.persons.map((person) => button(person.label.split(/[，（(,]/)[0], () => order("slot", { person: person.key }))),
    ...street.other_cards.map((card) => button(card.label, () => order("slot", { other: card.key }))),
  );
});

document.addEventListener("state", ({ detail: { hardware } }) => {
  if (hardware.social) $("slot").textContent = CARDS[hardware.social.card] || hardware.social.card;
  if (!hardware.site) return;
  $("lamps").replaceChildren(...Object.entries(hardware.site.lamps).map(([name, state]) => lamp(name, state)));
  if (!$("senses").matches(":active")) $("senses").replaceChildren(...senses(hardware.site.inputs)); // as with the devices
});

document.querySelector("[data-pull]").addEventListener("click", () => order("slot", {}));
for (const one of document.querySelectorAll("[data-paper]")) one.addEventListener("click", () => order("code", { paper: one.dataset.paper }));
$("code").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = event.target.elements.text.value;
  if (text) order("code", { text });
});
