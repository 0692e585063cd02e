/** What the steps before the one being written gave, for its texts to speak of. */
import { createContext, use } from 'react';

export interface Given {
  name: string;
  label: string;
}

const Before = createContext<Given[]>([]);
export const StepsBeforeProvider = Before;

export function useStepsBefore(): Given[] {
  return use(Before);
}
