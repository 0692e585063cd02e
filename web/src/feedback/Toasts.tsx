/** Draws the messages of `toasts.ts`. */
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { Toaster, toast } from 'sonner';
import { deliverToasts, type Message } from './toasts';

/** Long enough to read it, find the button and change one's mind. */
const UNDO_TIME = 10_000;

function show({ kind, text, description, undo }: Message): void {
  const way = undo && { duration: UNDO_TIME, action: { label: undo.label, onClick: undo.run } };
  if (kind === 'failed') {
    toast.error(text, { description, ...way });
  } else {
    toast.success(text, way);
  }
}

export function Toasts({ theme }: { theme: 'light' | 'dark' | 'system' }) {
  const { t } = useTranslation();
  useEffect(() => deliverToasts(show), []);
  return (
    <Toaster
      theme={theme}
      position="bottom-right"
      // Above the bar at the bottom of a phone.
      mobileOffset={{ bottom: '4.5rem' }}
      style={{ fontFamily: 'inherit' }}
      containerAriaLabel={t('shell.notifications')}
      toastOptions={{ closeButton: true, closeButtonAriaLabel: t('action.close') }}
    />
  );
}
