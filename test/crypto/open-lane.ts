/** A program that uses a slow lane, never closes it, and must end all the same. */
import { createSlowLane } from '../../src/crypto/slow-lane.ts'

const lane = createSlowLane({ queueMax: 1 })
const signal = new AbortController().signal
const pair = await lane.run('generate-key-pair', { spec: 'ECC_NIST_P256' }, signal)
console.log(pair.privateKey.length > 0)
