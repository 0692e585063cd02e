import { ArrowUp } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { Button } from '@/ui/button';

interface NewRowsProps {
  count: number;
  onShow: () => void;
}

/** Rows that came while one reads further down: they wait until they are asked for. */
export function NewRows({ count, onShow }: NewRowsProps) {
  const { t } = useTranslation();
  return (
    <div role="status" className="pointer-events-none absolute inset-x-0 top-11 z-10 flex justify-center">
      {count > 0 && (
        <Button variant="primary" className="pointer-events-auto rounded-full shadow-md" onClick={onShow}>
          <ArrowUp aria-hidden /> {t('grid.new_rows', { count })}
        </Button>
      )}
    </div>
  );
}
