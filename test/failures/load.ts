/** Callers that make every kind of change and use, on all nodes, until they are stopped. @module */
import { setTimeout as sleep } from 'node:timers/promises'
import { seeded } from '../durability/seeded.ts'
import { accessKeys } from './acts-of-access-keys.ts'
import * as access from './acts-of-access.ts'
import * as keys from './acts-of-keys.ts'
import { roles } from './acts-of-roles.ts'
import { createSigners, makeMac, sign, type Signers } from './acts-of-signers.ts'
import type { Deployment } from './calls.ts'
import { Caller } from './caller.ts'
import type { Memory } from './memory.ts'

export interface LoadSettings {
  readonly seed: number
  readonly callers: number
  /** Milliseconds that each caller waits after a call, on average. */
  readonly pauseMs: number
  /** A key is replaced after so many entries. Default: 500. */
  readonly entriesMax?: number
}

export interface Load {
  /** Resolves when every caller has ended. */
  readonly stop: () => Promise<void>
}

/** How often each act comes. */
const acts: readonly (readonly [number, keys.Act])[] = [
  [10, keys.encrypt],
  [8, keys.decrypt],
  [3, keys.dataKey],
  [3, keys.reEncrypt],
  [5, keys.describe],
  [3, keys.disable],
  [7, keys.enable],
  [1, keys.schedule],
  [4, keys.cancel],
  [2, keys.describeAnew],
  [2, keys.tag],
  [1, keys.untag],
  [3, keys.listTags],
  [1, keys.enableRotation],
  [1, keys.disableRotation],
  [2, keys.readRotation],
  [1, keys.rotate],
  [2, access.openPolicy],
  [2, access.closePolicy],
  [2, access.getPolicy],
  [6, access.useByPolicy],
  [2, access.createGrant],
  [6, access.useByGrant],
  [1, access.revokeGrant],
  [1, access.retireGrant],
  [2, access.listGrants],
  [1, access.createAlias],
  [1, access.updateAlias],
  [1, access.deleteAlias],
  [4, access.readAlias],
  [1, access.allowByIam],
  [1, access.denyByIam],
  [4, access.useByIam],
  [8, accessKeys],
  [14, roles],
]
const weights = acts.reduce((sum, [weight]) => sum + weight, 0)

const liveKeys = 6
/** A key is replaced after so many changes of unknown outcome. */
const unknownMax = 5

export async function startLoad(
  deployment: Deployment,
  memory: Memory,
  { seed, callers, pauseMs, entriesMax = 500 }: LoadSettings,
): Promise<Load> {
  const first = new Caller(deployment, memory, seeded(seed))
  for (let key = 0; key < liveKeys; key += 1) await keys.createKey(first)
  const signers = await createSigners(first)
  const stopping = new AbortController()
  const { signal } = stopping
  const running = Array.from({ length: callers }, async (_, index) => {
    const caller = new Caller(deployment, memory, seeded(seed * 1000 + index + 1))
    while (!signal.aborted) {
      await actOnce(caller, signers, entriesMax)
      const rest = caller.random.below(2 * pauseMs)
      await sleep(rest, undefined, { signal }).catch(() => undefined)
    }
  })
  return {
    async stop() {
      stopping.abort()
      await Promise.all(running)
    },
  }
}

async function actOnce(caller: Caller, signers: Signers, entriesMax: number): Promise<void> {
  const { memory, random } = caller
  if (memory.live.length < liveKeys) await keys.createKey(caller)
  const subject = random.oneOf(memory.live)
  if (subject === undefined) return
  if (subject.entries > entriesMax || subject.unknown > unknownMax) {
    keys.retire(caller, subject)
    await access.denyByIam(caller, subject)
    return
  }
  const chosen = random.below(weights + 4)
  if (chosen < 2) return await sign(caller, signers)
  if (chosen < 4) return await makeMac(caller, signers)
  let left = chosen - 4
  for (const [weight, act] of acts) {
    left -= weight
    if (left < 0) {
      await act(caller, subject)
      return
    }
  }
}
