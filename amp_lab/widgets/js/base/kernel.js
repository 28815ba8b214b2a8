// @ts-check
/** Messages for a kernel that does not serve a view, by event; those in PASSING may end by themselves. */
const AGAIN = 'Run the cells up to this one again to make it live.';
/** @type {Record<string, string>} */
const LOST = {
  restarted: `The kernel was restarted: what you see is the last state. ${AGAIN}`,
  died: `The kernel died and was restarted: what you see is the last state. ${AGAIN}`,
  dead: `The kernel died: what you see is the last state. Restart it, then run the cells up to this one again.`,
  ended: `The kernel was shut down: what you see is the last state. ${AGAIN}`,
  unreachable: `The kernel of this widget is gone: what you see is the last state. ${AGAIN}`,
  unanswered: 'No answer from the kernel yet. It may be busy; if it is not, run the cells up to this one again.',
  disconnected: `No connection to the kernel. This goes on when it answers; if it was restarted meanwhile, run the cells up to this one again.`,
};
const PASSING = ['disconnected', 'unanswered'];
/** @type {Record<string, string>} */
const BY_STATUS = { restarting: 'restarted', autorestarting: 'died', dead: 'dead', terminating: 'ended' };

/**
 * Call `changed({kind, words, passes})` when the kernel stops serving a model, and `changed(null)` when a lost
 * connection is back; returns a function that stops watching. Jupyter's widget managers mark a model whose kernel
 * restarts; the kernel connection, if the manager has one, reports everything else.
 * @param {import('../types').Model} model
 * @param {(loss: import('../types').Loss | null) => void} changed
 */
export function watchKernel(model, changed) {
  const kernel = model.widget_manager?.kernel;
  const lose = (/** @type {string} */ kind) => changed(loss(kind));
  const restarted = () => lose('restarted');
  const status = (/** @type {unknown} */ _, /** @type {string} */ now) => BY_STATUS[now] && lose(BY_STATUS[now]);
  const connection = (/** @type {unknown} */ _, /** @type {string} */ now) => (now === 'connected' ? changed(null) : lose('disconnected'));
  const disposed = () => lose('ended');
  model.on('comm_live_update', restarted);
  kernel?.statusChanged?.connect(status);
  kernel?.connectionStatusChanged?.connect(connection);
  kernel?.disposed?.connect(disposed);
  return () => {
    model.off('comm_live_update', restarted);
    kernel?.statusChanged?.disconnect(status);
    kernel?.connectionStatusChanged?.disconnect(connection);
    kernel?.disposed?.disconnect(disposed);
  };
}

/**
 * The record of a loss, for the surface of a widget.
 * @param {string} kind
 * @returns {import('../types').Loss}
 */
export function loss(kind, detail = '') {
  return { kind, words: LOST[kind], passes: PASSING.includes(kind), detail };
}
