/** Longest time a save waits for a picture, in ms: a kernel that is busy answers at the next save. */
const PATIENCE = 10_000;

const followed = new WeakSet(); // contexts: two panels may show one notebook
const changes = new WeakMap(); // live model -> {now, stored}: changes so far, and at its stored picture

/**
 * Put fresh pictures into the outputs of a notebook when it is saved.
 *
 * The kernel draws them, which takes longer than a save waits: they are asked for when the save starts, and what
 * really differs is saved once more when it is there. Nothing is asked of widgets that have not moved.
 */
export function storePictures(context, hosts, shown) {
  if (followed.has(context)) return;
  followed.add(context);
  let storing = false;
  let fresh = null;
  context.saveState.connect(async (_, state) => {
    if (storing) return;
    if (state === 'started') fresh = freshPictures(context, hosts, shown);
    if (state !== 'completed' || !fresh) return;
    const pictures = await fresh;
    if (context.isDisposed || !pictures.filter(store).length) return;
    storing = true;
    try {
      await context.save();
    } finally {
      storing = false;
    }
  });
}

/** Count the changes of a model, so that a save asks only for pictures that may have changed. */
export function followChanges(model) {
  if (changes.has(model)) return;
  const count = { now: 1, stored: 0 }; // what happened before this page was open is not known
  changes.set(model, count);
  model.on('change', () => { count.now += 1; });
  model.on('msg:custom', ({ kind }) => { if (kind !== 'picture') count.now += 1; });
}

async function freshPictures(context, hosts, shown) {
  const models = new Map();
  for (const { output, model, rendermime } of shown) {
    const count = changes.get(model);
    if (!model?.comm_live || count.now === count.stored) continue;
    if (hosts.panel(rendermime)?.context === context) models.set(output, model);
  }
  return Promise.all([...models].map(async ([output, model]) => {
    const { now } = changes.get(model);
    return { output, model, now, png: await picture(model) };
  }));
}

/** Write a picture into its output; false if there is none, or it is the one that is there. */
function store({ output, model, now, png }) {
  if (!png) return false;
  changes.get(model).stored = now;
  if (output.data['image/png']?.trim() === png) return false;
  output.setData({ data: { ...output.data, 'image/png': png } });
  return true;
}

/** The model's picture as base64; null if it cannot be drawn or takes too long. */
function picture(model) {
  const id = `picture:${Math.random().toString(36).slice(2)}`;
  return new Promise((resolve) => {
    const end = (png) => {
      clearTimeout(timer);
      model.off('msg:custom', receive);
      resolve(png);
    };
    const receive = (message) => { if (message.id === id) end(message.png ?? null); };
    const timer = setTimeout(end, PATIENCE, null);
    model.on('msg:custom', receive);
    model.send({ kind: 'picture', id });
  });
}
