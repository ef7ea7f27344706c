// One picture over another, with a divider: left of it the one before, right of it the one after.
// A range input lies over both, invisible: mouse, finger, arrow keys and screen readers work as
// with any other.

function picture(model, name) {
  const image = document.createElement("img");
  image.draggable = false;
  let address;
  const show = () => {
    URL.revokeObjectURL(address);
    address = URL.createObjectURL(new Blob([model.get(name)], { type: "image/jpeg" }));
    image.src = address;
  };
  const label = () => {
    image.alt = model.get(`${name}_label`);
  };
  show();
  label();
  model.on(`change:${name}`, show);
  model.on(`change:${name}_label`, label);
  const end = () => {
    model.off(`change:${name}`, show);
    model.off(`change:${name}_label`, label);
    URL.revokeObjectURL(address);
  };
  return [image, end];
}

function render({ model, el }) {
  const box = document.createElement("div");
  box.className = "ns-before-after";
  const [after, endAfter] = picture(model, "after");
  const [before, endBefore] = picture(model, "before");
  before.className = "ns-before";
  const divider = document.createElement("div");
  divider.className = "ns-divider";
  const range = document.createElement("input");
  range.type = "range";
  range.min = 0;
  range.max = 100;
  range.step = 1;
  const place = () => {
    const percent = Math.round(100 * model.get("position"));
    box.style.setProperty("--at", `${percent}%`);
    range.value = percent;
    const [left, right] = [model.get("before_label"), model.get("after_label")];
    range.setAttribute("aria-label", `divider between ${left} and ${right}`);
    range.setAttribute("aria-valuetext", `${percent} % ${left}, ${100 - percent} % ${right}`);
  };
  range.addEventListener("input", () => {
    model.set("position", range.value / 100);
    model.save_changes();
  });
  // Otherwise JupyterLab takes the arrow keys for its cells.
  range.addEventListener("keydown", (event) => event.stopPropagation());
  const width = () => {
    box.style.maxWidth = `${model.get("width")}px`;
  };
  const watched = "change:position change:before_label change:after_label";
  model.on(watched, place);
  model.on("change:width", width);
  place();
  width();
  box.append(after, before, divider, range);
  el.append(box);
  return () => {
    model.off(watched, place);
    model.off("change:width", width);
    endAfter();
    endBefore();
  };
}

export default { render };
