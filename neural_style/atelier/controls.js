// The sliders and buttons of a studio: the browser's own elements, so that keys, fingers and screen
// readers find what they know.

let number = 0;

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function labeled(text, control) {
  control.id = `ns-control-${(number += 1)}`;
  return element("div", { className: "ns-row" }, element("label", { htmlFor: control.id, textContent: text }), control);
}

function render({ model, el }) {
  const watched = [];
  const watch = (events, does) => {
    model.on(events, does);
    watched.push([events, does]);
    does();
  };
  const set = (name, value) => {
    model.set(name, value);
    model.save_changes();
  };

  const kinds = {
    slider({ name, text, least, most, step }) {
      const range = element("input", { type: "range", min: least, max: most, step });
      const shown = element("output", { className: "ns-number" });
      range.addEventListener("input", () => set(name, Number(range.value)));
      watch(`change:${name}`, () => {
        const value = model.get(name);
        if (Number(range.value) !== value) range.value = value;
        shown.textContent = value.toFixed(2);
      });
      const row = labeled(text, range);
      row.append(shown);
      return row;
    },
    checkbox({ name, text }) {
      const box = element("input", { type: "checkbox" });
      box.addEventListener("change", () => set(name, box.checked));
      watch(`change:${name}`, () => (box.checked = model.get(name)));
      return labeled(text, box);
    },
    select({ name, text, options, unit = "" }) {
      const list = element("select");
      list.append(...options.map((value) => element("option", { value, textContent: `${value}${unit}` })));
      const of = typeof model.get(name) === "number" ? Number : String;
      list.addEventListener("change", () => set(name, of(list.value)));
      watch(`change:${name}`, () => (list.value = model.get(name)));
      return labeled(text, list);
    },
    number({ name, text }) {
      const input = element("input", { type: "number", min: 0, step: 1 });
      input.addEventListener("change", () => set(name, Math.max(0, Math.floor(Number(input.value)))));
      watch(`change:${name}`, () => (input.value = model.get(name)));
      return labeled(text, input);
    },
    text({ name, text }) {
      const input = element("input", { type: "text" });
      input.addEventListener("change", () => set(name, input.value));
      watch(`change:${name}`, () => (input.value = model.get(name)));
      return labeled(text, input);
    },
  };
  // A control stands in a row of its own; one that makes sense only with another's value hides.
  const control = (looks) => {
    const row = kinds[looks.kind](looks);
    if (looks.only) {
      const [name, value] = looks.only;
      watch(`change:${name}`, () => (row.hidden = model.get(name) !== value));
    }
    return row;
  };
  const button = (kind, text) => {
    const made = element("button", { type: "button", textContent: text, className: `ns-press-${kind}` });
    made.addEventListener("click", () => model.send({ kind }));
    return made;
  };

  const refine = button("refine", "refine");
  const stop = button("stop", "stop");
  const save = button("save", "save");
  const code = button("code", "code");
  const status = element("p", { className: "ns-status" });
  status.setAttribute("role", "status");
  const trouble = element("p", { className: "ns-trouble" });
  trouble.setAttribute("role", "alert");
  const lines = element("textarea", { className: "ns-code", readOnly: true, rows: 6 });
  lines.setAttribute("aria-label", "the call that makes this picture");
  lines.spellcheck = false;

  watch("change:running change:ready", () => {
    const [running, ready] = [model.get("running"), model.get("ready")];
    refine.disabled = running || !ready;
    stop.disabled = !running;
    save.disabled = code.disabled = running || !ready;
  });
  watch("change:status", () => (status.textContent = model.get("status")));
  watch("change:trouble", () => (trouble.textContent = model.get("trouble")));
  watch("change:code", () => {
    lines.value = model.get("code");
    lines.hidden = !lines.value;
  });

  const box = element(
    "div",
    { className: "ns-controls" },
    ...model.get("looks").map(control),
    element("div", { className: "ns-buttons" }, refine, stop, save, code),
    status,
    trouble,
    lines,
  );
  // Otherwise JupyterLab takes the keys for its cells.
  box.addEventListener("keydown", (event) => event.stopPropagation());
  el.append(box);
  const view = `${Date.now()}-${Math.random()}`;
  model.send({ kind: "opened", view });
  return () => {
    for (const [events, does] of watched) model.off(events, does);
    model.send({ kind: "closed", view });
  };
}

export default { render };
