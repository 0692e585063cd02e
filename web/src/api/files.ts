import { address } from './client';
import type { FileData } from './types';

/** Where the bytes of a file are: for links and pictures. */
export function fileAddress(id: string): string {
  return address(`/files/${encodeURIComponent(id)}/content`);
}

/** What a browser draws by itself and cannot run: a drawing in SVG may carry a program. */
export function isPicture(file: FileData): boolean {
  return /^image\/(png|jpeg|gif|webp|avif|bmp)$/.test(file.media_type);
}
