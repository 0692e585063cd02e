/** The whole Lucide set, in a chunk that is loaded only when a module names an icon `icon.tsx` does not have. */
export { icons } from 'lucide-react';
