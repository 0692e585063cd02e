import { useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Keyboard, Languages, LogOut, Palette, ShieldCheck, UserRound } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { signOut } from '@/api/account';
import { company } from '@/api/company';
import { appMetaQuery } from '@/api/meta';
import { session } from '@/api/session';
import type { Me, Theme } from '@/api/types';
import { failed } from '@/feedback/toasts';
import { isLanguage, LANGUAGE_NAMES, LANGUAGES } from '@/reader/i18n';
import { countDrafts, dropDrafts } from '@/records/form/drafts';
import {
  Menu,
  MenuContent,
  MenuItem,
  MenuLabel,
  MenuRadioGroup,
  MenuRadioItem,
  MenuSeparator,
  MenuSub,
  MenuSubContent,
  MenuSubTrigger,
  MenuTrigger,
} from '@/ui/menu';
import { usePreferences } from './profile';
import { useTheme } from './theme';

const THEMES: Theme[] = ['light', 'dark', 'system'];

/**
 * Ends the session here even when the server cannot be told. What was typed and not saved goes with it, so
 * that nobody finds it in this browser; while there is some, one is told first.
 */
export function useSignOut() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const leave = async () => {
    dropDrafts();
    company.choose(null);
    await signOut().catch(() => undefined);
    client.clear();
    session.ended();
  };
  return async () => {
    const me = client.getQueryData(appMetaQuery.queryKey)?.user.id;
    if (me !== undefined && countDrafts(me) > 0) {
      failed(t('user.unsaved'), undefined, { label: t('user.sign_out_anyway'), run: () => void leave() });
    } else {
      await leave();
    }
  };
}

function initials(name: string): string {
  const parts = name.split(/[\s-]+/).filter((part) => part !== '');
  return `${parts[0]?.[0] ?? ''}${parts.length > 1 ? (parts.at(-1)?.[0] ?? '') : ''}`.toUpperCase();
}

interface UserMenuProps {
  me: Me;
  onShortcuts: () => void;
}

export function UserMenu({ me, onShortcuts }: UserMenuProps) {
  const { t, i18n } = useTranslation();
  const theme = useTheme();
  const preferences = usePreferences();
  const leave = useSignOut();
  return (
    <Menu>
      <MenuTrigger
        aria-label={t('user.menu', { name: me.full_name })}
        className="grid size-7 shrink-0 place-items-center rounded-full bg-selected text-xs font-semibold pointer-coarse:size-11"
      >
        <span aria-hidden>{initials(me.full_name)}</span>
      </MenuTrigger>
      <MenuContent align="end" className="w-60">
        <MenuLabel>
          <span className="block truncate text-sm font-medium text-foreground">{me.full_name}</span>
          <span className="block truncate">{me.email}</span>
        </MenuLabel>
        <MenuSeparator />
        <MenuItem asChild>
          <Link to="/account">
            <UserRound aria-hidden /> {t('user.account')}
          </Link>
        </MenuItem>
        {me.roles.includes('admin') && (
          <MenuItem asChild>
            <Link to="/access">
              <ShieldCheck aria-hidden /> {t('access.title')}
            </Link>
          </MenuItem>
        )}
        <MenuSub>
          <MenuSubTrigger>
            <Languages aria-hidden /> {t('user.language')}
          </MenuSubTrigger>
          <MenuSubContent>
            <MenuRadioGroup
              value={i18n.language}
              onValueChange={(language) => {
                if (isLanguage(language)) {
                  void preferences.setLanguage(language);
                }
              }}
            >
              {LANGUAGES.map((language) => (
                <MenuRadioItem key={language} value={language} lang={language}>
                  {LANGUAGE_NAMES[language]}
                </MenuRadioItem>
              ))}
            </MenuRadioGroup>
          </MenuSubContent>
        </MenuSub>
        <MenuSub>
          <MenuSubTrigger>
            <Palette aria-hidden /> {t('user.theme')}
          </MenuSubTrigger>
          <MenuSubContent>
            <MenuRadioGroup value={theme} onValueChange={(value) => preferences.setTheme(value as Theme)}>
              {THEMES.map((value) => (
                <MenuRadioItem key={value} value={value}>
                  {t(`theme.${value}`)}
                </MenuRadioItem>
              ))}
            </MenuRadioGroup>
          </MenuSubContent>
        </MenuSub>
        <MenuItem onSelect={onShortcuts}>
          <Keyboard aria-hidden /> {t('shortcuts.title')}
        </MenuItem>
        <MenuSeparator />
        <MenuItem onSelect={() => void leave()}>
          <LogOut aria-hidden /> {t('user.sign_out')}
        </MenuItem>
      </MenuContent>
    </Menu>
  );
}
