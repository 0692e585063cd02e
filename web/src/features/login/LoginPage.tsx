/** The only page a person sees who is not logged in, whatever the address; afterwards the address opens. */
import { useMutation } from '@tanstack/react-query';
import type { FormEvent, ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { signIn } from '@/api/account';
import { isProblem } from '@/api/problem';
import { changeLanguage, isLanguage, LANGUAGE_NAMES, LANGUAGES, rememberLanguage } from '@/reader/i18n';
import { Button } from '@/ui/button';
import { Input, Select } from '@/ui/input';

interface LoginPageProps {
  onSignedIn: () => void;
}

function useProblemText() {
  const { t } = useTranslation();
  return (error: unknown): string => {
    if (isProblem(error) && !error.isOffline) {
      return error.retryAfter === null
        ? error.message
        : `${error.message} ${t('login.wait', { count: Math.ceil(error.retryAfter / 60) })}`;
    }
    return t('problem.offline');
  };
}

function Frame({ children }: { children: ReactNode }) {
  const { t, i18n } = useTranslation();
  return (
    <main className="flex min-h-dvh flex-col items-center justify-center gap-6 bg-surface p-4">
      <div className="w-full max-w-88 rounded-lg border bg-background p-6">
        <div className="mb-5 flex items-center gap-2.5">
          <img src="/favicon.svg" alt="" className="size-7" />
          <span className="text-base font-semibold">OpsFlux</span>
        </div>
        {children}
      </div>
      <label className="flex items-center gap-2 text-muted-foreground">
        <span>{t('user.language')}</span>
        <Select
          className="w-auto"
          value={i18n.language}
          onChange={({ target }) => {
            if (isLanguage(target.value)) {
              rememberLanguage(target.value);
              void changeLanguage(target.value);
            }
          }}
        >
          {LANGUAGES.map((language) => (
            <option key={language} value={language} lang={language}>
              {LANGUAGE_NAMES[language]}
            </option>
          ))}
        </Select>
      </label>
    </main>
  );
}

function ErrorText({ id, children }: { id: string; children: ReactNode }) {
  return (
    <div id={id} role="alert" className="empty:hidden rounded-md bg-danger-surface px-2.5 py-2 text-danger">
      {children}
    </div>
  );
}

export function LoginPage({ onSignedIn }: LoginPageProps) {
  const { t } = useTranslation();
  const problemText = useProblemText();
  const login = useMutation({
    mutationFn: ({ email, password }: { email: string; password: string }) => signIn(email, password),
    onSuccess: onSignedIn,
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    login.mutate({ email: String(form.get('email')).trim(), password: String(form.get('password')) });
  };
  return (
    <Frame>
      <h1 className="mb-4 text-lg font-semibold">{t('login.title')}</h1>
      <form onSubmit={submit} className="flex flex-col gap-3">
        <label className="flex flex-col gap-1">
          <span className="font-medium">{t('login.email')}</span>
          <Input
            name="email"
            required
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
            autoFocus
            className="h-9"
            aria-describedby="login-error"
          />
        </label>
        <label className="flex flex-col gap-1">
          <span className="font-medium">{t('login.password')}</span>
          <Input
            name="password"
            type="password"
            required
            autoComplete="current-password"
            className="h-9"
            aria-describedby="login-error"
          />
        </label>
        <ErrorText id="login-error">{login.isError && problemText(login.error)}</ErrorText>
        <Button type="submit" variant="primary" size="large" disabled={login.isPending}>
          {login.isPending ? t('login.pending') : t('login.submit')}
        </Button>
      </form>
    </Frame>
  );
}
