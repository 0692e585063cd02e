/** The menu of the metadata as addresses of this interface. */
import { linkOptions } from '@tanstack/react-router';
import type { AppMeta, MenuItem } from '@/api/types';

export function menuTarget(item: MenuItem) {
  return item.page === undefined
    ? linkOptions({ to: '/r/$collection', params: { collection: item.collection } })
    : linkOptions({ to: '/p/$page', params: { page: item.page } });
}

export function menuKey(item: MenuItem): string {
  return item.page ?? item.collection;
}

export function menuItems(app: AppMeta): MenuItem[] {
  return app.menu.flatMap((module) => module.items);
}
