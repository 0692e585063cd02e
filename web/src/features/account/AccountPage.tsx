/** The person's own page: who he is here, how he likes it, and where he is logged in. */
import { useSuspenseQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { appMetaQuery } from '@/api/meta';
import type { Theme } from '@/api/types';
import { problemText } from '@/feedback/problem-text';
import { failed, told } from '@/feedback/toasts';
import { isLanguage, LANGUAGE_NAMES, LANGUAGES } from '@/reader/i18n';
import { usePreferences } from '@/shell/profile';
import { useTheme } from '@/shell/theme';
import { Select } from '@/ui/input';
import { Sessions } from './Sessions';

function Setting({ label, children }: { label: string; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: the control is what it is given
    <label className="flex items-center justify-between gap-4 border-b py-2 last:border-b-0">
      <span>{label}</span>
      <span className="w-56 max-w-[60%]">{children}</span>
    </label>
  );
}

function Preferences({ timeZone }: { timeZone: string | null }) {
  const { t, i18n } = useTranslation();
  const theme = useTheme();
  const preferences = usePreferences();
  const saveZone = (zone: string) =>
    preferences.save({ time_zone: zone }).then(
      () => told(t('account.saved')),
      (error) => failed(t('account.not_saved'), problemText(error, t)),
    );
  return (
    <>
      <Setting label={t('user.language')}>
        <Select
          value={i18n.language}
          onChange={({ target }) => isLanguage(target.value) && void preferences.setLanguage(target.value)}
        >
          {LANGUAGES.map((language) => (
            <option key={language} value={language} lang={language}>
              {LANGUAGE_NAMES[language]}
            </option>
          ))}
        </Select>
      </Setting>
      <Setting label={t('user.theme')}>
        <Select value={theme} onChange={({ target }) => preferences.setTheme(target.value as Theme)}>
          {(['light', 'dark', 'system'] as const).map((value) => (
            <option key={value} value={value}>
              {t(`theme.${value}`)}
            </option>
          ))}
        </Select>
      </Setting>
      <Setting label={t('account.time_zone')}>
        <Select value={timeZone ?? ''} onChange={({ target }) => void saveZone(target.value)}>
          {timeZone === null && <option value="">{t('account.browser_zone')}</option>}
          {Intl.supportedValuesOf('timeZone').map((zone) => (
            <option key={zone} value={zone}>
              {zone.replaceAll('_', ' ')}
            </option>
          ))}
        </Select>
      </Setting>
    </>
  );
}

export function AccountPage() {
  const { t } = useTranslation();
  const { data: app } = useSuspenseQuery(appMetaQuery);
  const { user } = app;
  return (
    <div className="mx-auto max-w-2xl p-4 sm:p-6">
      <h1 className="text-xl font-semibold">{user.full_name}</h1>
      <p className="text-muted-foreground">
        {user.email} · {user.username}
      </p>
      <section aria-labelledby="preferences" className="mt-6">
        <h2 id="preferences" className="mb-1 font-semibold">
          {t('account.preferences')}
        </h2>
        <Preferences timeZone={user.time_zone ?? null} />
      </section>
      <Sessions />
    </div>
  );
}
