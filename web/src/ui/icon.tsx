/** Lucide icons by the name a declaration gives them. */
import {
  Activity,
  Bell,
  Boxes,
  Briefcase,
  Building,
  Building2,
  Calendar,
  CircleDot,
  Factory,
  File,
  Folder,
  Gauge,
  HandHelping,
  HardDrive,
  House,
  Laptop,
  LifeBuoy,
  type LucideIcon,
  Mail,
  MapPin,
  Monitor,
  Package,
  Printer,
  Settings,
  Shield,
  Tag,
  Ticket,
  User,
  Users,
  Workflow,
} from 'lucide-react';
import { type ComponentType, lazy, Suspense } from 'react';
import { cn } from './cn';

/** The icons of the modules that come with the program; they are in the first load. */
const common: Record<string, LucideIcon> = {
  activity: Activity,
  bell: Bell,
  boxes: Boxes,
  briefcase: Briefcase,
  building: Building,
  'building-2': Building2,
  calendar: Calendar,
  'circle-dot': CircleDot,
  factory: Factory,
  file: File,
  folder: Folder,
  gauge: Gauge,
  'hand-helping': HandHelping,
  'hard-drive': HardDrive,
  house: House,
  laptop: Laptop,
  'life-buoy': LifeBuoy,
  mail: Mail,
  'map-pin': MapPin,
  monitor: Monitor,
  package: Package,
  printer: Printer,
  settings: Settings,
  shield: Shield,
  tag: Tag,
  ticket: Ticket,
  user: User,
  users: Users,
  workflow: Workflow,
};

interface IconProps {
  name: string | null;
  className?: string;
}

/** Any other icon is looked for in the whole set, which is a chunk of its own. */
const LateIcon = lazy(async (): Promise<{ default: ComponentType<IconProps> }> => {
  const { icons } = await import('./all-icons');
  return {
    default: ({ name, className }) => {
      const pascal = (name ?? '').replace(/(^|-)([a-z0-9])/g, (_match, _dash, letter: string) =>
        letter.toUpperCase(),
      );
      const Found = icons[pascal as keyof typeof icons] ?? CircleDot;
      return <Found aria-hidden className={className} />;
    },
  };
});

export function Icon({ name, className }: IconProps) {
  const classes = cn('size-4 shrink-0', className);
  const Known = name === null ? CircleDot : common[name];
  if (Known) {
    return <Known aria-hidden className={classes} />;
  }
  return (
    <Suspense fallback={<span className={classes} />}>
      <LateIcon name={name} className={classes} />
    </Suspense>
  );
}
