/** Paper is white: while a page is printed it is drawn in the light theme, whatever the screen shows. */
import { useEffect } from 'react';

export function useLightOnPaper(): void {
  useEffect(() => {
    const root = document.documentElement;
    let dark = false;
    const before = () => {
      dark = root.classList.contains('dark');
      root.classList.remove('dark');
    };
    const after = () => root.classList.toggle('dark', dark);
    window.addEventListener('beforeprint', before);
    window.addEventListener('afterprint', after);
    return () => {
      window.removeEventListener('beforeprint', before);
      window.removeEventListener('afterprint', after);
    };
  }, []);
}
