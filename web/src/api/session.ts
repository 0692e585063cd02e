/** Whether somebody is logged in, as far as the server has told us. */
import { useSyncExternalStore } from 'react';

type SessionState = 'in' | 'out';

// A page starts as if somebody were logged in: the first answer that says otherwise corrects it.
let state: SessionState = 'in';
const listeners = new Set<() => void>();

function change(next: SessionState): void {
  if (state !== next) {
    state = next;
    for (const listener of listeners) {
      listener();
    }
  }
}

export const session = {
  get: () => state,
  started: () => change('in'),
  ended: () => change('out'),
  subscribe: (listener: () => void) => {
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  },
};

export function useSession(): SessionState {
  return useSyncExternalStore(session.subscribe, session.get);
}
