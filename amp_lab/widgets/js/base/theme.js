/** Call back when the colours of the page change; returns how to stop. */
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

/** Mark an element as dark or light by the background it stands on, now and whenever that changes. */
export function followTheme(element) {
  const apply = () => {
    const probe = getComputedStyle(document.body).getPropertyValue('--jp-layout-color0').trim();
    const dark = document.body.dataset.jpThemeLight !== undefined
      ? document.body.dataset.jpThemeLight === 'false'
      : !probe && matchMedia('(prefers-color-scheme: dark)').matches;
    element.dataset.theme = dark ? 'dark' : 'light';
  };
  apply();
  return onTheme(apply);
}

/** Read custom properties as they are now: colours(element, 'ink', 'grid') -> {ink, grid}. */
export function colours(element, ...names) {
  const style = getComputedStyle(element);
  return Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--amp-${name}`).trim()]));
}
