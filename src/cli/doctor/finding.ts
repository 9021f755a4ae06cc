/** What `trent doctor` finds, and how one check becomes findings. @module */
import { oneLine } from '../one-line.ts'

/** In the order in which they run. */
export const checks = [
  'settings',
  'server',
  'permissions',
  'tls',
  'ports',
  'disk',
  'database',
  'clock',
  'seal',
] as const
export type CheckName = (typeof checks)[number]

/** `failed`: a start or calls fail because of it. `skipped`: it could not be checked now. */
export type State = 'ok' | 'warning' | 'failed' | 'skipped'

export interface Outcome {
  readonly state: State
  readonly found: string
  /** What to do next, unless `found` says it. */
  readonly todo?: string
}

export interface Finding extends Outcome {
  readonly check: CheckName
}

/**
 * Runs one check. Whatever it throws is a failure that is found.
 * @param todo what to do after a failure
 */
export async function look(
  check: CheckName,
  todo: string,
  run: () => Promise<readonly Outcome[]> | readonly Outcome[],
): Promise<readonly Finding[]> {
  try {
    return (await run()).map((outcome) => ({ check, ...outcome }))
  } catch (error) {
    return [{ check, ...failureOf(error, todo) }]
  }
}

export function failureOf(error: unknown, todo: string): Outcome {
  const [found = ''] = oneLine(error).split('\n')
  return { state: 'failed', found, todo }
}

export function ok(found: string): Outcome {
  return { state: 'ok', found }
}

export function skipped(found: string): Outcome {
  return { state: 'skipped', found }
}
