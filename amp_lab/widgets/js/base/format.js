// @ts-check
/** @type {[number, string][]} */
const PREFIXES = [[1e-9, 'n'], [1e-6, 'µ'], [1e-3, 'm'], [1, ''], [1e3, 'k'], [1e6, 'M']];

/**
 * A number with four significant digits, in its shortest form: 0.7071, 440, 1.2e-5.
 * @param {unknown} value
 */
export function number(value) {
  if (typeof value !== 'number' || !Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e7)) return value.toExponential(3).replace(/\.?0+e/, 'e');
  return String(Number(value.toPrecision(size >= 1000 ? 6 : 4)));
}

/**
 * With an SI prefix: si(0.00012, 's') is "120 µs".
 * @param {number} value
 * @param {string} unit
 */
export function si(value, unit) {
  if (!value) return `0 ${unit}`;
  const [scale, prefix] = PREFIXES.findLast(([limit]) => Math.abs(value) >= limit) ?? PREFIXES[0];
  return `${Number((value / scale).toPrecision(3))} ${prefix}${unit}`;
}

/**
 * A parameter's value in a few characters.
 * @param {any} value
 */
export function brief(value, unit = '') {
  if (value === undefined || value === null) return '';
  if (typeof value === 'number') return unit ? `${number(value)} ${unit}` : number(value);
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'object') return value.curve ? `~ ${value.curve}` : 'array';
  return value;
}

/**
 * A time, with unit and digits chosen so that a view of `width` seconds can tell neighbouring values apart.
 * @param {number} seconds
 * @param {number} width in seconds
 */
export function fine(seconds, width) {
  const [scale, unit] = /** @type {[number, string][]} */ ([[1, 's'], [1e-3, 'ms'], [1e-6, 'µs']]).find(([size]) => Math.max(Math.abs(seconds), width) >= size) ?? [1e-6, 'µs'];
  return `${Number((seconds / scale).toFixed(Math.min(9, Math.max(0, 2 - Math.floor(Math.log10(width / scale))))))} ${unit}`;
}
