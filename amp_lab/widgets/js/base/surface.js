import { h } from './dom.js';

/** Shows failures of Python or of the page: the newest one, until it is closed. */
export class Surface {
  constructor(root) {
    this.root = root;
    this.element = null;
    this.notice = null;
    this.crashed = null;
    this.go = null;
  }

  /** Show the report of a native crash ({}: none); `go`, if the view has it, shows the node. */
  crash(report) {
    this.crashed?.remove();
    this.crashed = null;
    delete this.root.dataset.crash;
    if (!report?.title) return;
    this.root.dataset.crash = report.signal;
    const { title, happened, cure, node, name, words } = report;
    const jump = node && this.go ? h('button', { onclick: () => this.go(node), text: `Go to ${name}` }) : null;
    this.crashed = h('div', { class: 'amp-failure amp-crash', role: 'alert' },
      h('b', { class: 'amp-failure-text', text: title }), jump,
      h('button', { class: 'amp-icon', title: 'Close', 'aria-label': 'Close', onclick: () => this.crashed.remove(), text: '×' }),
      h('p', { text: `${happened} ${cure}` }),
      words ? h('details', {}, h('summary', { text: 'What the worker wrote' }), h('pre', { text: words })) : null);
    this.root.append(this.crashed);
  }

  /** Show that the kernel is lost and disable input until it is back (null); the last drawing stays visible. */
  lose(loss) {
    this.notice?.remove();
    this.notice = loss && h('div', { class: 'amp-lost', role: 'alert', title: loss.detail, text: loss.words });
    for (const child of this.root.children) child.inert = Boolean(loss);
    if (loss) {
      this.root.dataset.lost = loss.kind;
      this.root.append(this.notice);
    } else delete this.root.dataset.lost;
  }

  /** Show an error; `go` is called with its node if it has one and the user clicks it. */
  show(error, go) {
    this.clear();
    const stack = error.from === 'python' ? error.stack : (error.stack ?? '');
    const place = error.node && go ? h('button', { class: 'amp-link', onclick: () => go(error.node), text: 'Go to' }) : null;
    const details = stack
      ? h('details', {}, h('summary', { text: error.from === 'python' ? 'Python' : 'Browser' }), h('pre', { text: stack }))
      : null;
    this.element = h('div', { class: 'amp-failure', role: 'alert' },
      h('span', { class: 'amp-failure-text', text: error.message }), place,
      h('button', { class: 'amp-icon', title: 'Close', 'aria-label': 'Close', onclick: () => this.clear(), text: '×' }),
      details);
    this.root.append(this.element);
  }

  clear() {
    this.element?.remove();
    this.element = null;
  }

  /** Wrap a handler so that its exceptions are shown. */
  guard(handler) {
    return (...parameters) => {
      try {
        const result = handler(...parameters);
        return result?.catch ? result.catch((error) => this.show(error)) : result;
      } catch (error) {
        return this.show(error);
      }
    };
  }
}
