/** Short messages at the edge of the screen: one for each finished act, with its way back where there is one. */
import { toast } from 'sonner';

/** Long enough to read it, find the button and change one's mind. */
const UNDO_TIME = 10_000;

export interface Undo {
  label: string;
  run: () => void;
}

export function told(message: string, undo?: Undo): void {
  toast.success(message, undo && { duration: UNDO_TIME, action: { label: undo.label, onClick: undo.run } });
}

export function failed(message: string, description?: string): void {
  toast.error(message, { description });
}
