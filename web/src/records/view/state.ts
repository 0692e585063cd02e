/** The list's state, read from the address and written back to it. */
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback } from 'react';
import type { GridSearch } from './search';

export interface AddressState {
  search: GridSearch;
  /** `replace`: no step of its own to go back to, as while one types. */
  change: (changes: Partial<GridSearch>, replace?: boolean) => void;
}

function withoutAbsent(search: GridSearch): GridSearch {
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined));
}

export function useAddressState(): AddressState {
  const search = useSearch({ from: '/_app/r/$collection' });
  const navigate = useNavigate({ from: '/r/$collection' });
  const change = useCallback(
    (changes: Partial<GridSearch>, replace = false) => {
      void navigate({
        search: (current) => withoutAbsent({ ...current, ...changes }),
        replace,
        resetScroll: false,
      });
    },
    [navigate],
  );
  return { search, change };
}
