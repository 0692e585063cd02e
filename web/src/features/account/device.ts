/** What a browser calls itself, in the words a person would use: "Firefox, Linux". */

const BROWSERS: [RegExp, string][] = [
  [/Edg(e|A|iOS)?\//, 'Edge'],
  [/OPR\//, 'Opera'],
  [/Firefox\/|FxiOS\//, 'Firefox'],
  [/Chrome\/|CriOS\//, 'Chrome'],
  [/Safari\//, 'Safari'],
];

const SYSTEMS: [RegExp, string][] = [
  [/Android/, 'Android'],
  [/iPhone|iPad/, 'iOS'],
  [/Windows/, 'Windows'],
  [/Mac OS X/, 'macOS'],
  [/Linux/, 'Linux'],
];

const nameIn = (agent: string, list: [RegExp, string][]) =>
  list.find(([pattern]) => pattern.test(agent))?.[1];

export function deviceName(agent: string | null | undefined): string | null {
  if (!agent) {
    return null;
  }
  const parts = [nameIn(agent, BROWSERS), nameIn(agent, SYSTEMS)].filter((part) => part !== undefined);
  return parts.length > 0 ? parts.join(', ') : (agent.split('/')[0] ?? null);
}

export function isHandheld(agent: string | null | undefined): boolean {
  return /Android|iPhone|iPad|Mobile/.test(agent ?? '');
}
