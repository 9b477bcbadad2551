// The table of incidents. Everything from outside is set as text; a click (or Enter) sends the row's id.

const COLUMNS = [
  ["status", "Status"],
  ["fault", "Fault"],
  ["target", "Container"],
  ["opened", "Opened"],
  ["took", "Took"],
  ["action", "Action"],
  ["source", "Brain"],
  ["cause", "Root cause, or why it failed"],
];

export default function ({ data, parentElement, setTriggerValue }) {
  const drawn = JSON.stringify(data);
  if (parentElement.dataset.drawn === drawn) return;
  parentElement.dataset.drawn = drawn;
  const focused = parentElement.querySelector("a:focus")?.dataset.id;
  const table = element("table", "ag-table");
  const head = table.createTHead().insertRow();
  for (const [name, title] of COLUMNS) head.append(element("th", `ag-col-${name}`, title));
  const body = table.createTBody();
  for (const incident of data) body.append(row(incident, (id) => setTriggerValue("picked", id)));
  parentElement.replaceChildren(table);
  if (focused) parentElement.querySelector(`a[data-id="${CSS.escape(focused)}"]`)?.focus();
}

function row(incident, pick) {
  const line = element("tr");
  for (const [name] of COLUMNS) {
    const cell = element("td", `ag-col-${name}`);
    cell.append(content(name, incident));
    if (name === "opened") cell.title = incident.opened_utc;
    if (name === "cause") cell.title = incident.cause;
    line.append(cell);
  }
  line.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return; // a new tab, by the link in the row
    event.preventDefault();
    pick(incident.id);
  });
  return line;
}

function content(name, incident) {
  if (name === "status") {
    const chip = element("span", `ag-chip ag-${incident.tone}`);
    chip.append(element("span", "ag-dot"), incident.status);
    return chip;
  }
  if (name === "fault") {
    const link = element("a", "ag-table-link", incident.fault);
    link.href = `?incident=${encodeURIComponent(incident.id)}`;
    link.dataset.id = incident.id;
    return link;
  }
  return incident[name];
}

function element(name, cls = "", text = "") {
  const made = document.createElement(name);
  if (cls) made.className = cls;
  if (text) made.textContent = text;
  return made;
}
