/** What tests of several seals share. @module */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { SealRefused, type Seal, type Wanted } from '../../src/seals/seal.ts'

export const rootKey = randomBytes(32)

/** A SealRefused with a one-line message that contains `words`. */
export const refusal = (words: RegExp) => (error: unknown) => {
  assert.ok(error instanceof SealRefused, String(error))
  assert.match(error.message, words)
  assert.ok(!error.message.includes('\n'))
  return true
}

/** Seals `rootKey` for the deployment `deployment`. */
export function sealed(seal: Seal, wanted?: Wanted) {
  return seal.seal(rootKey, 'deployment', wanted)
}

/** The outcome of each attempt to open a record with one byte changed. */
export async function attemptsOnChanged(
  record: Uint8Array,
  open: (changed: Uint8Array) => Promise<unknown>,
): Promise<readonly unknown[]> {
  const outcomes: unknown[] = []
  for (let index = 0; index < record.length; index += 1) {
    const changed = Uint8Array.from(record)
    changed[index] = (changed[index] ?? 0) ^ 1
    const outcome = await (async () => open(changed))().catch((error: unknown) => error)
    outcomes.push(outcome)
  }
  return outcomes
}
