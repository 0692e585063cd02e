/**
 * The company one works in, for whoever works in several: kept in this browser and named by every request.
 * Without a choice everything is shown, and what is made belongs to the company of the profile.
 */
const KEY = 'opsflux.company';

export const company = {
  get: (): string | null => localStorage.getItem(KEY),
  choose(id: string | null): void {
    if (id === null) {
      localStorage.removeItem(KEY);
    } else {
      localStorage.setItem(KEY, id);
    }
  },
};

/** Whether the server refuses a request for the company it names. */
export async function isCompanyUnknown(response: Response): Promise<boolean> {
  if (response.status !== 400) {
    return false;
  }
  const problem: unknown = await response
    .clone()
    .json()
    .catch(() => null);
  return (
    typeof problem === 'object' &&
    problem !== null &&
    'parameter' in problem &&
    problem.parameter === 'OpsFlux-Company'
  );
}
