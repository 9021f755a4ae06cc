/**
 * A slow lane's thread that dies at the first task of one spec, and answers any other task with the
 * spec's letters.
 */
import type { SlowTasks } from '../../src/crypto/slow-tasks.ts'
import { serveLane, type LaneTasks } from '../../src/threads/lane-thread.ts'

const die = (): never => process.exit(1)

serveLane<SlowTasks>({
  'generate-key-pair': ({ spec }) => {
    if (spec === 'RSA_4096') die()
    return { privateKey: new Uint8Array(Buffer.from(spec)), publicKey: new Uint8Array(0) }
  },
  sign: die,
  verify: die,
  decrypt: die,
  'derive-shared-secret': die,
  'unwrap-material': die,
  'read-material': die,
  'prove-attestation': die,
  argon2id: die,
} satisfies LaneTasks<SlowTasks>)
