/** Call back when the colours of the page change; returns a function that stops it. */
export function onTheme(callback) {
  const observer = new MutationObserver(callback);
  const options = { attributes: true, attributeFilter: ['data-jp-theme-name', 'data-jp-theme-light', 'class'] };
  observer.observe(document.body, options);
  observer.observe(document.documentElement, options);
  const media = matchMedia('(prefers-color-scheme: dark)');
  media.addEventListener('change', callback);
  return () => {
    observer.disconnect();
    media.removeEventListener('change', callback);
  };
}

const known = new WeakMap();

/** Mark an element as dark or light by its background, now and whenever the background changes. */
export function followTheme(element) {
  const apply = () => {
    const probe = getComputedStyle(document.body).getPropertyValue('--jp-layout-color0').trim();
    const dark = document.body.dataset.jpThemeLight !== undefined
      ? document.body.dataset.jpThemeLight === 'false'
      : !probe && matchMedia('(prefers-color-scheme: dark)').matches;
    element.dataset.theme = dark ? 'dark' : 'light';
    known.delete(element);
  };
  apply();
  return onTheme(apply);
}

/**
 * Values of custom properties of an element of `followTheme`: colours(element, 'ink', 'grid') -> {ink, grid}. Each is
 * read once per theme, because reading it forces a page layout.
 */
export function colours(element, ...names) {
  const read = known.get(element) ?? {};
  const missing = names.filter((name) => !read[name]);
  if (missing.length) {
    const style = getComputedStyle(element);
    for (const name of missing) read[name] = style.getPropertyValue(`--amp-${name}`).trim();
    known.set(element, read);
  }
  return read;
}
