/** Plays a render through the page's sound, never louder than the render itself. */
export class Player {
  constructor(onEnd) {
    this.onEnd = onEnd;
    this.context = null;
    this.source = null;
  }

  get playing() {
    return this.source !== null;
  }

  /** Play channels (Float32Array each) with a gain of at most 1; call it from a click. */
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

  /** Position of the sound, 0 to 1; null if nothing plays. */
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
