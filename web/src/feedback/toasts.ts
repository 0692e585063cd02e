/**
 * Short messages at the edge of the screen: one for each finished act, with its way back where there is one.
 * Anyone may say something here at any time; what draws the messages is loaded with the first of them.
 */

export interface Undo {
  label: string;
  run: () => void;
}

export interface Message {
  kind: 'told' | 'failed';
  text: string;
  description?: string;
  undo?: Undo;
}

let waiting: Message[] = [];
let deliver: ((message: Message) => void) | null = null;
const listeners = new Set<() => void>();
let wanted = false;

function say(message: Message): void {
  if (deliver) {
    deliver(message);
    return;
  }
  waiting = [...waiting, message];
  wanted = true;
  for (const listener of listeners) {
    listener();
  }
}

export function told(text: string, undo?: Undo): void {
  say({ kind: 'told', text, undo });
}

/** `undo` is the way on, where there is one. */
export function failed(text: string, description?: string, undo?: Undo): void {
  say({ kind: 'failed', text, description, undo });
}

/** Hands over what was said so far, and from now on each message as it is said. */
export function deliverToasts(to: (message: Message) => void): () => void {
  deliver = to;
  for (const message of waiting) {
    to(message);
  }
  waiting = [];
  return () => {
    deliver = null;
  };
}

/** Whether anything was ever said: until then nothing needs to draw it. */
export const toastsWanted = {
  get: () => wanted,
  subscribe: (listener: () => void) => {
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  },
};
