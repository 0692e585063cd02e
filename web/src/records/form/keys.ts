import type { KeyboardEvent } from 'react';

type Keys = Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey'>;

/** Ctrl/Cmd+S and Ctrl/Cmd+Enter save from anywhere in a form. */
export function isSubmitKey(event: Keys): boolean {
  const command = (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey;
  return command && (event.key === 'Enter' || event.key.toLowerCase() === 's');
}
