/** Rows of nodes in a plot: names at the left, one of them marked; reports hovered and clicked rows. */
export class Rows {
  constructor(model, plot) {
    Object.assign(this, { model, plot, names: [], top: 0, high: 0, timer: 0 });
    const at = (event) => {
      const y = event.clientY - plot.element.getBoundingClientRect().top;
      return this.names[Math.floor((y - this.top) / this.high)] ?? '';
    };
    plot.element.addEventListener('pointermove', (event) => this.#report('hovered', at(event), 80));
    plot.element.addEventListener('pointerleave', () => this.#report('hovered', '', 0));
    plot.element.addEventListener('click', (event) => this.#report('selected', at(event), 0));
  }

  /** Draw the names of rows of height `high`, starting at `top`, and mark the hovered and the selected row. */
  label(context, inks, names, top, high) {
    Object.assign(this, { names, top, high });
    const marked = { [this.model.get('hovered')]: inks.soft, [this.model.get('selected')]: `${inks.accent}2e` };
    context.font = `${Math.min(11, Math.max(8, high - 2))}px system-ui, sans-serif`;
    context.textAlign = 'right';
    names.forEach((name, index) => {
      const y = top + index * high;
      if (marked[name]) {
        context.fillStyle = marked[name];
        context.fillRect(0, y, this.plot.canvas.width, high);
      }
      context.fillStyle = inks.ink;
      if (high >= 8) context.fillText(short(name), this.plot.left - 8, y + high / 2 + 3.5);
    });
  }

  close() {
    clearTimeout(this.timer);
  }

  #report(key, name, wait) {
    clearTimeout(this.timer);
    if (name === this.model.get(key) || this.plot.root.dataset.lost) return;
    this.timer = setTimeout(() => {
      this.model.set(key, name);
      this.model.save_changes();
      this.plot.ask();
    }, wait);
  }
}

function short(name) {
  return name.length <= 20 ? name : `${name.slice(0, 11)}…${name.slice(-8)}`;
}
