/** Longest time to wait for a picture, in ms: a kernel that is busy for longer is asked again at the next save. */
const PATIENCE = 60_000;

const followed = new WeakSet(); // contexts: two panels can show one notebook

/**
 * Update the pictures in the outputs of a notebook when it is saved.
 *
 * The kernel draws them, which takes longer than a save waits: they are requested when the save starts, and if any of
 * them differ, the notebook is saved again when they have arrived.
 */
export function storePictures(context, hosts, shown) {
  if (followed.has(context)) return;
  followed.add(context);
  let ours = false; // the next save is the one that stores pictures
  let asked = null;
  context.saveState.connect(async (_, state) => {
    if (state === 'started') {
      asked = ours ? null : freshPictures(context, hosts, shown);
      ours = false;
    }
    if (state !== 'completed' || !asked) return;
    const pictures = asked;
    asked = null;
    const stored = (await pictures).filter((picture) => !context.isDisposed && store(picture));
    if (!stored.length) return;
    ours = true;
    try {
      await context.save();
    } finally {
      ours = false;
    }
  });
}

/** Request all pictures: a widget can change without a message, as a workbench does through its parts. */
async function freshPictures(context, hosts, shown) {
  const models = new Map();
  for (const { output, model, rendermime } of shown) {
    if (model?.comm_live && hosts.panel(rendermime)?.context === context) models.set(output, model);
  }
  return Promise.all([...models].map(async ([output, model]) => ({ output, png: await picture(model) })));
}

/** Write a picture into its output; returns false if there is none or it is already there. */
function store({ output, png }) {
  if (!png || output.data['image/png']?.trim() === png) return false;
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
