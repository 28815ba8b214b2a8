// @ts-check
/** Words for a kernel that does not serve a view, by what happened; those in PASSING may pass. */
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
 * Tell when the kernel behind a model stops serving it: `changed({kind, words, passes})`, or null when a connection
 * that was lost is back; returns how to stop. Widget managers of Jupyter mark a model whose kernel restarts; the rest
 * is reported by the kernel connection, where a manager has one.
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
 * What is to be said of a loss.
 * @param {string} kind
 * @returns {import('../types').Loss}
 */
export function loss(kind, detail = '') {
  return { kind, words: LOST[kind], passes: PASSING.includes(kind), detail };
}
