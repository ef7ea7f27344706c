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

  const slider = (name, text, min, max, step, digits) => {
    const range = element("input", { type: "range", min, max, step });
    const shown = element("output", { className: "ns-number" });
    const show = () => {
      const value = model.get(name);
      if (Number(range.value) !== value) range.value = value;
      shown.textContent = value.toFixed(digits);
    };
    range.addEventListener("input", () => set(name, Number(range.value)));
    watch(`change:${name}`, show);
    const row = labeled(text, range);
    row.append(shown);
    return row;
  };
  const checkbox = (name, text) => {
    const box = element("input", { type: "checkbox" });
    box.addEventListener("change", () => set(name, box.checked));
    watch(`change:${name}`, () => (box.checked = model.get(name)));
    return labeled(text, box);
  };
  const select = (name, text, options, kind) => {
    const list = element("select");
    list.append(...model.get(options).map((value) => element("option", { value, textContent: `${value}${kind}` })));
    const of = typeof model.get(name) === "number" ? Number : String;
    list.addEventListener("change", () => set(name, of(list.value)));
    watch(`change:${name}`, () => (list.value = model.get(name)));
    return labeled(text, list);
  };
  const field = (name, text, type) => {
    const input = element("input", { type, min: 0, step: 1 });
    input.addEventListener("change", () => {
      const value = type === "number" ? Math.max(0, Math.floor(Number(input.value))) : input.value;
      set(name, value);
    });
    watch(`change:${name}`, () => (input.value = model.get(name)));
    return labeled(text, input);
  };
  const button = (kind, text) => {
    const made = element("button", { type: "button", textContent: text, className: `ns-press-${kind}` });
    made.addEventListener("click", () => model.send({ kind }));
    return made;
  };

  const seed = field("seed", "seed of the noise", "number");
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

  watch("change:start", () => (seed.hidden = model.get("start") !== "noise"));
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
    slider("strength", "strength", 0, 1, 0.01, 2),
    slider("style_scale", "size of strokes", 0.25, 2, 0.05, 2),
    checkbox("keep_colors", "keep the photo's colors"),
    select("size", "longer side", "sizes", " px"),
    select("start", "refine from", "starts", ""),
    seed,
    field("file", "save as", "text"),
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
