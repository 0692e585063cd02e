/** Which columns stand in the list, in which order, and what it is sorted by. */
import {
  closestCenter,
  DndContext,
  type DragCancelEvent,
  type DragEndEvent,
  type DragOverEvent,
  type DragStartEvent,
  KeyboardSensor,
  PointerSensor,
  type UniqueIdentifier,
  useSensor,
  useSensors,
} from '@dnd-kit/core';
import {
  arrayMove,
  SortableContext,
  sortableKeyboardCoordinates,
  useSortable,
  verticalListSortingStrategy,
} from '@dnd-kit/sortable';
import { ArrowDownUp, GripVertical, X } from 'lucide-react';
import { type ReactNode, useId } from 'react';
import { useTranslation } from 'react-i18next';
import type { EntityMeta, FieldMeta } from '@/api/types';
import { Button } from '@/ui/button';
import { Checkbox } from '@/ui/checkbox';
import { Select } from '@/ui/input';
import { sortOf } from './GridHeader';

interface DisplayOptionsProps {
  entity: EntityMeta;
  columns: string[];
  sort: string[];
  onColumns: (columns: string[]) => void;
  onSort: (sort: string[]) => void;
}

interface ColumnLineProps {
  field: FieldMeta;
  shown: boolean;
  /** The last column cannot be taken away. */
  locked?: boolean;
  onToggle: () => void;
  children?: ReactNode;
}

function ColumnLine({ field, shown, locked = false, onToggle, children }: ColumnLineProps) {
  const id = useId();
  return (
    <div className="flex min-h-7 items-center gap-2 rounded-md px-1 pointer-coarse:min-h-11">
      <Checkbox id={id} checked={shown} disabled={locked} onCheckedChange={onToggle} />
      <label htmlFor={id} className="min-w-0 flex-1 truncate">
        {field.label}
      </label>
      {children}
    </div>
  );
}

function MovableLine(props: Omit<ColumnLineProps, 'shown' | 'children'>) {
  const { t } = useTranslation();
  const { field } = props;
  const sortable = useSortable({ id: field.name });
  const { transform, transition } = sortable;
  return (
    <li
      ref={sortable.setNodeRef}
      style={{ transform: transform ? `translateY(${transform.y}px)` : undefined, transition }}
    >
      <ColumnLine {...props} shown>
        <button
          type="button"
          ref={sortable.setActivatorNodeRef}
          {...sortable.attributes}
          {...sortable.listeners}
          aria-label={t('grid.move_column', { name: field.label })}
          className="grid size-6 shrink-0 cursor-grab touch-none place-items-center rounded-sm text-muted-foreground hover:bg-hover pointer-coarse:size-11"
        >
          <GripVertical aria-hidden className="size-4" />
        </button>
      </ColumnLine>
    </li>
  );
}

/** What a screen reader says while a column is carried, in the reader's language. */
function useSpoken(columns: string[], entity: EntityMeta) {
  const { t } = useTranslation();
  const said = (key: string, id: UniqueIdentifier, over?: UniqueIdentifier) => {
    const name = entity.fields.find((field) => field.name === id)?.label ?? String(id);
    return t(key, { name, place: columns.indexOf(String(over ?? id)) + 1, count: columns.length });
  };
  return {
    screenReaderInstructions: { draggable: t('grid.drag_help') },
    announcements: {
      onDragStart: ({ active }: DragStartEvent) => said('grid.drag_start', active.id),
      onDragOver: ({ active, over }: DragOverEvent) => said('grid.drag_over', active.id, over?.id),
      onDragEnd: ({ active, over }: DragEndEvent) => said('grid.drag_end', active.id, over?.id),
      onDragCancel: ({ active }: DragCancelEvent) => said('grid.drag_cancel', active.id),
    },
  };
}

function SortKeys({ entity, sort, onSort }: Pick<DisplayOptionsProps, 'entity' | 'sort' | 'onSort'>) {
  const { t } = useTranslation();
  const free = entity.fields.filter((field) => field.sortable && sortOf(sort, field.name) === null);
  return (
    <div className="flex flex-col gap-1">
      {sort.map((key, at) => {
        const name = key.replace(/^-/, '');
        const label = entity.fields.find((field) => field.name === name)?.label ?? name;
        const descending = key.startsWith('-');
        return (
          <div key={name} className="flex items-center gap-1">
            <span className="min-w-0 flex-1 truncate pl-1">{label}</span>
            <Button
              variant="ghost"
              className="text-muted-foreground"
              onClick={() => onSort(sort.toSpliced(at, 1, descending ? name : `-${name}`))}
            >
              <ArrowDownUp aria-hidden />
              {t(descending ? 'grid.descending' : 'grid.ascending')}
            </Button>
            <Button
              variant="ghost"
              size="icon"
              aria-label={t('grid.remove_sort', { name: label })}
              onClick={() => onSort(sort.toSpliced(at, 1))}
            >
              <X aria-hidden />
            </Button>
          </div>
        );
      })}
      <Select
        aria-label={t('grid.add_sort')}
        value=""
        onChange={({ target }) => target.value !== '' && onSort([...sort, target.value])}
      >
        <option value="">{t('grid.add_sort')}</option>
        {free.map(({ name, label }) => (
          <option key={name} value={name}>
            {label}
          </option>
        ))}
      </Select>
    </div>
  );
}

export function DisplayOptions({ entity, columns, sort, onColumns, onSort }: DisplayOptionsProps) {
  const { t } = useTranslation();
  const sensors = useSensors(
    useSensor(PointerSensor, { activationConstraint: { distance: 4 } }),
    useSensor(KeyboardSensor, { coordinateGetter: sortableKeyboardCoordinates }),
  );
  const spoken = useSpoken(columns, entity);
  const shown = columns.flatMap((name) => entity.fields.find((field) => field.name === name) ?? []);
  const hidden = entity.fields.filter(({ name, type }) => !columns.includes(name) && type !== 'password');
  const onDragEnd = ({ active, over }: DragEndEvent) => {
    const from = columns.indexOf(String(active.id));
    const to = over ? columns.indexOf(String(over.id)) : -1;
    if (from >= 0 && to >= 0 && from !== to) {
      onColumns(arrayMove(columns, from, to));
    }
  };
  const heading = 'px-1 pb-1 text-xs font-medium text-muted-foreground';
  return (
    <div className="flex flex-col gap-3">
      <section>
        <h2 className={heading}>{t('grid.sorted_by')}</h2>
        <SortKeys entity={entity} sort={sort} onSort={onSort} />
      </section>
      <section>
        <h2 className={heading}>{t('grid.shown_columns')}</h2>
        <DndContext
          sensors={sensors}
          collisionDetection={closestCenter}
          onDragEnd={onDragEnd}
          accessibility={spoken}
        >
          <SortableContext items={columns} strategy={verticalListSortingStrategy}>
            <ul>
              {shown.map((field) => (
                <MovableLine
                  key={field.name}
                  field={field}
                  locked={columns.length === 1}
                  onToggle={() => onColumns(columns.filter((name) => name !== field.name))}
                />
              ))}
            </ul>
          </SortableContext>
        </DndContext>
      </section>
      <section>
        <h2 className={heading}>{t('grid.hidden_columns')}</h2>
        <ul>
          {hidden.map((field) => (
            <li key={field.name}>
              <ColumnLine field={field} shown={false} onToggle={() => onColumns([...columns, field.name])} />
            </li>
          ))}
        </ul>
      </section>
    </div>
  );
}
