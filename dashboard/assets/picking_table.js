// A table of a page of rows: ticks, stars, links and an order that the server makes over all rows.
//
// What a person does goes into the outbox and is sent whole, until the server says up to which number it has
// answered (`data.done`): so no click is lost when two come within one answer, and none counts twice. Ticks and
// stars show at once. Text of users becomes text nodes only.

const tables = new WeakMap();

export default function ({ data, parentElement, setStateValue }) {
  let table = tables.get(parentElement);
  if (!table) {
    table = new Table(parentElement.querySelector(".frame"));
    tables.set(parentElement, table);
  }
  table.send = (outbox) => setStateValue("outbox", outbox);
  table.show(data);
}

class Table {
  constructor(frame) {
    this.frame = frame;
    this.outbox = [];
    this.number = 0;
    this.last = null;
    this.data = null;
  }

  show(data) {
    // A restarted server, or another visit of the page, counts anew.
    if (!this.data || this.data.session !== data.session) {
      this.outbox = [];
      this.number = data.done;
    }
    const isOther = !this.data || this.data.shown !== data.shown;
    this.outbox = this.outbox.filter((event) => event.number > data.done);
    this.data = data;
    if (isOther) this.last = null;
    this.draw(isOther);
  }

  say(kind, what) {
    this.number += 1;
    this.outbox.push({ number: this.number, session: this.data.session, kind, ...what });
    this.draw(false);
    this.send([...this.outbox]);
  }

  // What a person did that the server does not know yet, over what it says.
  isChosen(row) {
    let chosen = row.chosen;
    for (const event of this.outbox) {
      if (event.kind === "tick" && event.ids.some((id) => row.ids.includes(id))) chosen = event.is_on ? 1 : 0;
    }
    return chosen;
  }

  isStarred(row) {
    let starred = row.starred;
    for (const event of this.outbox) {
      if (event.kind === "star" && event.id === row.ids[0]) starred = event.is_on;
    }
    return starred;
  }

  draw(isOther) {
    const root = this.frame.getRootNode();
    const focused = root.activeElement && root.activeElement.dataset ? root.activeElement.dataset.key : null;
    const table = element("table");
    table.append(element("caption", {}, this.data.caption), this.head(), this.body());
    this.frame.replaceChildren(table);
    if (isOther) this.frame.scrollTop = 0;
    if (focused) {
      const again = [...this.frame.querySelectorAll("[data-key]")].find((one) => one.dataset.key === focused);
      if (again) again.focus({ preventScroll: true });
    }
  }

  head() {
    const row = element("tr");
    const rows = this.data.rows;
    const chosen = rows.map((one) => this.isChosen(one));
    const box = tick("all", `Choose all ${rows.length} rows of this page`);
    box.checked = rows.length > 0 && chosen.every((one) => one === 1);
    box.indeterminate = !box.checked && chosen.some((one) => one > 0);
    box.onchange = () => this.say("tick", { ids: rows.flatMap((one) => one.ids), is_on: box.checked });
    row.append(element("th", { class: "tick", scope: "col" }, labelled(box)));
    this.data.columns.forEach((column, place) => row.append(this.header(column, place)));
    return element("thead", {}, row);
  }

  header(column, place) {
    const isSorted = this.data.sort === column.id;
    const cell = element("th", { scope: "col", class: [place ? "" : "first", column.is_right ? "right" : ""].join(" ") });
    cell.setAttribute("aria-sort", !isSorted ? "none" : this.data.is_descending ? "descending" : "ascending");
    if (!column.is_sortable) {
      cell.append(column.title);
      cell.title = column.help;
      return cell;
    }
    const button = element("button", { type: "button", title: column.help, "data-key": `sort ${column.id}` });
    const arrow = element("span", { class: "arrow", "aria-hidden": "true" });
    arrow.textContent = !isSorted ? "" : this.data.is_descending ? "↓" : "↑";
    button.append(...(column.is_right ? [arrow, column.title] : [column.title, arrow]));
    button.onclick = () => this.say("sort", { column: column.id });
    if (place > 0) this.movable(cell, button, column, place);
    cell.append(button);
    return cell;
  }

  movable(cell, button, column, place) {
    const move = (to) => this.say("move", { column: column.id, to });
    button.setAttribute("aria-keyshortcuts", "Alt+ArrowLeft Alt+ArrowRight");
    button.onkeydown = (event) => {
      const step = event.altKey ? { ArrowLeft: -1, ArrowRight: 1 }[event.key] : undefined;
      if (!step) return;
      event.preventDefault();
      if (place + step > 0 && place + step < this.data.columns.length) move(place + step);
    };
    cell.draggable = true;
    cell.ondragstart = (event) => event.dataTransfer.setData("text/plain", String(place));
    cell.ondragover = (event) => {
      event.preventDefault();
      cell.classList.add("target");
    };
    cell.ondragleave = () => cell.classList.remove("target");
    cell.ondrop = (event) => {
      event.preventDefault();
      cell.classList.remove("target");
      const from = Number(event.dataTransfer.getData("text/plain"));
      const moved = this.data.columns[from];
      if (moved && from > 0 && from !== place) this.say("move", { column: moved.id, to: place });
    };
  }

  body() {
    const body = element("tbody");
    this.data.rows.forEach((row, place) => body.append(this.row(row, place)));
    return body;
  }

  row(row, place) {
    const chosen = this.isChosen(row);
    const line = element("tr", { class: chosen ? "chosen" : "" });
    const box = tick(`tick ${row.ids[0]}`, `Choose ${row.label}`);
    box.checked = chosen === 1;
    box.indeterminate = chosen === 2;
    box.onclick = (event) => this.ticked(place, box.checked, event.shiftKey);
    line.append(element("td", { class: "tick" }, labelled(box)));
    this.data.columns.forEach((column, number) => line.append(this.cell(row, column, number)));
    return line;
  }

  ticked(place, isOn, isRange) {
    const from = isRange && this.last !== null ? Math.min(this.last, place) : place;
    const to = isRange && this.last !== null ? Math.max(this.last, place) : place;
    this.last = place;
    this.say("tick", { ids: this.data.rows.slice(from, to + 1).flatMap((one) => one.ids), is_on: isOn });
  }

  cell(row, column, number) {
    const value = row.cells[number];
    const cell = element(number ? "td" : "th", column.is_right ? { class: "right" } : {});
    if (!number) cell.scope = "row";
    if (column.kind === "link") {
      if (this.data.has_stars) cell.append(this.star(row));
      cell.append(this.link(row, value));
    } else if (column.kind === "tags") {
      for (const tag of value || []) cell.append(this.tag(row, tag));
    } else if (value === null) {
      cell.append(element("span", { class: "missing", title: "not known" }, "–"));
    } else {
      cell.append(element("span", { class: "text", title: value }, value));
    }
    return cell;
  }

  star(row) {
    const isOn = this.isStarred(row);
    const button = element("button", { type: "button", class: "star", "data-key": `star ${row.ids[0]}` }, isOn ? "★" : "☆");
    button.setAttribute("aria-label", `Star ${row.label}`);
    button.setAttribute("aria-pressed", String(isOn));
    button.onclick = () => this.say("star", { id: row.ids[0], is_on: !isOn });
    return button;
  }

  link(row, value) {
    const link = element("a", { class: "text", href: row.href, title: value, "data-key": `open ${row.ids[0]}` }, value);
    link.onclick = (event) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
      event.preventDefault();
      this.say("open", { id: row.open });
    };
    return link;
  }

  tag(row, tag) {
    const button = element("button", { type: "button", class: "tag", "data-key": `tag ${row.ids[0]} ${tag}` }, tag);
    button.setAttribute("aria-label", `Only runs tagged ${tag}`);
    button.onclick = () => this.say("tag", { tag });
    return button;
  }
}

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (String(value).trim()) made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

function tick(key, label) {
  return element("input", { type: "checkbox", "data-key": key, "aria-label": label });
}

// The whole cell is the target of a finger.
function labelled(box) {
  return element("label", {}, box);
}
