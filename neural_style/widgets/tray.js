// Pictures that one drops in, chooses or removes; with a slider for the share of each, if they mix.

// Jupyter's server takes messages of up to 10 MB. Larger files become a JPEG of this longer side.
const LARGEST_FILE = 8e6;
const LONGER_SIDE = 4096;

async function bytesOf(file) {
  if (file.size <= LARGEST_FILE) return file.arrayBuffer();
  const image = await createImageBitmap(file);
  const scale = Math.min(1, LONGER_SIDE / Math.max(image.width, image.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(scale * image.width);
  canvas.height = Math.round(scale * image.height);
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.95));
  return blob.arrayBuffer();
}

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function render({ model, el }) {
  const legend = element("legend");
  const list = element("ul");
  const input = element("input", { type: "file", accept: "image/*" });
  const words = element("span");
  const drop = element("label", { className: "ns-drop" }, input, words);
  const trouble = element("p", { className: "ns-trouble" });
  trouble.setAttribute("role", "alert");
  const box = element("fieldset", { className: "ns-tray" }, legend, list, drop, trouble);
  let addresses = [];

  const send = async (files) => {
    for (const file of files) {
      try {
        model.send({ kind: "add", name: file.name }, undefined, [await bytesOf(file)]);
      } catch (error) {
        trouble.textContent = `${file.name} was not taken: ${error.message}`;
      }
    }
  };

  const share = (number, name) => {
    const slider = element("input", { type: "range", min: 0, max: 1, step: 0.01 });
    slider.value = model.get("shares")[number] ?? 1;
    slider.setAttribute("aria-label", `share of ${name}`);
    slider.addEventListener("input", () => {
      const shares = [...model.get("shares")];
      shares[number] = Number(slider.value);
      model.set("shares", shares);
      model.save_changes();
    });
    return slider;
  };

  const card = ({ name, picture }, number) => {
    const address = URL.createObjectURL(new Blob([picture], { type: "image/jpeg" }));
    addresses.push(address);
    const image = element("img", { src: address, alt: name, title: name, draggable: false });
    const remove = element("button", { type: "button", className: "ns-remove", textContent: "×" });
    remove.setAttribute("aria-label", `remove ${name}`);
    remove.addEventListener("click", () => model.send({ kind: "remove", number }));
    return element("li", {}, image, remove, ...(model.get("mixes") ? [share(number, name)] : []));
  };

  const cards = () => {
    addresses.forEach((address) => URL.revokeObjectURL(address));
    addresses = [];
    list.replaceChildren(...model.get("cards").map(card));
  };
  const shares = () => {
    list.querySelectorAll("input[type=range]").forEach((slider, number) => {
      if (document.activeElement !== slider) slider.value = model.get("shares")[number] ?? 1;
    });
  };
  const texts = () => {
    legend.textContent = model.get("label");
    words.textContent = model.get("single") ? "drop or choose a picture" : "drop or choose pictures";
    input.multiple = !model.get("single");
    input.setAttribute("aria-label", `${model.get("label")}: ${words.textContent}`);
  };
  const trouble_ = () => {
    trouble.textContent = model.get("trouble");
  };

  input.addEventListener("change", () => {
    send([...input.files]);
    input.value = "";
  });
  box.addEventListener("dragover", (event) => {
    event.preventDefault();
    event.stopPropagation();
    box.classList.add("ns-over");
  });
  box.addEventListener("dragleave", () => box.classList.remove("ns-over"));
  box.addEventListener("drop", (event) => {
    event.preventDefault();
    event.stopPropagation();
    box.classList.remove("ns-over");
    send([...event.dataTransfer.files]);
  });
  // Otherwise JupyterLab takes the keys for its cells.
  box.addEventListener("keydown", (event) => event.stopPropagation());

  const watched = [
    ["change:cards", cards],
    ["change:shares", shares],
    ["change:label change:single", texts],
    ["change:trouble", trouble_],
  ];
  for (const [events, does] of watched) {
    model.on(events, does);
    does();
  }
  el.append(box);
  return () => {
    for (const [events, does] of watched) model.off(events, does);
    addresses.forEach((address) => URL.revokeObjectURL(address));
  };
}

export default { render };
