/** What a person sets for himself: kept in this browser at once, and in his profile for the others. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import i18next from 'i18next';
import { useEffect } from 'react';
import { type ProfileChange, updateProfile } from '@/api/account';
import { appMetaQuery } from '@/api/meta';
import type { AppMeta, Theme } from '@/api/types';
import { changeLanguage, isLanguage, type Language, rememberLanguage } from '@/reader/i18n';
import { adoptTheme, setTheme } from './theme';

/** Labels of metadata and problems come in the reader's language, so a new one makes all of them old. */
function useReadAgain() {
  const client = useQueryClient();
  return () => client.invalidateQueries();
}

/** Takes over language and theme of the profile, in a browser that does not know the person yet. */
export function useAdoptProfile(app: AppMeta | undefined): void {
  const readAgain = useReadAgain();
  const language = app?.user.language ?? null;
  const theme = app?.user.theme ?? null;
  // biome-ignore lint/correctness/useExhaustiveDependencies: only a new profile is a reason, not a new closure
  useEffect(() => {
    if (language && isLanguage(language) && language !== i18next.language) {
      rememberLanguage(language);
      void changeLanguage(language).then(readAgain);
    }
    adoptTheme(theme);
  }, [language, theme]);
}

export function usePreferences() {
  const client = useQueryClient();
  const readAgain = useReadAgain();
  const save = useMutation({
    // One after the other: what was chosen last is what is kept.
    scope: { id: 'profile' },
    mutationFn: (change: ProfileChange) => updateProfile(change),
    onSuccess: (_me, change) => {
      client.setQueryData(
        appMetaQuery.queryKey,
        (app) => app && { ...app, user: { ...app.user, ...change } },
      );
    },
  });
  return {
    save: save.mutateAsync,
    setTheme: (theme: Theme) => {
      setTheme(theme);
      save.mutate({ theme });
    },
    setLanguage: async (language: Language) => {
      rememberLanguage(language);
      // First the profile, else its old language would be adopted again when metadata is read anew.
      await save.mutateAsync({ language }).catch(() => undefined);
      await changeLanguage(language);
      await readAgain();
    },
  };
}
