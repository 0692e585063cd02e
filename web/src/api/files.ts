import { address } from './client';

/** Where the bytes of a file are: for links and pictures. */
export function fileAddress(id: string): string {
  return address(`/files/${encodeURIComponent(id)}/content`);
}
