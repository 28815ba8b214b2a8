/** Plays a render through the page's sound, never louder than it is and never above full scale. */
export class Player {
  constructor(onEnd) {
    this.onEnd = onEnd;
    this.context = null;
    this.source = null;
  }

  get playing() {
    return this.source !== null;
  }

  /** Channels as Float32Array; call from a click. */
  async play(channels, sampleRate) {
    this.context ??= new AudioContext();
    await this.context.resume();
    this.stop();
    if (!channels.length || !channels[0].length) return;
    const peak = channels.reduce((most, channel) => channel.reduce((top, value) => Math.max(top, Math.abs(value)), most), 0);
    const buffer = this.context.createBuffer(channels.length, channels[0].length, sampleRate);
    channels.forEach((channel, index) => buffer.copyToChannel(channel, index));
    const gain = this.context.createGain();
    gain.gain.value = Math.min(1, 1 / Math.max(peak, 1e-9));
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
