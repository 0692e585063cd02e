/** The records of the fake server: the same at each start, so that screenshots and tests agree. */
import type { RecordData } from '@/api/types';
import { moreRecords } from './specimen';

const people = [
  'Awa Ndong',
  'Marc Lefèvre',
  'Inès Moreau',
  'João Tavares',
  'Clémence Obiang',
  'Pierre-Yves Guillemot',
  'Lucía Fernández',
  'Samuel Mba',
  'Nadia Haddad',
  'Thomas Renaud',
];
const groups = ['Support réseau', 'Poste de travail', 'Applications métier', 'Infrastructure', 'Sécurité'];
const subjects = [
  'Imprimante du 2e étage hors ligne',
  'VPN impossible depuis le site de Port-Gentil',
  'Accès au dossier partagé Comptabilité',
  'Écran noir au démarrage du portable',
  'Demande de second écran',
  'Mot de passe expiré, compte verrouillé',
  'Lenteur du réseau Wi-Fi en salle Atlantique',
  'Mise à jour du logiciel de paie refusée par le poste',
  'Remplacement de la batterie de l’onduleur, salle serveurs, baie 4, à planifier avec la maintenance',
  'Nouvel arrivant : poste, badge et téléphone',
];
const statuses = ['new', 'todo', 'in_progress', 'on_hold', 'done', 'closed'];
const priorities = ['low', 'medium', 'medium', 'high', 'critical'];
const kinds = ['incident', 'request', 'change', 'problem'];
const tags = ['vip', 'réseau', 'matériel', 'paie'];

export const ME = 'user-0';

function pick<T>(list: T[], index: number): T {
  return list[index % list.length] as T;
}

const HOUR = 3_600_000;

function ticketAt(index: number, now: number): RecordData {
  const created = new Date(now - index * 2.6 * HOUR).toISOString();
  const scrambled = (index * 7 + (index >> 3) * 3) >>> 0;
  return {
    id: `ticket-${index}`,
    version: 1 + (index % 4),
    number: `TIC-${String(20_000 - index).padStart(6, '0')}`,
    title: pick(subjects, scrambled),
    description:
      'Depuis ce matin, plus rien ne répond.\n\n- redémarré deux fois\n- même chose chez mes collègues',
    kind: pick(kinds, scrambled + (index >> 2)),
    status: pick(statuses, index < 3 ? index : scrambled >> 1),
    priority: pick(priorities, scrambled + index),
    assigned_group: `group-${scrambled % groups.length}`,
    assignee: index % 4 === 1 ? null : `user-${(scrambled + 1) % people.length}`,
    requester: `user-${(index * 3) % people.length}`,
    due_at: index % 3 === 0 ? new Date(now + ((index % 17) - 4) * 20 * HOUR).toISOString() : null,
    tags: index % 5 === 0 ? [pick(tags, index), pick(tags, index + 1)] : [],
    cost: index % 6 === 0 ? { amount: `${(index * 37) % 900}.50`, currency: 'EUR' } : null,
    created_at: created,
    updated_at: new Date(Date.parse(created) + (index % 9) * 0.4 * HOUR).toISOString(),
    created_by: `user-${(index * 3) % people.length}`,
  };
}

/** Collections by name. `count` tickets; the people and groups are always the same. */
export function seed(count: number, now: number): Map<string, Map<string, RecordData>> {
  const stamp = {
    version: 1,
    created_at: new Date(now).toISOString(),
    updated_at: new Date(now).toISOString(),
    created_by: ME,
  };
  const byId = (records: RecordData[]) => new Map(records.map((record) => [record.id, record]));
  return new Map([
    ['tickets', byId(Array.from({ length: count }, (_unused, index) => ticketAt(index, now)))],
    [
      'users',
      byId(
        people.map((full_name, index) => ({
          id: `user-${index}`,
          full_name,
          email: `${full_name.split(' ')[0]?.toLowerCase()}@acme.example`,
          active: index !== 7,
          ...stamp,
        })),
      ),
    ],
    ['groups', byId(groups.map((name, index) => ({ id: `group-${index}`, name, ...stamp })))],
    ...moreRecords(stamp).map(([name, records]): [string, Map<string, RecordData>] => [name, byId(records)]),
    ['saved-views', new Map()],
  ]);
}
