// Runs before the first paint, so that a dark theme never flashes white. A file of its own and not an
// inline script: the server's content security policy allows scripts from its own address only.
(() => {
  let theme = 'system';
  try {
    theme = localStorage.getItem('opsflux.theme') ?? 'system';
  } catch {
    // Storage may be closed to us; the system's theme is then the answer.
  }
  const dark = theme === 'dark' || (theme === 'system' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.classList.toggle('dark', dark);
})();
