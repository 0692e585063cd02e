/** A colour never stands alone: an icon and a word or letter say the same. */
import { CircleCheck, CircleMinus, CircleX, type LucideIcon, TriangleAlert } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { Badge, type BadgeColor } from '@/ui/badge';
import type { Standing } from './figures';

export const STATUS: Record<Standing, { color: BadgeColor; Icon: LucideIcon }> = {
  GREEN: { color: 'green', Icon: CircleCheck },
  ORANGE: { color: 'orange', Icon: TriangleAlert },
  RED: { color: 'red', Icon: CircleX },
  NO_DATA: { color: 'gray', Icon: CircleMinus },
};

export function StatusMark({ status, className }: { status: Standing; className?: string }) {
  const { t } = useTranslation('kpi');
  const { color, Icon } = STATUS[status];
  return (
    <Badge
      color={color}
      mark={<Icon aria-hidden className="size-3.5 shrink-0" />}
      className={className ?? 'print:[print-color-adjust:exact]'}
    >
      {t(`status.${status}`)}
    </Badge>
  );
}
