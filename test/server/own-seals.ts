/** The seal of a running server, for tests of what uses it. @module */
import assert from 'node:assert/strict'
import type { Seal } from '../../src/seals/seal.ts'
import { createOwnSeal, type OwnSeal } from '../../src/server/own-seal.ts'
import type { Database } from '../../src/store/database.ts'

/**
 * A seal that has opened the root key at the start. Its time stands still: no trial is due, and nothing needs
 * to be closed.
 */
export function ownSealOf(database: Database, seal: Seal): OwnSeal {
  const clock = { now: () => 1 }
  const log = { info: () => undefined, warn: () => undefined, error: assert.fail }
  return createOwnSeal({ database, seal, hasOpened: true, clock, log })
}
