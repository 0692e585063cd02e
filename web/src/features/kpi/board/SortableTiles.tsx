/** The tiles of a dashboard, put in order with the mouse, a finger or the keyboard. */
import {
  closestCenter,
  DndContext,
  type DragEndEvent,
  KeyboardSensor,
  PointerSensor,
  type UniqueIdentifier,
  useSensor,
  useSensors,
} from '@dnd-kit/core';
import {
  rectSortingStrategy,
  SortableContext,
  sortableKeyboardCoordinates,
  useSortable,
} from '@dnd-kit/sortable';
import { GripVertical } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import type { Tile as Shown } from '../figures';
import { arranged, movedTo } from './arrangement';
import { Tile } from './Tile';

interface SortableTilesProps {
  tiles: Shown[];
  order: string[];
  onOrder: (order: string[]) => void;
}

function Movable({
  tile,
  place,
  last,
  onPlace,
}: {
  tile: Shown;
  place: number;
  last: number;
  onPlace: (to: number) => void;
}) {
  const { t } = useTranslation('kpi');
  const { attributes, listeners, setNodeRef, setActivatorNodeRef, transform, transition, isDragging } =
    useSortable({ id: tile.kpi_id });
  const moved = transform ? `translate(${transform.x}px, ${transform.y}px)` : undefined;
  return (
    <li
      ref={setNodeRef}
      style={{ transform: moved, transition }}
      className={isDragging ? 'z-10 opacity-80' : undefined}
    >
      <Tile
        tile={tile}
        handle={
          <button
            type="button"
            ref={setActivatorNodeRef}
            {...attributes}
            {...listeners}
            aria-label={t('arrange.move', { name: tile.name, place: place + 1, count: last + 1 })}
            aria-keyshortcuts="Alt+ArrowLeft Alt+ArrowRight"
            className="grid size-6 shrink-0 cursor-grab touch-none place-items-center rounded-sm text-muted-foreground hover:bg-hover pointer-coarse:size-11"
            onKeyDown={(event) => {
              const by = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
              if (event.altKey && by !== undefined) {
                event.preventDefault();
                onPlace(place + by);
              } else {
                listeners?.onKeyDown?.(event);
              }
            }}
          >
            <GripVertical aria-hidden className="size-4" />
          </button>
        }
      />
    </li>
  );
}

export const GRID = 'grid gap-3 @lg:grid-cols-2 @4xl:grid-cols-3 @7xl:grid-cols-4';

export function SortableTiles({ tiles, order, onOrder }: SortableTilesProps) {
  const { t } = useTranslation('kpi');
  const sensors = useSensors(
    useSensor(PointerSensor, { activationConstraint: { distance: 4 } }),
    useSensor(KeyboardSensor, { coordinateGetter: sortableKeyboardCoordinates }),
  );
  const said = (key: string, id: UniqueIdentifier, over?: UniqueIdentifier) =>
    t(`arrange.${key}`, {
      name: tiles.find(({ kpi_id }) => kpi_id === id)?.name ?? '',
      place: order.indexOf(String(over ?? id)) + 1,
      count: order.length,
    });
  const onDragEnd = ({ active, over }: DragEndEvent) => {
    if (over) {
      onOrder(movedTo(order, String(active.id), order.indexOf(String(over.id))));
    }
  };
  return (
    <DndContext
      sensors={sensors}
      collisionDetection={closestCenter}
      onDragEnd={onDragEnd}
      accessibility={{
        screenReaderInstructions: { draggable: t('arrange.help') },
        announcements: {
          onDragStart: ({ active }) => said('start', active.id),
          onDragOver: ({ active, over }) => said('over', active.id, over?.id),
          onDragEnd: ({ active, over }) => said('end', active.id, over?.id),
          onDragCancel: ({ active }) => said('cancel', active.id),
        },
      }}
    >
      <SortableContext items={order} strategy={rectSortingStrategy}>
        <ul className={GRID}>
          {arranged(tiles, order).map((tile, place) => (
            <Movable
              key={tile.kpi_id}
              tile={tile}
              place={place}
              last={order.length - 1}
              onPlace={(to) => onOrder(movedTo(order, tile.kpi_id, to))}
            />
          ))}
        </ul>
      </SortableContext>
    </DndContext>
  );
}
