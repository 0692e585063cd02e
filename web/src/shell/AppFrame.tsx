/** What stands around every page: sidebar, top bar, bottom bar, palette, toasts. */
import { Outlet } from '@tanstack/react-router';
import { Menu as MenuIcon, PanelLeft, Search } from 'lucide-react';
import { lazy, Suspense, useState, useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';
import type { AppMeta } from '@/api/types';
import { Bell } from '@/features/notifications/Bell';
import { toastsWanted } from '@/feedback/toasts';
import { Button } from '@/ui/button';
import { cn } from '@/ui/cn';
import { Dialog, SheetContent } from '@/ui/dialog';
import { Kbd } from '@/ui/kbd';
import { Skeleton } from '@/ui/skeleton';
import { Tooltip } from '@/ui/tooltip';
import { BottomBar } from './BottomBar';
import { Breadcrumbs } from './Breadcrumbs';
import { SavingRefused } from './SavingRefused';
import { Sidebar } from './Sidebar';
import { COMMAND_KEY, useGlobalKeys } from './shortcuts';
import { useTheme } from './theme';
import { UserMenu } from './UserMenu';
import { ViewingAs } from './ViewingAs';

const Palette = lazy(() =>
  import('@/features/palette/Palette').then(({ Palette }) => ({ default: Palette })),
);
const ShortcutsDialog = lazy(() =>
  import('./ShortcutsDialog').then(({ ShortcutsDialog }) => ({ default: ShortcutsDialog })),
);

const Toasts = lazy(() => import('@/feedback/Toasts').then(({ Toasts }) => ({ default: Toasts })));

const COLLAPSED = 'opsflux.sidebar';

function PagePlaceholder() {
  return (
    <div className="flex flex-col gap-4 p-4">
      <Skeleton className="h-5 w-48" />
      <Skeleton className="h-4 w-80 max-w-full" />
      <Skeleton className="h-40 w-full" />
    </div>
  );
}

interface AppFrameProps {
  /** Absent while it is read: the frame is already there then, in its final layout. */
  app: AppMeta | undefined;
}

type Overlay = 'palette' | 'shortcuts' | 'menu' | null;

export function AppFrame({ app }: AppFrameProps) {
  const { t } = useTranslation();
  const theme = useTheme();
  const saying = useSyncExternalStore(toastsWanted.subscribe, toastsWanted.get);
  const [overlay, setOverlay] = useState<Overlay>(null);
  const [collapsed, setCollapsed] = useState(() => localStorage.getItem(COLLAPSED) === 'collapsed');
  const close = () => setOverlay(null);
  useGlobalKeys({ openPalette: () => setOverlay('palette'), openShortcuts: () => setOverlay('shortcuts') });
  const toggleSidebar = () => {
    localStorage.setItem(COLLAPSED, collapsed ? 'shown' : 'collapsed');
    setCollapsed(!collapsed);
  };
  return (
    <div className="flex h-dvh print:block print:h-auto">
      <a
        href="#main"
        className="sr-only focus:not-sr-only focus:absolute focus:top-2 focus:left-2 focus:z-50 focus:rounded-md focus:bg-raised focus:px-3 focus:py-2"
      >
        {t('shell.skip')}
      </a>
      <div
        className={cn(
          'w-56 shrink-0 border-r bg-surface print:hidden',
          collapsed ? 'hidden' : 'hidden lg:block',
        )}
      >
        <Sidebar app={app} />
      </div>
      <div className="flex min-w-0 flex-1 flex-col print:block">
        <header className="flex h-11 shrink-0 items-center gap-2 border-b px-3 pointer-coarse:h-14 print:hidden">
          <Tooltip text={collapsed ? t('shell.show_sidebar') : t('shell.hide_sidebar')}>
            <Button
              variant="ghost"
              size="icon"
              className="-ml-1 max-lg:hidden"
              aria-label={collapsed ? t('shell.show_sidebar') : t('shell.hide_sidebar')}
              onClick={toggleSidebar}
            >
              <PanelLeft aria-hidden />
            </Button>
          </Tooltip>
          <Button
            variant="ghost"
            size="icon"
            className="-ml-1 max-sm:hidden lg:hidden"
            aria-label={t('shell.menu')}
            onClick={() => setOverlay('menu')}
          >
            <MenuIcon aria-hidden />
          </Button>
          <Breadcrumbs app={app} />
          <Button
            className="w-56 justify-start text-muted-foreground max-sm:hidden"
            onClick={() => setOverlay('palette')}
            aria-keyshortcuts="Control+K Meta+K"
          >
            <Search aria-hidden />
            <span className="flex-1 truncate text-left">{t('shell.search')}</span>
            <span aria-hidden className="flex gap-0.5 pointer-coarse:hidden">
              <Kbd>{COMMAND_KEY}</Kbd>
              <Kbd>K</Kbd>
            </span>
          </Button>
          {app && <Bell />}
          {app ? (
            <UserMenu me={app.user} onShortcuts={() => setOverlay('shortcuts')} />
          ) : (
            <Skeleton className="size-7 rounded-full" />
          )}
        </header>
        <ViewingAs app={app} />
        <SavingRefused />
        <main
          id="main"
          tabIndex={-1}
          className="min-h-0 flex-1 overflow-auto outline-none print:overflow-visible"
        >
          {/* A page that is still being read leaves the frame around it where it is. */}
          <Suspense fallback={<PagePlaceholder />}>{app ? <Outlet /> : <PagePlaceholder />}</Suspense>
        </main>
        <BottomBar app={app} onSearch={() => setOverlay('palette')} onMenu={() => setOverlay('menu')} />
      </div>
      <Dialog open={overlay === 'menu'} onOpenChange={(open) => !open && close()}>
        <SheetContent title={t('shell.navigation')} closeLabel={t('action.close')}>
          <Sidebar app={app} onNavigate={close} />
        </SheetContent>
      </Dialog>
      <Suspense fallback={null}>
        {overlay === 'palette' && app && <Palette app={app} onClose={close} />}
        {overlay === 'shortcuts' && <ShortcutsDialog open onOpenChange={(open) => !open && close()} />}
      </Suspense>
      <Suspense fallback={null}>{saying && <Toasts theme={theme} />}</Suspense>
    </div>
  );
}
