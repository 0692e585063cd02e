import { Paperclip } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';

function carriesFiles(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes('Files') === true;
}

/** Text that is pasted stays text, also when the program it comes from sends a picture of it along. */
function pastedFiles(event: ClipboardEvent): File[] {
  const types = event.clipboardData?.types ?? [];
  return types.includes('text/plain') ? [] : [...(event.clipboardData?.files ?? [])];
}

interface DropZoneProps {
  onFiles: (files: File[]) => void;
}

/** Files may be dropped, and pictures pasted, anywhere on the page of the record. */
export function DropZone({ onFiles }: DropZoneProps) {
  const { t } = useTranslation();
  const [over, setOver] = useState(false);
  const take = useRef(onFiles);
  take.current = onFiles;
  useEffect(() => {
    // Entering a child comes before leaving its parent: only when as many were left as entered is it over.
    let depth = 0;
    const end = () => {
      depth = 0;
      setOver(false);
    };
    const onEnter = (event: DragEvent) => {
      if (carriesFiles(event)) {
        depth += 1;
        setOver(true);
      }
    };
    const onLeave = (event: DragEvent) => {
      if (carriesFiles(event)) {
        depth -= 1;
        if (depth <= 0) {
          end();
        }
      }
    };
    const onOver = (event: DragEvent) => {
      if (carriesFiles(event)) {
        event.preventDefault();
      }
    };
    const onDrop = (event: DragEvent) => {
      end();
      if (carriesFiles(event) && !event.defaultPrevented) {
        event.preventDefault();
        take.current([...(event.dataTransfer?.files ?? [])]);
      }
    };
    const onPaste = (event: ClipboardEvent) => {
      const files = pastedFiles(event);
      const inDialog = event.target instanceof Element && event.target.closest('[role="dialog"]');
      if (files.length > 0 && !inDialog) {
        event.preventDefault();
        take.current(files);
      }
    };
    window.addEventListener('dragenter', onEnter);
    window.addEventListener('dragleave', onLeave);
    window.addEventListener('dragover', onOver);
    window.addEventListener('drop', onDrop);
    window.addEventListener('paste', onPaste);
    return () => {
      window.removeEventListener('dragenter', onEnter);
      window.removeEventListener('dragleave', onLeave);
      window.removeEventListener('dragover', onOver);
      window.removeEventListener('drop', onDrop);
      window.removeEventListener('paste', onPaste);
    };
  }, []);
  return over ? (
    <div className="pointer-events-none fixed inset-2 z-50 grid place-items-center rounded-lg border-2 border-dashed border-accent bg-background/80">
      <p className="flex items-center gap-2 text-base font-semibold">
        <Paperclip aria-hidden className="size-5" />
        {t('files.drop')}
      </p>
    </div>
  ) : null;
}
