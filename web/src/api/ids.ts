/** Identifiers made by the client, as the server makes them: UUID version 7, ordered by time. */
export function newId(now: number = Date.now()): string {
  // Not crypto.randomUUID: it is missing where the page is served over plain HTTP inside a company.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const time = now.toString(16).padStart(12, '0');
  const random = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  const variant = (8 + ((bytes[8] ?? 0) & 3)).toString(16);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(0, 3)}-${variant}${random.slice(3, 6)}-${random.slice(6, 18)}`;
}
