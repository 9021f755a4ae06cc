/** Rules for verifying documents in tests, with the test attester's root. @module */
import { after } from 'node:test'
import type { AttestationRules } from '../../../src/crypto/attestation/verify.ts'
import { createSlowLane } from '../../../src/crypto/slow-lane.ts'
import { createAttester } from './attester.ts'

const slowLane = createSlowLane({ queueMax: 64 })
after(() => slowLane.close())

export const attester = await createAttester()
/** An attester with an untrusted root. */
export const other = await createAttester()
export const minute = 60_000

export function rules(changes: Partial<AttestationRules> = {}): AttestationRules {
  const { signal } = new AbortController()
  const roots = [attester.root.der]
  return { roots, now: Date.now(), maxAgeMs: 5 * minute, slowLane, signal, ...changes }
}

export const refused = (reason: string): object => ({
  code: 'ValidationException',
  message: `the attestation document is refused: ${reason}`,
})
