import { Buffer } from './buffer.js';
import { worklet } from './worklet.js';

const RAMP_S = 0.02;
const END_MS = 60;
const WAKE_MS = 1500;
const REPORT_S = 0.1;
const LOST_S = 5;

/**
 * The sound of one model, shared by all its views. From Start to Stop it has an AudioContext; it is silenced here,
 * without the kernel. Listeners are called with every report of the ring.
 */
export class Engine {
  constructor(model, link) {
    this.model = model;
    this.link = link;
    this.views = new Set();
    this.context = null;
    this.sounding = false;
    this.waits = null;
    this.report = null;
    link.on('sound', (message, buffers) => this.#sound(message, buffers));
    link.on('waits', (message) => this.#waiting(message));
    link.on('play', () => this.start().catch((error) => this.#show(error)));
    link.on('halted', (message) => this.#halted(message));
    link.onLost((loss) => loss && this.stop());
    for (const key of ['volume_db', 'muted']) model.on(`change:${key}`, () => this.#ramp());
  }

  /** Latency from an edit to the ear in seconds: the sound in the ring, plus the output latency that the browser reports. */
  get latency() {
    if (!this.context || !this.report) return 0;
    return this.report.fill / this.context.sampleRate + this.output;
  }

  /** The output latency that the browser reports, in seconds. */
  get output() {
    return this.context.baseLatency + (this.context.outputLatency || 0);
  }

  /** Frames that the browser lost between its audio thread and the speaker, if it counts them. */
  get lost() {
    const { underrunEvents = 0, underrunDuration = 0 } = this.context.playbackStats ?? {};
    return { times: underrunEvents, frames: Math.round(underrunDuration * this.context.sampleRate) };
  }

  attach(view) {
    this.views.add(view);
    return () => {
      this.views.delete(view);
      if (!this.views.size) this.stop();
    };
  }

  /** Start the sound; browsers require a click before the first start. */
  async start() {
    if (this.context) return;
    if (!globalThis.AudioWorkletNode) throw new Error('live: the browser gives no sound to this page (got plain http, allowed https or localhost). Open it there.');
    const context = new AudioContext({ sampleRate: this.model.get('sample_rate'), latencyHint: 'interactive' });
    this.context = context;
    this.report = null;
    this.waits = null;
    this.held = false;
    this.run = Math.random().toString(36).slice(2);
    this.buffer = new Buffer(context.sampleRate);
    this.#changed();
    const module = URL.createObjectURL(new Blob([`(${worklet})();`], { type: 'text/javascript' }));
    try {
      await context.audioWorklet.addModule(module);
      await Promise.race([context.resume(), new Promise((done) => { setTimeout(done, WAKE_MS); })]);
      if (this.context !== context) return;
      if (context.state !== 'running') throw new Error('live: the browser waits for a click (got none in this page). Press Start.');
      this.#connect(context);
    } catch (error) {
      if (this.context === context) this.stop();
      throw error;
    } finally {
      URL.revokeObjectURL(module);
    }
  }

  /** Fade out and release the sound; the kernel is notified, but not waited for. */
  stop() {
    const { context, node, gain, run } = this;
    if (!context) return;
    Object.assign(this, { context: null, node: null, gain: null, report: null, waits: null });
    this.link.send('stop', { run });
    if (node) {
      toward(gain.gain, 0, context);
      node.port.onmessage = null;
      node.port.postMessage({ close: true });
    }
    setTimeout(() => {
      node?.disconnect();
      node?.port.close();
      gain?.disconnect();
      context.close();
    }, END_MS);
    this.#changed();
  }

  close() {
    this.stop();
    this.views.clear();
    this.link.close();
  }

  #connect(context) {
    this.node = new AudioWorkletNode(context, 'amp-live', {
      numberOfInputs: 0,
      outputChannelCount: [2],
      processorOptions: { target: this.buffer.frames },
    });
    this.gain = context.createGain();
    this.gain.gain.value = 0;
    this.node.connect(this.gain).connect(context.destination);
    this.node.port.onmessage = ({ data }) => this.#reported(data);
    this.reported = 0;
    this.got = context.currentTime;
    this.#ramp();
    this.link.send('start', { run: this.run, target: this.buffer.frames });
  }

  #ramp() {
    if (!this.gain) return;
    const volume = this.model.get('muted') ? 0 : 10 ** (this.model.get('volume_db') / 20);
    toward(this.gain.gain, volume, this.context);
  }

  #sound({ run, channels }, buffers) {
    if (!this.node || run !== this.run) return;
    this.got = this.context.currentTime;
    this.held = false;
    const [sound, old] = buffers.map((view) => {
      const rows = new Float32Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
      const frames = rows.length / channels;
      return Array.from({ length: channels }, (_, c) => rows.subarray(c * frames, (c + 1) * frames));
    });
    this.node.port.postMessage({ sound, old });
  }

  #waiting(message) {
    if (!this.node || message.run !== this.run) return;
    this.waits = message.message ? message : null;
    this.held = message.silent;
    if (message.silent) this.node.port.postMessage({ hold: true });
    this.#changed();
  }

  #halted(message) {
    if (message.run !== this.run) return;
    this.stop();
    if (message.message) this.#show(Object.assign(new Error(message.message), message, { from: 'python' }));
  }

  #show(error) {
    for (const view of this.views) view.failed(error);
  }

  #reported(report) {
    const turned = report.flowing !== this.report?.flowing;
    this.report = report;
    const now = this.context.currentTime;
    const changed = this.buffer.note(report, now, this.output);
    const target = this.buffer.frames;
    const { lost } = this;
    report.underruns += lost.times;
    report.silent += lost.frames;
    if (now - this.got > LOST_S && !this.held) {
      this.stop();
      this.#show(new Error(`live: the kernel sends no sound (got none for ${LOST_S} s). Press Start when it answers again.`));
      return;
    }
    if (changed) this.node.port.postMessage({ target });
    if (changed || turned || now - this.reported >= REPORT_S) {
      this.reported = now;
      this.link.send('played', {
        run: this.run,
        frames: report.played,
        target,
        running: report.flowing,
        peak: report.peaks,
        rms: report.rms,
        latency_s: this.latency,
        ring_s: report.fill / this.context.sampleRate,
        underruns: report.underruns,
        silent_frames: report.silent,
        limited_db: -20 * Math.log10(Math.max(report.least, 1e-9)),
      });
    }
    this.#changed();
  }

  #changed() {
    for (const view of this.views) view.changed();
  }
}

/** Move an AudioParam to a value along a line from its present value. */
function toward(param, value, context) {
  const now = context.currentTime;
  param.cancelScheduledValues(now);
  param.setValueAtTime(param.value, now);
  param.linearRampToValueAtTime(value, now + RAMP_S);
}
