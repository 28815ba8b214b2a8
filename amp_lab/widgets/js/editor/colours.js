// Replaces d3-color (10 kB), which d3-transition uses to fade colours: the canvas only moves its view.
export const color = () => null;
export { color as cubehelix, color as hcl, color as hsl, color as lab, color as rgb };
