// @ts-check
const STEPS = 1000;

/** @typedef {{ log: boolean, low: number, high: number }} Range */

/**
 * The range of a parameter's slider. Contracts allow a gain of a million; a slider with that range could not be set to
 * 0.8. The slider covers a usual range around the default, and always the present value.
 * @param {import('../types').Param} param
 * @param {number} value
 * @returns {Range}
 */
export function travel(param, value) {
  const low = param.low ?? -Infinity;
  const high = param.high ?? Infinity;
  const size = Math.max(Math.abs(param.default), Math.abs(value));
  if (param.scale === 'log') {
    const middle = Math.max(Number(param.default), 1e-3);
    const from = param.unit === 'Hz' && middle >= 20 ? 20 : middle / 100;
    return { log: true, low: Math.max(low, Math.min(from, value || from), 1e-4), high: Math.min(high, Math.max(middle * 100, value)) };
  }
  if (high - low <= 240) return { log: false, low, high };
  if (param.unit === 's') return { log: false, low: Math.max(low, 0), high: Math.min(high, Math.max(1, size * 4)) };
  const reach = Math.max(param.default === 0 ? 1 : 2 * size, Math.abs(value), 1);
  return { log: false, low: Math.max(low, value < 0 || param.default === 0 ? -reach : 0), high: Math.min(high, reach) };
}

/**
 * @param {Range} range
 * @param {number} value
 */
export function toPosition({ log, low, high }, value) {
  const part = log ? Math.log(Math.max(value, low) / low) / Math.log(high / low) : (value - low) / (high - low);
  return Math.round(STEPS * Math.min(Math.max(part, 0), 1));
}

/**
 * @param {Range} range
 * @param {number} position
 */
export function toValue({ log, low, high }, position) {
  const part = position / STEPS;
  const exact = log ? low * (high / low) ** part : low + part * (high - low);
  const digits = log ? 4 : Math.max(1, 3 - Math.floor(Math.log10((high - low) / STEPS || 1)) - 3 + 1);
  return log ? Number(exact.toPrecision(digits)) : Number(exact.toFixed(Math.min(Math.max(digits, 0), 9)));
}
