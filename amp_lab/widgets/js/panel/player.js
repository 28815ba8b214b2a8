/** Plays a render through the page's sound, never louder than it is. */
export class Player {
  constructor(onEnd) {
    this.onEnd = onEnd;
    this.context = null;
    this.source = null;
  }

  get playing() {
    return this.source !== null;
  }

  /** Channels as Float32Array, and a gain of 1 at most; call from a click. */
  async play(channels, sampleRate, level) {
    this.context ??= new AudioContext();
    await this.context.resume();
    this.stop();
    if (!channels.length || !channels[0].length) return;
    const buffer = this.context.createBuffer(channels.length, channels[0].length, sampleRate);
    channels.forEach((channel, index) => buffer.copyToChannel(channel, index));
    const gain = this.context.createGain();
    gain.gain.value = level;
    const source = this.context.createBufferSource();
    source.buffer = buffer;
    source.connect(gain).connect(this.context.destination);
    source.onended = () => {
      if (this.source !== source) return;
      this.source = null;
      this.onEnd();
    };
    source.start();
    this.source = source;
    this.begun = this.context.currentTime;
    this.length = buffer.duration;
  }

  /** How far the sound is, 0 to 1; null if there is none. */
  get part() {
    return this.source ? Math.min(1, (this.context.currentTime - this.begun) / this.length) : null;
  }

  stop() {
    const source = this.source;
    this.source = null;
    source?.stop();
    source?.disconnect();
  }

  close() {
    this.stop();
    this.context?.close();
  }
}
