// @ts-check
// Eleven of the 256 colours of the map "magma" by S. van der Walt and N. Smith (public domain, CC0); the others are interpolated.
const STOPS = [
  [0, 0, 4], [20, 14, 54], [59, 15, 112], [100, 26, 128], [140, 41, 129], [183, 55, 121],
  [222, 73, 104], [247, 112, 92], [254, 159, 109], [254, 207, 146], [252, 253, 191],
];

/** 256 colours as packed RGBA; the last one marks faults. */
export const PALETTE = Uint32Array.from({ length: 256 }, (_, index) => {
  if (index === 255) return 0xff2800d0;
  const place = (index / 254) * (STOPS.length - 1);
  const from = STOPS[Math.floor(place)];
  const to = STOPS[Math.min(Math.floor(place) + 1, STOPS.length - 1)];
  const [r, g, b] = from.map((value, i) => Math.round(value + (to[i] - value) * (place % 1)));
  return (255 << 24) | (b << 16) | (g << 8) | r;
});
